/** A parcel's goods are sent once more: reserved and committed anew, without another payment. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SagaCommand } from '../../actors/orderSaga/saga.ts';
import { shipmentId } from '../../actors/shipment.ts';
import {
  draft,
  line,
  ORDER,
  ohio,
  refundBy,
  releaseHold,
  retrySaga,
  SagaRun,
  says,
  start,
  upTo,
  usd,
} from '../support/orders.ts';

const FIRST = shipmentId(ORDER, 1);
const SECOND = shipmentId(ORDER, 2);
const lost: SagaCommand = { type: 'ReshipParcel', shipmentId: FIRST, by: 'system', why: 'The parcel is lost.' };
const found: SagaCommand = { type: 'ParcelFound', shipmentId: FIRST };
const both = (of: (n: string) => SagaCommand, attempt: number) => [of(`r1.${attempt}.1`), of(`r1.${attempt}.2`)];
const cancelRefused = says.cancelRefused(2);

const reserved = [...upTo.completed, lost, ...both(says.reserved, 1)];
const committed = [...reserved, ...both(says.committed, 1)];
const reshipped = [...committed, says.accepted(2)];
const held = [
  ...upTo.completed,
  lost,
  ...[1, 2, 3].flatMap((attempt) => [says.refused(`r1.${attempt}.1`), says.released(`r1.${attempt}.2`)]),
];

const reship = suite('saga, sending once more');

reship('reserves, commits and requests the goods anew under ids of their own; nobody pays again', () => {
  const run = new SagaRun(upTo.completed);
  const asked = run.when(lost).thenTypes('ReshipmentStarted', 'StepStarted', 'StepStarted');
  assert.equal(
    asked.sent.map(({ to, message }) => [to.id, message.type, 'reservationId' in message && message.reservationId]),
    [
      ['mug@wh-central', 'ReserveStock', `${ORDER}/r1.1.1`],
      ['tea@wh-central', 'ReserveStock', `${ORDER}/r1.1.2`],
    ],
  );
  run.does(...both(says.reserved, 1));
  run.when(says.committed('r1.1.1')).sends();
  const requested = run.when(says.committed('r1.1.2')).sends('RequestShipment');
  assert.equal(requested.sent[0], {
    to: { type: 'shipment', id: SECOND },
    message: {
      type: 'RequestShipment',
      warehouse: 'wh-central',
      lines: [
        { sku: 'mug', quantity: 2, reservationId: `${ORDER}/r1.1.1` },
        { sku: 'tea', quantity: 1, reservationId: `${ORDER}/r1.1.2` },
      ],
      method: 'standard',
      address: ohio,
      replaces: FIRST,
    },
  });
  run.when(says.accepted(2)).thenTypes('StepSucceeded').sends();
  assert.is(run.saga.phase.status, 'completed');
  assert.is(run.count('AuthorizePayment') + run.count('CapturePayment'), 2, 'one of each, for the order');
});

reship('asked twice, late or out of order, it is sent once', () => {
  const run = new SagaRun(reshipped);
  for (const late of [lost, ...both(says.reserved, 1), ...both(says.committed, 1), says.accepted(2)]) {
    run.when(late).nothing();
  }
  assert.is(run.count('RequestShipment'), 2);
});

reship('of a shipment that is not of this order, or of no saga: nothing', () => {
  const other: SagaCommand = { ...lost, shipmentId: shipmentId(ORDER, 9) };
  new SagaRun(upTo.completed).when(other).nothing();
  new SagaRun().when(lost).nothing();
  new SagaRun().when(found).nothing();
  new SagaRun(upTo.completed).when(found).nothing();
});

/** An order of two parcels that are being asked for. */
const apart = [
  start(),
  ...[says.reserved('1.1'), says.refused('2.1'), says.reserved('2.2'), says.authorized()],
  ...[says.committed('1.1'), says.committed('2.2'), says.captured()],
];

reship('of two parcels that are lost the one that can be sent is sent, before the operator sees to the other', () => {
  const run = new SagaRun([...apart, says.accepted(1), says.accepted(2)]);
  run.does(lost, { ...lost, shipmentId: SECOND });
  run.does(...['r1.1.1', 'r1.2.1', 'r1.3.1'].map(says.refused));
  assert.is(run.saga.phase.status, 'completed');
  run.does(says.reserved('r2.1.1'));
  run.when(says.committed('r2.1.1')).sends('RequestShipment');
  run.when(says.accepted(3)).sends('HoldOrder');
  assert.is(run.saga.phase.status, 'waiting');
});

