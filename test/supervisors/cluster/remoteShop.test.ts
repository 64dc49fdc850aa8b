/** Requests reach their shard from any node, through moves, losses and slow owners. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CallFailed } from '../../../actors/kernel/clusterPorts.ts';
import type { Reply } from '../../../actors/kernel/message.ts';
import { createRemoteShop } from '../../../supervisors/cluster/remoteShop.ts';
import { serveShard } from '../../../supervisors/cluster/shardService.ts';
import { Unavailable } from '../../../supervisors/shop.ts';
import { rejection } from '../../support/eventually.ts';
import { addOne, buildMovingShop, counter, MAX_BYTES, type MovingNode } from '../../support/movingShop.ts';
import { watchedTimeline } from '../../support/timeline.ts';

const test = suite('remote shop');

const SECOND = 1_000;
const one = counter('0-one');

const versionOf = (reply: Reply): number | string => (reply.ok ? reply.version : reply.rejection.code);

/** How much simulated time it took. */
async function timed<Value>(now: () => number, act: () => Promise<Value>): Promise<{ value: Value; ms: number }> {
  const started = now();
  const value = await act();
  return { value, ms: now() - started };
}

function move(from: MovingNode, to: MovingNode, shard = 0): void {
  from.close(shard);
  to.open(shard);
}

test('a shard that is open here answers without a call', async () => {
  const { a, at } = buildMovingShop();
  a.open(0);
  assert.is(versionOf(await a.shop.ask(addOne('m1', one, at(SECOND)))), 1);
  assert.equal(await a.shop.read(one, { deadline: at(SECOND) }), { state: ['m1'], version: 1 });
  assert.is((await a.shop.history(one)).length, 1);
  assert.is(a.sent(), 0);
});

test('another node answers what the owner would: values, rejections, states, absence, history', async () => {
  const { a, b, at } = buildMovingShop();
  a.open(0);
  const request = { ...addOne('m1', one, at(SECOND)), by: 'me', fingerprint: 'f', expectedVersion: 0 };
  assert.equal(await b.shop.ask(request), { ok: true, version: 1, value: 'm1' });
  assert.is(versionOf(await b.shop.ask({ ...request, id: 'm2', message: { type: 'refuse' } })), 'counter.refused');
  await b.shop.ask(addOne('m3', one, at(SECOND)));
  assert.equal(await b.shop.read(one, { deadline: at(SECOND) }), { state: ['m1', 'm3'], version: 2 });
  assert.equal(await b.shop.readAt(one, 1), { state: ['m1'], version: 1 });
  assert.is(await b.shop.read(counter('0-none'), { deadline: at(SECOND) }), undefined);
  assert.equal(await b.shop.history(one), await a.shop.history(one));
  assert.equal([a.sent(), b.asked], [0, []]);
});

test('an overloaded owner is not asked again: the asker gets its reason and its pause', async () => {
  for (const which of ['here', 'there'] as const) {
    const { a, b, at } = buildMovingShop();
    a.open(0);
    a.fails = () => new Unavailable('too much work is under way', 3_000);
    const error = await rejection((which === 'here' ? a : b).shop.ask(addOne('m1', one, at(10 * SECOND))));
    assert.instance(error, Unavailable);
    assert.equal(
      [error.message, (error as Unavailable).retryAfterSeconds, a.asked],
      ['too much work is under way', 3, ['m1']],
    );
  }
});

test('a bug at the owner is an error at the asker, logged once at the owner', async () => {
  const { a, b, at } = buildMovingShop();
  a.open(0);
  a.fails = () => new TypeError('x is not a function');
  const error = await rejection(b.shop.ask(addOne('m1', one, at(10 * SECOND))));
  assert.not.instance(error, Unavailable);
  assert.equal([error.message, a.errors, a.asked], ['x is not a function', ['x is not a function'], ['m1']]);
});

