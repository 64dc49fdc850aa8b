/** What happened to a shipment, and where it is after that. */
import { assertNever } from '../kernel/assertNever.ts';
import type { ShippingMethod } from '../policy.ts';
import type { PostalAddress } from '../shared.ts';
import type { ReturnedPieces, ShipmentAlert, ShipmentLine, ShipmentStatus } from './messages.ts';

/** `at` is when it happened, as far as we are told, never later than we heard of it. */
export type ShipmentEvent = { readonly v: 1 } & (
  | {
      readonly type: 'WarehouseAssigned';
      readonly at?: number;
      readonly warehouse: string;
      readonly lines: readonly ShipmentLine[];
      readonly method: ShippingMethod;
      readonly replaces?: string;
      readonly personal: { readonly address: PostalAddress };
    }
  | { readonly type: 'LabelRequested' }
  /** It will be asked again. `uncertain`: it may have been bought; `refused`: surely not, and never under this key. */
  | {
      readonly type: 'LabelAttemptFailed';
      readonly reason: string;
      readonly uncertain: boolean;
      readonly refused?: true;
    }
  | { readonly type: 'LabelPurchased'; readonly labelId: string }
  /** Somebody should look. Still tried, but slowly, unless it is final. */
  | { readonly type: 'LabelFailed'; readonly reason: string; readonly final: boolean }
  | { readonly type: 'LabelVoidRequested' }
  | { readonly type: 'LabelVoided' }
  | { readonly type: 'LabelVoidFailed'; readonly reason: string; readonly final: boolean; readonly refused?: true }
  | { readonly type: 'TrackingAssigned'; readonly carrier: string; readonly trackingNumber: string }
  /** The reporter's own id of what it reports. */
  | { readonly type: 'ReportNoted'; readonly eventId: string }
  | { readonly type: 'ShipmentPicked' }
  | { readonly type: 'HandedToCarrier'; readonly at: number }
  | { readonly type: 'InTransit'; readonly at: number }
  | { readonly type: 'OutForDelivery'; readonly at: number; readonly attempt?: number }
  /** `late`: it is out on a later tour already. */
  | { readonly type: 'DeliveryAttemptFailed'; readonly at: number; readonly attempt: number; readonly late?: true }
  | { readonly type: 'Delivered'; readonly at: number }
  | { readonly type: 'ReturnToSenderStarted'; readonly at: number }
  | { readonly type: 'Returned'; readonly at: number }
  | { readonly type: 'ShipmentLost'; readonly at: number }
  /** The carrier saw it again; it is where it was. */
  | { readonly type: 'ShipmentScanned'; readonly at: number }
  /** Handed over, but the carrier never scanned it. */
  | { readonly type: 'ShipmentGhost' }
  /** It was given up, and is seen again. */
  | { readonly type: 'ShipmentFound'; readonly at: number }
  | { readonly type: 'TraceRequested' }
  | { readonly type: 'TraceOpened'; readonly traceId: string }
  | { readonly type: 'TraceFailed'; readonly reason: string; readonly final: boolean; readonly refused?: true }
  | { readonly type: 'ReshipmentRequested'; readonly by: string; readonly why: string }
  | { readonly type: 'ShipmentReshipped'; readonly newId: string }
  | {
      readonly type: 'ReturnedPiecesBooked';
      readonly lines: readonly ReturnedPieces[];
      readonly by: string;
      readonly why: string;
    }
  | { readonly type: 'AlertAcknowledged'; readonly by: string; readonly why: string }
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
  /** How many keys the carrier has refused for good, for buying or, once it is bought, for voiding. */
  readonly refusals: number;
};

/** What the carrier does to find it. `asking`: a result will come; `to-ask`: at the timer. */
export type Trace = {
  readonly status: 'none' | 'asking' | 'to-ask' | 'open' | 'given-up';
  readonly traceId: string | null;
  readonly tries: number;
  readonly refusals: number;
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
  /** The number of the delivery tour that it is on, as far as we were told one. */
  readonly tour: number;
  /** When that happened which its status says. */
  readonly statusAt: number | null;
  /** When it was last heard of since the hand-over. */
  readonly lastSeenAt: number | null;
  readonly deliveredAt: number | null;
  readonly alert: ShipmentAlert | null;
  /** The ids of the newest reports, oldest first. */
  readonly reports: readonly string[];
  readonly trace: Trace;
  /** Its goods are to be sent once more. */
  readonly reshipping: boolean;
  readonly replacedBy: string | null;
  /** What became of the pieces that came back is in the books. */
  readonly booked: boolean;
};

export type Request = {
  readonly at: number;
  readonly warehouse: string;
  readonly lines: readonly ShipmentLine[];
  readonly method: ShippingMethod;
  readonly address: PostalAddress;
  readonly replaces: string | null;
};

/** A parcel is reported on some dozen times; an id that is older than this many reports is forgotten. */
const REMEMBERED_REPORTS = 100;

export function initial(id: string): ShipmentState {
  return {
    id,
    events: 0,
    status: 'pending',
    request: null,
    label: { status: 'none', labelId: null, tries: 0, uncertain: false, refusals: 0 },
    carrier: null,
    trackingNumber: null,
    picked: false,
    attempts: 0,
    tour: 0,
    statusAt: null,
    lastSeenAt: null,
    deliveredAt: null,
    alert: null,
    reports: [],
    trace: { status: 'none', traceId: null, tries: 0, refusals: 0 },
    reshipping: false,
    replacedBy: null,
    booked: false,
  };
}

