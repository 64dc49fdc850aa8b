/** Orders that wait for stock: asked when it takes long, served in their turn, and never holding money meanwhile. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SagaCommand } from '../../actors/orderSaga/saga.ts';
import {
  cancelByOperator,
  cancelSaga,
  chooseBackorder as choose,
  draft,
  line,
  ORDER,
  backorderOverdue as overdue,
  retrySaga,
  SagaRun,
  says,
  start,
  stepTimedOut,
} from '../support/orders.ts';
import { T0 } from '../support/spec.ts';

const DAY = 24 * 60 * 60_000;
const SOON = T0 + 7 * DAY;
const LATE = SOON + 1;
const backordered = (n: string, expectedAt = SOON) => says.backordered(n, expectedAt);
const refused = (n: string, expected?: { quantity: number; at: number }) =>
  ({ ...says.refused(n), ...(expected && { expected }) }) as const;

const oneLine = start(draft([line('mug', 2, 900)]));
/** Nobody has the mugs; the second nearest expects some. */
const lacking = (at: number): SagaCommand[] => [
  oneLine,
  refused('1.1'),
  refused('1.2', { quantity: 5, at }),
  refused('1.3'),
];
/** One has promised it, and the others have it in their queues as well. */
const queued = (line: number, from: number, at = SOON) =>
  [0, 1, 2].map((place) => backordered(`${line}.${from + place}`, at));
const waiting = [...lacking(SOON), ...queued(1, 4)];
const asking = [...lacking(LATE), ...queued(1, 4, LATE)];

const backorders = suite('saga: backorders');

backorders('without an expected delivery the order is out of stock at once', () => {
  const run = new SagaRun([oneLine, refused('1.1'), refused('1.2')]);
  run.when(refused('1.3')).thenTypes('StepFailed', 'CompensationStarted', 'SagaAborted').sends('EndOrder');
});

backorders('a delivery that is promised for less than the line does not help', () => {
  const run = new SagaRun([oneLine, refused('1.1', { quantity: 1, at: SOON }), refused('1.2')]);
  run.when(refused('1.3', { quantity: 1, at: SOON })).sends('EndOrder');
});

backorders('with one within 7 days it is registered where it is expected, and then the order waits', () => {
  const run = new SagaRun(lacking(SOON).slice(0, -1));
  const plan = run.when(refused('1.3'));
  plan.thenTypes('StepFailed', 'BackorderPlanned', 'CompensationStarted', 'StepStarted').sends('ReserveStock');
  assert.equal(plan.sent[0]?.to.id, 'mug@wh-east');
  assert.ok('wait' in (plan.sent[0]?.message ?? {}));
  assert.ok(run.timers.has('saga'));
  const elsewhere = run.when(backordered('1.4')).thenTypes('StepDeferred', 'StepStarted', 'StepStarted');
  assert.equal(
    elsewhere.sent.map(({ to, message }) => [to.id, 'promisedAt' in message && message.promisedAt]),
    [
      ['mug@wh-central', SOON],
      ['mug@wh-west', SOON],
    ],
  );
  run.when(backordered('1.5')).thenTypes('StepDeferred').sends();
  const held = run.when(backordered('1.6')).thenTypes('StepDeferred', 'SagaHeld').sends('HoldOrder');
  const [hold] = run.news;
  assert.equal(hold, {
    type: 'HoldOrder',
    seq: run.saga.revision,
    awaiting: 'stock',
    reason: 'Not everything is in stock; a delivery is expected.',
    expectedAt: SOON,
  });
  assert.ok(held);
  assert.equal([...run.timers.keys()], ['backorder'], 'the 5 minutes do not run while it waits');
  assert.is(run.timers.get('backorder')?.at, SOON + 2 * DAY);
});

