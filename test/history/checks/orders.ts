/**
 * Orders as a set: whatever was acknowledged is in every later read, once, with what was asked for; nothing is there that
 * nobody asked for.
 */

import type { History } from '../exchange.ts';
import { type Facts, isAcknowledged, isRefused, type Line, type OrderList, type Placing } from '../facts.ts';
import { groupBy } from '../groups.ts';
import { type Violation, violation } from '../violation.ts';

type Acknowledged = {
  readonly orderId: string;
  readonly client: string;
  readonly request: string;
  /** When the first client knew of it. */
  readonly at: number;
  readonly lines?: readonly Line[];
};

export function checkOrders(history: History, facts: Facts): Violation[] {
  const acknowledged = acknowledgedIn(facts.placings);
  const all = [...acknowledged.values()];
  return [
    ...duplicated(facts),
    ...missing(history, facts, acknowledged),
    ...halves(facts, acknowledged),
    ...(history.settledAt === undefined ? [] : neverRead(facts, all)),
    ...facts.lists
      .filter(hasTwins)
      .map(({ client, node }) => inList('order.duplicated', client, node, 'has one twice')),
    ...forgetful(facts.lists),
    ...unlisted(history, facts.lists, all),
    ...invented(facts, acknowledged),
  ];
}

function acknowledgedIn(placings: readonly Placing[]): ReadonlyMap<string, Acknowledged> {
  const found = new Map<string, Acknowledged>();
  for (const { exchange, request, lines, order } of placings) {
    if (!order) continue;
    const before = found.get(order.id);
    const at = Math.min(exchange.until, before?.at ?? Number.POSITIVE_INFINITY);
    found.set(order.id, { orderId: order.id, client: exchange.client, request, at, ...(lines && { lines }) });
  }
  return found;
}

/** Each request has one order, and each order one request. */
function duplicated({ placings }: Facts): Violation[] {
  const orders = new Map<string, string>();
  const requests = new Map<string, string>();
  const found: Violation[] = [];
  for (const { request, order } of placings) {
    if (!order) continue;
    const other = requests.get(order.id) ?? request;
    if (other !== request) found.push(violation('order.duplicated', `${order.id} answers ${other} and ${request}`));
    const first = orders.get(request) ?? order.id;
    if (first !== order.id) found.push(violation('order.duplicated', `${request} made ${first} and ${order.id}`));
    requests.set(order.id, request);
    orders.set(request, order.id);
  }
  return found;
}

/** Not there although its owner knew of it before asking: for good, or only there and then. */
function missing(
  { staff }: History,
  { missing: all, looks }: Facts,
  acknowledged: ReadonlyMap<string, Acknowledged>,
): Violation[] {
  const lastSeen = new Map<string, number>();
  for (const { exchange, order } of looks) {
    lastSeen.set(order.id, Math.max(exchange.from, lastSeen.get(order.id) ?? 0));
  }
  return all.flatMap(({ exchange: { client, node, from }, orderId }) => {
    const order = acknowledged.get(orderId);
    if (!order || from < order.at || (client !== order.client && !staff.has(client))) return [];
    const isBack = (lastSeen.get(orderId) ?? Number.NEGATIVE_INFINITY) > from;
    const where = `${orderId} was acknowledged, and ${client} did not find it at ${node}`;
    return [isBack ? violation('order.stale', `${where} for a while`) : violation('order.lost', where)];
  });
}

function neverRead({ looks, missing: absent }: Facts, all: readonly Acknowledged[]): Violation[] {
  const read = new Map<string, number>();
  const note = (orderId: string, from: number): void => {
    read.set(orderId, Math.max(from, read.get(orderId) ?? Number.NEGATIVE_INFINITY));
  };
  for (const { exchange, order } of looks) note(order.id, exchange.from);
  for (const { exchange, orderId } of absent) note(orderId, exchange.from);
  return all
    .filter(({ orderId, at }) => (read.get(orderId) ?? Number.NEGATIVE_INFINITY) < at)
    .map(({ orderId }) => violation('order.never-read', `nobody looked for ${orderId} after it was acknowledged`));
}

