/**
 * Who goes first when there is more to do than a turn of the event loop should take: a turn that handles all that sagas
 * have to say to each other keeps whoever asks from outside waiting for as long. So of what nobody waits for, each turn
 * takes a part; requests are handled as they come.
 */

/** Messages of a turn that nobody waits for: some milliseconds of work. */
const PER_TURN = 128;

export type Turns = {
  /** Runs the task now, or in a later turn when this one has its share; tasks keep their order. */
  share(task: () => void): void;
};

export function createTurns(): Turns {
  let waiting: (() => void)[] = [];
  /** Index of the first that waits; those before it are cut off in bulk. */
  let head = 0;
  let taken = 0;
  let counting = false;

  function nextTurn(): void {
    taken = 0;
    while (taken < PER_TURN && head < waiting.length) {
      taken += 1;
      waiting[head++]?.();
    }
    if (head === waiting.length || head > 4_096) {
      waiting = waiting.slice(head);
      head = 0;
    }
    counting = taken > 0;
    if (counting) setImmediate(nextTurn);
  }

  return {
    share(task) {
      if (!counting) {
        counting = true;
        setImmediate(nextTurn);
      }
      if (taken < PER_TURN && head === waiting.length) {
        taken += 1;
        task();
      } else {
        waiting.push(task);
      }
    },
  };
}
