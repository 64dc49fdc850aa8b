import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stockAddress } from '../../actors/inventoryItem.ts';
import { sagaDecider } from '../../actors/orderSaga/saga.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import {
  cancelByOperator,
  cancelSaga,
  draft,
  line,
  ORDER,
  ohio,
  paymentOverdue,
  releaseHold,
  retrySaga,
  SagaRun,
  says,
  start,
  stepTimedOut,
  upTo,
  usd,
} from '../support/orders.ts';
import { T0 } from '../support/spec.ts';

const MINUTE = 60_000;
const dear = draft([line('mug', 100, 900), line('tea', 1, 500)]);
const oneLine = start(draft([line('mug', 2, 900)]));

// the way forward

const forward = suite('saga, forward');

forward('start - reserves every line at once at the nearest warehouse and sets the time-out of the whole', () => {
  const run = new SagaRun();
  const outcome = run.when(start());
  outcome.thenTypes('SagaStarted', 'StepStarted', 'StepStarted').sends('ReserveStock', 'ReserveStock');
  assert.equal(
    outcome.sent.map(({ to }) => to),
    [stockAddress('mug', 'wh-central'), stockAddress('tea', 'wh-central')],
  );
  assert.equal(run.timers.get('saga'), { set: 'saga', at: T0 + 5 * MINUTE, message: { type: 'SagaTimedOut' } });
  assert.is(run.timers.get('step')?.at, T0 + 10_000);
});

forward('start - nearness is region, then country, then the order of the policy', () => {
  const wh = (id: string, country: string, region: string) => ({ id, name: id, country, region });
  const warehouses = [wh('paris', 'FR', 'IDF'), wh('reno', 'US', 'NV'), wh('rome', 'IT', 'RM'), wh('ohio', 'US', 'OH')];
  const candidates = (address: typeof ohio) =>
    new SagaRun([start(draft(undefined, { address }))], { ...defaultPolicy, warehouses }).saga.candidates;
  assert.equal(candidates(ohio), ['ohio', 'reno', 'paris', 'rome']);
  assert.equal(candidates({ ...ohio, country: 'IT', region: 'OH' }), ['rome', 'paris', 'reno', 'ohio']);
  const { region: _region, ...anywhere } = ohio;
  assert.equal(candidates({ ...anywhere, country: 'FR' }), ['paris', 'reno', 'rome', 'ohio']);
});

forward('start - keeps personal data apart', () => {
  const event = new SagaRun(upTo.completed).events.find(({ type }) => type === 'SagaStarted');
  assert.equal(event && 'personal' in event && event.personal, { address: ohio, paymentToken: 'tok_success' });
  const apart = new SagaRun(upTo.completed).events.map((known) => ({ ...known, personal: null }));
  assert.not.match(JSON.stringify(apart), /Ada|Main Street|tok_success/);
});

forward('each step registers the compensation with its ids before it runs', () => {
  new SagaRun(upTo.capturing).when(says.captured()).then(
    { type: 'StepSucceeded', v: 1, step: 'capture:1' },
    {
      type: 'StepStarted',
      v: 1,
      step: 'ship:1',
      work: {
        kind: 'ship',
        shipmentId: 'shp_1_1',
        warehouse: 'wh-central',
        lines: [
          { sku: 'mug', quantity: 2, reservationId: 'ord_1/1.1' },
          { sku: 'tea', quantity: 1, reservationId: 'ord_1/2.1' },
        ],
      },
    },
  );
});

forward('all goes well - reserve, authorize, commit, capture, confirm, ship, complete', () => {
  const run = new SagaRun(upTo.completed);
  assert.equal(
    run.sent.map(({ message }) => message.type),
    [
      'ReserveStock',
      'ReserveStock',
      'AuthorizePayment',
      'CommitReservation',
      'CommitReservation',
      'CapturePayment',
      'ConfirmOrder',
      'RequestShipment',
      'BeginFulfilment',
    ],
  );
  assert.is(run.saga.phase.status, 'completed');
  assert.equal([...run.timers.keys()], []);
});