backorders('the earliest promise is taken, of two at the same time the nearest', () => {
  const where = (...promises: (number | undefined)[]) => {
    const told = promises.map((at, index) => refused(`1.${index + 1}`, at === undefined ? at : { quantity: 2, at }));
    return new SagaRun([oneLine, ...told]).sent.at(-1)?.to.id;
  };
  assert.is(where(SOON, undefined, SOON - 1), 'mug@wh-west');
  assert.is(where(undefined, SOON, SOON), 'mug@wh-east');
});

backorders('nothing is authorized before the stock is there; then it goes on with its 5 minutes', () => {
  const run = new SagaRun(waiting);
  assert.is(run.count('AuthorizePayment'), 0);
  run.now = SOON;
  const came = run.when(says.reserved('1.4'));
  came
    .thenTypes('StepSucceeded', 'CompensationRequested', 'CompensationRequested', 'SagaReleased', 'StepStarted')
    .sends('ReleaseReservation', 'ReleaseReservation', 'ReleaseOrder', 'AuthorizePayment');
  assert.not.ok(run.timers.has('backorder'));
  assert.is(run.timers.get('saga')?.at, SOON + 5 * 60_000);
  run.does(says.authorized(), says.released('1.6'), says.committed('1.4'), says.released('1.5'));
  const { sent } = run.when(says.captured()).sends('ConfirmOrder', 'RequestShipment');
  assert.equal(sent[1]?.message && 'lines' in sent[1].message && sent[1].message.lines, [
    { sku: 'mug', quantity: 2, reservationId: `${ORDER}/1.4` },
  ]);
});

backorders('stock that comes while it is being registered is taken as it is', () => {
  const run = new SagaRun(lacking(SOON));
  run.when(says.reserved('1.4')).thenTypes('StepSucceeded', 'StepStarted').sends('AuthorizePayment');
  run.when(backordered('1.4')).nothing();
  assert.ok(run.timers.has('saga'));
});

backorders('an authorization that was there already goes back before it waits', () => {
  const run = new SagaRun([oneLine, says.reserved('1.1'), says.authorized(), says.commitRefused('1.1')]);
  run.does(refused('1.2', { quantity: 5, at: SOON }), refused('1.3'));
  run.when(refused('1.4')).thenTypes('StepFailed', 'BackorderPlanned', 'CompensationStarted', 'CompensationRequested');
  run.when(says.voided()).thenTypes('StepCompensated', 'StepStarted').sends('ReserveStock');
});

// other lines

const twoLines = start();
/** The mugs are expected, the tea is there. */
const mugsMissing = [
  twoLines,
  says.reserved('2.1'),
  refused('1.1', { quantity: 5, at: SOON }),
  refused('1.2'),
  refused('1.3'),
];

const mugsCame = [
  ...mugsMissing,
  says.released('2.1'),
  ...queued(1, 4),
  says.reserved('1.4'),
  says.released('1.5'),
  says.released('1.6'),
];
/** The other places of what has come. */
const givenUp = ['ReleaseReservation', 'ReleaseReservation'] as const;

backorders('what other lines hold goes back, and is reserved again when the stock has come', () => {
  const run = new SagaRun(mugsMissing.slice(0, -1));
  run
    .when(refused('1.3'))
    .thenTypes('StepFailed', 'BackorderPlanned', 'CompensationStarted', 'CompensationRequested')
    .sends('ReleaseReservation');
  run.when(says.released('2.1')).thenTypes('StepCompensated', 'StepStarted').sends('ReserveStock');
  run
    .does(...queued(1, 4))
    .when(says.reserved('1.4'))
    .sends(...givenUp, 'ReleaseOrder', 'ReserveStock');
  run.does(says.released('1.5'), says.released('1.6'));
  run.when(says.reserved('2.2')).sends('AuthorizePayment');
});

