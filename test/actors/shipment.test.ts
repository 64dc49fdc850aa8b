import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  orderOfShipment,
  type ShipmentCommand,
  shipmentAddress,
  shipmentDecider,
  shipmentId,
} from '../../actors/shipment.ts';
import { messagesTo, play, type Step } from '../support/play.ts';
import {
  address,
  bought,
  cancel,
  DAY,
  HOUR,
  handedOver,
  is,
  labeled,
  lines,
  report,
  request,
  retryLabel,
  SHIPMENT,
  voided,
} from '../support/shipment.ts';
import { specification, T0 } from '../support/spec.ts';

const shipment = specification(shipmentDecider, { id: SHIPMENT });
const after = (steps: readonly Step<ShipmentCommand>[]) => shipment.from(play(shipmentDecider, SHIPMENT, steps).state);
const accepted = { type: 'ShipmentAccepted', shipmentId: SHIPMENT } as const;
const HANDED = T0 + HOUR;

const requesting = suite('shipment: request');

requesting('request - is accepted at once, assigned, and its label asked for', () => {
  const { sent, state } = shipment.given().when(request).then(
    {
      type: 'WarehouseAssigned',
      v: 1,
      at: T0,
      warehouse: 'wh-east',
      lines,
      method: 'standard',
      personal: { address },
    },
    { type: 'LabelRequested', v: 1 },
  );
  assert.equal(sent, [
    { to: { type: 'order-saga', id: 'ord_1' }, message: accepted },
    {
      to: { type: 'gateway', id: 'carrier' },
      message: {
        type: 'CarrierBuyLabel',
        key: 'shp_1_1/label',
        shipmentId: SHIPMENT,
        warehouse: 'wh-east',
        method: 'standard',
        address,
      },
    },
    {
      to: { type: 'order', id: 'ord_1' },
      message: {
        type: 'ShipmentChanged',
        shipmentId: SHIPMENT,
        seq: 2,
        status: 'assigned',
        lines: [
          { sku: 'A', quantity: 2 },
          { sku: 'B', quantity: 1 },
        ],
        warehouse: 'wh-east',
        attempts: 0,
      },
    },
  ]);
  assert.is(state.status, 'assigned');
});

requesting('creating twice creates once: the same answer, no second label', () => {
  const { sent } = after([request]).when(request).then();
  assert.equal(
    sent.map(({ message }) => message),
    [accepted],
  );
});

requesting('the label brings the tracking number, which is shown from then on', () => {
  const { sent, state } = after([request])
    .when(bought(is.label))
    .then(
      { type: 'LabelPurchased', v: 1, labelId: 'lbl_1' },
      { type: 'TrackingAssigned', v: 1, carrier: 'Simulated Ground', trackingNumber: 'SIM1' },
    );
  assert.is(state.status, 'labeled');
  const news = messagesTo(sent, 'order')[0];
  assert.equal(news && 'trackingNumber' in news && news.trackingNumber, 'SIM1');
  shipment.from(state).when(bought(is.label)).nothing();
});

requesting('nothing to ship fails', () => {
  const { sent } = shipment
    .given()
    .when({ ...request, lines: [] } as ShipmentCommand)
    .then();
  assert.equal(messagesTo(sent, 'order-saga'), [
    { type: 'ShipmentFailed', shipmentId: SHIPMENT, reason: 'there is nothing to ship' },
  ]);
});

requesting('a label that comes before its request is used', () => {
  const { state } = after([bought(is.label)])
    .when(request)
    .thenTypes('WarehouseAssigned');
  assert.is(state.status, 'labeled');
});

requesting.run();

const labeling = suite('shipment: label');

labeling('a label that may have been bought is asked for after 10, 20, 40 … s under its key; the order goes on', () => {
  const pauses: number[] = [];
  const asked: unknown[] = [];
  let { state } = after([request]);
  for (const outcome of [is.unavailable, is.unknown, is.unavailable]) {
    const waiting = shipment.from(state).when(bought(outcome)).thenTypes('LabelAttemptFailed').sends();
    pauses.push(...waiting.timers.map((timer) => ('set' in timer ? timer.at - T0 : 0)));
    const again = shipment.from(waiting.state).when(retryLabel).thenTypes('LabelRequested');
    asked.push(...messagesTo(again.sent, 'gateway'));
    state = again.state;
  }
  assert.equal(pauses, [10_000, 20_000, 40_000]);
  assert.equal(asked, Array(3).fill(messagesTo(shipment.given().when(request).sent, 'gateway')[0]));
  assert.is(state.status, 'assigned');
});