forward('waits until every line is reserved, every line committed', () => {
  const run = new SagaRun([start()]);
  run.when(says.reserved('2.1')).sends();
  run.when(says.reserved('1.1')).sends('AuthorizePayment');
  run.does(says.authorized());
  run.when(says.committed('1.1')).sends();
  run.when(says.committed('2.1')).sends('CapturePayment');
});

forward('refused stock - the line goes to the next nearest warehouse under a new reservation', () => {
  const run = new SagaRun([start()]);
  const outcome = run.when(says.refused('1.1'));
  outcome.sends('ReserveStock');
  assert.equal(outcome.sent[0]?.to, stockAddress('mug', 'wh-east'));
  run.does(says.reserved('1.2'), says.reserved('2.1'), says.authorized(), says.committed('1.2'), says.committed('2.1'));
  run.when(says.captured()).sends('ConfirmOrder', 'RequestShipment', 'RequestShipment');
  run.when(says.accepted(2)).thenTypes('StepSucceeded').sends();
  run.when(says.accepted(1)).thenTypes('StepSucceeded', 'SagaCompleted').sends('BeginFulfilment');
});

forward('the time-out of the whole ends with the confirmation', () => {
  assert.ok(new SagaRun(upTo.capturing).timers.has('saga'));
  const run = new SagaRun(upTo.fulfilling);
  assert.not.ok(run.timers.has('saga'));
  run.when({ type: 'SagaTimedOut' }).nothing();
});

forward('what the saga tells the order is numbered upwards', () => {
  const run = new SagaRun([...upTo.completed, cancelSaga, says.cancelRefused(), cancelSaga, says.parcelCancelled()]);
  run.does(says.refunded(), says.released('1.1'), says.released('2.1'), says.voided());
  assert.equal(
    run.news.map(({ type }) => type),
    ['ConfirmOrder', 'BeginFulfilment', 'RefuseCancellation', 'BeginFulfilment', 'EndOrder'],
  );
  const numbers = run.news.map(({ seq }) => seq);
  assert.equal(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  );
});

forward.run();

// what fails

const failing = suite('saga, failing');

failing('no warehouse has it - out of stock; what is reserved goes back', () => {
  const run = new SagaRun([start(), says.reserved('2.1'), says.refused('1.1'), says.refused('1.2')]);
  run
    .when(says.refused('1.3'))
    .thenTypes('StepFailed', 'CompensationStarted', 'CompensationRequested')
    .sends('ReleaseReservation');
  run.when(says.released('2.1')).thenTypes('StepCompensated', 'SagaAborted').sends('EndOrder');
  assert.equal(run.saga.phase, {
    status: 'aborted',
    outcome: 'out-of-stock',
    reason: 'Not every line can be delivered.',
    manual: false,
    refundPending: false,
  });
  assert.equal([...run.timers.keys()], []);
});

failing('no warehouse at all - out of stock at once', () => {
  const run = new SagaRun([], { ...defaultPolicy, warehouses: [] });
  run.when(start()).thenTypes('SagaStarted', 'CompensationStarted', 'SagaAborted').sends('EndOrder');
});

failing('payment declined and no other given - everything reserved goes back and the order ends', () => {
  const run = new SagaRun(upTo.authorizing);
  run.when(says.declined()).sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  run.does(says.released('1.1'), says.released('2.1'), paymentOverdue);
  assert.equal(run.news.at(-1), {
    type: 'EndOrder',
    seq: run.saga.revision,
    outcome: 'payment-failed',
    reason: 'No other payment method was given in time.',
    manual: false,
    refundPending: false,
  });
});

failing('capture failed - committed stock goes back, then the authorization', () => {
  const run = new SagaRun(upTo.capturing);
  run.when(says.captureFailed()).sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  run.when(says.released('1.1')).sends();
  run.when(says.released('2.1')).thenTypes('StepCompensated', 'StepCompensated', 'CompensationRequested');
  run.when(says.voided()).thenTypes('StepCompensated', 'SagaHeld').sends();
});