backorders('it waits for everything that is missing at once, until the last has come', () => {
  const expected = { quantity: 5, at: SOON };
  const run = new SagaRun([twoLines, refused('1.1', expected), refused('1.2'), refused('1.3')]);
  assert.is(run.saga.phase.status, 'reserving', 'the other line may lack as well');
  run.does(refused('2.1'), refused('2.2', { quantity: 5, at: SOON - DAY }));
  run.when(refused('2.3')).sends('ReserveStock', 'ReserveStock');
  run.does(...queued(2, 4, SOON - DAY), ...queued(1, 4).slice(0, 2));
  run.when(backordered('1.6', SOON)).sends('HoldOrder');
  const [hold] = run.news;
  assert.is(hold?.type === 'HoldOrder' && hold.expectedAt, SOON);
  run.when(says.reserved('2.4')).sends(...givenUp);
  run.when(says.reserved('1.4')).sends(...givenUp, 'ReleaseOrder', 'AuthorizePayment');
});

backorders('a line that loses its promise while another is registered - it is looked for anew, not waited for', () => {
  const expected = { quantity: 5, at: SOON };
  const run = new SagaRun([twoLines, refused('1.1', expected), refused('1.2'), refused('1.3')]);
  run.does(refused('2.1'), refused('2.2', expected), refused('2.3'), refused('2.4'), ...queued(1, 4).slice(0, 2));
  run.when(backordered('1.6')).sends(...givenUp, 'ReleaseReservation');
  run.does(says.released('1.4'), says.released('1.5'));
  run.when(says.released('1.6')).sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
});

backorders('one line that nobody expects ends it, whatever is promised for others', () => {
  const run = new SagaRun([...mugsMissing.slice(0, 1), refused('1.1', { quantity: 5, at: SOON }), refused('2.1')]);
  run.does(refused('1.2'), refused('2.2'), refused('1.3'));
  run.when(refused('2.3')).sends('EndOrder');
});

backorders('a line that is gone when the other has come is waited for, and what has come is kept', () => {
  const run = new SagaRun(mugsCame);
  run.does(refused('2.2'), refused('2.3', { quantity: 1, at: SOON }));
  const again = run.when(refused('2.4'));
  again.thenTypes('StepFailed', 'BackorderPlanned', 'CompensationStarted', 'StepStarted').sends('ReserveStock');
  run.does(...queued(2, 5).slice(0, 2));
  run.when(backordered('2.7')).sends('HoldOrder');
  assert.ok(run.ledger.includes('reserve:1.4 succeeded'));
  run.when(says.reserved('2.5')).sends(...givenUp, 'ReleaseOrder', 'AuthorizePayment');
});

backorders('a line that is gone and not expected ends it; what has come goes back', () => {
  const run = new SagaRun(mugsCame);
  run.does(refused('2.2'), refused('2.3'));
  run.when(refused('2.4')).sends('ReleaseReservation');
  run.when(says.released('1.4')).sends('EndOrder');
});

// several warehouses

/** All places that it waits in. */
const everywhere = [...givenUp, 'ReleaseReservation'] as const;

backorders('whichever warehouse has it first serves it, and it makes way at the others', () => {
  const run = new SagaRun(waiting);
  const came = run.when(says.reserved('1.6'));
  came.sends(...givenUp, 'ReleaseOrder', 'AuthorizePayment');
  assert.equal(
    came.sent.slice(0, 2).map(({ to }) => to.id),
    ['mug@wh-east', 'mug@wh-central'],
  );
  run.does(says.authorized(), says.committed('1.6'));
  const { sent } = run.when(says.captured()).sends('ConfirmOrder', 'RequestShipment');
  const request = sent[1]?.message;
  assert.is(request && 'warehouse' in request && request.warehouse, 'wh-west');
});

backorders('two that have it at once - one of them gets it back, once', () => {
  const run = new SagaRun([...waiting, says.reserved('1.6')]);
  run.when(says.reserved('1.4')).sends('ReleaseReservation');
  run.when(says.released('1.4')).thenTypes('StepCompensated').sends();
  run.when(says.released('1.4')).nothing();
  run.does(says.released('1.5'), says.authorized());
  assert.is(run.count('CommitReservation'), 1);
});

