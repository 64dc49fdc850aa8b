/** I6 for one order: what its payment took, held and gave back is what its end allows. */
import { compare, subtract, sum } from '../kernel/money.ts';
import type { OrderState } from '../order.ts';
import { attemptsOf, isLive, type PaymentState, paidByHand, paymentFigures } from '../payment/state.ts';
import { type Finding, finding } from './finding.ts';

/** Always true of one payment, whatever is under way. */
export function checkPayment(payment: PaymentState): readonly Finding[] {
  const { orderId, currency } = payment;
  const findings: Finding[] = [];
  const critical = (code: string, text: string) => findings.push(finding('critical', code, text, orderId));
  let keeping = 0;
  for (const [number, { amount, capture }] of attemptsOf(payment)) {
    if (capture?.status !== 'done') continue;
    if (compare(capture.amount, amount) > 0) {
      critical('money.captured-too-much', `Attempt ${number} captured more than was authorized.`);
    }
    const done = Object.values(payment.refunds).filter((each) => each.attempt === number && each.status === 'done');
    const kept = subtract(
      capture.amount,
      sum(
        currency,
        done.map((refund) => refund.amount),
      ),
    );
    if (kept.amount < 0) critical('money.refunded-too-much', `Attempt ${number} paid back more than was captured.`);
    if (kept.amount > 0) keeping += 1;
  }
  if (keeping > 1) critical('money.captured-twice', `${keeping} captures were kept. Refund all but one.`);
  return [...findings, ...escalated(payment)];
}

/** What the payment has given up on. */
function escalated({ orderId, refunds, calls }: PaymentState): Finding[] {
  const failed = Object.entries(refunds).filter(([, { status }]) => status === 'escalated');
  // A refund's own call says nothing more.
  const unclear = Object.entries(calls).filter(
    ([, call]) => call.phase === 'escalated' && call.operation.kind !== 'refund',
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

export type MoneyFacts = { readonly order: OrderState; readonly payment: PaymentState };

/** For an order and its payment when nothing is under way between them and the payment waits for nothing. */
export function checkMoney({ order, payment }: MoneyFacts): readonly Finding[] {
  const { authorized, captured, refunded } = paymentFigures(payment);
  const { orderId } = payment;
  const kept = subtract(subtract(captured, refunded), paidByHand(payment));
  const live = attemptsOf(payment).some(([, attempt]) => isLive(attempt) && attempt.capture?.status !== 'done');
  const critical = (code: string, text: string) => [finding('critical', code, text, orderId)];
  if (order.status === 'unknown') {
    const some = captured.amount !== 0 || authorized.amount !== 0;
    return some ? critical('money.without-order', 'There is a payment, but no order. Pay it back by hand.') : [];
  }
  if (order.end === null) {
    const promised = order.stage !== 'placed' && order.hold === null && order.totals.total.amount > 0;
    return promised && captured.amount === 0 ? critical('order.unpaid', 'It is confirmed, but nothing was paid.') : [];
  }
  // An operator has been told already.
  if (order.end.manual || order.end.refundPending) return [];
  if (kept.amount !== 0) {
    return critical(
      'money.kept-after-end',
      `It has ended, but ${kept.amount} ${kept.currency} (minor units) are kept.`,
    );
  }
  return live ? critical('money.held-after-end', 'It has ended, but its authorization still holds money.') : [];
}