test('an owner that closes the shard under a command is followed to the next owner', async () => {
  for (const asker of ['a', 'b', 'c'] as const) {
    const { timeline, a, at, ...nodes } = buildMovingShop();
    a.open(0);
    a.slowMs = 50;
    const asking = timed(timeline.monotonic, () =>
      ({ a, ...nodes })[asker].shop.ask(addOne('m1', one, at(10 * SECOND))),
    );
    timeline.delay(20, () => move(a, nodes.b));
    const { value, ms } = await asking;
    assert.is(versionOf(value), 1);
    assert.ok(ms < 500, `after ${ms} ms`);
  }
});

test('a command waits while nobody serves the shard, and is answered soon after somebody does', async () => {
  const { timeline, a, b, at } = buildMovingShop();
  timeline.delay(5 * SECOND, () => a.open(0));
  const { value, ms } = await timed(timeline.monotonic, () => b.shop.ask(addOne('m1', one, at(10 * SECOND))));
  assert.is(versionOf(value), 1);
  assert.ok(ms >= 5 * SECOND && ms < 5.5 * SECOND, `after ${ms} ms`);
  assert.ok(b.sent() > 20 && b.sent() < 60, `it asked ${b.sent()} times`);
});

test('at the deadline every request ends, and says which shard did not answer and why', async () => {
  const { timeline, a, b, c, at } = buildMovingShop();
  const unserved = await timed(timeline.monotonic, () => rejection(b.shop.ask(addOne('m1', one, at(3 * SECOND)))));
  assert.is(unserved.ms, 3 * SECOND);
  assert.instance(unserved.value, Unavailable);
  assert.match(unserved.value.message, /shard 0 did not answer in time: nobody serves/);

  a.open(0);
  a.calls.cut();
  const read = () => rejection(b.shop.read(one, { deadline: at(3 * SECOND) }));
  const cut = await timed(timeline.monotonic, read);
  assert.equal([cut.ms, cut.value.name], [3 * SECOND, 'Unavailable']);

  c.calls.cut();
  const alone = await timed(timeline.monotonic, () => rejection(c.shop.readAt(one, 1)));
  assert.equal([alone.ms, alone.value.name], [10 * SECOND, 'Unavailable']);
  assert.match(alone.value.message, /no connection to the broker/);
});

test('a core here that never answers is asked once, and does not hold a request beyond its deadline', async () => {
  const { timeline, a, at } = buildMovingShop();
  a.open(0);
  a.slowMs = 100 * SECOND;
  const ask = () => rejection(a.shop.ask(addOne('m1', one, at(10 * SECOND))));
  const { value, ms } = await timed(timeline.monotonic, ask);
  assert.equal([value.name, ms, a.asked.length], ['Unavailable', 10 * SECOND, 1]);
});

test('calls that never end are only so many at once', async () => {
  const { timeline, random, a, at } = buildMovingShop();
  let asked = 0;
  const calls = {
    ask(): Promise<never> {
      asked++;
      return new Promise(() => undefined);
    },
  };
  const parts = { local: a.shop, shardOf: () => 0, serves: () => false, calls, clock: timeline, random };
  const error = await rejection(createRemoteShop(parts).read(one, { deadline: at(60 * SECOND) }));
  assert.equal([error.name, asked], ['Unavailable', 4]);
});

test('a request that has ended leaves nothing behind that waits', async () => {
  const { timeline, random, a, b, at } = buildMovingShop();
  a.open(0);
  const clock = watchedTimeline(timeline);
  const shop = createRemoteShop({
    local: b.shop,
    shardOf: () => 0,
    serves: () => false,
    calls: b.calls,
    clock,
    random,
  });
  await shop.ask(addOne('m1', one, at(10 * SECOND)));
  assert.is(clock.pending(), 0);
  a.fails = () => new Error('bug');
  await rejection(shop.ask(addOne('m2', one, at(10 * SECOND))));
  assert.is(clock.pending(), 0);
  a.close(0);
  await rejection(shop.ask(addOne('m3', one, at(SECOND))));
  assert.is(clock.pending(), 0);
});