/** What was asked for, all of it and nothing else. */
function halves({ placings, looks }: Facts, acknowledged: ReadonlyMap<string, Acknowledged>): Violation[] {
  const acknowledgements = placings.flatMap(({ exchange, order }) => (order ? [{ exchange, order }] : []));
  return [...acknowledgements, ...looks].flatMap(({ exchange, order }) => {
    const asked = acknowledged.get(order.id)?.lines;
    if (!asked || linesKey(asked) === linesKey(order.lines)) return [];
    const text = `${order.id} at ${exchange.node} has ${linesKey(order.lines)}, ${linesKey(asked)} was ordered`;
    return [violation('order.half', text)];
  });
}

/** Pieces by SKU; the same SKU in two lines is one. */
function linesKey(lines: readonly Line[]): string {
  const pieces = new Map<string, number>();
  for (const { sku, quantity } of lines) pieces.set(sku, (pieces.get(sku) ?? 0) + quantity);
  return [...pieces]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([sku, quantity]) => `${quantity} × ${sku}`)
    .join(', ');
}

const hasTwins = ({ ids }: OrderList): boolean => new Set(ids).size < ids.length;

function inList(code: string, client: string, node: string, what: string): Violation {
  return violation(code, `the list of ${client} at ${node} ${what}`);
}

/** Lists may be late, but what has been in one stays. */
function forgetful(lists: readonly OrderList[]): Violation[] {
  const found: Violation[] = [];
  for (const own of byClient(lists).values()) {
    const seen = new Map<string, number>();
    for (const { client, node, from, until, ids } of own.toSorted((a, b) => a.from - b.from)) {
      const here = new Set(ids);
      for (const [id, at] of seen) {
        if (at < from && !here.has(id)) found.push(inList('order.list-forgets', client, node, `had ${id} before`));
      }
      for (const id of ids) seen.set(id, Math.min(until, seen.get(id) ?? Number.POSITIVE_INFINITY));
    }
  }
  return found;
}

function unlisted({ settledAt }: History, lists: readonly OrderList[], all: readonly Acknowledged[]): Violation[] {
  if (settledAt === undefined) return [];
  const mine = groupBy(all, ({ client }) => client);
  return lists
    .filter(({ from }) => from >= settledAt)
    .flatMap(({ client, node, from, ids }) => {
      const here = new Set(ids);
      const absent = (mine.get(client) ?? []).filter(({ orderId, at }) => at < from && !here.has(orderId));
      return absent.map(({ orderId }) => inList('order.unlisted', client, node, `lacks ${orderId}`));
    });
}

/** An order that no answer named belongs to a request that got none. */
function invented({ lists, looks, placings }: Facts, acknowledged: ReadonlyMap<string, Acknowledged>): Violation[] {
  const contents = new Map(looks.map(({ order }) => [order.id, linesKey(order.lines)]));
  const open = unanswered(placings);
  return [...byClient(lists)].flatMap(([client, own]) => {
    const extra = new Set(own.flatMap(({ ids }) => ids).filter((id) => acknowledged.get(id)?.client !== client));
    const free = [...(open.get(client) ?? [])];
    return [...extra]
      .toSorted((a, b) => Number(contents.has(b)) - Number(contents.has(a)))
      .flatMap((id) => {
        const content = contents.get(id);
        const fits = free.findIndex((lines) => !content || !lines || linesKey(lines) === content);
        if (fits >= 0) free.splice(fits, 1);
        return fits >= 0
          ? []
          : [inList('order.invented', client, own[0]?.node ?? '', `has ${id}, which nobody ordered`)];
      });
  });
}

/** The lines of the requests that may have made an order without any answer saying so, by client. */
export function unanswered(
  placings: readonly Placing[],
): ReadonlyMap<string, readonly (readonly Line[] | undefined)[]> {
  const open = new Map<string, (readonly Line[] | undefined)[]>();
  for (const tries of groupBy(placings, ({ request }) => request).values()) {
    const [first] = tries;
    const mayHaveHappened = tries.some(({ exchange }) => !isAcknowledged(exchange) && !isRefused(exchange));
    if (!first || !mayHaveHappened || tries.some(({ order }) => order)) continue;
    const { client } = first.exchange;
    open.set(client, [...(open.get(client) ?? []), first.lines]);
  }
  return open;
}

const byClient = (lists: readonly OrderList[]): Map<string, OrderList[]> => groupBy(lists, ({ client }) => client);
