/**
 * Two nodes that get the same logs in different orders, and a listener that goes from one to the other at any moment, even
 * in the middle of a record: it hears of each change of what is its own once, and in order.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Versioned } from '../../actors/kernel/decider.ts';
import type { Commit } from '../../actors/kernel/message.ts';
import type { EncodedRecord } from '../../actors/kernel/ports.ts';
import { type Db, openDatabase } from '../../storage/database.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import { openFeed } from '../../storage/feed.ts';
import { encodeBody, encodeRecord, GENESIS_HASH } from '../../storage/recordCodec.ts';
import { type ChangeFeed, createChangeFeed, type Follower, type Told } from '../../supervisors/changeFeed.ts';
import { commit } from '../storage/shardLogContract.ts';
import { eventSamples } from '../support/eventSamples.ts';

const feeds = suite('change feed');

const SHARDS = 2;
const OWNERS = ['ada', 'bob'] as const;
const T0 = 1_000_000_000;
const [placed] = eventSamples.order.OrderPlaced;
const [shipped] = eventSamples.order.OrderShipmentChanged;

/** Of one aggregate in each shard and for each owner: a cart tells one thing with each commit, an order up to two. */
type Aggregate = { readonly key: string; readonly shard: number; readonly owner: string };
const AGGREGATES: readonly Aggregate[] = OWNERS.flatMap((owner) =>
  Array.from({ length: SHARDS }, (_, shard) => [
    { key: `cart_${owner}_${shard}/cart`, shard, owner },
    { key: `ord_${owner}_${shard}/order`, shard, owner },
  ]).flat(),
);

function eventOf({ key, owner }: Aggregate, seq: number): Versioned {
  const isCart = key.endsWith('/cart');
  if (seq === 1) {
    const created = { type: 'CartCreated', v: 1, customerId: owner, guest: true, currency: 'USD', at: T0 };
    return isCart ? created : { ...placed, ...{ customerId: owner } };
  }
  if (isCart) return { type: 'CartCleared', v: 1, ...{ at: T0 + seq } };
  const shipment = { ...(shipped as { shipment: object }).shipment, seq, attempts: seq };
  return { type: 'OrderShipmentChanged', v: 1, ...{ shipment } };
}

/** What a listener is to hear of a commit. */
const toldOf = ({ key }: Aggregate, seq: number): readonly string[] =>
  key.endsWith('/order') && seq > 1
    ? [`order ${key} ${seq}`, `shipment ${key} ${seq}`]
    : [`${key.split('/')[1]} ${key} ${seq}`];

function heardAs({ change }: Told): string {
  const id = change.kind === 'cart' ? `${change.cart.id}/cart` : '';
  const orderId = change.kind === 'order' ? change.order.orderId : change.kind === 'shipment' ? change.orderId : '';
  return `${change.kind} ${id || `${orderId}/order`} ${change.version}`;
}

/** A history as indexes of aggregates: each inner list is a record of its first one's shard. */
function recordsOf(history: readonly (readonly number[])[]): readonly EncodedRecord[] {
  const seqs = new Map<string, number>();
  const heads = Array.from({ length: SHARDS }, () => ({ n: 0, hash: GENESIS_HASH }));
  return history.map((picks) => {
    const shard = AGGREGATES[picks[0] ?? 0]?.shard ?? 0;
    const commits = picks.flatMap((pick): Commit[] => {
      const aggregate = AGGREGATES[pick];
      if (aggregate?.shard !== shard) return [];
      const seq = (seqs.get(aggregate.key) ?? 0) + 1;
      seqs.set(aggregate.key, seq);
      return [commit(aggregate.key, seq, { events: [eventOf(aggregate, seq)] })];
    });
    const { n, hash: prevHash } = heads[shard] ?? { n: 0, hash: GENESIS_HASH };
    const header = { schema: 1, shard, epoch: 1, n: n + 1, prevHash, at: T0, inboxOffset: 0, acked: [] } as const;
    const record = encodeRecord({ ...header, commits }, commits.map(encodeBody), []);
    heads[shard] = { n: n + 1, hash: record.hash };
    return record;
  });
}

type TestNode = { readonly db: Db; readonly changes: ChangeFeed; take(shard: number): Promise<boolean> };