test('a former owner that still listens does not drown out the answer of the owner', async () => {
  const { timeline, a, b, c, at } = buildMovingShop();
  a.open(0);
  a.close(0, { listening: true });
  b.open(0);
  b.slowMs = 50;
  const { value, ms } = await timed(timeline.monotonic, () => c.shop.ask(addOne('m1', one, at(10 * SECOND))));
  assert.is(versionOf(value), 1);
  assert.equal([c.sent(), b.asked], [1, ['m1']], `after ${ms} ms`);
});

test('an owner that stopped answering is missed before the deadline', async () => {
  const { timeline, a, b, c, at } = buildMovingShop();
  a.open(0);
  a.slowMs = 100 * SECOND;
  timeline.delay(500, () => move(a, b));
  const { value, ms } = await timed(timeline.monotonic, () => c.shop.ask(addOne('m1', one, at(10 * SECOND))));
  assert.is(versionOf(value), 1);
  assert.ok(ms < 2 * SECOND, `after ${ms} ms`);
});

test('an answer that comes late counts, and the command has happened once', async () => {
  const { timeline, moving, a, b, at } = buildMovingShop();
  a.open(0);
  a.slowMs = 2_500;
  const { value, ms } = await timed(timeline.monotonic, () => b.shop.ask(addOne('m1', one, at(10 * SECOND))));
  assert.equal(value, { ok: true, version: 1, value: 'm1' });
  assert.ok(ms < 2_600, `after ${ms} ms`);
  assert.ok(b.sent() > 1, 'it had asked again');
  assert.is(moving.historyOf(one).length, 1);
});

test('what was answered after the shard was lost is asked anew at the next owner', async () => {
  for (const asker of ['a', 'c'] as const) {
    const { timeline, random, a, b, c, at, moving } = buildMovingShop();
    const stale = { state: ['stale'], version: 7 };
    let mine = true;
    const late = async (): Promise<never> => {
      await new Promise<void>((resolve) => timeline.delay(50, resolve));
      return stale as never;
    };
    const local = { ask: late, read: late, readAt: late, history: late };
    const parts = { local, clock: timeline, random };
    const serving = serveShard({
      ...parts,
      shard: 0,
      calls: a.calls,
      mayServe: () => mine,
      logger: undefined as never,
    });
    const own = createRemoteShop({ ...parts, shardOf: () => 0, serves: () => mine, calls: a.calls });
    timeline.delay(20, () => {
      mine = false;
      serving.stop();
      b.open(0);
    });
    moving.historyOf(one);
    const found = await (asker === 'a' ? own : c.shop).read(one, { deadline: at(10 * SECOND) });
    assert.is(found, undefined);
  }
});

test('whoever waits for a newer version hears of it through a move', async () => {
  for (const asker of ['a', 'b', 'c'] as const) {
    const { timeline, a, b, c, at } = buildMovingShop();
    a.open(0);
    await a.shop.ask(addOne('m1', one, at(SECOND)));
    const started = timeline.monotonic();
    const waiting = { a, b, c }[asker].shop.read(one, { deadline: at(10 * SECOND), after: 1 });
    timeline.delay(3 * SECOND, () => a.close(0));
    timeline.delay(3.5 * SECOND, () => b.open(0));
    timeline.delay(4 * SECOND, () => void b.shop.ask(addOne('m2', one, at(SECOND))));
    assert.equal(await waiting, { state: ['m1', 'm2'], version: 2 });
    assert.ok(timeline.monotonic() - started < 6 * SECOND);
  }
});

test('whoever waits for a newer version in vain gets what there is, by the deadline', async () => {
  const { timeline, a, b, at } = buildMovingShop();
  a.open(0);
  await a.shop.ask(addOne('m1', one, at(SECOND)));
  for (const node of [a, b]) {
    const read = () => node.shop.read(one, { deadline: at(10 * SECOND), after: 1 });
    const { value, ms } = await timed(timeline.monotonic, read);
    assert.equal(value, { state: ['m1'], version: 1 });
    assert.ok(ms > 9 * SECOND && ms <= 10 * SECOND, `after ${ms} ms`);
  }
  assert.ok(b.sent() < 10, `it asked ${b.sent()} times`);

  timeline.delay(5 * SECOND, () => a.close(0));
  const { value, ms } = await timed(timeline.monotonic, () =>
    b.shop.read(one, { deadline: at(10 * SECOND), after: 1 }),
  );
  assert.equal([value, ms], [{ state: ['m1'], version: 1 }, 10 * SECOND]);
});