failing('commit refused - reserved again once, then out of stock', () => {
  const run = new SagaRun(upTo.committing);
  run.does(says.committed('2.1'));
  run.when(says.commitRefused('1.1')).thenTypes('StepFailed', 'StepFailed', 'StepStarted').sends('ReserveStock');
  run.when(says.reserved('1.2')).sends('CommitReservation');
  run.when(says.commitRefused('1.2')).sends('ReleaseReservation');
  assert.is(run.saga.phase.status, 'compensating');
});

failing('commit refused - the other lines need not be committed again', () => {
  const run = new SagaRun([...upTo.committing, says.commitRefused('1.1'), says.committed('2.1'), says.reserved('1.2')]);
  assert.is(run.count('CommitReservation'), 3);
  run.when(says.committed('1.2')).sends('CapturePayment');
});

failing('a reservation that expires on the way is made anew', () => {
  const run = new SagaRun(upTo.authorizing);
  run.when(says.expired('1.1')).thenTypes('StepFailed', 'StepStarted').sends('ReserveStock');
  run.when(says.authorized()).sends();
  run.when(says.reserved('1.2')).sends('CommitReservation', 'CommitReservation');
});

failing('an authorization that is gone on the way is asked for anew', () => {
  for (const gone of [says.voided(), says.authorizationExpired()]) {
    const run = new SagaRun(upTo.committing);
    const outcome = run.when(gone).sends('AuthorizePayment');
    const message = { type: 'AuthorizePayment', attempt: 2, amount: usd(2_899), token: 'tok_success' };
    assert.equal(outcome.sent[0]?.message, message);
    run.does(says.committed('1.1'), says.committed('2.1'));
    run.when(says.authorized(2)).sends('CapturePayment');
  }
});

failing('a parcel failed - the order is kept, the operator sees it and sends it anew', () => {
  const run = new SagaRun(upTo.fulfilling);
  run.when(says.parcelFailed()).thenTypes('StepFailed', 'SagaHeld').sends('HoldOrder');
  assert.is(run.count('RefundPayment'), 0);
  run.when(retrySaga).thenTypes('SagaReleased', 'StepStarted').sends('ReleaseOrder', 'RequestShipment');
  run.when(says.accepted(2)).sends('BeginFulfilment');
});

failing('a parcel failed after it was accepted - the same', () => {
  const run = new SagaRun(upTo.completed);
  run.when(says.parcelFailed()).thenTypes('StepFailed', 'SagaHeld').sends('HoldOrder');
  run.does(retrySaga, says.accepted(2));
  assert.is(run.saga.phase.status, 'completed');
});

failing('two parcels failed - one hold; both are sent anew', () => {
  const run = new SagaRun([
    start(),
    says.refused('1.1'),
    says.reserved('1.2'),
    says.reserved('2.1'),
    says.authorized(),
  ]);
  run.does(says.committed('1.2'), says.committed('2.1'), says.captured());
  run.when(says.parcelFailed(1)).thenTypes('StepFailed', 'SagaHeld').sends('HoldOrder');
  run.when(says.parcelFailed(2)).thenTypes('StepFailed').sends();
  run.when(retrySaga).sends('ReleaseOrder', 'RequestShipment', 'RequestShipment');
  run.does(says.accepted(3), says.accepted(4));
  assert.is(run.saga.phase.status, 'completed');
});

failing('a decline that comes while the order is undone already needs no void', () => {
  const run = new SagaRun([...upTo.committing, says.voided()]);
  run.when(cancelSaga).sends('ReleaseReservation', 'ReleaseReservation');
  run.when(says.declined(2)).thenTypes('StepFailed').sends();
  run.does(says.released('1.1'));
  run.when(says.released('2.1')).sends('EndOrder');
});