backorders('another warehouse that has it while it is being registered - it never waits', () => {
  const run = new SagaRun([...lacking(SOON), backordered('1.4')]);
  run.when(says.reserved('1.5')).sends(...givenUp, 'AuthorizePayment');
  assert.is(run.saga.phase.status, 'authorizing');
  run.when(backordered('1.6')).sends('ReleaseReservation');
});

backorders('a warehouse that would not register it is done without', () => {
  const run = new SagaRun([...lacking(SOON), backordered('1.4'), backordered('1.5')]);
  run.when(refused('1.6')).sends('HoldOrder');
  run.when(says.reserved('1.5')).sends('ReleaseReservation', 'ReleaseOrder', 'AuthorizePayment');
});

// the customer's choice

backorders('7 days and longer: the customer is asked, with 24 hours to answer, and keeps the place', () => {
  const run = new SagaRun(asking);
  const [hold] = run.news;
  assert.equal(hold, {
    type: 'HoldOrder',
    seq: run.saga.revision,
    awaiting: 'backorder-choice',
    reason: 'The delivery is expected in more than 7 days.',
    expectedAt: LATE,
    expiresAt: T0 + DAY,
  });
  assert.is(run.timers.get('backorder')?.at, T0 + DAY);
  assert.is(new SagaRun(waiting).saga.phase.status === 'waiting' && new SagaRun(waiting).timers.has('saga'), false);
});

backorders('choosing to wait - it waits; said again, it is answered; to cancel is no longer asked', () => {
  const run = new SagaRun(asking);
  run.when(choose('wait')).thenTypes('BackorderChosen', 'SagaHeld').sends('HoldOrder');
  assert.is(run.timers.get('backorder')?.at, LATE + 2 * DAY);
  run.when(choose('wait')).then();
  run.when(choose('cancel')).rejects('order.backorder-not-asked');
  run.when(says.reserved('1.4')).sends(...givenUp, 'ReleaseOrder', 'AuthorizePayment');
});

backorders('choosing to cancel - the place is given up and the order is cancelled', () => {
  const run = new SagaRun(asking);
  run.when(choose('cancel')).sends(...everywhere);
  run.when(choose('cancel')).then();
  run.when(choose('wait')).rejects('order.backorder-not-asked');
  run.does(says.released('1.6'), says.released('1.5')).when(says.released('1.4')).sends('EndOrder');
  const end = run.news.at(-1);
  assert.is(end?.type === 'EndOrder' && end.outcome, 'cancelled');
});

backorders('choosing nothing for 24 hours - out of stock', () => {
  const run = new SagaRun(asking);
  run.when(overdue).sends(...everywhere);
  run.does(says.released('1.4'), says.released('1.5')).when(says.released('1.6')).sends('EndOrder');
  const end = run.news.at(-1);
  assert.is(end?.type === 'EndOrder' && end.outcome, 'out-of-stock');
});

backorders('stock that comes before the answer settles it', () => {
  const run = new SagaRun(asking);
  run.when(says.reserved('1.4')).sends(...givenUp, 'ReleaseOrder', 'AuthorizePayment');
  assert.not.ok(run.timers.has('backorder'));
  run.when(choose('wait')).rejects('order.backorder-not-asked');
  run.when(overdue).nothing();
});

backorders('nobody is asked without need', () => {
  for (const commands of [[oneLine], waiting, [cancelSaga]] as const) {
    const { rejection } = new SagaRun(commands).when(choose('wait'));
    assert.ok(rejection?.status === 409 || rejection?.status === 404);
  }
});

// patience, cancellations, late messages

backorders('a delivery that is two days late is shown to the operator, who cancels or starts anew', () => {
  const run = new SagaRun(waiting);
  run.when(overdue).thenTypes('BackorderOverdueNoted').sends('HoldOrder');
  const hold = run.news.at(-1);
  assert.equal(hold?.type === 'HoldOrder' && [hold.awaiting, hold.expectedAt], ['operator', SOON]);
  run.when(overdue).nothing();
  const late = new SagaRun([...waiting, overdue]);
  late.when(says.reserved('1.4')).sends(...givenUp, 'ReleaseOrder', 'AuthorizePayment');
  new SagaRun([...waiting, overdue]).when(cancelByOperator).sends(...everywhere);
  run.when(retrySaga).sends(...everywhere);
  run.does(says.released('1.4'), says.released('1.5')).when(says.released('1.6')).sends('ReleaseOrder', 'ReserveStock');
});

