/** Every state of a shipment × every message: what is recorded and what is sent, never a throw. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ShipmentCommand, shipmentDecider } from '../../actors/shipment.ts';
import { assertReplays, play, type Step } from '../support/play.ts';
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
  retryLabel,
  SHIPMENT,
  traced,
  voided,
} from '../support/shipment.ts';
import { T0 } from '../support/spec.ts';

const states: Record<string, readonly [status: string, ...history: Step<ShipmentCommand>[]]> = {
  none: ['pending'],
  assigned: ['assigned', request],
  'assigned, label to ask': ['assigned', request, bought(is.failed)],
  labeled: ['labeled', ...labeled],
  picked: ['labeled', ...labeled, report('picked')],
  'handed-to-carrier': ['handed-to-carrier', ...handedOver],
  'in-transit': ['in-transit', ...handedOver, report('in-transit')],
  'out-for-delivery': ['out-for-delivery', ...handedOver, report('out-for-delivery')],
  'delivery-attempt-failed': ['delivery-attempt-failed', ...handedOver, report('attempt-failed', 1)],
  'returning-to-sender': ['returning-to-sender', ...handedOver, report('attempt-failed', 3)],
  delivered: ['delivered', ...handedOver, report('delivered')],
  returned: ['returned', ...handedOver, report('returned')],
  lost: ['lost', ...handedOver, report('lost')],
  cancelled: ['cancelled', ...labeled, cancel],
  tombstone: ['cancelled', cancel],
};

const messages: Record<string, ShipmentCommand> = {
  request,
  cancel,
  'retry label': retryLabel,
  'check ghost': { type: 'CheckGhost' },
  'check lost': { type: 'CheckLost' },
  '→ label': bought(is.label),
  '→ no label': bought(is.unavailable),
  '→ label voided': voided(is.voided),
  '→ label not voided': voided(is.failed),
  '→ tracing': traced(is.tracing),
  '→ no trace': traced(is.unavailable),
  'retry trace': { type: 'RetryTrace' },
  'replaced by 2': { type: 'NoteReshipped', newId: 'shp_1_2' },
  reship,
  'book pieces': book(['A', 1]),
  acknowledge: { type: 'AcknowledgeAlert', ...operator },
  picked: report('picked'),
  'handed over': report('handed-to-carrier'),
  'in transit': report('in-transit'),
  'out for delivery': report('out-for-delivery'),
  'attempt 1 failed': report('attempt-failed', 1),
  delivered: report('delivered'),
  returned: report('returned'),
  lost: report('lost'),
};

const unknown = {
  picked: 'shipment.unknown',
  'handed over': 'shipment.unknown',
  'in transit': 'shipment.unknown',
  'out for delivery': 'shipment.unknown',
  'attempt 1 failed': 'shipment.unknown',
  delivered: 'shipment.unknown',
  returned: 'shipment.unknown',
  lost: 'shipment.unknown',
  reship: 'shipment.unknown',
  'book pieces': 'shipment.unknown',
  acknowledge: 'shipment.unknown',
};
const noReturn = { reship: 'shipment.not-reshippable', 'book pieces': 'shipment.not-returned' };
const replaced = { 'replaced by 2': 'ShipmentReshipped → ShipmentChanged' };
const notPossible = {
  ...noReturn,
  picked: 'shipment.not-possible',
  'handed over': 'shipment.not-possible',
  'in transit': 'shipment.not-possible',
  'out for delivery': 'shipment.not-possible',
  'attempt 1 failed': 'shipment.not-possible',
  delivered: 'shipment.not-possible',
  returned: 'shipment.not-possible',
  lost: 'shipment.not-possible',
};
const inWarehouse = {
  ...noReturn,
  ...replaced,
  'handed over': 'HandedToCarrier → ShipReservation ShipmentChanged',
  'in transit': 'HandedToCarrier InTransit → ShipReservation ShipmentChanged',
  'out for delivery': 'HandedToCarrier OutForDelivery → ShipReservation ShipmentChanged',
  'attempt 1 failed': 'HandedToCarrier DeliveryAttemptFailed → ShipReservation ShipmentChanged',
  delivered: 'HandedToCarrier Delivered → ShipReservation ShipmentChanged',
  returned: 'HandedToCarrier Returned → ShipReservation ShipmentChanged',
  lost: 'shipment.not-possible',
};
const LOST = 'ShipmentLost TraceRequested ReshipmentRequested → CarrierTraceParcel ReshipParcel ShipmentChanged';
const underWay = {
  ...noReturn,
  ...replaced,
  request: '- → ShipmentAccepted',
  cancel: '- → ShipmentCancelRefused',
  'check lost': LOST,
  delivered: 'Delivered → ShipmentChanged',
  returned: 'Returned → ShipmentChanged',
  lost: LOST,
};

const FOUND = 'ShipmentFound → ShipmentChanged';

/** Recorded events → what is sent, or the rejection; what is not listed changes nothing and says nothing. */
const table: Record<string, Record<string, string>> = {
  none: {
    ...unknown,
    request: 'WarehouseAssigned LabelRequested → ShipmentAccepted CarrierBuyLabel ShipmentChanged',
    cancel: 'ShipmentCancelled → ShipmentCancelled',
    '→ label': 'LabelPurchased TrackingAssigned → -',
  },
  assigned: {
    ...inWarehouse,
    request: '- → ShipmentAccepted',
    cancel: 'ShipmentCancelled → ShipmentCancelled ShipmentChanged',
    '→ label': 'LabelPurchased TrackingAssigned → ShipmentChanged',
    '→ no label': 'LabelAttemptFailed → -',
    picked: 'ShipmentPicked → PickReservation',
  },
  'assigned, label to ask': {
    ...inWarehouse,
    request: '- → ShipmentAccepted',
    cancel: 'ShipmentCancelled → ShipmentCancelled ShipmentChanged',
    'retry label': 'LabelRequested → CarrierBuyLabel',
    '→ label': 'LabelPurchased TrackingAssigned → ShipmentChanged',
    picked: 'ShipmentPicked → PickReservation',
  },
  labeled: {
    ...inWarehouse,
    request: '- → ShipmentAccepted',
    cancel: 'ShipmentCancelled LabelVoidRequested → ShipmentCancelled CarrierVoidLabel ShipmentChanged',
    picked: 'ShipmentPicked → PickReservation',
  },
  picked: {
    ...inWarehouse,
    request: '- → ShipmentAccepted',
    cancel: 'ShipmentCancelled LabelVoidRequested → ShipmentCancelled CarrierVoidLabel ShipmentChanged',
  },
  'handed-to-carrier': {
    ...underWay,
    'check ghost': 'ShipmentGhost → ShipmentChanged',
    'in transit': 'InTransit → ShipmentChanged',
    'out for delivery': 'OutForDelivery → ShipmentChanged',
    'attempt 1 failed': 'DeliveryAttemptFailed → ShipmentChanged',
  },
  'in-transit': {
    ...underWay,
    'in transit': 'ShipmentScanned → -',
    'out for delivery': 'OutForDelivery → ShipmentChanged',
    'attempt 1 failed': 'DeliveryAttemptFailed → ShipmentChanged',
  },
  'out-for-delivery': {
    ...underWay,
    'in transit': 'ShipmentScanned → -',
    'out for delivery': 'ShipmentScanned → -',
    'attempt 1 failed': 'DeliveryAttemptFailed → ShipmentChanged',
  },
  'delivery-attempt-failed': {
    ...underWay,
    'in transit': 'ShipmentScanned → -',
    'out for delivery': 'ShipmentScanned → -',
    'attempt 1 failed': 'ShipmentScanned → -',
  },
  'returning-to-sender': {
    request: '- → ShipmentAccepted',
    cancel: '- → ShipmentCancelRefused',
    delivered: 'Delivered → ShipmentChanged',
    returned: 'Returned → ShipmentChanged',
    lost: 'ShipmentLost TraceRequested → CarrierTraceParcel ShipmentChanged',
    ...noReturn,
    ...replaced,
    reship: 'ReshipmentRequested → ReshipParcel',
  },
  delivered: {
    ...noReturn,
    ...replaced,
    request: '- → ShipmentAccepted',
    cancel: '- → ShipmentCancelRefused',
  },
  returned: {
    ...replaced,
    request: '- → ShipmentAccepted',
    cancel: '- → ShipmentCancelRefused',
    reship: 'ReshipmentRequested → ReshipParcel',
    'book pieces': 'ReturnedPiecesBooked → RestockReturned',
  },
  lost: {
    ...replaced,
    request: '- → ShipmentAccepted',
    cancel: '- → ShipmentCancelRefused',
    'in transit': FOUND,
    'out for delivery': FOUND,
    'attempt 1 failed': FOUND,
    delivered: 'Delivered ShipmentFound → ParcelFound ShipmentChanged',
    returned: 'Returned ShipmentFound → ShipmentChanged',
    '→ tracing': 'TraceOpened → -',
    '→ no trace': 'TraceFailed → -',
    'book pieces': 'shipment.not-returned',
  },
  cancelled: {
    ...notPossible,
    ...replaced,
    request: '- → ShipmentFailed',
    cancel: '- → ShipmentCancelled',
    '→ label voided': 'LabelVoided → -',
    '→ label not voided': 'LabelVoidFailed → -',
  },
  tombstone: {
    ...notPossible,
    request: '- → ShipmentFailed',
    cancel: '- → ShipmentCancelled',
    '→ label': 'LabelPurchased LabelVoidRequested → CarrierVoidLabel',
  },
};

const cells = suite('shipment: state × message');

for (const [state, [status, ...history]] of Object.entries(states)) {
  cells(`${state} is shown as ${status}`, () => {
    assert.is(play(shipmentDecider, SHIPMENT, history).state.status, status);
  });
  for (const [message, command] of Object.entries(messages)) {
    const expected = table[state]?.[message] ?? '- → -';
    cells(`${state} × ${message}: ${expected}`, () => {
      const before = play(shipmentDecider, SHIPMENT, history);
      // A month later, so that whatever is to be checked is due.
      const played = play(shipmentDecider, SHIPMENT, [...history, { at: T0 + HOUR + 30 * DAY, command }]);
      const events = played.events.slice(before.events.length).map(({ type }) => type);
      const sent = [...new Set(played.sent.slice(before.sent.length).map(({ message: { type } }) => type))];
      const refused = played.rejections.map(({ code }) => code).join(' ');
      assert.is(refused || `${events.join(' ') || '-'} → ${sent.join(' ') || '-'}`, expected);
      assertReplays(shipmentDecider, SHIPMENT, played);
    });
  }
}

cells.run();