failing('a parcel that nobody cancelled is cancelled - the same', () => {
  const run = new SagaRun(upTo.fulfilling);
  run.when(says.parcelCancelled()).thenTypes('StepFailed', 'SagaHeld').sends('HoldOrder');
});

failing.run();

// holds

const holds = suite('saga, holds');

holds('review - an order above the limit waits once it is authorized', () => {
  const run = new SagaRun([start(dear), says.reserved('1.1'), says.reserved('2.1')]);
  run.when(says.authorized()).thenTypes('StepSucceeded', 'SagaHeld').sends('HoldOrder');
  assert.equal([...run.timers.keys()], ['review']);
  assert.is(run.timers.get('review')?.at, T0 + 60 * MINUTE);
  run.when({ type: 'SagaTimedOut' }).nothing();
  run.when(releaseHold).thenTypes('SagaReleased', 'StepStarted', 'StepStarted');
  assert.equal([...run.timers.keys()].sort(), ['saga', 'step']);
  run.does(says.committed('1.1'), says.committed('2.1'), says.captured(), says.accepted());
  assert.is(run.saga.phase.status, 'completed');
});

holds('review - off by policy', () => {
  const policy: Policy = { ...defaultPolicy, review: { ...defaultPolicy.review, totalAbove: null } };
  const run = new SagaRun([start(dear), says.reserved('1.1'), says.reserved('2.1'), says.authorized()], policy);
  assert.is(run.saga.phase.status, 'committing');
});

const inReview = [start(dear), says.reserved('1.1'), says.reserved('2.1'), says.authorized()] as const;

holds('review - overdue is noted once, and changes nothing', () => {
  const run = new SagaRun(inReview);
  run.when({ type: 'ReviewOverdue' }).thenTypes('ReviewOverdueNoted').sends();
  run.when({ type: 'ReviewOverdue' }).nothing();
  assert.is(run.saga.phase.status, 'waiting');
});

holds('review - what expired meanwhile is reserved and authorized anew on release', () => {
  const run = new SagaRun(inReview);
  run.when(says.expired('1.1')).thenTypes('StepFailed').sends();
  run.when(says.authorizationExpired()).thenTypes('StepFailed').sends();
  run.when(releaseHold).sends('ReleaseOrder', 'ReserveStock');
  run.when(says.reserved('1.2')).sends('AuthorizePayment');
  run.when(says.authorized(2)).sends('CommitReservation', 'CommitReservation');
});

holds('review - cancelled by the operator or the customer', () => {
  for (const cancel of [cancelByOperator, cancelSaga]) {
    const run = new SagaRun(inReview);
    run.when(cancel).sends('VoidPayment');
    run.when(says.voided()).sends('ReleaseReservation', 'ReleaseReservation');
    run.does(says.released('1.1'), says.released('2.1'));
    assert.is(run.saga.phase.status, 'aborted');
    assert.equal([...run.timers.keys()], []);
  }
});

holds('payment - the customer must approve it; then it goes on', () => {
  const run = new SagaRun(upTo.authorizing);
  run.when(says.actionRequired()).thenTypes('SagaHeld').sends('HoldOrder');
  assert.is(run.saga.phase.status === 'waiting' && run.saga.phase.awaiting, 'payment');
  assert.match(JSON.stringify(run.news.at(-1)), 'https://bank.example');
  assert.equal([...run.timers.keys()], ['saga'], 'only the whole is timed');
  run
    .when(says.authorized())
    .thenTypes('StepSucceeded', 'SagaReleased', 'StepStarted', 'StepStarted')
    .sends('ReleaseOrder', 'CommitReservation', 'CommitReservation');
});

holds('payment - not approved: declined, or undone when the time is over', () => {
  const declined = new SagaRun([...upTo.authorizing, says.actionRequired()]);
  declined.when(says.declined()).sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  const late = new SagaRun([...upTo.authorizing, says.actionRequired()]);
  late.when({ type: 'SagaTimedOut' }).sends('HoldOrder', 'VoidPayment');
});