reship('while another parcel is still being asked for it waits for that', () => {
  const run = new SagaRun([...apart, says.accepted(1)]);
  run.when(lost).thenTypes('ReshipmentStarted').sends();
  run.when(says.accepted(2)).sends('BeginFulfilment', 'ReserveStock');
});

reship('a warehouse that has not everything gives back what it kept, and the next one is asked for all of it', () => {
  const run = new SagaRun([...upTo.completed, lost, says.refused('r1.1.1')]);
  assert.equal(run.sent.at(-1)?.message, {
    type: 'ReleaseReservation',
    reservationId: `${ORDER}/r1.1.2`,
    saga: { type: 'order-saga', id: ORDER },
  });
  run.when(says.reserved('r1.1.2')).sends('ReleaseReservation');
  const next = run.when(says.released('r1.1.2')).sends('ReserveStock', 'ReserveStock');
  assert.equal(
    next.sent.map(({ to }) => to.id),
    ['mug@wh-east', 'tea@wh-east'],
  );
});

reship('no warehouse has everything: held for the operator with nothing kept; a retry starts anew', () => {
  const run = new SagaRun(held);
  const { phase } = run.saga;
  assert.equal(phase.status === 'waiting' && [phase.awaiting, phase.reason], [
    'operator',
    `No warehouse has all the goods to send ${FIRST} once more.`,
  ]);
  assert.equal(run.news.at(-1)?.type, 'HoldOrder');
  assert.is(run.count('ReleaseReservation'), 3);
  run.when(says.reserved('r1.1.2')).sends('ReleaseReservation');
  run.when(says.released('r1.1.2')).sends();
  assert.is(run.saga.phase.status, 'waiting', 'late news do not end the hold');
  const retried = run.when(retrySaga);
  assert.equal(
    retried.sent.flatMap(({ message }) => ('reservationId' in message ? message.reservationId : [])),
    [`${ORDER}/r1.4.1`, `${ORDER}/r1.4.2`],
  );
  run.does(...both(says.reserved, 4), ...both(says.committed, 4), says.accepted(2));
  assert.is(run.saga.phase.status, 'completed');
});

reship('a reservation that expires before it is committed is made anew at the same warehouse', () => {
  const run = new SagaRun([...upTo.completed, lost, says.reserved('r1.1.1'), says.expired('r1.1.1')]);
  const next = run.when(says.released('r1.1.2'));
  assert.equal(
    next.sent.map(({ to }) => to.id),
    ['mug@wh-central', 'tea@wh-central'],
  );
});

reship('reservations that are lost again and again end with the operator', () => {
  const run = new SagaRun([...upTo.completed, lost]);
  let tries = 0;
  while (run.saga.phase.status === 'completed' && tries < 20) {
    tries++;
    run.does(...both(says.reserved, tries), says.commitRefused(`r1.${tries}.1`), says.released(`r1.${tries}.2`));
  }
  assert.equal([tries, run.saga.phase.status], [5, 'waiting']);
});

reship('nobody answers for the new parcel: asked again under the same id, then the operator', () => {
  const run = new SagaRun(committed);
  for (const again of [1, 2]) assert.ok(run.stepTimerFires(), String(again));
  assert.is(run.count('RequestShipment'), 4);
  assert.ok(run.stepTimerFires());
  assert.is(run.saga.phase.status, 'waiting');
  run.when(retrySaga);
  assert.is(run.count('RequestShipment'), 5);
  run.does(says.accepted(2));
  assert.is(run.saga.phase.status, 'completed');
});

reship('it answers after all: the hold ends by itself', () => {
  const run = new SagaRun(committed);
  while (run.saga.phase.status === 'completed' && run.stepTimerFires());
  assert.is(run.saga.phase.status, 'waiting');
  run.when(says.accepted(2));
  assert.is(run.saga.phase.status, 'completed');
  assert.is(run.count('RequestShipment'), 4);
});