export function evolve(state: ShipmentState, event: ShipmentEvent): ShipmentState {
  return { ...apply(state, event), events: state.events + 1 };
}

function apply(state: ShipmentState, event: ShipmentEvent): ShipmentState {
  switch (event.type) {
    case 'WarehouseAssigned': {
      const { at = 0, warehouse, lines, method, replaces = null, personal } = event;
      const status = state.label.status === 'bought' ? 'labeled' : 'assigned';
      return { ...state, status, request: { at, warehouse, lines, method, address: personal.address, replaces } };
    }
    case 'LabelRequested':
    case 'LabelAttemptFailed':
    case 'LabelFailed':
    case 'LabelPurchased':
    case 'LabelVoidRequested':
    case 'LabelVoided':
    case 'LabelVoidFailed':
      return applyToLabel(state, event);
    case 'TraceRequested':
    case 'TraceOpened':
    case 'TraceFailed':
      return { ...state, trace: traced(state.trace, event) };
    case 'TrackingAssigned':
      return { ...state, carrier: event.carrier, trackingNumber: event.trackingNumber };
    case 'ShipmentPicked':
      return { ...state, picked: true };
    case 'ReportNoted':
      return { ...state, reports: [...state.reports, event.eventId].slice(-REMEMBERED_REPORTS) };
    case 'ShipmentGhost':
      return { ...state, alert: 'ghost' };
    case 'ReshipmentRequested':
      return { ...state, reshipping: true };
    case 'ShipmentReshipped':
      return { ...state, replacedBy: event.newId };
    case 'ReturnedPiecesBooked':
      return { ...state, booked: true, alert: null };
    case 'AlertAcknowledged':
      return { ...state, alert: null };
    case 'ShipmentCancelled':
      return { ...state, status: 'cancelled', alert: null };
    default:
      return moved(state, event);
  }
}

type Move = Extract<ShipmentEvent, { at: number }>;

function moved(state: ShipmentState, event: Move): ShipmentState {
  const lastSeenAt = Math.max(state.lastSeenAt ?? 0, event.at);
  const seen = { ...state, lastSeenAt, alert: null };
  const now = (status: ShipmentStatus): ShipmentState => ({ ...seen, status, statusAt: event.at });
  switch (event.type) {
    case 'HandedToCarrier':
      return { ...now('handed-to-carrier'), picked: true };
    case 'InTransit':
      return now('in-transit');
    case 'OutForDelivery':
      return { ...now('out-for-delivery'), tour: event.attempt ?? state.tour };
    case 'DeliveryAttemptFailed':
      return { ...(event.late ? seen : now('delivery-attempt-failed')), attempts: event.attempt };
    case 'Delivered':
      return { ...now('delivered'), deliveredAt: event.at };
    case 'ReturnToSenderStarted':
      return now('returning-to-sender');
    case 'Returned':
      return now('returned');
    case 'ShipmentScanned':
      return seen;
    case 'ShipmentFound':
      return { ...seen, alert: 'found' };
    case 'ShipmentLost':
      // Nobody saw it: that is why.
      return { ...state, status: 'lost', statusAt: event.at, alert: null };
    default:
      return assertNever(event);
  }
}

type LabelEvent = Extract<ShipmentEvent, { type: `Label${string}` }>;

function applyToLabel(state: ShipmentState, event: LabelEvent): ShipmentState {
  const { label } = state;
  const change = (changes: Partial<Label>): ShipmentState => ({ ...state, label: { ...label, ...changes } });
  const refusals = 'refused' in event ? label.refusals + 1 : label.refusals;
  switch (event.type) {
    case 'LabelRequested':
      return change({ status: 'asking', tries: label.tries + 1 });
    case 'LabelAttemptFailed': {
      const uncertain = !event.refused && (label.uncertain || event.uncertain);
      return change({ status: 'to-ask', uncertain, refusals });
    }
    case 'LabelFailed':
      return { ...change({ status: event.final ? 'given-up' : 'to-ask' }), alert: 'label-failed' };
    case 'LabelPurchased': {
      const bought = change({ status: 'bought', labelId: event.labelId, tries: 0, uncertain: false, refusals: 0 });
      const alert = state.alert === 'label-failed' ? null : state.alert;
      return { ...bought, alert, status: state.status === 'assigned' ? 'labeled' : state.status };
    }
    case 'LabelVoidRequested':
      return change({ status: 'voiding', tries: label.tries + 1 });
    case 'LabelVoided':
      return change({ status: 'voided' });
    case 'LabelVoidFailed':
      return change({ status: event.final ? 'void-failed' : 'to-void', refusals });
    default:
      return assertNever(event);
  }
}

type TraceEvent = Extract<ShipmentEvent, { type: `Trace${string}` }>;

function traced(trace: Trace, event: TraceEvent): Trace {
  switch (event.type) {
    case 'TraceRequested':
      return { ...trace, status: 'asking', tries: trace.tries + 1 };
    case 'TraceOpened':
      return { ...trace, status: 'open', traceId: event.traceId };
    case 'TraceFailed': {
      const refusals = event.refused ? trace.refusals + 1 : trace.refusals;
      return { ...trace, status: event.final ? 'given-up' : 'to-ask', refusals };
    }
    default:
      return assertNever(event);
  }
}
