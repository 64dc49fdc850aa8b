/** What happened to a shipment, and where it is after that. */
import { assertNever } from '../kernel/assertNever.ts';
import type { ShippingMethod } from '../policy.ts';
import type { PostalAddress } from '../shared.ts';
import type { ShipmentAlert, ShipmentLine, ShipmentStatus } from './messages.ts';

export type ShipmentEvent = { readonly v: 1 } & (
  | {
      readonly type: 'WarehouseAssigned';
      readonly warehouse: string;
      readonly lines: readonly ShipmentLine[];
      readonly method: ShippingMethod;
      readonly personal: { readonly address: PostalAddress };
    }
  | { readonly type: 'LabelRequested' }
  /** It will be asked again; `uncertain`: it may have been bought. */
  | { readonly type: 'LabelAttemptFailed'; readonly reason: string; readonly uncertain: boolean }
  | { readonly type: 'LabelPurchased'; readonly labelId: string }
  /** Somebody should look. Still tried, but slowly, unless it is final. */
  | { readonly type: 'LabelFailed'; readonly reason: string; readonly final: boolean }
  | { readonly type: 'LabelVoidRequested' }
  | { readonly type: 'LabelVoided' }
  | { readonly type: 'LabelVoidFailed'; readonly reason: string; readonly final: boolean }
  | { readonly type: 'TrackingAssigned'; readonly carrier: string; readonly trackingNumber: string }
  | { readonly type: 'ShipmentPicked' }
  | { readonly type: 'HandedToCarrier'; readonly at: number }
  | { readonly type: 'InTransit'; readonly at: number }
  | { readonly type: 'OutForDelivery'; readonly at: number }
  | { readonly type: 'DeliveryAttemptFailed'; readonly at: number; readonly attempt: number }
  | { readonly type: 'Delivered'; readonly at: number }
  | { readonly type: 'ReturnToSenderStarted'; readonly at: number }
  | { readonly type: 'Returned'; readonly at: number }
  | { readonly type: 'ShipmentLost'; readonly at: number }
  /** The carrier saw it again; it is where it was. */
  | { readonly type: 'ShipmentScanned'; readonly at: number }
  /** Handed over, but the carrier never scanned it. */
  | { readonly type: 'ShipmentGhost' }
  | { readonly type: 'ShipmentCancelled'; readonly reason: string }
);

/**
 * `asking`, `voiding`: a result will come. `to-ask`, `to-void`: at the timer. `given-up`: nobody asks by himself, a
 * repeated RequestShipment starts anew.
 */
export type Label = {
  readonly status:
    | 'none'
    | 'asking'
    | 'to-ask'
    | 'given-up'
    | 'bought'
    | 'voiding'
    | 'to-void'
    | 'voided'
    | 'void-failed';
  readonly labelId: string | null;
  readonly tries: number;
  /** It may have been bought though we were not told so. */
  readonly uncertain: boolean;
};

export type ShipmentState = {
  readonly id: string;
  /** Number of events so far: orders what the order is told. */
  readonly events: number;
  readonly status: ShipmentStatus;
  /** What to ship, absent until it is requested. */
  readonly request: Request | null;
  readonly label: Label;
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly picked: boolean;
  readonly attempts: number;
  /** When it was last heard of since the hand-over. */
  readonly lastSeenAt: number | null;
  readonly alert: ShipmentAlert | null;
};

export type Request = {
  readonly warehouse: string;
  readonly lines: readonly ShipmentLine[];
  readonly method: ShippingMethod;
  readonly address: PostalAddress;
};

export function initial(id: string): ShipmentState {
  return {
    id,
    events: 0,
    status: 'pending',
    request: null,
    label: { status: 'none', labelId: null, tries: 0, uncertain: false },
    carrier: null,
    trackingNumber: null,
    picked: false,
    attempts: 0,
    lastSeenAt: null,
    alert: null,
  };
}

export function evolve(state: ShipmentState, event: ShipmentEvent): ShipmentState {
  return { ...apply(state, event), events: state.events + 1 };
}

function apply(state: ShipmentState, event: ShipmentEvent): ShipmentState {
  switch (event.type) {
    case 'WarehouseAssigned': {
      const { warehouse, lines, method, personal } = event;
      const status = state.label.status === 'bought' ? 'labeled' : 'assigned';
      return { ...state, status, request: { warehouse, lines, method, address: personal.address } };
    }
    case 'LabelRequested':
    case 'LabelAttemptFailed':
    case 'LabelFailed':
    case 'LabelPurchased':
    case 'LabelVoidRequested':
    case 'LabelVoided':
    case 'LabelVoidFailed':
      return applyToLabel(state, event);
    case 'TrackingAssigned':
      return { ...state, carrier: event.carrier, trackingNumber: event.trackingNumber };
    case 'ShipmentPicked':
      return { ...state, picked: true };
    case 'HandedToCarrier':
      return { ...seen(state, event), picked: true, status: 'handed-to-carrier', alert: null };
    case 'InTransit':
      return { ...seen(state, event), status: 'in-transit' };
    case 'OutForDelivery':
      return { ...seen(state, event), status: 'out-for-delivery' };
    case 'DeliveryAttemptFailed':
      return { ...seen(state, event), status: 'delivery-attempt-failed', attempts: event.attempt };
    case 'Delivered':
      return { ...seen(state, event), status: 'delivered' };
    case 'ReturnToSenderStarted':
      return { ...seen(state, event), status: 'returning-to-sender' };
    case 'Returned':
      return { ...seen(state, event), status: 'returned' };
    case 'ShipmentLost':
      return { ...state, status: 'lost' };
    case 'ShipmentScanned':
      return seen(state, event);
    case 'ShipmentGhost':
      return { ...state, alert: 'ghost' };
    case 'ShipmentCancelled':
      return { ...state, status: 'cancelled', alert: null };
    default:
      return assertNever(event);
  }
}

function seen(state: ShipmentState, { at }: { readonly at: number }): ShipmentState {
  return { ...state, lastSeenAt: at, alert: null };
}

type LabelEvent = Extract<ShipmentEvent, { type: `Label${string}` }>;

function applyToLabel(state: ShipmentState, event: LabelEvent): ShipmentState {
  const { label } = state;
  const change = (changes: Partial<Label>): ShipmentState => ({ ...state, label: { ...label, ...changes } });
  switch (event.type) {
    case 'LabelRequested':
      return change({ status: 'asking', tries: label.tries + 1 });
    case 'LabelAttemptFailed':
      return change({ status: 'to-ask', uncertain: label.uncertain || event.uncertain });
    case 'LabelFailed':
      return { ...change({ status: event.final ? 'given-up' : 'to-ask' }), alert: 'label-failed' };
    case 'LabelPurchased': {
      const bought = change({ status: 'bought', labelId: event.labelId, tries: 0, uncertain: false });
      const alert = state.alert === 'label-failed' ? null : state.alert;
      return { ...bought, alert, status: state.status === 'assigned' ? 'labeled' : state.status };
    }
    case 'LabelVoidRequested':
      return change({ status: 'voiding', tries: label.tries + 1 });
    case 'LabelVoided':
      return change({ status: 'voided' });
    case 'LabelVoidFailed':
      return change({ status: event.final ? 'void-failed' : 'to-void' });
    default:
      return assertNever(event);
  }
}