holds('time-out of the whole - undone, visible to the operator at once', () => {
  const run = new SagaRun(upTo.committing);
  const outcome = run.when({ type: 'SagaTimedOut' });
  outcome.sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  run.when(says.released('1.1')).sends();
  run.when(says.released('2.1')).sends('VoidPayment');
  run.when(says.voided()).thenTypes('StepCompensated', 'SagaHeld').sends();
  assert.equal(run.saga.phase, {
    status: 'waiting',
    awaiting: 'operator',
    reason: 'It was not confirmed in time.',
    overdue: false,
  });
  assert.equal([...run.timers.keys()], []);
});

const timedOut = [...upTo.authorizing, { type: 'SagaTimedOut' }, says.voided(), says.released('1.1')] as const;
const heldForOperator = [...timedOut, says.released('2.1')] as const;

holds('operator - retries: new reservations, a new attempt to pay', () => {
  const run = new SagaRun(heldForOperator);
  run.when(retrySaga).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
  assert.ok(run.timers.has('saga'));
  run.does(says.reserved('1.2'), says.reserved('2.2'));
  const stray = run.when(says.authorized(1)).sends('VoidPayment');
  const reason = 'It came when it was no longer wanted.';
  assert.equal(stray.sent[0]?.message, { type: 'VoidPayment', attempt: 1, reason }, 'the old attempt only');
  run.does(says.authorized(2), says.committed('1.2'), says.committed('2.2'), says.captured(2), says.accepted());
  assert.is(run.saga.phase.status, 'completed');
});

holds('operator - releases what was held because nobody knew its outcome: the same as trying again', () => {
  const released = new SagaRun(heldForOperator);
  const retried = new SagaRun(heldForOperator);
  assert.equal(released.when(releaseHold).sent, retried.when(retrySaga).sent);
  assert.equal(released.events.at(-3), { ...retried.events.at(-3), by: 'ops', why: 'looks fine' });
});

holds('operator - a new start routes from the nearest warehouse again', () => {
  const run = new SagaRun([
    oneLine,
    says.refused('1.1'),
    { type: 'SagaTimedOut' },
    says.refused('1.2'),
    says.released('1.2'),
  ]);
  const outcome = run.when(retrySaga);
  assert.equal(outcome.sent.at(-1)?.to, stockAddress('mug', 'wh-central'));
});

holds('operator - cancels what is held: nothing is left to undo', () => {
  const run = new SagaRun(heldForOperator);
  run.when(cancelByOperator).thenTypes('CompensationStarted', 'SagaAborted').sends('EndOrder');
});

holds('operator - commands that make no sense now are rejected', () => {
  new SagaRun(upTo.committing).when(releaseHold).rejects('saga.not-held');
  new SagaRun(upTo.committing).when(retrySaga).rejects('saga.not-waiting');
  new SagaRun(timedOut).when(retrySaga).rejects('saga.not-waiting');
  const ended = new SagaRun([...heldForOperator, cancelByOperator]);
  ended.when(cancelByOperator).rejects('saga.ended');
  ended.when(retrySaga).rejects('saga.not-waiting');
  for (const command of [retrySaga, releaseHold, cancelByOperator]) new SagaRun().when(command).rejects('saga.unknown');
});

holds('a cancellation while it is undone for a hold ends it instead', () => {
  const run = new SagaRun([...upTo.authorizing, { type: 'SagaTimedOut' }]);
  run.when(cancelSaga).thenTypes('GoalChanged').sends();
  run.when(cancelSaga).nothing();
  run.does(says.voided(), says.released('1.1'), says.released('2.1'));
  assert.is(run.news.at(-1)?.type, 'EndOrder');
});

holds.run();

// no answer

const silence = suite('saga, silence');

