/** A payment that is declined: the customer is asked once for another payment method, for 24 hours. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SagaNews } from '../../actors/order.ts';
import type { SagaCommand } from '../../actors/orderSaga/saga.ts';
import {
  cancelByOperator,
  cancelSaga,
  payAnew,
  paymentOverdue,
  retrySaga,
  SagaRun,
  says,
  stepTimedOut,
  upTo,
  usd,
} from '../support/orders.ts';
import { T0 } from '../support/spec.ts';

const pay = suite('saga, another payment method');

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const released = [says.released('1.1'), says.released('2.1')] as const;
const declined: readonly SagaCommand[] = [...upTo.authorizing, says.declined()];
const asked: readonly SagaCommand[] = [...declined, ...released];

const lastNews = (run: SagaRun): SagaNews | undefined => run.news.at(-1);
const awaits = ({ saga: { phase } }: SagaRun) => (phase.status === 'waiting' ? phase.awaiting : phase.status);

pay('a decline - the customer is asked at once, for 24 h, while everything reserved goes back', () => {
  const run = new SagaRun(upTo.authorizing);
  run
    .when(says.declined())
    .thenTypes(
      'StepFailed',
      'PaymentMethodAsked',
      'CompensationStarted',
      'CompensationRequested',
      'CompensationRequested',
    )
    .sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  const hold = run.news.at(-1);
  assert.equal(hold?.type === 'HoldOrder' && [hold.awaiting, hold.reason, hold.expiresAt], [
    'payment-method',
    'no funds',
    T0 + DAY,
  ]);
  assert.equal(run.timers.get('payment'), { set: 'payment', at: T0 + DAY, message: paymentOverdue });
  assert.not.ok(run.timers.has('saga'), 'the 5 minutes are over');
  run.does(...released);
  assert.is(awaits(run), 'payment-method');
  assert.is(run.count('VoidPayment'), 0, 'nothing was authorized');
  assert.equal([...run.timers.keys()], ['payment']);
});

pay('a capture that is refused - the same, and the authorization is voided', () => {
  const run = new SagaRun([...upTo.capturing, says.captureFailed(), ...released]);
  assert.is(run.count('VoidPayment'), 1);
  run.when(says.voided()).thenTypes('StepCompensated', 'SagaHeld');
  assert.is(awaits(run), 'payment-method');
  run.when(payAnew()).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
});

pay('another one is given - a new round: reserved anew, authorized with the next attempt and the new token', () => {
  const run = new SagaRun(asked);
  run.when(payAnew()).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
  assert.equal([...run.timers.keys()].sort(), ['saga', 'step']);
  run.does(says.reserved('1.2'));
  const authorize = run.when(says.reserved('2.2')).sends('AuthorizePayment').sent[0];
  const message = { type: 'AuthorizePayment', attempt: 2, amount: usd(2_899), token: 'tok_other' };
  assert.equal(authorize?.message, message);
  run.does(says.authorized(2), says.committed('1.2'), says.committed('2.2'), says.captured(2), says.accepted());
  assert.is(run.saga.phase.status, 'completed');
});

pay('a second decline ends it: the customer is asked once', () => {
  const run = new SagaRun([...asked, payAnew(), says.reserved('1.2'), says.reserved('2.2')]);
  run.when(says.declined(2)).sends('ReleaseReservation', 'ReleaseReservation');
  run.does(says.released('1.2'), says.released('2.2'));
  const end = lastNews(run);
  assert.equal(end?.type === 'EndOrder' && [end.outcome, end.reason], ['payment-failed', 'no funds']);
  assert.equal([...run.timers.keys()], []);
  run.when(payAnew('tok_third')).rejects('order.payment-not-asked');
});

pay('nobody gives one within 24 h - payment failed', () => {
  const run = new SagaRun(asked);
  run.when(paymentOverdue).thenTypes('CompensationStarted', 'SagaAborted').sends('EndOrder');
  const end = lastNews(run);
  assert.equal(end?.type === 'EndOrder' && [end.outcome, end.manual], ['payment-failed', false]);
  run.when(payAnew()).rejects('order.payment-not-asked');
});

pay('the time is over while the first round is still being undone - it ends when that is done', () => {
  const run = new SagaRun([...declined, paymentOverdue, says.released('1.1')]);
  run.when(payAnew()).rejects('order.payment-not-asked');
  run.when(says.released('2.1')).sends('EndOrder');
});

pay('one that is given while the first round is still being undone waits for that', () => {
  const run = new SagaRun(declined);
  run.when(payAnew()).thenTypes('PaymentMethodGiven', 'GoalChanged').sends('ReleaseOrder');
  assert.not.ok(run.timers.has('payment'));
  run.does(says.released('1.1'));
  assert.is(run.count('ReserveStock'), 2, 'not yet');
  run.when(says.released('2.1')).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
});

pay('given twice - the same one is answered as before, another one is refused', () => {
  for (const before of [declined, asked]) {
    const run = new SagaRun([...before, payAnew()]);
    run.when(payAnew()).nothing();
    run.when(payAnew('tok_third')).rejects('order.payment-not-asked');
  }
});

pay('not asked - refused, in every state', () => {
  const states = [upTo.reserving, upTo.authorizing, upTo.capturing, upTo.completed];
  for (const commands of states) new SagaRun(commands).when(payAnew('tok_success')).rejects('order.payment-not-asked');
  new SagaRun().when(payAnew()).rejects('saga.unknown');
});

pay('cancelled while it waits, or while it is undone - it ends as cancelled, and nobody is waited for', () => {
  for (const cancel of [cancelSaga, cancelByOperator]) {
    const waiting = new SagaRun([...asked, cancel]);
    assert.equal([lastNews(waiting)?.type, [...waiting.timers.keys()]], ['EndOrder', []]);
    const undoing = new SagaRun([...declined, cancel]);
    assert.not.ok(undoing.timers.has('payment'));
    undoing.does(...released);
    const end = lastNews(undoing);
    assert.is(end?.type === 'EndOrder' && end.outcome, 'cancelled');
    undoing.when(paymentOverdue).nothing();
  }
});

pay('a late success of the first attempt is undone, whatever the order does meanwhile', () => {
  for (const commands of [asked, [...asked, payAnew()], [...asked, paymentOverdue]]) {
    const run = new SagaRun(commands);
    const { status } = run.saga.phase;
    const undone = run.when(says.authorized(1)).sends('VoidPayment').sent[0]?.message;
    assert.is(undone?.type === 'VoidPayment' && 'attempt' in undone && undone['attempt'], 1, 'the first attempt only');
    run.when(says.voided(1)).thenTypes('StepCompensated').sends();
    assert.is(run.saga.phase.status, status);
  }
});

pay('a decline at the bank is a decline', () => {
  const run = new SagaRun([...upTo.authorizing, says.actionRequired(), says.declined(), ...released]);
  assert.is(awaits(run), 'payment-method');
});

pay('what the bank asks for is told with its address and until when', () => {
  const run = new SagaRun(upTo.reserving);
  run.now = T0 + MINUTE;
  run.does(says.reserved('1.1'), says.reserved('2.1'), says.actionRequired());
  const hold = lastNews(run);
  const told = hold?.type === 'HoldOrder' && [hold.awaiting, hold.url, hold.expiresAt];
  assert.equal(told, ['payment', 'https://bank.example', T0 + 5 * MINUTE]);
});

pay('nobody knows what became of the payment - not the customer but the operator is asked', () => {
  const lost = new SagaRun([...upTo.authorizing, says.lost()]);
  const captured = { ...says.captureFailed(), unresolved: true } as const;
  for (const run of [lost, new SagaRun([...upTo.capturing, captured])]) {
    const hold = lastNews(run);
    assert.is(hold?.type === 'HoldOrder' && hold.awaiting, 'operator');
    assert.is(run.saga.paymentRequest, null);
  }
  lost.does(...released);
  assert.is(awaits(lost), 'operator');
  const retried = lost.when(retrySaga).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
  assert.ok(retried.accepted);
  lost.does(says.reserved('1.2'), says.reserved('2.2'));
  lost.when(says.declined(2)).sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  assert.ok(lost.saga.paymentRequest, 'now it is a plain decline');
});

pay('an order whose capture was undone is never captured again: a decline of the next round is the operator’s', () => {
  const run = new SagaRun([...upTo.capturing, { type: 'SagaTimedOut' }, says.refunded(), ...released, says.voided()]);
  run.does(retrySaga, says.reserved('1.2'), says.reserved('2.2'));
  run.when(says.declined(2)).sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  const hold = lastNews(run);
  assert.is(hold?.type === 'HoldOrder' && hold.awaiting, 'operator');
});

const stuck = [...declined, says.released('1.1'), ...[1, 2, 3, 4, 5].map(stepTimedOut)];

pay('what could not be undone doesn’t keep the customer from paying: it is tried again first', () => {
  const run = new SagaRun(stuck);
  assert.equal(run.ledger, ['reserve:1.1 compensated', 'reserve:2.1 stuck', 'authorize:1 failed']);
  assert.is(awaits(run), 'payment-method');
  run.when(payAnew()).sends('ReleaseReservation');
  run.when(says.released('2.1')).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
});

pay('what still can’t be undone after that is the operator’s', () => {
  const run = new SagaRun([...stuck, payAnew(), ...[1, 2, 3, 4].map(stepTimedOut)]);
  run.when(stepTimedOut(5)).thenTypes('CompensationFailed', 'SagaHeld').sends('HoldOrder');
  const hold = lastNews(run);
  assert.equal(hold?.type === 'HoldOrder' && [hold.awaiting, hold.reason], [
    'operator',
    'Could not be undone: reserve:2.1',
  ]);
});

pay('the tokens are personal data', () => {
  const run = new SagaRun([...asked, payAnew()]);
  const apart = run.events.map((event) => ({ ...event, personal: null }));
  assert.not.match(JSON.stringify(apart), /tok_/);
});

pay.run();
