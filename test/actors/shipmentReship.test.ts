/** What is lost or comes back: traced, sent once more, found again, and booked. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ShipmentCommand, shipmentDecider } from '../../actors/shipment.ts';
import { messagesTo, play, type Step } from '../support/play.ts';
import {
  book,
  bought,
  cancel,
  DAY,
  HOUR,
  handedOver,
  is,
  labeled,
  operator,
  report,
  request,
  reship,
  SHIPMENT,
  traced,
} from '../support/shipment.ts';
import { specification, T0 } from '../support/spec.ts';

const shipment = specification(shipmentDecider, { id: SHIPMENT, now: T0 + DAY });
const after = (...steps: readonly Step<ShipmentCommand>[]) =>
  shipment.from(play(shipmentDecider, SHIPMENT, steps).state);
const lost = [...handedOver, report('lost')];
const returned = [...handedOver, report('returned')];

const tracing = suite('shipment: trace');

tracing('a lost parcel is looked for by the carrier, under one key', () => {
  const [ask] = messagesTo(after(...handedOver).when(report('lost')).sent, 'gateway');
  assert.equal(ask, { type: 'CarrierTraceParcel', key: 'shp_1_1/trace', trackingNumber: 'SIM1' });
  const open = after(...lost)
    .when(traced(is.tracing))
    .then({ type: 'TraceOpened', v: 1, traceId: 'trc_1' });
  shipment.from(open.state).when(traced(is.tracing)).nothing();
});

tracing('is asked for again, after a refusal under a new key, six times at most', () => {
  const failed = after(...lost)
    .when(traced(is.failed))
    .thenTypes('TraceFailed');
  assert.equal(failed.timers, [{ set: 'trace', at: T0 + DAY + 10_000, message: { type: 'RetryTrace' } }]);
  const [again] = messagesTo(shipment.from(failed.state).when({ type: 'RetryTrace' }).sent, 'gateway');
  assert.is(again && 'key' in again && again.key, 'shp_1_1/trace.2');
  const vain = Array.from({ length: 10 }, () => [traced(is.unavailable), { type: 'RetryTrace' } as const]).flat();
  const { state, events } = play(shipmentDecider, SHIPMENT, [...lost, ...vain]);
  assert.is(events.filter(({ type }) => type === 'TraceRequested').length, 6);
  assert.is(state.trace.status, 'given-up');
});

tracing('what has turned up is not looked for any more', () => {
  after(...lost, traced(is.failed), report('delivered'))
    .when({ type: 'RetryTrace' })
    .nothing();
});

tracing('what never had a label has no name to ask for', () => {
  const { sent } = after(request, report('handed-to-carrier'))
    .when(report('lost'))
    .thenTypes('ShipmentLost', 'ReshipmentRequested');
  assert.equal(messagesTo(sent, 'gateway'), []);
});

tracing.run();

const asking = suite('shipment: asking to send it once more');
const toSaga = (sent: Parameters<typeof messagesTo>[0]) => messagesTo(sent, 'order-saga');

asking('lost on its way to the customer: by itself, once', () => {
  const outcome = after(...handedOver).when(report('lost'));
  const why = 'The parcel is lost.';
  assert.equal(toSaga(outcome.sent), [{ type: 'ReshipParcel', shipmentId: SHIPMENT, by: 'system', why }]);
  shipment.from(outcome.state).when(reship).nothing();
});

asking('lost on its way back, or lost as a reshipment: only when staff says so', () => {
  const third = { at: T0 + 2 * HOUR, command: report('attempt-failed', 3) };
  const back = after(...handedOver, third)
    .when(report('lost'))
    .thenTypes('ShipmentLost', 'TraceRequested');
  const second = { ...request, replaces: 'shp_1_0' } as ShipmentCommand;
  const again = after(second, bought(is.label), report('handed-to-carrier')).when(report('lost'));
  again.thenTypes('ShipmentLost', 'TraceRequested');
  for (const { state } of [back, again]) {
    const { sent } = shipment
      .from(state)
      .when(reship)
      .then({ type: 'ReshipmentRequested', v: 1, ...operator });
    assert.equal(toSaga(sent), [{ type: 'ReshipParcel', shipmentId: SHIPMENT, ...operator }]);
  }
});

asking('staff: what has come back or is on its way back', () => {
  for (const steps of [returned, [...handedOver, report('attempt-failed', 3)]]) {
    const outcome = after(...steps)
      .when(reship)
      .thenTypes('ReshipmentRequested');
    assert.is(outcome.accepted.reply !== undefined, true);
    shipment.from(outcome.state).when(reship).nothing();
  }
});

asking('not what may still arrive, has arrived or never left', () => {
  const steps = {
    assigned: [request],
    labeled,
    'handed-to-carrier': handedOver,
    'in-transit': [...handedOver, report('in-transit')],
    'delivery-attempt-failed': [...handedOver, report('attempt-failed', 1)],
    delivered: [...handedOver, report('delivered')],
    cancelled: [...labeled, cancel],
  };
  for (const [status, history] of Object.entries(steps)) {
    const { rejection } = after(...history)
      .when(reship)
      .rejects('shipment.not-reshippable');
    assert.is(rejection?.status, 409, status);
  }
  assert.is(shipment.given().when(reship).rejects('shipment.unknown').rejection?.status, 404);
});

asking('the shipment that takes its place tells it so, and the order hears of both', () => {
  const second = { ...request, replaces: 'shp_1_1' } as ShipmentCommand;
  const other = specification(shipmentDecider, { id: 'shp_1_2', now: T0 + DAY });
  const fresh = other.given().when(second);
  assert.equal(messagesTo(fresh.sent, 'shipment'), [{ type: 'NoteReshipped', newId: 'shp_1_2' }]);
  const [news] = messagesTo(fresh.sent, 'order');
  assert.is(news && 'replaces' in news && news.replaces, 'shp_1_1');
  assert.equal(messagesTo(other.from(fresh.state).when(second).sent, 'shipment'), [], 'once');
  const note: ShipmentCommand = { type: 'NoteReshipped', newId: 'shp_1_2' };
  const old = after(...lost)
    .when(note)
    .then({ type: 'ShipmentReshipped', v: 1, newId: 'shp_1_2' });
  const [told] = messagesTo(old.sent, 'order');
  assert.equal(told && 'replacedBy' in told && [told.replacedBy, 'status' in told && told.status], ['shp_1_2', 'lost']);
  shipment.from(old.state).when(note).nothing();
});

asking.run();

const finding = suite('shipment: found again');

finding('a scan of a lost parcel is shown to the operator once; it stays lost until it arrives', () => {
  for (const scan of [report('in-transit'), report('out-for-delivery'), report('attempt-failed', 1)]) {
    const found = after(...lost)
      .when(scan)
      .thenTypes('ShipmentFound')
      .sends('ShipmentChanged');
    assert.equal([found.state.status, found.state.alert], ['lost', 'found']);
    shipment.from(found.state).when(scan).nothing();
  }
});

finding('a scan from before it was last seen finds nothing', () => {
  after(...lost)
    .when(report('in-transit', { occurredAt: T0 + HOUR / 2 }))
    .nothing();
});

finding('it arrives although it is being sent once more: the saga is told, and the operator', () => {
  const arrived = after(...lost)
    .when(report('delivered'))
    .thenTypes('Delivered', 'ShipmentFound');
  assert.equal(toSaga(arrived.sent), [{ type: 'ParcelFound', shipmentId: SHIPMENT }]);
  assert.equal([arrived.state.status, arrived.state.alert], ['delivered', 'found']);
  const back = after(...lost)
    .when(report('returned'))
    .thenTypes('Returned', 'ShipmentFound');
  assert.equal(toSaga(back.sent), [], 'the customer still waits for the goods');
});

finding('on its way back, being sent once more: it comes back as expected, or reaches the customer after all', () => {
  const back = after(...handedOver, { at: T0 + 2 * HOUR, command: report('attempt-failed', 3) }, reship);
  back.when(report('returned')).thenTypes('Returned');
  const arrived = back.when(report('delivered')).thenTypes('Delivered', 'ShipmentFound');
  assert.equal(toSaga(arrived.sent), [{ type: 'ParcelFound', shipmentId: SHIPMENT }]);
});

finding('it arrives and nothing was sent once more: a delivery like any other', () => {
  const second = { ...request, replaces: 'shp_1_0' } as ShipmentCommand;
  const { state } = after(second, report('handed-to-carrier'), report('lost'))
    .when(report('delivered'))
    .then({ type: 'Delivered', v: 1, at: T0 + DAY });
  assert.is(state.alert, null);
});

finding('an alert is put off by somebody, with a reason, until the next one', () => {
  const acknowledge: ShipmentCommand = { type: 'AcknowledgeAlert', ...operator };
  const found = after(...lost, { at: T0 + 2 * HOUR, command: report('in-transit') });
  const { state } = found.when(acknowledge).then({ type: 'AlertAcknowledged', v: 1, ...operator });
  assert.is(state.alert, null);
  shipment.from(state).when(acknowledge).nothing();
  assert.is(shipment.from(state).when(report('in-transit')).state.alert, 'found');
  shipment.given().when(acknowledge).rejects('shipment.unknown');
});

finding.run();

const booking = suite('shipment: pieces that came back');

booking('go back where they came from, once: for sale, or to be looked at first', () => {
  const outcome = after(...returned)
    .when(book(['A', 1, 1], ['B', 0]))
    .thenTypes('ReturnedPiecesBooked');
  assert.equal(outcome.sent, [
    {
      to: { type: 'stock', id: 'A@wh-east' },
      message: { type: 'RestockReturned', quantity: 2, quarantined: 1, returnId: SHIPMENT },
    },
  ]);
  shipment
    .from(outcome.state)
    .when(book(['A', 2]))
    .rejects('shipment.pieces-booked');
});

booking('all may be missing; the alert of a found parcel is dealt with', () => {
  const found = after(...lost, report('returned'));
  assert.is(found.state.alert, 'found');
  const { state, sent } = found.when(book());
  assert.equal([state.alert, messagesTo(sent, 'stock')], [null, []]);
});

booking('only of a parcel that has come back', () => {
  for (const steps of [labeled, handedOver, lost, [...handedOver, report('delivered')], [...labeled, cancel]]) {
    assert.is(
      after(...steps)
        .when(book())
        .rejects('shipment.not-returned').rejection?.status,
      409,
    );
  }
  shipment.given().when(book()).rejects('shipment.unknown');
});

booking('not more than was in it, not what was not in it, no half pieces', () => {
  const wrong = [
    [['A', 3]],
    [['B', 2]],
    [['C', 1]],
    [['A', -1]],
    [['A', 0.5]],
    [['A', 2, 1]],
    [['A', 2, -1]],
    [
      ['A', 1],
      ['A', 1],
    ],
  ] as const;
  for (const lines of wrong) {
    const { rejection } = after(...returned)
      .when(book(...lines))
      .rejects('shipment.pieces-invalid');
    assert.is(rejection?.status, 422, JSON.stringify(lines));
  }
});

booking.run();