reship('a new parcel that is cancelled is replaced by the next, out of the same goods', () => {
  const run = new SagaRun([...reshipped, says.parcelCancelled(2)]);
  assert.is(run.saga.phase.status, 'waiting');
  const again = run.when(retrySaga).sent.filter(({ message }) => message.type === 'RequestShipment');
  assert.equal(
    again.map(({ to }) => to.id),
    [shipmentId(ORDER, 3)],
  );
});

reship('of a parcel of several lines with the same SKU, the pieces are counted together', () => {
  const run = new SagaRun([start(draft([line('mug', 1, 900), line('mug', 2, 900)]))]);
  run.does(says.reserved('1.1'), says.reserved('2.1'), says.authorized(), says.committed('1.1'), says.committed('2.1'));
  const { sent } = run.does(says.captured(), says.accepted()).when(lost).sends('ReserveStock');
  assert.is(sent[0] && 'quantity' in sent[0].message && sent[0].message.quantity, 3);
});

// paid back in full

const settled = (...shipments: string[]): SagaCommand => ({ type: 'EndRefunded', settled: shipments });
const given: SagaCommand = { type: 'PaymentRefunded', refundId: `${ORDER}/refund-1`, amount: usd(2_899) };

reship('paid back in full - it is not sent once more, neither by itself nor by an operator', () => {
  for (const paidBack of [[refundBy()], [refundBy(), given]]) {
    const run = new SagaRun([...upTo.completed, ...paidBack]);
    run.when(lost).nothing();
    run.when(retrySaga).rejects('order.refunded');
    new SagaRun([...held, ...paidBack]).when(retrySaga).rejects('order.refunded');
    new SagaRun([...held, ...paidBack]).when(releaseHold).rejects('order.refunded');
  }
  new SagaRun([...upTo.completed, refundBy(2_898)]).when(lost).sends('ReserveStock', 'ReserveStock');
  const part = new SagaRun([...held, refundBy(2_898)]).when(retrySaga);
  part.sends('ReleaseOrder', 'BeginFulfilment', 'ReserveStock', 'ReserveStock');
});

reship('paid back in full - a stuck refund can still be retried, which sends nothing', () => {
  const stuck: SagaCommand = { type: 'RefundEscalated', refundId: `${ORDER}/refund-1`, reason: 'account closed' };
  const run = new SagaRun([...held, refundBy(), stuck]);
  run.when(retrySaga).thenTypes('OperatorRefundRetried').sends('RefundPayment');
  assert.is(run.saga.phase.status, 'waiting');
});

reship('paid back in full with nothing on its way - it ends, and late news change nothing', () => {
  for (const before of [upTo.completed, held]) {
    const run = new SagaRun([...before, refundBy(), given]);
    run.when(settled(FIRST)).thenTypes('ParcelsSettled', 'CompensationStarted', 'SagaAborted').sends('EndOrder');
    const end = run.news.at(-1);
    assert.equal(end?.type === 'EndOrder' && [end.outcome, end.reason, end.manual], ['cancelled', 'goodwill', false]);
    for (const late of [settled(FIRST), lost, given, says.accepted(), says.captured(), says.committed('1.1')]) {
      run.when(late).nothing();
    }
    run.does(found);
    assert.is(run.saga.phase.status, 'aborted');
    run.when(refundBy()).rejects('saga.not-refundable');
    run.when(retrySaga).rejects('saga.not-waiting');
  }
});

reship('paid back in full - what was prepared to be sent once more goes back first, the rest stays as it is', () => {
  const run = new SagaRun([...committed, refundBy(), given]);
  run.when(settled(FIRST)).sends('CancelShipment');
  run.when(says.parcelCancelled(2)).sends('ReleaseReservation', 'ReleaseReservation');
  run.does(says.released('r1.1.1'));
  run.when(says.released('r1.1.2')).sends('EndOrder');
  assert.ok(
    ['commit:1.1 succeeded', 'ship:1 succeeded', 'capture:1 succeeded'].every((step) => run.ledger.includes(step)),
  );
});

