/** I7 for one order: its saga, its payment, its parcels and its stock agree, and something will happen next. */
import type { InventoryState } from '../inventoryItem/state.ts';
import { tableGet } from '../kernel/table.ts';
import type { Order, OrderState } from '../order.ts';
import { parcelSteps } from '../orderSaga/reship.ts';
import type { Saga, SagaState } from '../orderSaga/state.ts';
import { isForward, stepsOf, stuckSteps } from '../orderSaga/state.ts';
import { pendingSteps } from '../orderSaga/turn.ts';
import { attemptOf, type PaymentState, paymentFigures, paymentStatus } from '../payment/state.ts';
import type { ShipmentState } from '../shipment/state.ts';
import { type Finding, finding } from './finding.ts';
import { checkMoney, checkPayment } from './money.ts';

export type OrderFacts = {
  readonly orderId: string;
  readonly order: OrderState;
  readonly saga: SagaState;
  readonly payment: PaymentState;
  readonly shipments: readonly ShipmentState[];
  /** The stock of the lines of these shipments. */
  readonly stockOf: (sku: string, warehouse: string) => InventoryState;
  /** Messages from or to the order's aggregates are on their way: what they disagree about is being settled. */
  readonly underWay: boolean;
  /** The saga's and the payment's own pending timers. */
  readonly sagaTimers: number;
  readonly paymentTimers: number;
};

type Check = (code: string, text: string, ...ids: string[]) => Finding;

export function checkOrder(facts: OrderFacts): readonly Finding[] {
  const { orderId, saga, payment, underWay } = facts;
  const within = [...checkPayment(payment), ...(saga.status === 'started' ? visibleWaits(saga) : [])];
  if (underWay) return within;
  const critical: Check = (code, text, ...ids) => finding('critical', code, text, orderId, ...ids);
  const warning: Check = (code, text, ...ids) => finding('warning', code, text, orderId, ...ids);
  return [
    ...within,
    ...existence(facts, critical),
    ...progress(facts, critical),
    ...agreement(facts, critical, warning),
    // A payment that waits for its vendor or for its next try is on its way to what it should be.
    ...(facts.paymentTimers === 0 ? checkMoney({ ...facts, settledByHand: isSkipped(saga) }) : []),
    ...parcels(facts, critical),
  ];
}

/** What an operator sees on the order's page too. */
function visibleWaits(saga: Saga): Finding[] {
  const { orderId, phase } = saga;
  const stuck = stuckSteps(saga).map(({ id, reason }) =>
    finding(
      'warning',
      'saga.compensation-stuck',
      `${id} could not be undone${reason === null ? '' : ` (${reason})`}. Retry the saga, or see to it by hand.`,
      orderId,
      id,
    ),
  );
  if (phase.status !== 'waiting' || phase.awaiting !== 'operator') return stuck;
  return [...stuck, finding('info', 'saga.awaits-operator', `It waits for an operator: ${phase.reason}`, orderId)];
}

function isSkipped(saga: SagaState): boolean {
  return saga.status === 'started' && Object.values(saga.steps).some(({ status }) => status === 'skipped');
}

function existence({ order, saga, payment }: OrderFacts, critical: Check): Finding[] {
  if (order.status === 'unknown') {
    const orphan = saga.status === 'started';
    return orphan ? [critical('saga.without-order', 'There is a saga, but no order. Cancel the saga.')] : [];
  }
  if (saga.status !== 'started') {
    return [critical('order.without-saga', 'Nobody fulfils it: its saga was never started.')];
  }
  const missing = stepsOf(saga, 'authorize').filter(
    ({ work, status }) => status === 'succeeded' && attemptOf(payment, work.attempt) === undefined,
  );
  return missing.map(({ id }) => critical('order.without-payment', 'Its payment does not exist.', id));
}

/** Waits for the customer: if nothing comes, a timer ends them. */
const ENDED_BY_TIMER: ReadonlySet<string> = new Set(['payment', 'payment-method', 'backorder-choice']);

