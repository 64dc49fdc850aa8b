/**
 * Many want to know the same thing as of now, and finding it out takes a while: each gets the result of a round that began
 * after it asked. One round is under way at a time; all that ask meanwhile share the next one.
 */
export function createRounds<Value>(round: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<unknown> | undefined;
  let next: Promise<Value> | undefined;

  function start(): Promise<Value> {
    const started = round();
    const ended = started
      .catch(() => undefined)
      .then(() => {
        if (running === ended) running = undefined;
      });
    running = ended;
    return started;
  }

  return () => {
    if (next) return next;
    if (!running) return start();
    next = running.then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}