for (const [name, commands, places] of [
  ['being registered', lacking(SOON), ['1.4']],
  ['being registered elsewhere', [...lacking(SOON), backordered('1.4')], ['1.5', '1.6', '1.4']],
  ['waiting', waiting, ['1.5', '1.6', '1.4']],
  ['asking', asking, ['1.5', '1.6', '1.4']],
] as const) {
  backorders(`cancelled while ${name} - the place is given up, once, and late stock goes back`, () => {
    const run = new SagaRun(commands);
    run.when(cancelSaga).sends(...places.map(() => 'ReleaseReservation'));
    assert.not.ok(run.timers.has('backorder') || run.timers.has('saga'));
    run.when(says.reserved('1.4')).sends('ReleaseReservation');
    run.does(...places.map(says.released));
    assert.is(run.news.at(-1)?.type, 'EndOrder');
    run.when(backordered('1.4')).thenTypes('CompensationRequested').sends('ReleaseReservation');
    run.when(says.released('1.4')).thenTypes('StepCompensated').sends();
    run.when(overdue).nothing();
  });
}

backorders('a cancellation while the other lines are still being released ends it instead', () => {
  const run = new SagaRun(mugsMissing);
  run.when(cancelSaga).thenTypes('GoalChanged').sends();
  run.when(says.released('2.1')).sends('EndOrder');
});

backorders('what was kept and expires while it waits for more is started anew', () => {
  const run = new SagaRun(waiting);
  run.when(says.expired('1.4')).sends(...givenUp);
  run.does(says.released('1.5')).when(says.released('1.6')).sends('ReleaseOrder', 'ReserveStock');
  assert.is(run.saga.round, 2);
});

backorders('a promise that is gone when it is to be registered - looked for again, then out of stock', () => {
  const run = new SagaRun(lacking(SOON));
  run.when(refused('1.4')).thenTypes('StepFailed', 'CompensationStarted', 'SagaAborted').sends('EndOrder');
  const other = new SagaRun([...lacking(SOON)]);
  other.when(refused('1.4', { quantity: 2, at: LATE })).sends('ReserveStock');
  other.does(...queued(1, 5, LATE));
  assert.is(other.news.at(-1)?.type, 'HoldOrder');
});

backorders('what was promised before the operator started it anew is too old: everybody is asked again', () => {
  // The mugs are refused everywhere; about the tea nobody answers.
  const told = [refused('1.1', { quantity: 5, at: SOON }), refused('1.2'), refused('1.3')];
  const run = new SagaRun([start(), ...told, ...[1, 2, 3, 4, 5].map(stepTimedOut), says.released('2.1')]);
  assert.is(run.saga.phase.status, 'waiting');
  run
    .when(retrySaga)
    .thenTypes('SagaReleased', 'StepStarted', 'StepStarted')
    .sends('ReleaseOrder', 'ReserveStock', 'ReserveStock');
});

backorders('a registration that nobody answers is asked for again, then undone and held', () => {
  const run = new SagaRun(lacking(SOON));
  for (const attempt of [1, 2, 3, 4]) run.when(stepTimedOut(attempt)).sends('ReserveStock');
  run.when(stepTimedOut(5)).sends('HoldOrder', 'ReleaseReservation');
});

backorders('the same answer twice changes nothing', () => {
  const run = new SagaRun(waiting);
  run.when(backordered('1.4')).nothing();
  run.does(says.reserved('1.4'));
  run.when(says.reserved('1.4')).nothing();
  run.when(backordered('1.4')).nothing();
});

backorders.run();