function openNode(path: string, records: readonly EncodedRecord[]): TestNode {
  const db = openDatabase(path);
  db.pragma('synchronous = OFF');
  const feed = openFeed(db, (what) => assert.unreachable(what));
  const { log, tables } = openEmbeddedStore(db, {
    follower: feed.follower,
    logger: { error: (_, text) => assert.unreachable(text) },
  });
  const taken = Array.from({ length: SHARDS }, () => 0);
  async function take(shard: number): Promise<boolean> {
    const next = records.filter(({ record }) => record.shard === shard)[taken[shard] ?? 0];
    if (!next) return false;
    taken[shard] = (taken[shard] ?? 0) + 1;
    await log.append(next);
    tables.catchUp();
    return true;
  }
  const upToDate = async (): Promise<void> => {
    for (let shard = 0; shard < SHARDS; shard++) while (await take(shard));
  };
  return { db, take, changes: createChangeFeed({ db, feed, shards: SHARDS, upToDate }) };
}

type Step =
  | { readonly do: 'take'; readonly node: number; readonly shard: number }
  | { readonly do: 'hear'; readonly count: number }
  | { readonly do: 'beat' }
  | { readonly do: 'hop'; readonly to: number };

async function listened(nodes: readonly TestNode[], steps: readonly Step[], owner: string): Promise<readonly string[]> {
  const heard: string[] = [];
  let waiting: Told[] = [];
  let cursor: string | undefined;
  let follower: Follower | undefined;

  async function hop(to: number): Promise<void> {
    follower?.stop();
    // What was on its way to the client is lost with the connection.
    waiting = [];
    const opened = await nodes[to]?.changes.follow(owner, { after: cursor, wake: () => {} });
    assert.not(opened?.isReset);
    follower = opened?.follower;
    cursor ??= follower?.cursor();
  }

  function hear(count: number): void {
    if (waiting.length === 0) waiting = [...(follower?.next() ?? [])];
    for (const told of waiting.splice(0, count)) {
      heard.push(heardAs(told));
      cursor = told.cursor;
    }
  }

  await hop(0);
  for (const step of steps) {
    if (step.do === 'take') await nodes[step.node]?.take(step.shard);
    else if (step.do === 'hear') hear(step.count);
    else if (step.do === 'hop') await hop(step.to);
    else if (waiting.length === 0) cursor = follower?.cursor();
  }
  for (const node of nodes) for (let shard = 0; shard < SHARDS; shard++) while (await node.take(shard));
  await hop(1);
  for (let before = -1; before < heard.length; ) {
    before = heard.length;
    hear(Number.POSITIVE_INFINITY);
  }
  return heard;
}

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('take' as const), node: fc.nat(1), shard: fc.nat(SHARDS - 1) }),
    fc.record({ do: fc.constant('hear' as const), count: fc.nat(4) }),
    fc.record({ do: fc.constant('beat' as const) }),
    fc.record({ do: fc.constant('hop' as const), to: fc.nat(1) }),
  ),
  { maxLength: 40 },
);
const history = fc.array(fc.array(fc.nat(AGGREGATES.length - 1), { minLength: 1, maxLength: 5 }), { maxLength: 12 });

/** Cut off in the middle of a record, it hears of another shard on the next node before that record comes there. */
const TWO_HALVES: readonly [number[][], Step[]] = [
  [[0, 0], [2]],
  [
    { do: 'take', node: 0, shard: 0 },
    { do: 'hear', count: 1 },
    { do: 'hop', to: 1 },
    { do: 'take', node: 1, shard: 1 },
    { do: 'hear', count: 1 },
    { do: 'hop', to: 0 },
  ],
];

/** It comes to a node that is behind its place. */
const AHEAD: readonly [number[][], Step[]] = [
  [[0], [4]],
  [
    { do: 'take', node: 0, shard: 0 },
    { do: 'hear', count: 1 },
    { do: 'take', node: 0, shard: 0 },
    { do: 'beat' },
    { do: 'hop', to: 1 },
  ],
];

feeds('whoever goes from node to node hears of each own change once, and in order', async () => {
  await fc.assert(
    fc.asyncProperty(history, steps, async (picked, walk) => {
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-changes-'));
      const records = recordsOf(picked);
      const nodes = [0, 1].map((node) => openNode(join(folder, `${node}.sqlite`), records));
      try {
        const heard = await listened(nodes, walk, 'ada');
        const expected = AGGREGATES.filter(({ owner }) => owner === 'ada').flatMap((aggregate) => {
          const count = records
            .flatMap(({ record }) => record.commits)
            .filter(({ key }) => key === aggregate.key).length;
          return Array.from({ length: count }, (_, index) => toldOf(aggregate, index + 1)).flat();
        });
        assert.equal([...heard].sort(), [...expected].sort());
        for (const { key } of AGGREGATES) {
          const of = (list: readonly string[]): readonly string[] => list.filter((each) => each.includes(key));
          assert.equal(of(heard), of(expected), key);
        }
      } finally {
        for (const { db } of nodes) db.close();
        rmSync(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: 60, examples: [[...TWO_HALVES], [...AHEAD]] },
  );
});

feeds.run();
