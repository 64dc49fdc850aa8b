/** What other shards sent reaches the actors of this one: all of it, through failures, restarts and lost tails. */
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Envelope } from '../../../actors/kernel/message.ts';
import type { Settled } from '../../../actors/kernel/ports.ts';
import {
  type InboxReader,
  MAX_IN_FLIGHT,
  MAX_UNANSWERED,
  PUT_BACK_AFTER_MS,
  readInbox,
  TRIM_INTERVAL_MS,
} from '../../../supervisors/cluster/inboxReader.ts';
import { createTimeline, seededRandom, watchedTimeline } from '../../support/timeline.ts';

const test = suite('inbox reader');

const DONE: Settled = { kind: 'done' };
const BUSY = { kind: 'unavailable', reason: 'busy', retryAfterMs: 200 } as const;
const FAILED: Settled = { kind: 'failed', error: new Error('poison') };
const SHARD = 3;

const envelope = (id: string): Envelope => ({ id, to: { type: 'counter', id: 'one' }, message: { type: 'add' } });

/** Simulated time never ends while something is tried again. */
const opened: InboxReader[] = [];
test.after.each(() => {
  for (const reader of opened.splice(0)) reader.close();
});

type Delivered = { readonly id: string; readonly settle: (result: Settled) => void };

/** The reader between a broker and a shard that are both played by the test. */
function build({ from = 0, answer }: { from?: number; answer?: (id: string) => Settled | undefined } = {}) {
  const timeline = createTimeline();
  const clock = watchedTimeline(timeline);
  const delivered: Delivered[] = [];
  const trims: { readonly upTo: number; readonly at: number }[] = [];
  const errors: string[] = [];
  let on: (offset: number, envelope: Envelope) => void | Promise<void> = () => assert.unreachable('not read');
  let trimFails = false;
  const puts: string[] = [];
  let putFails = false;
  let stopped = false;
  const logger = pino({ level: 'silent' });
  logger.error = (_: object, text?: string) => void errors.push(String(text));
  const reader = readInbox({
    shard: SHARD,
    from,
    inbox: {
      read(shard, after, handler) {
        assert.equal([shard, after], [SHARD, from]);
        on = handler;
        return {
          stop() {
            stopped = true;
          },
        };
      },
      async put(shard, { id }) {
        assert.is(shard, SHARD);
        if (putFails) throw new Error('not reached');
        puts.push(id);
      },
      async trim(shard, upTo) {
        assert.is(shard, SHARD);
        trims.push({ upTo, at: timeline.monotonic() });
        if (trimFails) throw new Error('not reached');
      },
    },
    deliver({ id }, settle) {
      delivered.push({ id, settle });
      const settled = answer?.(id);
      if (settled) settle(settled);
    },
    clock,
    random: seededRandom(1),
    logger,
  });
  opened.push(reader);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => timeline.delay(ms, resolve));
  return {
    ...{ reader, delivered, trims, puts, errors, clock, pause },
    /** Resolves false while the reader wants no more. */
    async hand(offset: number, id = `m${offset}`): Promise<boolean> {
      const taken = Promise.resolve(on(offset, envelope(id))).then(() => true);
      return Promise.race([taken, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
    },
    on: (offset: number) => on(offset, envelope(`m${offset}`)),
    settle(id: string, result: Settled = DONE): void {
      const last = delivered.findLast((one) => one.id === id);
      assert.ok(last, `${id} was delivered`);
      last.settle(result);
    },
    ids: () => delivered.map(({ id }) => id),
    failTrims(fail: boolean): void {
      trimFails = fail;
    },
    failPuts(fail: boolean): void {
      putFails = fail;
    },
    stopped: () => stopped,
  };
}

test('the offset is that of the last message before which all are answered', async () => {
  const { reader, hand, settle, ids } = build({ from: 10 });
  assert.is(reader.offset(), 10);
  for (const offset of [12, 13, 17]) assert.ok(await hand(offset));
  assert.equal(ids(), ['m12', 'm13', 'm17']);
  settle('m13');
  assert.ok(reader.offset() < 12);
  settle('m12');
  assert.ok(reader.offset() >= 13 && reader.offset() < 17);
  settle('m17');
  assert.is(reader.offset(), 17);
});

test('a message that is settled twice counts once', async () => {
  const { reader, hand, settle, delivered, pause } = build();
  await hand(1);
  settle('m1', BUSY);
  settle('m1', DONE);
  settle('m1', BUSY);
  assert.is(reader.offset(), 0);
  await pause(60_000);
  assert.is(delivered.length, 2);
});

test('only so many are at the shard at once, in their order', async () => {
  const { hand, delivered, settle, ids } = build();
  for (let offset = 1; offset <= MAX_IN_FLIGHT + 50; offset++) assert.ok(await hand(offset));
  assert.is(delivered.length, MAX_IN_FLIGHT);
  settle('m7');
  assert.is(delivered.length, MAX_IN_FLIGHT + 1);
  for (let offset = 1; offset <= MAX_IN_FLIGHT + 50; offset++) if (offset !== 7) settle(`m${offset}`);
  assert.equal(
    ids(),
    Array.from({ length: MAX_IN_FLIGHT + 50 }, (_, index) => `m${index + 1}`),
  );
});

test('answers that come at once neither pause reading nor fill the stack', async () => {
  const { reader, on } = build({ answer: () => DONE });
  for (let offset = 1; offset <= 50_000; offset++) assert.is(on(offset), undefined);
  assert.is(reader.offset(), 50_000);
});

test('what is unavailable or fails is tried again, ever more rarely, while others go on', async () => {
  let well = false;
  const answer = (id: string): Settled => {
    if (id === 'm1') return FAILED;
    return id === 'm2' && !well ? BUSY : DONE;
  };
  const { reader, hand, ids, errors, pause } = build({ answer });
  for (let offset = 1; offset <= 500; offset++) assert.ok(await hand(offset));
  const count = (id: string): number => ids().filter((one) => one === id).length;
  await pause(1_000);
  assert.ok(count('m2') > 2 && count('m2') < 10, `${count('m2')} tries in 1 s`);
  well = true;
  await pause(60_000);
  const tries = count('m1');
  assert.ok(tries > 10 && tries < 40, `${tries} tries in 1 min`);
  assert.ok(errors.length > 1 && errors.length < 8, `${errors.length} lines in the log`);
  assert.is(reader.offset(), 0, 'it is not passed over');
  await pause(60_000);
  assert.ok(count('m1') > tries, 'it is never given up');
  assert.equal([...new Set(ids())].length, 500);
});

test('what fails for ever goes to the end of the inbox, once it is stored there, and holds up nothing any more', async () => {
  const { reader, hand, ids, puts, failPuts, pause } = build({ answer: (id) => (id === 'm1' ? FAILED : DONE) });
  for (const offset of [1, 2, 3]) await hand(offset);
  failPuts(true);
  await pause(PUT_BACK_AFTER_MS + 60_000);
  assert.is(reader.offset(), 0, 'its copy is not stored');
  failPuts(false);
  await pause(60_000);
  assert.equal(puts, ['m1']);
  assert.is(reader.offset(), 3);
  const tries = ids().length;
  await hand(4, 'm1');
  await pause(60_000);
  assert.ok(ids().length > tries + 1, 'the copy is tried as the first one was');
  assert.is(reader.offset(), 3);
});

test('what only has to wait keeps its place', async () => {
  const { reader, hand, puts, pause } = build({ answer: () => BUSY });
  await hand(1);
  await pause(PUT_BACK_AFTER_MS * 2);
  assert.equal(puts, []);
  assert.is(reader.offset(), 0);
});

test('a shard whose delivery throws is tried again', async () => {
  let bug = true;
  const { reader, hand, pause } = build({
    answer() {
      if (bug) throw new Error('bug');
      return DONE;
    },
  });
  assert.ok(await hand(1));
  assert.ok(await hand(2));
  bug = false;
  await pause(1_000);
  assert.is(reader.offset(), 2);
});

test('when too many wait, reading pauses until there is room', async () => {
  let well = false;
  const { reader, hand, delivered, pause } = build({ answer: () => (well ? DONE : BUSY) });
  for (let offset = 1; offset < MAX_UNANSWERED; offset++) assert.ok(await hand(offset), `offset ${offset}`);
  let taken = false;
  const last = hand(MAX_UNANSWERED).then((now) => {
    taken = now;
  });
  await last;
  assert.not.ok(taken, 'the last one is taken, but nothing after it');
  await pause(10_000);
  assert.ok(delivered.length > MAX_UNANSWERED, 'those that wait are tried meanwhile');
  well = true;
  await pause(10_000);
  assert.is(reader.offset(), MAX_UNANSWERED);
  assert.ok(await hand(MAX_UNANSWERED + 1));
});

test('the promise by which reading pauses ends when there is room, or with the reader', async () => {
  for (const how of ['room', 'close'] as const) {
    const { reader, on, settle } = build();
    for (let offset = 1; offset < MAX_UNANSWERED; offset++) await on(offset);
    const pausing = on(MAX_UNANSWERED);
    assert.instance(pausing, Promise);
    if (how === 'room') settle('m9');
    else reader.close();
    await pausing;
  }
});

test('when the broker uses its offsets again, the lower ones count, and nothing of before is lost', async () => {
  const { reader, hand, settle, ids, pause } = build();
  for (let offset = 1; offset <= 9; offset++) await hand(offset);
  for (const id of ['m1', 'm2', 'm3', 'm4', 'm6']) settle(id);
  assert.is(reader.offset(), 4);
  await hand(6, 'new6');
  assert.is(reader.offset(), 4, 'the fifth is in the inbox still');
  settle('m5');
  assert.is(reader.offset(), 5);
  await hand(7, 'new7');
  settle('m7');
  settle('new6');
  assert.is(reader.offset(), 6, 'the former seventh is not the one of now');
  settle('new7');
  assert.is(reader.offset(), 7);
  settle('m8', BUSY);
  await pause(1_000);
  assert.is(ids().filter((id) => id === 'm8').length, 2, 'nobody else has it');
  settle('m8');
  assert.is(reader.offset(), 7);
  await hand(1, 'first of all');
  assert.is(reader.offset(), 0, 'a stream that was made anew');
  settle('first of all');
  assert.is(reader.offset(), 1);
});

test('a broker that lost more than the shard has read is followed back', async () => {
  const { reader, hand, settle } = build({ from: 50 });
  await hand(20);
  assert.is(reader.offset(), 19);
  settle('m20');
  assert.is(reader.offset(), 20);
});

test('the inbox is trimmed rarely, up to what is durable', async () => {
  const { reader, hand, settle, trims, pause } = build();
  for (let offset = 1; offset <= 100; offset++) {
    await hand(offset);
    settle(`m${offset}`);
    reader.stored(offset - 1);
    await pause(TRIM_INTERVAL_MS / 20);
  }
  await pause(2 * TRIM_INTERVAL_MS);
  assert.ok(trims.length >= 4 && trims.length <= 6, `${trims.length} trims`);
  for (const { upTo, at } of trims) assert.ok(upTo <= Math.ceil(at / (TRIM_INTERVAL_MS / 20)), `${upTo} at ${at}`);
  assert.is(trims.at(-1)?.upTo, 99);
  const before = trims.length;
  reader.stored(99);
  await pause(2 * TRIM_INTERVAL_MS);
  assert.is(trims.length, before, 'not for nothing');
});

test('a trim that fails is made up for by the next one', async () => {
  const { reader, hand, settle, trims, pause, failTrims } = build();
  for (const offset of [1, 2]) {
    await hand(offset);
    settle(`m${offset}`);
    failTrims(offset === 1);
    reader.stored(offset);
    await pause(2 * TRIM_INTERVAL_MS);
  }
  assert.equal(
    trims.map(({ upTo }) => upTo),
    [1, 2],
  );
});

test('what was stored before the broker used its offsets again trims nothing of now', async () => {
  const { reader, hand, settle, trims, pause } = build();
  for (let offset = 1; offset <= 9; offset++) {
    await hand(offset);
    settle(`m${offset}`);
  }
  reader.stored(9);
  await hand(4, 'new4');
  reader.stored(9);
  await pause(2 * TRIM_INTERVAL_MS);
  assert.ok(trims.length > 0 && trims.every(({ upTo }) => upTo <= 3));
  settle('new4');
  reader.stored(4);
  await pause(2 * TRIM_INTERVAL_MS);
  assert.is(trims.at(-1)?.upTo, 4);
});

test('a message waits for as long as the shard asks, but not for ever', async () => {
  const asked: Record<string, number> = { m1: 3_000, m2: 60_000_000 };
  const { hand, ids, pause } = build({ answer: (id) => ({ ...BUSY, retryAfterMs: asked[id] ?? 0 }) });
  for (const offset of [1, 2]) await hand(offset);
  await pause(1_400);
  assert.equal(ids(), ['m1', 'm2']);
  await pause(10_000);
  assert.ok(ids().filter((id) => id === 'm1').length > 1);
  assert.ok(ids().filter((id) => id === 'm2').length > 1);
});

test('after the broker has used its offsets again, they are trimmed again too', async () => {
  const { reader, hand, settle, trims, pause } = build();
  for (const offset of [8, 9, 2, 3]) {
    await hand(offset);
    settle(`m${offset}`);
    reader.stored(offset);
    await pause(2 * TRIM_INTERVAL_MS);
  }
  assert.equal(
    trims.map(({ upTo }) => upTo),
    [8, 9, 2, 3],
  );
});

test('a closed reader delivers, counts and trims nothing any more', async () => {
  const { reader, hand, settle, ids, trims, clock, pause, stopped } = build();
  for (const offset of [1, 2, 3, 4]) await hand(offset);
  settle('m1');
  settle('m3', BUSY);
  reader.stored(1);
  reader.close();
  assert.ok(stopped());
  assert.is(clock.pending(), 0, 'no try and no trim is planned');
  settle('m2');
  settle('m4', BUSY);
  assert.ok(await hand(5));
  reader.stored(3);
  assert.is(clock.pending(), 0);
  await pause(60_000);
  assert.equal([ids(), trims, reader.offset()], [['m1', 'm2', 'm3', 'm4'], [], 1]);

  const empty = build({ from: 6 });
  empty.reader.close();
  assert.ok(await empty.hand(9));
  assert.equal([empty.ids(), empty.reader.offset()], [[], 6]);
});

test('a shard that closes the reader from within a delivery gets nothing more', async () => {
  const closing = `m${MAX_IN_FLIGHT + 1}`;
  const built: ReturnType<typeof build> = build({
    answer(id) {
      if (id !== closing) return undefined;
      built.reader.close();
      return DONE;
    },
  });
  for (let offset = 1; offset <= MAX_IN_FLIGHT + 2; offset++) await built.hand(offset);
  built.settle('m1');
  assert.is(built.ids().at(-1), closing);
});

test.run();
