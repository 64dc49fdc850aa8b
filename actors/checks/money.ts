/** I6 for one order: what its payment took, held and gave back is what its end allows. */
import { compare, type Money, sum } from '../kernel/money.ts';
import type { OrderState } from '../order.ts';
import { attemptsOf, isDisputed, isLive, type PaymentState, paymentFigures, refundable } from '../payment/state.ts';
import { type Finding, finding } from './finding.ts';

/** Always true of one payment, whatever is under way. */
export function checkPayment(payment: PaymentState): readonly Finding[] {
  const { orderId } = payment;
  const findings: Finding[] = [];
  const critical = (code: string, text: string) => findings.push(finding('critical', code, text, orderId));
  for (const [number, { amount, capture }] of attemptsOf(payment)) {
    if (capture?.status !== 'done') continue;
    if (compare(capture.amount, amount) > 0) {
      critical('money.captured-too-much', `Attempt ${number} captured more than was authorized.`);
    }
    if (compare(paidBack(payment, number), capture.amount) > 0) {
      critical('money.refunded-too-much', `Attempt ${number} paid back more than was captured.`);
    }
  }
  const keeping = attemptsOf(payment).filter(([number]) => refundable(payment, number).amount > 0);
  if (keeping.length > 1) critical('money.captured-twice', `${keeping.length} captures are kept. Refund all but one.`);
  return [...findings, ...escalated(payment)];
}

function paidBack({ refunds, currency }: PaymentState, attempt: number): Money {
  const done = Object.values(refunds).filter((refund) => refund.attempt === attempt && refund.status === 'done');
  return sum(
    currency,
    done.map(({ amount }) => amount),
  );
}

/** What the payment has given up on. */
function escalated({ orderId, refunds, calls }: PaymentState): Finding[] {
  const failed = Object.entries(refunds).filter(([, { status }]) => status === 'escalated');
  // A refund's own call says nothing more.
  const unclear = Object.entries(calls).filter(
    ([, { phase, operation }]) => phase === 'escalated' && operation.kind !== 'refund',
  );
  return [
    ...failed.map(([refundId]) =>
      finding('warning', 'money.refund-stuck', 'A refund failed for good. Pay it back by hand.', orderId, refundId),
    ),
    ...unclear.map(([key]) =>
      finding('warning', 'money.outcome-unknown', 'Nobody knows what became of it. Ask the vendor.', orderId, key),
    ),
  ];
}

export type MoneyFacts = {
  readonly order: OrderState;
  readonly payment: PaymentState;
  /** An operator has said that what could not be undone is seen to. */
  readonly settledByHand: boolean;
};

/** For an order and its payment when nothing is under way between them and the payment waits for nothing. */
export function checkMoney({ order, payment, settledByHand }: MoneyFacts): readonly Finding[] {
  const { orderId, currency } = payment;
  const { authorized, captured } = paymentFigures(payment);
  const critical = (code: string, text: string) => [finding('critical', code, text, orderId)];
  if (order.status === 'unknown') {
    const some = captured.amount !== 0 || authorized.amount !== 0;
    return some ? critical('money.without-order', 'There is a payment, but no order. Pay it back by hand.') : [];
  }
  if (order.end === null) {
    const promised = order.stage !== 'placed' && order.hold === null && order.totals.total.amount > 0;
    return promised && captured.amount === 0 ? critical('order.unpaid', 'It is confirmed, but nothing was paid.') : [];
  }
  // An operator, or the vendor, is at it.
  if (order.end.manual || order.end.refundPending || isDisputed(payment)) return [];
  const attempts = attemptsOf(payment);
  const kept = attempts.reduce((total, [number]) => total + refundable(payment, number).amount, 0);
  if (kept > 0) {
    return critical(
      'money.kept-after-end',
      `It has ended, but ${kept} ${currency} (minor units) are kept. Refund them.`,
    );
  }
  const live = !settledByHand && attempts.some(([, each]) => isLive(each) && each.capture?.status !== 'done');
  return live
    ? critical('money.held-after-end', 'It has ended, but its authorization still holds money. Void it.')
    : [];
}
