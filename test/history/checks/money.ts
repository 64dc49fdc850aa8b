/** Money: never more captured than ordered, never more given back than captured, once, and in the end exactly what is due. */
import type { History } from '../exchange.ts';
import { type Facts, isRefused, type OrderFact } from '../facts.ts';
import { GOES_ON, isAtRest, WITHOUT_MONEY } from '../statuses.ts';
import { type Violation, violation } from '../violation.ts';

const REFUND = /^\/v1\/admin\/sagas\/([^/?]+)\/refund$/;
const CAPTURED = 'payment.captured';
/** A dispute that the shop wins shows the payment as captured again. */
const DISPUTED = 'payment.disputed';

export function checkMoney(history: History, facts: Facts): Violation[] {
  const acknowledgements = facts.placings.flatMap(({ exchange, order }) => (order ? [{ exchange, order }] : []));
  const views = [...acknowledgements, ...facts.cancellations, ...facts.looks];
  const { settledAt } = history;
  const outcomes = settledAt === undefined ? [] : facts.looks.filter(({ exchange }) => exchange.from >= settledAt);
  const refundedByHand = new Set(
    history.exchanges.flatMap((exchange) => (isRefused(exchange) ? [] : (REFUND.exec(exchange.path)?.[1] ?? []))),
  );
  return [
    ...views.flatMap(amounts),
    ...outcomes.flatMap((fact) => outcome(fact, refundedByHand.has(fact.order.id))),
    ...captures(facts),
    ...cancelled(facts, outcomes),
  ];
}

const says = ({ exchange, order }: OrderFact): string => `${order.id} is ${order.status} at ${exchange.node}`;

function amounts(fact: OrderFact): Violation[] {
  const { total, captured, refunded } = fact.order;
  return [
    ...(captured > total
      ? [violation('money.overcharged', `${says(fact)} with ${captured} captured of ${total}`)]
      : []),
    ...(refunded > captured
      ? [violation('money.over-refunded', `${says(fact)} with ${refunded} given back of ${captured}`)]
      : []),
    ...(Math.min(captured, refunded) < 0 ? [violation('money.negative', `${says(fact)} with less than nothing`)] : []),
  ];
}

/** Where an order stands once nothing is under way any more. */
function outcome(fact: OrderFact, refundedByHand: boolean): Violation[] {
  const { status, total, captured, refunded } = fact.order;
  const kept = captured - refunded;
  if (!isAtRest(status)) return [violation('order.stuck', `${says(fact)} still`)];
  if (GOES_ON.has(status) && kept !== total && !refundedByHand) {
    return [violation('money.not-kept', `${says(fact)} with ${kept} kept of ${total}`)];
  }
  if (WITHOUT_MONEY.has(status) && kept !== 0) return [violation('money.kept', `${says(fact)} with ${kept} kept`)];
  return [];
}

function captures({ timelines }: Facts): Violation[] {
  return timelines.flatMap(({ exchange, orderId, entries }) => {
    const types = entries.map(({ type }) => type);
    const times = types.filter((type) => type === CAPTURED).length;
    if (times <= 1 || types.includes(DISPUTED)) return [];
    return [violation('money.captured-twice', `${orderId} was captured ${times} times, says ${exchange.node}`)];
  });
}

/** A cancellation that was taken is carried out, unless the order's history says why not. */
function cancelled({ cancellations, timelines }: Facts, outcomes: readonly OrderFact[]): Violation[] {
  const taken = new Set(cancellations.map(({ order }) => order.id));
  const refused = new Set(
    timelines
      .filter(({ entries }) => entries.some(({ type }) => type === 'order.cancel-refused'))
      .map(({ orderId }) => orderId),
  );
  return outcomes
    .filter(({ order: { id, status } }) => taken.has(id) && !refused.has(id) && GOES_ON.has(status))
    .map((fact) => violation('order.not-cancelled', `${says(fact)} although its cancellation was acknowledged`));
}
