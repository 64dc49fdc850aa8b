/**
 * Judges a cluster from outside: what clients were told while it was hurt against what each node says afterwards. Knows
 * nothing of the product but the words of its public interface.
 */
import type { History, PlacedOrder } from './history.ts';

export type SeenOrder = {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly total: number;
  readonly captured: number;
  readonly refunded: number;
};

export type SeenStock = {
  readonly sku: string;
  readonly warehouse: string;
  readonly available: number;
  readonly reserved: number;
  readonly committed: number;
  readonly picked: number;
  readonly shipped: number;
  readonly received: number;
  readonly adjusted: number;
};

export type NodeSeen = {
  readonly node: string;
  /** Orders by id; those that it doesn't have are missing. */
  readonly orders: ReadonlyMap<string, SeenOrder>;
  /** What the repeated request was answered, by key. */
  readonly repeats: ReadonlyMap<string, string>;
  /** Ids in the lists of the customers' own orders, by customer. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly stock: readonly SeenStock[];
  /** Of the shop's own checker and of the comparison with the vendor's books: whatever is no mere remark. */
  readonly complaints: readonly string[];
};

/** Pieces of each SKU that came in before the load began. */
export type Start = { readonly received: ReadonlyMap<string, number> };

const FULFILLED = new Set(['confirmed', 'fulfilling', 'shipped', 'delivered']);
const WITHOUT_MONEY = new Set(['payment-failed', 'out-of-stock', 'cancelled', 'closed']);
/** An order that waits for somebody, and says so. */
const WAITING = new Set(['on-hold', 'manual-review', 'backordered', 'refund-pending']);

/** What is wrong, in words; empty when everything is as clients were told. */
export function findViolations(history: History, start: Start, seen: readonly NodeSeen[]): readonly string[] {
  return [
    ...history.surprises.map((text) => `unexpected: ${text}`),
    ...doubled(history.placed),
    ...backwards(history),
    ...seen.flatMap((node) => [
      ...history.placed.flatMap((placed) => orderAt(node, placed, history.cancelled.has(placed.orderId))),
      ...listsAt(node, history.placed),
      ...stockAt(node, history, start),
      ...node.complaints.map((text) => `${node.node} finds: ${text}`),
    ]),
    ...disagreements(seen),
  ];
}

/** Each order has one key, and each key one order. */
function doubled(placed: readonly PlacedOrder[]): string[] {
  const keys = new Map<string, string>();
  const found: string[] = [];
  for (const { orderId, key } of placed) {
    const other = keys.get(orderId);
    if (other !== undefined) found.push(`${orderId} was the answer to ${other} and to ${key}`);
    keys.set(orderId, key);
  }
  return found;
}

/** What a client has seen once, it never sees older. */
function backwards({ sightings }: History): string[] {
  const newest = new Map<string, number>();
  const found: string[] = [];
  for (const { client, of, version, node } of sightings) {
    const key = `${client} ${of}`;
    const before = newest.get(key) ?? 0;
    if (version < before) found.push(`${client} was shown version ${version} of ${of} at ${node} after ${before}`);
    newest.set(key, Math.max(before, version));
  }
  return found;
}

function orderAt({ node, orders, repeats }: NodeSeen, placed: PlacedOrder, cancelled: boolean): string[] {
  const { orderId, key, answer } = placed;
  const order = orders.get(orderId);
  if (!order) return [`${orderId} was acknowledged at ${placed.node} and is lost at ${node}`];
  const found: string[] = [];
  const { status, captured, refunded, total } = order;
  const says = `${orderId} is ${status} at ${node}`;
  if (captured > total) found.push(`${says} with ${captured} captured of ${total}`);
  if (refunded > captured) found.push(`${says} with ${refunded} given back of ${captured}`);
  const kept = captured - refunded;
  if (FULFILLED.has(status) && kept !== total) found.push(`${says} with ${kept} kept of ${total}`);
  if (WITHOUT_MONEY.has(status) && kept !== 0) found.push(`${says} with ${kept} kept`);
  if (!FULFILLED.has(status) && !WITHOUT_MONEY.has(status) && !WAITING.has(status)) found.push(`${says} still`);
  if (cancelled && FULFILLED.has(status)) found.push(`${says} although its cancellation was acknowledged`);
  const repeated = repeats.get(key);
  if (repeated !== answer) found.push(`${key} repeated at ${node}: ${repeated ?? 'no answer'} instead of ${answer}`);
  return found;
}

