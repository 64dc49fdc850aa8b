/** What warehouses and carriers report, in any order and repetition. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ShipmentCommand, type ShipmentReport, shipmentDecider } from '../../actors/shipment.ts';
import { messagesTo, play, type Step } from '../support/play.ts';
import { cancel, HOUR, handedOver, labeled, report, request, SHIPMENT } from '../support/shipment.ts';
import { specification, T0 } from '../support/spec.ts';

const shipment = specification(shipmentDecider, { id: SHIPMENT });
const after = (steps: readonly Step<ShipmentCommand>[]) => shipment.from(play(shipmentDecider, SHIPMENT, steps).state);
const stock = (sku: string) => ({ type: 'stock', id: `${sku}@wh-east` });

const reporting = suite('shipment: reports');

reporting('picked - each line is picked at its stock item, once', () => {
  const { sent, state, accepted } = after(labeled).when(report('picked')).then({ type: 'ShipmentPicked', v: 1 });
  assert.equal(sent, [
    { to: stock('A'), message: { type: 'PickReservation', reservationId: 'ord_1/1.1' } },
    { to: stock('B'), message: { type: 'PickReservation', reservationId: 'ord_1/2.1' } },
  ]);
  assert.equal(accepted.reply, { shipmentId: SHIPMENT, status: 'labeled' });
  shipment.from(state).when(report('picked')).nothing();
});

reporting('handed to carrier - each line leaves its stock item, once; the order hears of it', () => {
  const { sent, state, accepted } = after(labeled)
    .when(report('handed-to-carrier'), { now: T0 + HOUR })
    .then({ type: 'HandedToCarrier', v: 1, at: T0 + HOUR });
  assert.equal(messagesTo(sent, 'stock'), [
    { type: 'ShipReservation', reservationId: 'ord_1/1.1' },
    { type: 'ShipReservation', reservationId: 'ord_1/2.1' },
  ]);
  assert.equal(accepted.reply, { shipmentId: SHIPMENT, status: 'handed-to-carrier' });
  assert.is(messagesTo(sent, 'order').length, 1);
  shipment.from(state).when(report('handed-to-carrier')).nothing();
  shipment.from(state).when(report('picked')).nothing();
});

for (const [what, event] of [
  ['in-transit', 'InTransit'],
  ['out-for-delivery', 'OutForDelivery'],
  ['delivered', 'Delivered'],
  ['returned', 'Returned'],
] as const) {
  reporting(`${what} - without earlier reports implies the hand-over; the stock leaves once`, () => {
    const { sent, state } = after(labeled).when(report(what)).thenTypes('HandedToCarrier', event);
    assert.is(messagesTo(sent, 'stock').length, 2);
    assert.is(state.status, what);
    const late = shipment.from(state).when(report('handed-to-carrier')).then();
    assert.equal(late.sent, []);
  });
}

const WAY: readonly ShipmentReport[] = ['handed-to-carrier', 'in-transit', 'out-for-delivery', 'delivered'];

reporting('the status only moves forward, whatever comes late', () => {
  for (const [index, last] of WAY.entries()) {
    for (const late of WAY.slice(0, index + 1)) {
      const { state } = after([...handedOver, report(last)]).when(report(late));
      assert.is(state.status, last, `${late} after ${last}`);
    }
  }
});

reporting('delivery attempts are numbered: the same number counts once, an overtaken one not at all', () => {
  const first = after(handedOver).when(report('attempt-failed', 1)).thenTypes('DeliveryAttemptFailed');
  assert.equal([first.state.status, first.state.attempts], ['delivery-attempt-failed', 1]);
  const later = { now: T0 + 2 * HOUR };
  const again = shipment
    .from(first.state)
    .when(report('attempt-failed', 1), later)
    .thenTypes('ShipmentScanned')
    .sends();
  assert.is(again.state.attempts, 1);
  const overtaken = after([...handedOver, report('attempt-failed', 2)]).when(report('attempt-failed', 1));
  assert.is(overtaken.state.attempts, 2);
});

reporting('after three attempts it returns to the sender', () => {
  const two = after([...handedOver, report('attempt-failed', 1), report('attempt-failed', 2)]);
  assert.is(two.state.status, 'delivery-attempt-failed');
  const { state, sent } = two
    .when(report('attempt-failed', 3))
    .thenTypes('DeliveryAttemptFailed', 'ReturnToSenderStarted');
  assert.equal([state.status, state.attempts], ['returning-to-sender', 3]);
  assert.is(messagesTo(sent, 'order').length, 1);
  assert.is(shipment.from(state).when(report('returned')).state.status, 'returned');
  assert.is(shipment.from(state).when(report('attempt-failed', 4)).state.status, 'returning-to-sender');
  assert.is(shipment.from(state).when(report('delivered')).state.status, 'delivered');
});

reporting('the next tour is told from a late notice of the last one by its number', () => {
  const failed = after([...handedOver, report('out-for-delivery', 1), report('attempt-failed', 1)]);
  assert.is(failed.when(report('out-for-delivery')).state.status, 'delivery-attempt-failed');
  assert.is(failed.when(report('out-for-delivery', 1)).state.status, 'delivery-attempt-failed');
  assert.is(failed.when(report('out-for-delivery', 2)).state.status, 'out-for-delivery');
});

reporting('what was lost and turns up is delivered or returned', () => {
  for (const end of ['delivered', 'returned'] as const) {
    assert.is(after([...handedOver, report('lost')]).when(report(end)).state.status, end);
  }
  after([...handedOver, report('lost')])
    .when(report('lost'))
    .nothing();
});

reporting('delivered and returned are ends: nothing moves them', () => {
  for (const end of ['delivered', 'returned'] as const) {
    for (const what of [...WAY, 'returned', 'lost'] as const) {
      after([...handedOver, report(end)])
        .when(report(what))
        .nothing();
    }
    after([...handedOver, report(end)])
      .when(report('attempt-failed', 9))
      .nothing();
  }
});

reporting.run();

const refusing = suite('shipment: refused reports');
const REPORTS: readonly ShipmentReport[] = [...WAY, 'picked', 'attempt-failed', 'returned', 'lost'];

for (const what of REPORTS) {
  refusing(`${what} - of an unknown shipment is 404, of a cancelled one 409`, () => {
    assert.is(shipment.given().when(report(what, 1)).rejects('shipment.unknown').rejection?.status, 404);
    const refused = after([...labeled, cancel])
      .when(report(what, 1))
      .rejects('shipment.not-possible');
    assert.is(refused.rejection?.status, 409);
    after([cancel]).when(report(what, 1)).rejects('shipment.not-possible');
  });
}

refusing('lost - before it was handed over', () => {
  after([request]).when(report('lost')).rejects('shipment.not-possible');
});

for (const attempt of [undefined, 0, -1, 1.5, Number.NaN]) {
  refusing(`attempt-failed - with the number ${attempt}`, () => {
    const refused = after(handedOver).when(report('attempt-failed', attempt)).rejects('shipment.attempt-required');
    assert.is(refused.rejection?.status, 422);
  });
}

refusing.run();