silence('a step is asked again with the same ids, then given up and undone', () => {
  const run = new SagaRun([start()]);
  const asked = run.sent.map((send) => JSON.stringify(send));
  for (let attempt = 1; attempt < 5; attempt++) {
    const again = run.when(stepTimedOut(attempt)).thenTypes('StepTimedOut', 'StepTimedOut');
    assert.equal(
      again.sent.map((send) => JSON.stringify(send)),
      asked,
    );
  }
  const outcome = run.when(stepTimedOut(5));
  outcome.sends('HoldOrder', 'ReleaseReservation', 'ReleaseReservation');
  assert.equal(run.ledger, ['reserve:1.1 compensating', 'reserve:2.1 compensating']);
});

silence('payment is asked for three times, and as it may have happened it is voided', () => {
  const run = new SagaRun([...upTo.authorizing, stepTimedOut(1), stepTimedOut(2)]);
  assert.is(run.count('AuthorizePayment'), 3);
  run.when(stepTimedOut(3)).sends('HoldOrder', 'VoidPayment');
});

silence('only what has no answer is asked for again', () => {
  const run = new SagaRun([start(), says.reserved('1.1')]);
  run.when(stepTimedOut(1)).sends('ReserveStock');
});

silence('a time-out that is over changes nothing', () => {
  const run = new SagaRun([start(), stepTimedOut(1), stepTimedOut(2)]);
  run.when(stepTimedOut(1)).nothing();
  new SagaRun(upTo.completed).when(stepTimedOut(9)).nothing();
});

silence('the timer runs as long as anything is unanswered', () => {
  const run = new SagaRun([start()]);
  let fired = 0;
  while (run.stepTimerFires()) fired++;
  // Five times asked, five times to be undone: then it waits for the operator, with two stuck steps.
  assert.is(fired, 10);
  assert.equal(run.ledger, ['reserve:1.1 stuck', 'reserve:2.1 stuck']);
  assert.is(run.saga.phase.status, 'waiting');
});

silence('a parcel nobody answers for - held for the operator, not undone; a late answer lets it go on', () => {
  const run = new SagaRun([...upTo.fulfilling, stepTimedOut(1), stepTimedOut(2)]);
  run.when(stepTimedOut(3)).thenTypes('StepTimedOut', 'SagaHeld').sends('HoldOrder');
  run
    .when(says.accepted())
    .thenTypes('StepSucceeded', 'SagaReleased', 'SagaCompleted')
    .sends('ReleaseOrder', 'BeginFulfilment');
});

silence('a parcel nobody answers for - asked for again, under its own number, when the operator says so', () => {
  const run = new SagaRun([...upTo.fulfilling, stepTimedOut(1), stepTimedOut(2), stepTimedOut(3)]);
  const outcome = run.when(retrySaga).sends('ReleaseOrder', 'RequestShipment');
  assert.is(outcome.sent[1]?.to.id, 'shp_1_1');
});

silence.run();

// compensation

const undoing = suite('saga, undoing');

undoing('reverse order: parcels, refund, committed stock, authorization', () => {
  const run = new SagaRun(upTo.completed);
  run.when(cancelSaga).sends('CancelShipment');
  run.when(says.parcelCancelled()).sends('RefundPayment');
  run.when(says.refunded()).sends('ReleaseReservation', 'ReleaseReservation');
  run.does(says.released('2.1'));
  run.when(says.released('1.1')).sends('VoidPayment');
  run.when(says.voided()).thenTypes('StepCompensated', 'SagaAborted').sends('EndOrder');
  assert.ok(run.ledger.every((entry) => entry.endsWith('compensated')));
});

undoing('what may have run is undone too', () => {
  const run = new SagaRun(upTo.capturing);
  run.when(cancelSaga).sends('RefundPayment');
  run.when(says.captured()).nothing();
});

undoing('a refund of what was never captured needs no answer of its own', () => {
  const run = new SagaRun([...upTo.capturing, cancelSaga]);
  run.when(says.captureFailed()).thenTypes('StepCompensated', 'CompensationRequested', 'CompensationRequested');
});

