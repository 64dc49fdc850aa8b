/** An order that is cancelled while its payment is disputed: what must go back does, once, when that has ended. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cancelSaga, ORDER, SagaRun, says, upTo } from '../support/orders.ts';

const refused = (refundId = `${ORDER}/cancel-1.1`) =>
  ({ type: 'RefundRefused', refundId, code: 'payment.disputed', reason: 'the payment is disputed' }) as const;
const ended = { type: 'PaymentDisputeEnded', disputeId: 'dp_1' } as const;

const disputes = suite('saga: disputes');

/** Captured, then cancelled: the parcel is off and the refund is asked for. */
const cancelled = (): SagaRun => new SagaRun([...upTo.completed, cancelSaga, says.parcelCancelled()]);
/** Its refund was refused; all else is undone. */
const stuck = (): SagaRun => cancelled().does(refused(), says.released('1.1'), says.released('2.1'));

function lastEnd(run: SagaRun) {
  const end = run.news.findLast(({ type }) => type === 'EndOrder');
  return end?.type === 'EndOrder' ? { manual: end.manual, refundPending: end.refundPending } : undefined;
}

disputes('a refund that is refused stays owed: the order ends with its refund pending', () => {
  const run = stuck();
  assert.ok(run.ledger.includes('capture:1 stuck'));
  assert.equal(lastEnd(run), { manual: true, refundPending: true });
});

disputes('when the dispute has ended the refund is asked for again by itself, and the order is healed by it', () => {
  const run = stuck();
  const before = run.count('RefundPayment');
  run.does(ended);
  assert.is(run.count('RefundPayment'), before + 1);
  run.does(says.refunded(), says.voided());
  assert.not(run.ledger.some((step) => step.endsWith('stuck')));
  assert.equal(lastEnd(run), { manual: false, refundPending: false });
  run.when(ended).nothing();
});

disputes('a dispute that ends while the rest is still being undone', () => {
  const run = cancelled().does(refused());
  const before = run.count('RefundPayment');
  run.does(ended);
  assert.is(run.count('RefundPayment'), before + 1);
  run.does(says.refunded(), says.released('1.1'), says.released('2.1'), says.voided());
  assert.equal(lastEnd(run), { manual: false, refundPending: false });
});

disputes('a refund that was refused again is pending again', () => {
  const run = stuck().does(ended, refused());
  assert.ok(run.ledger.includes('capture:1 stuck'));
  assert.equal(lastEnd(run), { manual: true, refundPending: true });
});

disputes(
  'the end of a dispute changes nothing where nothing waits for it, nor a refusal of what it did not ask',
  () => {
    for (const commands of Object.values(upTo)) new SagaRun(commands).when(ended).nothing();
    cancelled().when(refused('somebody-else')).nothing();
  },
);

disputes.run();
