/** Stock: no piece comes from nowhere, none leaves twice, and what clients were told came in or went out did so once. */

import type { History } from '../exchange.ts';
import { type Facts, isAcknowledged, isRefused, type Line, type StockChange, type StockRead } from '../facts.ts';
import { groupBy } from '../groups.ts';
import { GOES_ON, PARTLY, WITHOUT_MONEY } from '../statuses.ts';
import { type Violation, violation } from '../violation.ts';
import { unanswered } from './orders.ts';

/** More different outcomes of unanswered requests than these are only held against their lowest and highest. */
const MAX_SUMS = 10_000;

export function checkStock(history: History, facts: Facts): Violation[] {
  const { settledAt } = history;
  const outcomes = settledAt === undefined ? [] : facts.stockReads.filter(({ exchange }) => exchange.from >= settledAt);
  const sold = outcomes.length === 0 ? new Map<string, Range>() : soldIn(history, facts);
  return [
    ...facts.stockReads.flatMap(conserved),
    ...outcomes.flatMap(nothingReserved),
    ...outcomes.flatMap((read) => changed(history, facts.stockChanges, read)),
    ...outcomes.flatMap((read) => soldOf(history, sold, read)),
  ];
}

/** Holds at every moment, whatever is under way. */
function conserved({ exchange, rows }: StockRead): Violation[] {
  return rows.flatMap((row) => {
    const { available, reserved, committed, picked, shipped, received, adjusted } = row;
    const where = `${row.sku} in ${row.warehouse} at ${exchange.node}`;
    const held = available + reserved + committed + picked;
    const books = `${held} held of ${received} received, ${shipped} shipped, ${adjusted} adjusted`;
    return [
      ...(held === received - shipped + adjusted ? [] : [violation('stock.not-conserved', `${where}: ${books}`)]),
      ...(Math.min(available, reserved, committed, picked, shipped, received) < 0
        ? [violation('stock.negative', `${where}: below zero`)]
        : []),
    ];
  });
}

function nothingReserved({ exchange, rows }: StockRead): Violation[] {
  return rows
    .filter(({ reserved }) => reserved !== 0)
    .map(({ sku, warehouse, reserved }) =>
      violation('stock.reserved', `${sku} in ${warehouse} at ${exchange.node}: ${reserved} reserved for nobody`),
    );
}

/** What came in and was corrected: all that was acknowledged, and of the unanswered any part, each once. */
function changed({ start }: History, changes: readonly StockChange[], { exchange, sku, rows }: StockRead): Violation[] {
  const began = start.find((each) => each.sku === sku);
  return (['received', 'adjusted'] as const).flatMap((kind) => {
    const actual = rows.reduce((sum, row) => sum + row[kind], 0);
    const requests = groupBy(
      changes.filter((change) => change.sku === sku && change.kind === kind),
      ({ request }) => request,
    );
    let told = began?.[kind] ?? 0;
    const open: number[] = [];
    for (const tries of requests.values()) {
      const pieces = tries[0]?.pieces ?? 0;
      if (tries.some((each) => isAcknowledged(each.exchange))) told += pieces;
      else if (tries.some((each) => !isRefused(each.exchange))) open.push(pieces);
    }
    if (isSumOf(actual - told, open)) return [];
    const doubt = open.length === 0 ? '' : `, ${open.length} more requests got no answer`;
    const text = `${sku} at ${exchange.node}: ${actual} ${kind}, clients were told of ${told}${doubt}`;
    return [violation('stock.miscounted', text)];
  });
}

/** Whether some of the parts make the difference. */
function isSumOf(difference: number, parts: readonly number[]): boolean {
  let sums = new Set([0]);
  for (const part of parts) {
    sums = new Set([...sums].flatMap((sum) => [sum, sum + part]));
    if (sums.size <= MAX_SUMS) continue;
    const gains = parts.filter((each) => each > 0).reduce((sum, each) => sum + each, 0);
    const losses = parts.filter((each) => each < 0).reduce((sum, each) => sum + each, 0);
    return difference >= losses && difference <= gains;
  }
  return sums.has(difference);
}

type Range = { readonly least: number; readonly most: number };

/** Pieces by SKU that orders have taken for good: at least those that surely have, at most those that may have. */
function soldIn({ settledAt = 0 }: History, { placings, looks, lists }: Facts): Map<string, Range> {
  const sold = new Map<string, Range>();
  const add = (lines: readonly Line[], least: number, most: number): void => {
    for (const { sku, quantity } of lines) {
      const before = sold.get(sku) ?? { least: 0, most: 0 };
      sold.set(sku, { least: before.least + least * quantity, most: before.most + most * quantity });
    }
  };
  const outcomes = new Map(
    looks.filter(({ exchange }) => exchange.from >= settledAt).map(({ order }) => [order.id, order]),
  );
  for (const { status, lines } of outcomes.values()) {
    if (GOES_ON.has(status)) add(lines, 1, 1);
    // Sent again, or back in the warehouse and perhaps not fit for sale.
    else if (PARTLY.has(status)) add(lines, 1, 2);
    else if (!WITHOUT_MONEY.has(status)) add(lines, 0, 1);
  }
  const unseen = new Map<string, readonly Line[]>();
  for (const { order } of placings) if (order && !outcomes.has(order.id)) unseen.set(order.id, order.lines);
  for (const lines of unseen.values()) add(lines, 0, 1);
  // What got no answer is in the list of its client, or never happened.
  const listed = new Set(lists.filter(({ from }) => from >= settledAt).map(({ client }) => client));
  for (const [client, requests] of unanswered(placings)) {
    if (listed.has(client)) continue;
    for (const lines of requests) add(lines ?? [], 0, 1);
  }
  return sold;
}

function soldOf({ start }: History, sold: ReadonlyMap<string, Range>, { exchange, sku, rows }: StockRead): Violation[] {
  const before = start.find((each) => each.sku === sku)?.sold ?? 0;
  const { least, most } = sold.get(sku) ?? { least: 0, most: 0 };
  const actual = rows.reduce((sum, row) => sum + row.committed + row.picked + row.shipped, 0) - before;
  if (actual >= least && actual <= most) return [];
  const expected = least === most ? `${least}` : `${least} to ${most}`;
  return [violation('stock.missold', `${sku} at ${exchange.node}: ${actual} sold, orders have taken ${expected}`)];
}