undoing('a compensation without answer is asked for again, then stuck; the others go on', () => {
  const run = new SagaRun([...upTo.fulfilling, cancelSaga, says.parcelCancelled()]);
  for (let attempt = 1; attempt < 5; attempt++) run.when(stepTimedOut(attempt)).sends('RefundPayment');
  run
    .when(stepTimedOut(5))
    .thenTypes('CompensationFailed', 'CompensationRequested', 'CompensationRequested')
    .sends('ReleaseReservation', 'ReleaseReservation');
  run.does(says.released('1.1'), says.released('2.1'), says.voided());
  const end = run.news.at(-1);
  assert.equal(end?.type === 'EndOrder' && [end.manual, end.refundPending], [true, true]);
});

const stuckStock = [
  ...upTo.authorizing,
  says.declined(),
  paymentOverdue,
  ...[1, 2, 3, 4].map(stepTimedOut),
  says.released('2.1'),
  stepTimedOut(5),
];

undoing('stuck stock ends the order for the operator, who has it repeated', () => {
  const run = new SagaRun(stuckStock);
  assert.equal(run.ledger, ['reserve:1.1 stuck', 'reserve:2.1 compensated', 'authorize:1 failed']);
  assert.equal(run.news.at(-1), {
    type: 'EndOrder',
    seq: run.saga.revision,
    outcome: 'payment-failed',
    reason: 'No other payment method was given in time.',
    manual: true,
    refundPending: false,
  });
  run.when(retrySaga).thenTypes('CompensationStarted', 'CompensationRequested').sends('ReleaseReservation');
  run.when(says.released('1.1')).sends('EndOrder');
  const end = run.news.at(-1);
  assert.equal(end?.type === 'EndOrder' && [end.outcome, end.manual], ['payment-failed', false]);
});

undoing('a stuck compensation that is answered after all heals by itself', () => {
  const run = new SagaRun(stuckStock);
  run.when(says.released('1.1')).thenTypes('StepCompensated', 'SagaAborted').sends('EndOrder');
  assert.equal(run.saga.phase.status === 'aborted' && run.saga.phase.manual, false);
});

undoing('a stuck reservation that expires is no longer owed', () => {
  new SagaRun(stuckStock).when(says.expired('1.1')).thenTypes('StepCompensated', 'SagaAborted');
});

undoing('a void that turns into a refund and is escalated is stuck; its success heals it', () => {
  const run = new SagaRun([...upTo.authorizing, { type: 'SagaTimedOut' }]);
  const escalated = { type: 'RefundEscalated', refundId: `${ORDER}/void`, reason: 'account closed' } as const;
  run.when(escalated).thenTypes('CompensationFailed', 'CompensationRequested', 'CompensationRequested');
  run.does(says.released('1.1'), says.released('2.1'));
  assert.is(run.saga.phase.status, 'waiting');
  run.when(retrySaga).thenTypes('CompensationStarted', 'CompensationRequested').sends('VoidPayment');
  run.when(says.voided()).thenTypes('StepCompensated', 'SagaReleased', 'StepStarted', 'StepStarted');
});

undoing('a new start that fails to undo the old one stays with the operator', () => {
  const run = new SagaRun([...upTo.authorizing, { type: 'SagaTimedOut' }]);
  const escalated = { type: 'RefundEscalated', refundId: `${ORDER}/void`, reason: 'account closed' } as const;
  run.does(escalated, says.released('1.1'), says.released('2.1'), retrySaga);
  run.when(escalated).thenTypes('CompensationFailed', 'SagaHeld').sends('HoldOrder');
});

undoing('the carrier has the parcel - the cancellation is refused and nothing is refunded', () => {
  const run = new SagaRun([...upTo.completed, cancelSaga]);
  run
    .when(says.cancelRefused())
    .thenTypes('CompensationRefused', 'SagaReleased', 'SagaCompleted')
    .sends('RefuseCancellation', 'BeginFulfilment');
  assert.is(run.count('RefundPayment'), 0);
  run.when(cancelSaga).sends('CancelShipment');
});

const twoParcels = [
  ...[start(), says.refused('1.1'), says.reserved('1.2'), says.reserved('2.1'), says.authorized()],
  ...[says.committed('1.2'), says.committed('2.1'), says.captured(), says.accepted(1), says.accepted(2)],
] as const;

