/** Requests through seeded schedules of moves, cuts, losses and delays. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Unavailable } from '../../../supervisors/shop.ts';
import { addOne, buildMovingShop, counter, type MovingNode } from '../../support/movingShop.ts';

const test = suite('remote shop, schedules');

const SECOND = 1_000;
const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);
const SHARDS = 3;

/** Shards move, at times twice at once or with nobody for a while; nodes are cut off; calls get lost and late. */
async function shuffle(built: ReturnType<typeof buildMovingShop>, untilMs: number): Promise<void> {
  const { timeline, random, a, b, c, pause } = built;
  const nodes = [a, b, c];
  const anyOf = (): MovingNode => nodes[Math.floor(random() * nodes.length)] ?? a;
  while (timeline.monotonic() < untilMs) {
    await pause(random() * 400);
    const shard = Math.floor(random() * SHARDS);
    const next = anyOf();
    // A former owner may go on listening, or not have heard of its loss.
    for (const node of nodes) if (node !== next && random() < 0.8) node.close(shard, { listening: random() < 0.3 });
    if (random() < 0.3) await pause(random() * 800);
    next.open(shard);
    if (random() < 0.2) {
      const cutOff = anyOf();
      cutOff.calls.cut();
      timeline.delay(random() * 1_000, () => cutOff.calls.join());
    }
    anyOf().slowMs = random() < 0.2 ? random() * 1_500 : 0;
  }
  for (const node of nodes) {
    node.calls.join();
    node.slowMs = 0;
    for (let shard = 0; shard < SHARDS; shard++) node.close(shard);
  }
  for (let shard = 0; shard < SHARDS; shard++) anyOf().open(shard);
}

async function schedule(seed: number): Promise<void> {
  const faults = { heartbeatsLost: 0, callsLost: 0.1, longestDelayMs: 30 };
  const built = buildMovingShop({ seed, shards: SHARDS, faults });
  const { timeline, random, moving, a, b, c, at, pause } = built;
  const nodes = [a, b, c];
  const shuffling = shuffle(built, 6 * SECOND);
  const answers = new Map<string, number>();
  const commands = Array.from({ length: 60 }, async (_, n) => {
    await pause(random() * 6 * SECOND);
    const to = counter(`${n % SHARDS}-${n % 7}`);
    // A client that repeats, through any nodes, at any time.
    for (let repeat = 0; repeat < 2; repeat++) {
      const node = nodes[Math.floor(random() * nodes.length)] ?? a;
      const deadline = at(20 * SECOND);
      const reply = await node.shop.ask(addOne(`m${n}`, to, deadline));
      assert.ok(timeline.monotonic() <= deadline);
      assert.ok(reply.ok && reply.version === (answers.get(`m${n}`) ?? reply.version), `m${n} has one answer`);
      answers.set(`m${n}`, reply.version);
      assert.is(moving.historyOf(to)[reply.version - 1]?.cause, `m${n}`, 'the answer is what was stored');
    }
  });
  let [reads, unanswered] = [0, 0];
  const readers = Array.from({ length: 7 }, async (_, n) => {
    const address = counter(`${n % SHARDS}-${n}`);
    for (let after = 0; timeline.monotonic() < 6 * SECOND; reads++) {
      const [deadline, stored] = [at(10 * SECOND), moving.historyOf(address).length];
      try {
        const found = await nodes[n % 3]?.shop.read(address, { deadline, after });
        assert.ok((found?.version ?? 0) >= stored, 'never older than what was there');
        after = found?.version ?? 0;
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        assert.is(timeline.monotonic(), deadline, 'not given up before the deadline');
        unanswered++;
      }
      assert.ok(timeline.monotonic() <= deadline);
    }
  });
  await Promise.all([shuffling, ...commands, ...readers]);
  assert.is(answers.size, 60, 'no answer is lost');
  assert.ok(unanswered <= reads / 10, `${unanswered} of ${reads} reads were not answered`);
}

test('through any schedule of moves, losses and delays each command happens once and is answered in time', async () => {
  for (const seed of SEEDS) {
    try {
      await schedule(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
});

test.run();
