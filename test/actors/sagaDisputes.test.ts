/** An order that is cancelled while its payment is disputed: what must go back does, once, when that has ended. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cancelSaga, ORDER, refundBy, retrySaga, SagaRun, says, upTo, usd } from '../support/orders.ts';

const refused = (refundId = `${ORDER}/cancel-1.1`) =>
  ({ type: 'RefundRefused', refundId, code: 'payment.disputed', reason: 'the payment is disputed' }) as const;
const disputed = (status: 'open' | 'won' | 'lost', amount = 2_899) =>
  ({ type: 'PaymentDisputed', disputeId: 'dp_1', amount: usd(amount), status }) as const;
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
    const unknown = new SagaRun();
    unknown.when(disputed('open')).nothing();
    cancelled().when(refused('somebody-else')).nothing();
  },
);

disputes('staff gives nothing back while it is disputed, and afterwards what is left', () => {
  const run = new SagaRun([...upTo.completed, disputed('open', 900)]);
  run.when(refundBy(100)).rejects('payment.disputed');
  run.when(refundBy()).rejects('payment.disputed');
  run.when(disputed('open', 900)).nothing();
  run.does(disputed('lost', 900));
  run.when(disputed('won', 900)).nothing();
  run.when(refundBy(2_000)).rejects('saga.refund-too-much');
  run.when(refundBy(1_999)).sends('RefundPayment');
  new SagaRun([...upTo.completed, disputed('won')]).when(refundBy()).sends('RefundPayment');
});

const refund = `${ORDER}/refund-1`;

disputes('a refund that a dispute overtook is asked for again by itself when that has ended, once', () => {
  const run = new SagaRun([...upTo.completed, refundBy(500), disputed('open'), refused(refund)]);
  assert.is(run.saga.refunds[refund]?.status, 'stuck');
  run.does(disputed('won'));
  const [again] = run.when(ended).thenTypes('OperatorRefundRetried').sent;
  assert.equal(again?.message, { type: 'RefundPayment', refundId: refund, amount: usd(500), reason: 'goodwill' });
  run.when(ended).nothing();
  run.does({ type: 'PaymentRefunded', refundId: refund, amount: usd(500) });
  assert.is(run.saga.refunds[refund]?.status, 'done');
});

disputes('one that was lost has paid it: the refund is settled as not needed', () => {
  const run = new SagaRun([...upTo.completed, refundBy(), disputed('open'), refused(refund), disputed('lost'), ended]);
  run.does({ type: 'PaymentRefunded', refundId: refund, amount: usd(0) });
  assert.equal([run.saga.refunds[refund]?.status, run.saga.refunds[refund]?.amount], ['done', usd(0)]);
  run.when(refundBy()).rejects('saga.refund-too-much');
});

disputes("a refund that is stuck for another reason stays the operator's", () => {
  const escalated = { type: 'RefundEscalated', refundId: refund, reason: 'account closed' } as const;
  new SagaRun([...upTo.completed, refundBy(500), escalated]).when(ended).nothing();
});

disputes('what the bank has taken back is not sent once more', () => {
  const lost = { type: 'ReshipParcel', shipmentId: 'shp_1_1', by: 'system', why: 'lost' } as const;
  const run = new SagaRun([...upTo.completed, disputed('lost')]);
  run.when(lost).nothing();
  run.when(retrySaga).rejects('order.refunded');
});

disputes.run();