for (const [commits, chars] of [
  [20, 40 * 1024],
  [3, 140 * 1024],
] as const) {
  test(`a history that one answer cannot hold comes whole: ${commits} commits of ${chars} characters`, async () => {
    const { timeline, random, a, b, c, at, moving } = buildMovingShop();
    a.open(0);
    const long = 'x'.repeat(chars);
    for (let n = 0; n < commits; n++) {
      await a.shop.ask({ to: one, id: `m${n}`, message: { type: 'add', long } as never, deadline: at(SECOND) });
    }
    const whole = await b.shop.history(one);
    assert.ok(JSON.stringify(whole).length > MAX_BYTES);
    assert.equal(whole, moving.historyOf(one));

    let here = false;
    const calls = {
      async ask(shard: number, body: unknown, timeoutMs: number): Promise<unknown> {
        const page = await c.calls.ask(shard, body, timeoutMs);
        move(a, c);
        here = true;
        return page;
      },
    };
    const serves = (): boolean => here;
    const shop = createRemoteShop({ local: c.shop, shardOf: () => 0, serves, calls, clock: timeline, random });
    assert.equal(await shop.history(one), moving.historyOf(one), 'the first page from there, the rest from here');
  });
}

test('a state that no answer can hold is an error that says so, at once', async () => {
  const { timeline, a, b, at } = buildMovingShop();
  a.open(0);
  await a.shop.ask(addOne('x'.repeat(2 * MAX_BYTES), one, at(SECOND)));
  const { value, ms } = await timed(timeline.monotonic, () =>
    rejection(b.shop.read(one, { deadline: at(10 * SECOND) })),
  );
  assert.instance(value, CallFailed);
  assert.match(value.message, /too large/);
  assert.ok(ms < SECOND, `after ${ms} ms`);
});

test('a question that the owner does not know, and an answer that is none, are errors', async () => {
  const { timeline, random, a, b } = buildMovingShop();
  a.open(0);
  const address = { type: 'counter' };
  for (const body of [
    undefined,
    7,
    {},
    { op: 'drop' },
    { op: 'ask', request: {} },
    { op: 'read', address, waitMs: 1 },
  ]) {
    assert.is(((await b.calls.ask(0, body, SECOND)) as { kind: string }).kind, 'failed');
  }
  assert.equal(a.asked, []);

  for (const answer of [undefined, {}, { kind: 'done', value: 'x' }]) {
    const calls = { ask: async () => answer };
    const shop = createRemoteShop({
      local: a.shop,
      shardOf: () => 0,
      serves: () => false,
      calls,
      clock: timeline,
      random,
    });
    assert.instance(await rejection(shop.readAt(one, 1)), TypeError);
    assert.instance(await rejection(shop.history(one)), TypeError);
    assert.instance(await rejection(shop.ask(addOne('m', one, timeline.monotonic() + SECOND))), TypeError);
  }
});

test('more requests than may wait are refused, and there is room again after them', async () => {
  const { timeline, random, a, b, at } = buildMovingShop();
  const parts = { local: b.shop, shardOf: () => 0, serves: () => false, calls: b.calls, clock: timeline, random };
  const shop = createRemoteShop({ ...parts, maxUnderWay: 10 });
  const deadline = at(SECOND);
  const waiting = Array.from({ length: 10 }, (_, n) => rejection(shop.ask(addOne(`m${n}`, one, deadline))));
  assert.match((await rejection(shop.ask(addOne('more', one, deadline)))).message, /too many requests/);
  for (const { message } of await Promise.all(waiting)) assert.match(message, /did not answer in time/);
  a.open(0);
  assert.is(versionOf(await shop.ask(addOne('m', one, at(SECOND)))), 1);
});

test.run();
