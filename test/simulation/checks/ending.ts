/** After all is mended everything comes to rest, and then everybody agrees on what there is. */
import type { Holdfast } from '../../../supervisors/holdfast.ts';
import { digestOfStore } from '../../support/tableDigest.ts';
import type { KeptStream } from '../network/keptStream.ts';
import type { SimulatedNode } from '../nodes/node.ts';
import type { World } from '../world/world.ts';

const ANSWER_MS = 20_000;
/** What a shop that could not reach its vendor for long leaves to its operators, and shows them. */
const LEFT_TO_OPERATORS = new Set(['money.refund-stuck', 'saga.compensation-stuck', 'payment.refund-missing']);

const AWAITED = "SELECT order_id FROM unfinished_sagas WHERE awaiting = 'operator'";

/** A refund is timed from its first attempt until it is done or an operator's. */
const OPEN_REFUNDS = "SELECT key FROM timers WHERE name LIKE 'overdue:%' LIMIT 5";

type Row = { readonly order_id: string; readonly state: string; readonly awaiting: string | null };

/** What is still under way, in words; empty when all is at rest. */
type Inboxes = readonly KeptStream<Uint8Array>[];

export async function underWay(world: World, inboxes: Inboxes, nodes: readonly SimulatedNode[]): Promise<string[]> {
  const found = await Promise.all(nodes.map((node) => underWayAt(world, inboxes, node)));
  return found.flat();
}

async function underWayAt(world: World, inboxes: Inboxes, node: SimulatedNode): Promise<string[]> {
  const { life, name } = node;
  if (!life) return [`${name} does not run`];
  if (!node.ready()) return [`${name} is not ready: ${JSON.stringify(node.within((shop) => shop.status()))}`];
  const lags = await asked(world, node, async (shop) => {
    await shop.upToDate();
    return shop.operations.inboxLags();
  });
  if (!lags || node.life !== life) return [`${name} does not catch up`];
  const { db } = life;
  const own = new Set(
    node.within((shop) => shop.status().shards.flatMap((each) => (each.serving ? [each.shard] : []))),
  );
  const waiting = db.prepare<[], number>('SELECT count(*) FROM outbox').pluck().get() as number;
  const sagas = db
    .prepare<[], Row>("SELECT * FROM unfinished_sagas WHERE state IN ('running', 'compensating') LIMIT 5")
    .all();
  const refunds = db.prepare<[], string>(OPEN_REFUNDS).pluck().all();
  return [
    ...(waiting > 0 ? [`${name}: ${waiting} messages are to be sent`] : []),
    ...sagas.map(({ order_id, state }) => `${name}: ${order_id} is ${state}`),
    ...refunds.map((key) => `${name}: a refund of ${key} is open`),
    ...(node.within((shop) => shop.node.load) ? [`${name} is at work`] : []),
    ...[...lags].flatMap(([shard, lag]) => (own.has(shard) ? unread(shard, lag, inboxes[shard]) : [])),
  ];
}

/** What was trimmed was answered, whatever an owner knows of it that has just begun. */
function unread(shard: number, lag: number, inbox: KeptStream<Uint8Array> | undefined): string[] {
  const count = Math.min(lag, inbox?.entries.length ?? 0);
  const first = inbox?.at(inbox.last - count + 1);
  return count > 0 ? [`${count} of inbox ${shard} are unread, from ${first?.id} on`] : [];
}

/** Undefined without an answer in time, or when it fails. */
function asked<Value>(
  world: World,
  node: SimulatedNode,
  ask: (shop: Holdfast) => Promise<Value>,
): Promise<Value | undefined> {
  return new Promise((resolve) => {
    node.within((shop) => void ask(shop).then(resolve, () => resolve(undefined)));
    world.after(ANSWER_MS, () => resolve(undefined));
  });
}

/** All nodes hold the same. */
export function disagreements(nodes: readonly SimulatedNode[]): string[] {
  const digests = nodes.flatMap(({ name, life }) => (life ? [{ name, digest: digestOfStore(life.db) }] : []));
  const [first, ...others] = digests;
  return others.flatMap(({ name, digest }) =>
    Object.entries(digest).flatMap(([what, hash]) => {
      const expected = first?.digest[what as keyof typeof digest];
      return hash === expected ? [] : [`I9: ${what} is ${expected} at ${first?.name}, ${hash} at ${name}`];
    }),
  );
}

/** What the product's own checker has to say on a node (I5 to I9), remarks left out. */
export async function complaints(world: World, node: SimulatedNode): Promise<string[]> {
  const { life, name } = node;
  if (!life) return [`${name} does not run`];
  const found: string[] = [];
  const awaited = new Set(life.db.prepare<[], string>(AWAITED).pluck().all());
  let report: Awaited<ReturnType<typeof life.shop.check>> | undefined;
  do {
    const from = report?.next;
    report = await new Promise<NonNullable<typeof report>>((resolve, reject) => {
      world.inside(life.process, () => life.shop.check({ deep: true, ...(from && { from }) }).then(resolve, reject));
    });
    for (const { level, code, text, ids } of report.findings) {
      // A refund that was given up may have got through after all.
      const isTold = LEFT_TO_OPERATORS.has(code) || (code === 'payment.refund-unknown' && awaited.has(ids[0] ?? ''));
      if (level !== 'info' && !isTold) found.push(`${name} finds ${level} ${code}: ${text} (${ids.join(' ')})`);
    }
  } while (report.next);
  return found;
}
