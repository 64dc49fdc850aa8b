/** What operators do by hand: skip a compensation that is stuck, and give money back of an order that goes on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SagaNews } from '../../actors/order.ts';
import { sagaDecider } from '../../actors/orderSaga/saga.ts';
import {
  cancelSaga,
  ORDER,
  refundBy,
  retrySaga,
  SagaRun,
  says,
  skip,
  stepTimedOut,
  upTo,
  usd,
} from '../support/orders.ts';

const released = [says.released('1.1'), says.released('2.1')] as const;
const given = (n: number, amount: number) =>
  ({ type: 'PaymentRefunded', refundId: `${ORDER}/refund-${n}`, amount: usd(amount) }) as const;
const failed = (n: number) =>
  ({ type: 'RefundEscalated', refundId: `${ORDER}/refund-${n}`, reason: 'account closed' }) as const;
const lastNews = (run: SagaRun): SagaNews | undefined => run.news.at(-1);

// skipping

const skipping = suite('saga, skipping');

const refundStuck = [...upTo.fulfilling, cancelSaga, says.parcelCancelled(), says.refundEscalated(), ...released];

skipping('a refund that was settled by hand - the order goes on to its end, recorded with who and why', () => {
  const run = new SagaRun(refundStuck);
  assert.is(run.saga.phase.status === 'aborted' && run.saga.phase.refundPending, true);
  const [skipped] = run.when(skip).thenTypes('StepSkipped', 'SagaAborted').sends('SettleRefundByHand', 'EndOrder')
    .accepted.events;
  assert.equal(skipped, { type: 'StepSkipped', v: 1, step: 'capture:1', by: 'ops', why: 'settled by hand' });
  const end = lastNews(run);
  assert.equal(end?.type === 'EndOrder' && [end.outcome, end.manual, end.refundPending], ['cancelled', false, false]);
  run.when(skip).rejects('saga.nothing-stuck');
  run.when(retrySaga).rejects('saga.not-waiting');
});

skipping('money that was given back by hand is not given back once more', () => {
  const run = new SagaRun([...refundStuck, skip]);
  const asked = run.count('RefundPayment') + run.count('VoidPayment');
  run.when(says.refunded()).nothing();
  run.when(says.captured()).nothing();
  run.when(says.authorized()).nothing();
  assert.is(run.count('RefundPayment') + run.count('VoidPayment'), asked);
});

skipping('while others are still being undone - those go on, and nothing is voided after it', () => {
  const run = new SagaRun([...upTo.fulfilling, cancelSaga, says.parcelCancelled(), says.refundEscalated()]);
  run.when(skip).thenTypes('StepSkipped').sends('SettleRefundByHand');
  run.does(...released);
  const end = lastNews(run);
  assert.equal(end?.type === 'EndOrder' && end.manual, false);
  assert.is(run.count('VoidPayment'), 0);
});

skipping('stuck stock of a held order - it stays held, then it can be retried or cancelled', () => {
  const held = [
    ...upTo.authorizing,
    { type: 'SagaTimedOut' },
    says.voided(),
    says.released('1.1'),
    ...[1, 2, 3, 4, 5].map(stepTimedOut),
  ] as const;
  const run = new SagaRun(held);
  assert.ok(run.ledger.includes('reserve:2.1 stuck'));
  run.when(skip).thenTypes('StepSkipped').sends();
  assert.is(run.saga.phase.status, 'waiting');
  run.when(retrySaga).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
  const cancelled = new SagaRun([...held, skip, cancelSaga]);
  const end = lastNews(cancelled);
  assert.equal(end?.type === 'EndOrder' && end.manual, false);
});

skipping('nothing is stuck - refused, whatever the saga is doing', () => {
  for (const commands of [upTo.reserving, upTo.capturing, upTo.completed, [...upTo.completed, cancelSaga]]) {
    new SagaRun(commands).when(skip).rejects('saga.nothing-stuck');
  }
  new SagaRun().when(skip).rejects('saga.unknown');
});

skipping.run();

// refunds

const refunds = suite('saga, refunds by operators');

refunds('a part, then another: each has its own id, and the rest of it is known', () => {
  const run = new SagaRun(upTo.completed);
  const first = run.when(refundBy(1_000)).sends('RefundPayment');
  first.then({
    type: 'OperatorRefundRequested',
    v: 1,
    refundId: `${ORDER}/refund-1`,
    amount: usd(1_000),
    by: 'ops',
    why: 'goodwill',
  });
  const message = { type: 'RefundPayment', refundId: `${ORDER}/refund-1`, amount: usd(1_000), reason: 'goodwill' };
  assert.equal(first.sent[0]?.message, message);
  run.when(given(1, 1_000)).thenTypes('OperatorRefundDone').sends();
  run.when(refundBy(1_900)).rejects('saga.refund-too-much');
  run.when(refundBy(1_899)).sends('RefundPayment');
  run.when(refundBy(1)).rejects('saga.refund-too-much');
  assert.is(run.saga.phase.status, 'completed');
});

refunds('without an amount all that is left', () => {
  const run = new SagaRun([...upTo.completed, refundBy(899), refundBy()]);
  assert.equal(
    Object.values(run.saga.refunds).map(({ amount }) => amount.amount),
    [899, 2_000],
  );
  run.when(refundBy()).rejects('saga.refund-too-much');
});

refunds('nothing, less than nothing, another currency, more than was captured: refused', () => {
  for (const amount of [usd(0), usd(-1), usd(2_900), { amount: 1, currency: 'EUR' }]) {
    new SagaRun(upTo.completed).when({ ...refundBy(), amount }).rejects('saga.refund-too-much');
  }
});

refunds('only of an order that was paid and goes on', () => {
  const states = [upTo.reserving, upTo.authorizing, upTo.committing, upTo.capturing];
  for (const commands of [...states, [...upTo.completed, cancelSaga], refundStuck]) {
    new SagaRun(commands).when(refundBy(1)).rejects('saga.not-refundable');
  }
  for (const commands of [upTo.fulfilling, [...upTo.fulfilling, says.parcelFailed()]]) {
    new SagaRun(commands).when(refundBy(1)).sends('RefundPayment');
  }
  new SagaRun().when(refundBy(1)).rejects('saga.unknown');
});

refunds('what was really given back is what counts', () => {
  const run = new SagaRun([...upTo.completed, refundBy(), given(1, 2_000)]);
  assert.equal(run.saga.refunds[`${ORDER}/refund-1`], {
    amount: usd(2_000),
    status: 'done',
    by: 'ops',
    why: 'goodwill',
    reason: null,
  });
  run.when(given(1, 2_000)).nothing();
  run.when(failed(1)).nothing();
  run.when(refundBy(899)).sends('RefundPayment');
});

refunds(
  'one that fails, or is refused because of a dispute, is repeated under its own id when the operator says so',
  () => {
    const disputed = { ...failed(1), type: 'RefundRefused', code: 'payment.disputed' } as const;
    for (const answer of [failed(1), disputed]) {
      const run = new SagaRun([...upTo.completed, refundBy(500)]);
      run.when(answer).thenTypes('OperatorRefundStuck').sends();
      const again = run.when(retrySaga).thenTypes('OperatorRefundRetried').sends('RefundPayment');
      const { message } = again.sent[0] ?? {};
      assert.is(message && 'refundId' in message && message['refundId'], `${ORDER}/refund-1`);
      run.when(given(1, 500)).thenTypes('OperatorRefundDone');
    }
  },
);

refunds('one that fails may be settled by hand', () => {
  const run = new SagaRun([...upTo.completed, refundBy(500), failed(1)]);
  run.when(skip).thenTypes('OperatorRefundSkipped').sends('SettleRefundByHand');
  run.when(given(1, 500)).nothing();
  run.when(skip).rejects('saga.nothing-stuck');
  run.when(refundBy(2_500)).rejects('saga.refund-too-much');
});

refunds('a failed refund says nothing about another step', () => {
  const run = new SagaRun([...upTo.completed, refundBy(500), cancelSaga, says.parcelCancelled()]);
  run.when(failed(1)).thenTypes('OperatorRefundStuck');
  assert.ok(run.ledger.includes('capture:1 compensating'));
});

refunds('replay - the events give the same state', () => {
  const run = new SagaRun([
    ...upTo.completed,
    refundBy(500),
    failed(1),
    retrySaga,
    given(1, 500),
    refundBy(1),
    failed(2),
  ]);
  run.does(skip);
  assert.equal(run.events.reduce(sagaDecider.evolve, sagaDecider.initial(ORDER)), run.state);
  const early = { type: 'OperatorRefundDone', v: 1, refundId: 'x', amount: usd(1) } as const;
  assert.throws(() => sagaDecider.evolve(new SagaRun(upTo.completed).state, early), /before/);
});

refunds.run();
