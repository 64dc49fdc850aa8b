/** The inbox reader through seeded schedules of restarts, failures and doubles. */
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Envelope } from '../../../actors/kernel/message.ts';
import type { Settled } from '../../../actors/kernel/ports.ts';
import { MAX_IN_FLIGHT, readInbox, TRIM_INTERVAL_MS } from '../../../supervisors/cluster/inboxReader.ts';
import { createSimulatedInbox } from '../../support/simulatedInbox.ts';
import { createTimeline, seededRandom } from '../../support/timeline.ts';

const test = suite('inbox reader, schedules');

const DONE: Settled = { kind: 'done' };
const FAILED: Settled = { kind: 'failed', error: new Error('poison') };
const SHARD = 3;

const envelope = (id: string): Envelope => ({ id, to: { type: 'counter', id: 'one' }, message: { type: 'add' } });

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);
const MESSAGES = 150;
const POISON = 'x#13';

/** Senders repeat until stored; the shard answers late, refuses, fails, and starts again from its last durable record. */
async function schedule(seed: number): Promise<void> {
  const timeline = createTimeline();
  const random = seededRandom(seed);
  const faults = { refused: 0.1, ackLost: 0.2, doubled: 0.1, longestDelayMs: 20 };
  const inbox = createSimulatedInbox({ timeline, random, faults });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => timeline.delay(ms, resolve));
  const ids = Array.from({ length: MESSAGES }, (_, number) => `x#${number}`);
  /** What the shard's records hold. */
  const answered = new Set<string>();
  /** The message behind each offset, and the record's offset. */
  const places: string[] = [];
  let durable = 0;
  let trimmedUpTo = 0;

  async function life(lastsMs: number): Promise<void> {
    let alive = true;
    let atShard = 0;
    const reader = readInbox({
      shard: SHARD,
      from: durable,
      inbox: {
        put: async () => assert.unreachable('nothing fails for so long'),
        read: (shard, after, on) =>
          inbox.read(shard, after, (offset, one) => {
            places[offset] = one.id;
            return on(offset, one);
          }),
        trim(shard, upTo) {
          trimmedUpTo = upTo;
          assert.ok(upTo <= durable, 'nothing is trimmed that a restart would need');
          return inbox.trim(shard, upTo);
        },
      },
      deliver({ id }, settle) {
        assert.ok(alive, 'nothing is delivered after the close');
        atShard++;
        assert.ok(atShard <= MAX_IN_FLIGHT);
        timeline.delay(random() * 40, () => {
          atShard--;
          const luck = random();
          if (id === POISON || luck < 0.1) settle(FAILED);
          else if (luck < 0.2) settle({ kind: 'unavailable', reason: 'busy', retryAfterMs: random() * 100 });
          else {
            // After the end of its life the log takes nothing from it.
            if (alive) answered.add(id);
            settle(DONE);
          }
        });
      },
      clock: timeline,
      random,
      logger: pino({ level: 'silent' }),
    });
    for (const until = timeline.monotonic() + lastsMs; timeline.monotonic() < until; ) {
      await pause(random() * 50);
      const offset = reader.offset();
      for (let place = 1; place <= offset; place++) {
        assert.ok(answered.has(places[place] ?? ''), `offset ${offset}, but ${place} is not answered`);
      }
      durable = offset;
      reader.stored(offset);
    }
    alive = false;
    reader.close();
  }

  const sending = Promise.all(
    ids.map(async (id) => {
      await pause(random() * 5_000);
      for (let stored = false; !stored; )
        stored = await inbox.put(SHARD, envelope(id)).then(
          () => true,
          () => false,
        );
    }),
  );
  for (let lives = 0; lives < 5; lives++) await life(random() * 2_000);
  await Promise.all([sending, life(2 * TRIM_INTERVAL_MS)]);
  assert.equal([...answered].sort(), ids.filter((id) => id !== POISON).sort(), 'all that is no poison is answered');
  assert.ok(places[durable + 1] === POISON, 'the poison, and nothing else, holds the offset');
  assert.ok(durable === 0 || trimmedUpTo > 0, 'what is answered is trimmed');
}

test('through any schedule of restarts, failures and doubles every message is answered, and none is passed over', async () => {
  for (const seed of SEEDS) {
    try {
      await schedule(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
});

test.run();