labeling(
  'what the carrier refused for good is asked for under a new key, for it would refuse the old one for ever',
  () => {
    const keys: unknown[] = [];
    let { state } = after([request]);
    for (const [outcome, key] of [
      [is.failed, 1],
      [is.unknown, 2],
      [is.failed, 2],
    ] as const) {
      const waiting = shipment.from(state).when(bought(outcome, key)).thenTypes('LabelAttemptFailed');
      const again = shipment.from(waiting.state).when(retryLabel);
      keys.push(...messagesTo(again.sent, 'gateway').map((message) => 'key' in message && message.key));
      state = again.state;
    }
    assert.equal(keys, ['shp_1_1/label.2', 'shp_1_1/label.2', 'shp_1_1/label.3']);
    shipment.from(state).when(bought(is.failed, 1)).nothing();
    assert.is(shipment.from(state).when(bought(is.label, 3)).state.status, 'labeled');
  },
);

const failures = (times: number) => Array.from({ length: times }, () => [bought(is.unavailable), retryLabel]).flat();

labeling('after six attempts somebody should look; it goes on hourly and ends well', () => {
  const sixth = after([request, ...failures(5)]).when(bought(is.unavailable));
  sixth.thenTypes('LabelAttemptFailed', 'LabelFailed').sends('ShipmentChanged');
  assert.is(sixth.state.alert, 'label-failed');
  const later = play(shipmentDecider, SHIPMENT, [request, ...failures(20)]);
  const last = later.timers.at(-1);
  assert.is(last && 'set' in last && last.at - T0, HOUR);
  const { state } = shipment.from(later.state).when(bought(is.label));
  assert.equal([state.status, state.alert], ['labeled', null]);
});

labeling('after a week of hourly attempts it is given up, until the saga asks again', () => {
  const played = play(shipmentDecider, SHIPMENT, [request, ...failures(400)]);
  assert.is(played.events.filter(({ type }) => type === 'LabelRequested').length, 6 + 7 * 24);
  assert.is(played.state.label.status, 'given-up');
  shipment.from(played.state).when(request).thenTypes('LabelRequested').sends('ShipmentAccepted', 'CarrierBuyLabel');
});

labeling('what is handed over needs no label any more', () => {
  const { timers } = after([request, bought(is.failed)]).when(report('handed-to-carrier'));
  assert.ok(timers.some((timer) => 'clear' in timer && timer.clear === 'label'));
  after([request, bought(is.failed), report('handed-to-carrier')])
    .when(retryLabel)
    .nothing();
  const { state } = after([request, report('handed-to-carrier')]).when(bought(is.label));
  assert.equal([state.status, state.trackingNumber], ['handed-to-carrier', 'SIM1']);
});

labeling.run();

const cancelling = suite('shipment: cancel');
const cancelled = { type: 'ShipmentCancelled', shipmentId: SHIPMENT } as const;

cancelling('a cancel that overtakes its request leaves a tombstone that refuses it', () => {
  const { sent, state } = shipment.given().when(cancel).thenTypes('ShipmentCancelled');
  assert.equal(
    sent.map(({ message }) => message),
    [cancelled],
  );
  const late = shipment.from(state).when(request).then();
  assert.equal(messagesTo(late.sent, 'order-saga'), [
    { type: 'ShipmentFailed', shipmentId: SHIPMENT, reason: 'the shipment was cancelled' },
  ]);
});

cancelling('before hand-over, also when picked: cancelled, and the label voided', () => {
  const { sent, state } = after([...labeled, report('picked')])
    .when(cancel)
    .thenTypes('ShipmentCancelled', 'LabelVoidRequested')
    .sends('ShipmentCancelled', 'CarrierVoidLabel', 'ShipmentChanged');
  assert.equal(sent[1]?.message, { type: 'CarrierVoidLabel', key: 'shp_1_1/void-label', labelId: 'lbl_1' });
  shipment.from(state).when(cancel).then().sends('ShipmentCancelled');
  shipment.from(state).when(voided(is.voided)).thenTypes('LabelVoided').sends();
});

cancelling('a label that arrives later is voided', () => {
  after([request, cancel])
    .when(bought(is.label))
    .thenTypes('LabelPurchased', 'LabelVoidRequested')
    .sends('CarrierVoidLabel');
});

cancelling('a label that may have been bought is asked for again, to be voided; one that was not is left', () => {
  const uncertain = [request, bought(is.unknown), cancel];
  after(uncertain).when(retryLabel).thenTypes('LabelRequested').sends('CarrierBuyLabel');
  after([request, cancel]).when(bought(is.unknown)).thenTypes('LabelAttemptFailed');
  const { timers } = after([request, bought(is.failed)]).when(cancel);
  assert.equal(timers, [{ clear: 'label' }]);
  after([request, bought(is.failed), cancel])
    .when(retryLabel)
    .nothing();
  assert.equal(after([request, cancel]).when(bought(is.failed)).timers, []);
});

cancelling('whether a cancelled one has a label is asked six times, then somebody should look', () => {
  const vain = Array.from({ length: 10 }, () => [bought(is.unknown), retryLabel]).flat();
  const { state, events } = play(shipmentDecider, SHIPMENT, [request, cancel, ...vain]);
  assert.is(events.filter(({ type }) => type === 'LabelRequested').length, 6);
  assert.equal([state.status, state.alert], ['cancelled', 'label-failed']);
});

