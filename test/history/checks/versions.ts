/**
 * Each aggregate is one thing that changes in one order, whoever looks at it from wherever: a version has one content, no
 * read that begins after another has ended shows less than that one, and histories are beginnings of one another.
 */

import type { History } from '../exchange.ts';
import type { Facts, OrderFact, Sighting, Timeline, Versioned } from '../facts.ts';
import { groupBy } from '../groups.ts';
import { impossibleStep } from '../statuses.ts';
import { type Violation, violation } from '../violation.ts';
import { fresh, sameContent } from './fresh.ts';

export function checkVersions(history: History, facts: Facts): Violation[] {
  const acknowledgements = facts.placings.flatMap(({ exchange, order }) => (order ? [{ exchange, order }] : []));
  const writes = [...acknowledgements, ...facts.cancellations];
  const sightings = [
    ...writes.map((fact) => sightingOf(fact, false)),
    ...facts.looks.map((fact) => sightingOf(fact, true)),
  ];
  const orders = groupBy([...writes, ...facts.looks], ({ order }) => order.id);
  const reads = groupBy(facts.looks, ({ order }) => order.id);
  const timelines = groupBy(facts.timelines, ({ orderId }) => orderId);
  return [
    ...[...orders.values()].flatMap(oneContent),
    ...[...orders.values()].flatMap(steps),
    ...[...groupBy([...sightings, ...facts.sightings], ({ subject }) => subject).values()].flatMap(fresh),
    ...[...groupBy(facts.sightings, ({ subject, version }) => `${subject} ${version}`).values()].flatMap(sameContent),
    ...(history.settledAt === undefined
      ? []
      : [...reads.values()].flatMap((all) => still(all, history.settledAt ?? 0))),
    ...[...timelines.values()].flatMap(beginnings),
    ...writesInOrder(facts),
  ];
}

function oneContent(all: readonly OrderFact[]): Violation[] {
  const contents = new Map<number, OrderFact>();
  return all.flatMap((fact) => {
    const { exchange, order } = fact;
    const first = contents.get(order.version) ?? fact;
    contents.set(order.version, first);
    if (first.order.text === order.text || sorted(first.order.text) === sorted(order.text)) return [];
    const where = `${first.exchange.node} and ${exchange.node} show different versions ${order.version} of ${order.id}`;
    return [violation('version.two-contents', where)];
  });
}

const sightingOf = ({ exchange, order: { id, version } }: OrderFact, isRead: boolean): Sighting => {
  return { exchange, subject: id, version, isRead };
};

/** JSON whose members are in order: equal values, equal text. */
function sorted(text: string): string {
  const order = (_name: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(JSON.parse(text), order);
}

/** From each version that was seen to the next one that was. */
function steps(all: readonly OrderFact[]): Violation[] {
  const inOrder = all.map(({ order }) => order).toSorted((a, b) => a.version - b.version);
  return inOrder.flatMap((after, index) => {
    const before = inOrder[index - 1];
    if (!before || before.version === after.version) return [];
    const versions = `${after.id}, versions ${before.version} and ${after.version}`;
    const why = impossibleStep(before.status, after.status);
    const less = after.captured < before.captured || after.refunded < before.refunded;
    return [
      ...(why === undefined
        ? []
        : [violation('status.back', `${versions}: ${before.status}, ${after.status}; ${why}`)]),
      ...(less ? [violation('money.back', `${versions}: less captured or given back than before`)] : []),
    ];
  });
}

/** Once nothing is under way any more, everybody sees the same. */
function still(reads: readonly OrderFact[], settledAt: number): Violation[] {
  const [first, ...others] = reads.filter(({ exchange }) => exchange.from >= settledAt);
  return others
    .filter(({ order }) => order.version !== first?.order.version)
    .map(({ exchange, order }) => {
      const there = `${first?.exchange.node} shows version ${first?.order.version}`;
      return violation('read.disagree', `${exchange.node} shows version ${order.version} of ${order.id}, ${there}`);
    });
}

function beginnings(all: readonly Timeline[]): Violation[] {
  const byLength = all.toSorted((a, b) => a.entries.length - b.entries.length);
  const found: Violation[] = [];
  for (const [index, long] of byLength.entries()) {
    const short = byLength[index - 1];
    if (!short || short.entries.every(({ text }, at) => text === long.entries[at]?.text)) continue;
    const nodes = `${short.exchange.node} and ${long.exchange.node}`;
    found.push(violation('timeline.parted', `${nodes} tell different histories of ${long.orderId}`));
  }
  let longest = 0;
  let next = 0;
  const ended = all.toSorted((a, b) => a.exchange.until - b.exchange.until);
  for (const { exchange, orderId, entries } of all.toSorted((a, b) => a.exchange.from - b.exchange.from)) {
    for (let one = ended[next]; one && one.exchange.until < exchange.from; one = ended[++next]) {
      longest = Math.max(longest, one.entries.length);
    }
    if (entries.length >= longest) continue;
    const text = `${exchange.node} told ${entries.length} entries of ${orderId} after ${longest} had been told`;
    found.push(violation('timeline.stale', text));
  }
  return found;
}

type Write = Versioned & { readonly request: string /** Of its first try. */; readonly from: number };

/** Each write has a version of its own, higher than those of the writes that were answered before it was asked for. */
function writesInOrder({ stockItems, stockChanges }: Facts): Violation[] {
  const begun = new Map<string, number>();
  const requests = new Map(stockChanges.map(({ exchange, request }) => [exchange, request]));
  for (const { exchange, request } of stockChanges) {
    begun.set(request, Math.min(exchange.from, begun.get(request) ?? Number.POSITIVE_INFINITY));
  }
  const writes = new Map<string, Write>();
  for (const write of stockItems) {
    const request = requests.get(write.exchange) ?? '';
    const before = writes.get(request);
    if (before && before.exchange.until <= write.exchange.until) continue;
    writes.set(request, { ...write, request, from: begun.get(request) ?? 0 });
  }
  const subjects = groupBy(writes.values(), ({ subject }) => subject);
  return [...subjects.values()].flatMap(subjectInOrder);
}

function subjectInOrder(writes: readonly Write[]): Violation[] {
  const found: Violation[] = [];
  const versions = new Set<number>();
  const answered = writes.toSorted((a, b) => a.exchange.until - b.exchange.until);
  let newest = 0;
  let next = 0;
  for (const { subject, version, from } of writes.toSorted((a, b) => a.from - b.from)) {
    if (versions.has(version))
      found.push(violation('version.shared', `two writes made version ${version} of ${subject}`));
    versions.add(version);
    for (let one = answered[next]; one && one.exchange.until < from; one = answered[++next]) {
      newest = Math.max(newest, one.version);
    }
    if (version > newest) continue;
    const text = `a write made version ${version} of ${subject} after version ${newest} had been answered`;
    found.push(violation('write.stale', text));
  }
  return found;
}
