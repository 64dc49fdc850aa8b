/** I5 and I8 for one stock item: it adds up, and no reservation is there without a reason. */
import type { Backorder, InventoryState, Reservation } from '../inventoryItem/state.ts';
import { stockAddress } from '../inventoryItem.ts';
import { addressKey } from '../kernel/address.ts';
import { tableValues } from '../kernel/table.ts';
import type { OrderState } from '../order.ts';
import type { SagaState, Step } from '../orderSaga/state.ts';
import { pendingSteps } from '../orderSaga/turn.ts';
import { type Finding, finding, GRACE_MS } from './finding.ts';

const keyOfStock = ({ sku, warehouse }: InventoryState): string => addressKey(stockAddress(sku, warehouse));

const BUCKETS = { reserved: 'held', committed: 'committed', picked: 'picked' } as const;

/** Always true of one item, whatever is under way. */
export function checkStockItem(item: InventoryState): readonly Finding[] {
  const key = keyOfStock(item);
  const { available, reserved, committed, picked, received, shipped, adjusted, quarantined, inTransit } = item;
  const findings: Finding[] = [];
  const held = available + reserved + committed + picked;
  const moved = received - shipped + adjusted;
  if (held !== moved) {
    const text = `Stock does not add up: ${held} in its buckets, ${moved} by what came and went. Count it.`;
    findings.push(finding('critical', 'stock.not-conserved', text, key));
  }
  for (const [name, pieces] of Object.entries({ available, reserved, committed, picked, quarantined, inTransit })) {
    if (pieces >= 0) continue;
    findings.push(
      finding('critical', 'stock.negative', `${pieces} pieces are ${name}: more was sold than is there.`, key),
    );
  }
  const departed = tableValues(item.departed).reduce((total, pieces) => total + pieces, 0);
  if (departed !== inTransit) {
    const text = `${inTransit} pieces are in transit, its transfers took ${departed}.`;
    findings.push(finding('critical', 'stock.transfers-differ', text, key));
  }
  const reservations = tableValues(item.reservations);
  for (const [bucket, status] of Object.entries(BUCKETS)) {
    const sum = reservations.reduce((total, each) => total + (each.status === status ? each.quantity : 0), 0);
    const pieces = item[bucket as keyof typeof BUCKETS];
    if (sum === pieces) continue;
    const text = `${pieces} pieces are ${bucket}, its reservations hold ${sum}.`;
    findings.push(finding('critical', 'stock.reservations-differ', text, key));
  }
  const waiting = item.backorders.reduce((total, { quantity }) => total + quantity, 0);
  if (waiting !== item.backordered) {
    const text = `${item.backordered} pieces are waited for, its queue adds up to ${waiting}.`;
    findings.push(finding('critical', 'stock.backorders-differ', text, key));
  }
  return findings;
}

export type ReservationFacts = {
  readonly item: InventoryState;
  readonly reservationId: string;
  /** Live, or in the queue. */
  readonly reservation: Reservation | Backorder;
  readonly order: OrderState;
  readonly saga: SagaState;
  /** Messages between them are on their way: what they disagree about is being settled. */
  readonly underWay: boolean;
  readonly now: number;
};

export function checkReservation(facts: ReservationFacts): readonly Finding[] {
  const { reservation, underWay, now } = facts;
  const findings: Finding[] = [];
  if ('status' in reservation && reservation.status === 'held' && now > reservation.expiresAt + GRACE_MS) {
    const text = `It should have expired at ${new Date(reservation.expiresAt).toISOString()} and still holds stock.`;
    findings.push(of('warning', 'stock.reservation-stale', text, facts));
  }
  if (!underWay) findings.push(...purpose(facts));
  return findings;
}

/** What a live reservation is for. */
function purpose(facts: ReservationFacts): Finding[] {
  const { order, saga, reservation, reservationId } = facts;
  if (order.status === 'unknown' || saga.status !== 'started') {
    return [of('critical', 'stock.reservation-of-nobody', 'It belongs to no order. Release it by hand.', facts)];
  }
  const steps = Object.values(saga.steps).filter((step) => concerns(step, reservationId));
  if (steps.length === 0) {
    return [of('critical', 'stock.reservation-unknown', 'Its order knows nothing of it. Release it by hand.', facts)];
  }
  // An operator is at it, or has been; or the saga is.
  if (steps.some(({ status }) => status === 'stuck' || status === 'skipped')) return [];
  if (pendingSteps(saga).length > 0) return [];
  if (!('status' in reservation) && steps.every(({ status }) => status !== 'waiting')) {
    return [of('critical', 'stock.backorder-unwanted', 'Its order does not wait for it. Release it by hand.', facts)];
  }
  if (order.end !== null || saga.phase.status === 'aborted') {
    const text = 'Its order has ended, but it still holds stock. Release it by hand.';
    return [of('critical', 'stock.reservation-outlives-order', text, facts)];
  }
  if (order.status === 'delivered' || order.status === 'closed') {
    const text = `Its order is ${order.status}, but it was never booked as shipped.`;
    return [of('warning', 'stock.reservation-not-shipped', text, facts)];
  }
  return [];
}

function concerns({ work }: Step, reservationId: string): boolean {
  if ('reservationId' in work) return work.reservationId === reservationId;
  return 'lines' in work && work.lines.some((line) => line.reservationId === reservationId);
}

function of(level: Finding['level'], code: string, text: string, facts: ReservationFacts): Finding {
  const { item, reservation, reservationId } = facts;
  const status = 'status' in reservation ? reservation.status : 'waited for';
  const what = `${reservation.quantity} × ${item.sku} in ${item.warehouse}, ${status}`;
  return finding(level, code, `${what}: ${text}`, reservation.sagaId, reservationId, keyOfStock(item));
}