cancelling('a void that is refused is asked for under a new key', () => {
  const refused = after([...labeled, cancel])
    .when(voided(is.failed))
    .thenTypes('LabelVoidFailed');
  const [again] = messagesTo(shipment.from(refused.state).when(retryLabel).sent, 'gateway');
  assert.equal(again, { type: 'CarrierVoidLabel', key: 'shp_1_1/void-label.2', labelId: 'lbl_1' });
});

cancelling('a void that fails is tried six times', () => {
  const steps = Array.from({ length: 10 }, () => [voided(is.unavailable), retryLabel]).flat();
  const played = play(shipmentDecider, SHIPMENT, [...labeled, cancel, ...steps]);
  assert.is(messagesTo(played.sent, 'gateway').filter(({ type }) => type === 'CarrierVoidLabel').length, 6);
  assert.is(played.state.label.status, 'void-failed');
});

cancelling('after hand-over it is refused', () => {
  const { sent } = after(handedOver).when(cancel).then();
  assert.equal(
    sent.map(({ message }) => message),
    [{ type: 'ShipmentCancelRefused', shipmentId: SHIPMENT, status: 'handed-to-carrier' }],
  );
});

cancelling.run();

const watching = suite('shipment: ghost and lost');

watching('handed over and not scanned for 24 h: one alert, ended by the first scan', () => {
  const handed = after(labeled).when(report('handed-to-carrier'), { now: HANDED });
  assert.equal(handed.timers, [
    { set: 'ghost', at: HANDED + DAY, message: { type: 'CheckGhost' } },
    { set: 'lost', at: HANDED + 7 * DAY, message: { type: 'CheckLost' } },
  ]);
  const early = shipment
    .from(handed.state)
    .when({ type: 'CheckGhost' }, { now: HANDED + DAY - 1 })
    .nothing();
  assert.is(early.timers.length, 1);
  const ghost = shipment
    .from(handed.state)
    .when({ type: 'CheckGhost' }, { now: HANDED + DAY })
    .then({ type: 'ShipmentGhost', v: 1 })
    .sends('ShipmentChanged');
  shipment
    .from(ghost.state)
    .when({ type: 'CheckGhost' }, { now: HANDED + DAY })
    .nothing();
  const { state } = shipment.from(ghost.state).when(report('in-transit'), { now: HANDED + 2 * DAY });
  assert.equal([state.status, state.alert], ['in-transit', null]);
});

watching('scanned within 24 h: no ghost', () => {
  const scanned = after(handedOver).when(report('in-transit'), { now: HANDED + HOUR });
  assert.ok(scanned.timers.some((timer) => 'clear' in timer && timer.clear === 'ghost'));
  shipment
    .from(scanned.state)
    .when({ type: 'CheckGhost' }, { now: HANDED + DAY })
    .nothing();
});

watching('seven days without a scan: lost; every scan starts them anew', () => {
  const lost = after(handedOver).when({ type: 'CheckLost' }, { now: HANDED + 7 * DAY });
  lost.then(
    { type: 'ShipmentLost', v: 1, at: HANDED + 7 * DAY },
    { type: 'TraceRequested', v: 1 },
    { type: 'ReshipmentRequested', v: 1, by: 'system', why: 'The parcel is lost.' },
  );
  lost.sends('CarrierTraceParcel', 'ReshipParcel', 'ShipmentChanged');
  const seen = [...handedOver, { at: HANDED + 6 * DAY, command: report('in-transit') }];
  const again = after([...seen, { at: HANDED + 12 * DAY, command: report('in-transit') }]);
  assert.is(again.state.lastSeenAt, HANDED + 12 * DAY);
  const { timers } = again.when({ type: 'CheckLost' }, { now: HANDED + 13 * DAY }).nothing();
  assert.equal(timers, [{ set: 'lost', at: HANDED + 19 * DAY, message: { type: 'CheckLost' } }]);
  assert.is(again.when({ type: 'CheckLost' }, { now: HANDED + 19 * DAY }).state.status, 'lost');
});

for (const end of ['delivered', 'returned', 'lost'] as const) {
  watching(`nobody waits for what is ${end}`, () => {
    const ended = after(handedOver).when(report(end));
    assert.equal(ended.timers, [{ clear: 'ghost' }, { clear: 'lost' }]);
    shipment
      .from(ended.state)
      .when({ type: 'CheckLost' }, { now: HANDED + 30 * DAY })
      .nothing();
  });
}

watching.run();

const addressing = suite('shipment: address');

addressing('its id derives from the order, and it lives in the shard of its order', () => {
  const id = shipmentId('ord_01J_X', 2);
  assert.is(id, 'shp_01J_X_2');
  assert.is(orderOfShipment(id), 'ord_01J_X');
  assert.is(shipmentDecider.partitionKey(id), 'ord_01J_X');
  assert.equal(shipmentAddress(id), { type: 'shipment', id });
});

addressing.run();