undoing('the carrier has one of two parcels - the other one, cancelled meanwhile, is sent again', () => {
  const run = new SagaRun([...twoParcels, cancelSaga]);
  run.when(says.cancelRefused(2)).thenTypes('CompensationRefused').sends();
  run.when(says.parcelCancelled(1)).sends('RefuseCancellation', 'RequestShipment');
  assert.is(run.saga.phase.status, 'fulfilling');
  run.when(says.accepted(3)).sends('BeginFulfilment');
  assert.is(run.count('RefundPayment'), 0);
});

undoing('a parcel that can neither be cancelled nor found is asked for again when the order goes on', () => {
  const run = new SagaRun([...twoParcels, cancelSaga, says.cancelRefused(2), ...[1, 2, 3, 4].map(stepTimedOut)]);
  const outcome = run.when(stepTimedOut(5)).sends('RefuseCancellation', 'RequestShipment');
  assert.is(outcome.sent[1]?.to.id, 'shp_1_1');
});

undoing('a parcel that the carrier keeps after the refund is the operator’s', () => {
  const run = new SagaRun([...upTo.fulfilling, cancelSaga, says.parcelCancelled()]);
  run.when(says.accepted()).sends('CancelShipment');
  run.when(says.cancelRefused()).thenTypes('CompensationFailed');
  run.does(says.refunded(), says.released('1.1'), says.released('2.1'), says.voided());
  const end = run.news.at(-1);
  assert.equal(end?.type === 'EndOrder' && [end.manual, end.refundPending], [true, false]);
});

undoing('what turns out to exist in a completed order, and is stuck, can be retried', () => {
  const run = new SagaRun([
    oneLine,
    says.refused('1.1'),
    says.reserved('1.2'),
    says.authorized(),
    says.committed('1.2'),
  ]);
  run.does(says.captured(), says.accepted());
  run.when(says.reserved('1.1')).sends('ReleaseReservation');
  for (let attempt = 1; attempt < 5; attempt++) run.when(stepTimedOut(attempt)).sends('ReleaseReservation');
  run.when(stepTimedOut(5)).thenTypes('CompensationFailed');
  assert.is(run.saga.phase.status, 'completed');
  run.when(retrySaga).sends('ReleaseReservation', 'ReleaseOrder', 'RequestShipment');
  run.when(says.released('1.1')).thenTypes('StepCompensated');
});

undoing('retrying a completed order asks for its parcels again, under their own numbers', () => {
  const run = new SagaRun(upTo.completed);
  const outcome = run.when(retrySaga).thenTypes('SagaReleased', 'StepStarted').sends('ReleaseOrder', 'RequestShipment');
  assert.is(outcome.sent[1]?.to.id, 'shp_1_1');
  run.when(says.accepted()).thenTypes('StepSucceeded', 'SagaCompleted').sends('BeginFulfilment');
});

undoing.run();

const decider = suite('saga, decider');

decider('lives in the shard of its order', () => {
  assert.is(sagaDecider.type, 'order-saga');
  assert.is(sagaDecider.partitionKey(ORDER), ORDER);
});

decider('replay - the events give the same state', () => {
  for (const commands of [upTo.completed, heldForOperator, stuckStock, [...twoParcels, cancelSaga]]) {
    const run = new SagaRun(commands);
    const replayed = run.events.reduce(sagaDecider.evolve, sagaDecider.initial(ORDER));
    assert.equal(replayed, run.state);
  }
});

decider('events out of place are a bug, not a state', () => {
  assert.throws(() => sagaDecider.evolve(sagaDecider.initial(ORDER), { type: 'SagaCompleted', v: 1 }), /before/);
  assert.throws(
    () => sagaDecider.evolve(new SagaRun([start()]).state, { type: 'StepSucceeded', v: 1, step: 'x' }),
    /before/,
  );
});

decider.run();