reship('paid back in full while an operator cancels it - it ends when the parcel that came back refuses', () => {
  const run = new SagaRun([
    ...upTo.completed,
    refundBy(),
    given,
    { type: 'CancelByOperator', by: 'ops', why: 'asked' },
  ]);
  run.when(settled(FIRST)).thenTypes('ParcelsSettled').sends();
  run.when(says.cancelRefused()).sends('RefuseCancellation', 'EndOrder');
  const end = run.news.at(-1);
  assert.equal(end?.type === 'EndOrder' && [end.outcome, end.reason], ['cancelled', 'goodwill']);
  assert.is(run.count('RefundPayment'), 1);
});

reship('paid back in full - goods that could not be given back are retried, and nothing else is undone', () => {
  const run = new SagaRun([...reserved, refundBy(), given, settled(FIRST)]);
  while (run.saga.phase.status === 'compensating' && run.stepTimerFires());
  assert.equal(run.news.at(-1)?.type === 'EndOrder' && run.saga.phase.status, 'aborted');
  run.when(retrySaga).sends('ReleaseReservation', 'ReleaseReservation');
  for (const n of ['r1.1.1', 'r1.1.2']) run.does(says.released(n));
  const end = run.news.at(-1);
  assert.equal(end?.type === 'EndOrder' && [end.outcome, end.manual], ['cancelled', false]);
  assert.is(run.count('RefundPayment'), 1);
});

reship.run();

const dropping = suite('saga, what is found again');

dropping('while its goods are being reserved: they go back', () => {
  const run = new SagaRun([...upTo.completed, lost, says.reserved('r1.1.1')]);
  run.when(found).sends('ReleaseReservation', 'ReleaseReservation');
  run.does(...both(says.released, 1));
  assert.is(run.saga.phase.status, 'completed');
  assert.is(run.count('RequestShipment'), 1);
  run.when(says.reserved('r1.1.2')).sends('ReleaseReservation');
});

dropping('while the new parcel is in the warehouse: it is cancelled first, then its goods go back', () => {
  const run = new SagaRun(reshipped);
  run.when(found).thenTypes('ReshipmentDropped', 'CompensationRequested').sends('CancelShipment');
  run.when(says.parcelCancelled(2)).sends('ReleaseReservation', 'ReleaseReservation');
  run.does(...both(says.released, 1));
  assert.equal(run.ledger.slice(-5), [
    'reserve:r1.1.1 compensated',
    'reserve:r1.1.2 compensated',
    'commit:r1.1.1 compensated',
    'commit:r1.1.2 compensated',
    'ship:2 compensated',
  ]);
  for (const late of [found, lost, says.parcelCancelled(2), ...both(says.released, 1)]) run.when(late).nothing();
});

dropping('while the carrier has the new parcel: both go their way, nothing is given back', () => {
  const run = new SagaRun([...reshipped, found]);
  run.when(cancelRefused).thenTypes('CompensationRefused').sends();
  assert.is(run.ledger.at(-1), 'ship:2 kept');
  assert.is(run.saga.phase.status, 'completed');
});

dropping('while it waits for goods: the hold ends', () => {
  const run = new SagaRun(held);
  run.when(found).sends('ReleaseOrder', 'BeginFulfilment');
  assert.is(run.saga.phase.status, 'completed');
});

dropping('a new parcel that nobody cancels ends with the operator, and is retried', () => {
  const run = new SagaRun([...reshipped, found]);
  while (run.stepTimerFires());
  assert.is(run.saga.phase.status, 'waiting');
  run.when(retrySaga).sends('CancelShipment', 'ReleaseOrder', 'BeginFulfilment');
  run.does(says.parcelCancelled(2), ...both(says.released, 1));
  assert.is(run.saga.phase.status, 'completed');
});

dropping.run();

const cancelling = suite('saga, cancelling an order whose parcel is sent once more');

cancelling('is refused: the carrier had it; what is on its way stays on its way', () => {
  const run = new SagaRun(reshipped);
  run.does({ type: 'CancelByOperator', by: 'ops', why: 'asked' });
  run.does(says.cancelRefused(1));
  assert.is(run.count('RefundPayment'), 0);
  assert.ok(run.news.some(({ type }) => type === 'RefuseCancellation'));
  assert.equal([run.saga.phase.status, run.ledger.at(-1)], ['completed', 'ship:2 succeeded']);
});

cancelling.run();