function progress({ saga, sagaTimers }: OrderFacts, critical: Check): Finding[] {
  if (saga.status !== 'started' || sagaTimers > 0) return [];
  const { phase } = saga;
  const goesOn = isForward(saga) || phase.status === 'compensating' || pendingSteps(saga).length > 0;
  const waitsForCustomer = phase.status === 'waiting' && ENDED_BY_TIMER.has(phase.awaiting);
  if (!goesOn && !waitsForCustomer) return [];
  return [critical('saga.stuck', `It is ${phase.status}, waits for no answer and no timer will wake it. Retry it.`)];
}

function agreement(facts: OrderFacts, critical: Check, warning: Check): Finding[] {
  const { order, saga } = facts;
  if (order.status === 'unknown' || saga.status !== 'started') return [];
  const { phase } = saga;
  const findings: Finding[] = [];
  if (phase.status === 'aborted' && order.end === null && order.stage !== 'closed') {
    findings.push(critical('order.not-ended', `Its saga has ended (${phase.outcome}), the order is ${order.status}.`));
  }
  if (phase.status !== 'aborted' && order.end !== null) {
    findings.push(critical('saga.not-ended', `The order is ${order.status}, its saga is ${phase.status}.`));
  }
  if (phase.status === 'completed' && (order.stage === 'placed' || order.stage === 'confirmed')) {
    findings.push(warning('order.behind', `Its saga is done, the order is ${order.status}.`));
  }
  return [...findings, ...copies(facts, order, warning)];
}

/** What the order shows of others is what they are. */
function copies({ payment, shipments }: OrderFacts, order: Order, warning: Check): Finding[] {
  const { captured, refunded } = paymentFigures(payment);
  const shown = order.payment;
  const same =
    shown.captured.amount === captured.amount &&
    shown.refunded.amount === refunded.amount &&
    (payment.events === 0 || shown.status === paymentStatus(payment));
  const stale = shipments.filter(({ id, status }) => {
    const known = order.shipments[id];
    return known !== undefined && known.status !== status;
  });
  return [
    ...(same ? [] : [warning('order.payment-differs', `The order shows ${shown.status}, its payment is not.`)]),
    ...stale.map(({ id, status }) =>
      warning('order.shipment-differs', `The order shows ${order.shipments[id]?.status}, the parcel is ${status}.`, id),
    ),
  ];
}

const OVER: ReadonlySet<ShipmentState['status']> = new Set(['cancelled', 'returned', 'lost']);

function parcels(facts: OrderFacts, critical: Check): Finding[] {
  const { order, saga, shipments } = facts;
  if (order.status === 'unknown' || saga.status !== 'started') return [];
  const requested = shipments.filter(({ request }) => request !== null);
  if (order.end !== null) {
    const atIt = parcelSteps(saga).some(({ status }) => status === 'stuck' || status === 'skipped');
    const settled = saga.settled ?? [];
    const alive = atIt ? [] : requested.filter(({ id, status }) => !OVER.has(status) && !settled.includes(id));
    return alive.map(({ id, status }) =>
      critical('shipment.of-ended-order', `The order has ended, the parcel is ${status}. Stop it.`, id),
    );
  }
  if (saga.phase.status === 'completed' && requested.length === 0) {
    return [critical('order.without-shipment', 'It is paid and its saga is done, but there is no parcel.')];
  }
  return requested.flatMap((shipment) => missingStock(facts, shipment, critical));
}

/** A parcel that is still in the warehouse has its goods set aside there. */
function missingStock({ stockOf }: OrderFacts, shipment: ShipmentState, critical: Check): Finding[] {
  const { id, status, request } = shipment;
  if (request === null || (status !== 'assigned' && status !== 'labeled')) return [];
  return request.lines.flatMap(({ sku, reservationId }) => {
    const reservation = tableGet(stockOf(sku, request.warehouse).reservations, reservationId);
    if (reservation?.status === 'committed' || reservation?.status === 'picked') return [];
    const text = `${sku} of a parcel in ${request.warehouse} is ${reservation?.status ?? 'not set aside'} there.`;
    return [critical('stock.reservation-missing', text, id, reservationId)];
  });
}