/** A customer's list has each order once, and nothing that the customer was never told of. */
function listsAt({ node, lists }: NodeSeen, placed: readonly PlacedOrder[]): string[] {
  return [...lists].flatMap(([customer, ids]) => {
    const own = new Set(placed.filter((each) => each.customer === customer).map(({ orderId }) => orderId));
    const listed = new Set(ids);
    return [
      ...(listed.size < ids.length ? [`${customer}'s list at ${node} has an order twice`] : []),
      ...[...own].filter((id) => !listed.has(id)).map((id) => `${id} is not in ${customer}'s list at ${node}`),
      ...[...listed].filter((id) => !own.has(id)).map((id) => `${id} in ${customer}'s list at ${node} is nobody's`),
    ];
  });
}

function stockAt({ node, orders, stock }: NodeSeen, history: History, start: Start): string[] {
  const found: string[] = [];
  for (const row of stock) {
    const { available, reserved, committed, picked, shipped, received, adjusted } = row;
    const where = `${row.sku} in ${row.warehouse} at ${node}`;
    const held = available + reserved + committed + picked;
    if (held !== received - shipped + adjusted) {
      found.push(`${where}: ${held} held of ${received} received, ${shipped} shipped, ${adjusted} adjusted`);
    }
    if (Math.min(available, reserved, committed, picked, shipped, received) < 0) found.push(`${where}: below zero`);
    if (reserved !== 0) found.push(`${where}: ${reserved} reserved for nobody`);
  }
  const sold = soldBy(history.placed, orders);
  for (const [sku, before] of start.received) {
    const rows = stock.filter((row) => row.sku === sku);
    const sum = (pick: (row: SeenStock) => number): number => rows.reduce((total, row) => total + pick(row), 0);
    const told = history.stock.filter((change) => change.sku === sku);
    const pieces = (kind: string): number =>
      told.filter((change) => change.kind === kind).reduce((total, change) => total + change.pieces, 0);
    const expected = {
      received: before + pieces('receive'),
      adjusted: pieces('adjust'),
      sold: sold.get(sku) ?? 0,
    };
    const actual = {
      received: sum((row) => row.received),
      adjusted: sum((row) => row.adjusted),
      sold: sum((row) => row.committed + row.picked + row.shipped),
    };
    for (const name of ['received', 'adjusted', 'sold'] as const) {
      if (actual[name] !== expected[name]) {
        found.push(`${sku} at ${node}: ${actual[name]} ${name}, clients were told of ${expected[name]}`);
      }
    }
    if (actual.sold > actual.received + actual.adjusted) found.push(`${sku} at ${node}: oversold`);
  }
  return found;
}

/** Pieces by SKU in orders that are fulfilled. */
function soldBy(placed: readonly PlacedOrder[], orders: ReadonlyMap<string, SeenOrder>): Map<string, number> {
  const sold = new Map<string, number>();
  for (const { orderId, lines } of placed) {
    if (!FULFILLED.has(orders.get(orderId)?.status ?? '')) continue;
    for (const { sku, quantity } of lines) sold.set(sku, (sold.get(sku) ?? 0) + quantity);
  }
  return sold;
}

function disagreements(seen: readonly NodeSeen[]): string[] {
  const [first, ...others] = seen;
  if (!first) return ['no node was asked'];
  return others.flatMap((other) =>
    [...first.orders].flatMap(([id, order]) => {
      const there = other.orders.get(id);
      const same = there === undefined || JSON.stringify(there) === JSON.stringify(order);
      return same
        ? []
        : [`${first.node} and ${other.node} disagree: ${JSON.stringify(order)}, ${JSON.stringify(there)}`];
    }),
  );
}
