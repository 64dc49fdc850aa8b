/** What a shipment is asked and what it answers. */
import type { CarrierGatewayRequest, CarrierGatewayResult } from '../gateways.ts';
import type { InventoryCommand } from '../inventoryItem.ts';
import type { Address } from '../kernel/address.ts';
import type { ShippingMethod } from '../policy.ts';
import type { PostalAddress } from '../shared.ts';

/** `shp_<body of the order's id>_<number>`: derived, so that creating twice creates once. */
export const shipmentId = (orderId: string, number: number): string => `shp_${orderId.slice('ord_'.length)}_${number}`;
export const shipmentAddress = (id: string): Address<'shipment'> => ({ type: 'shipment', id });
export const orderOfShipment = (id: string): string => `ord_${id.slice('shp_'.length, id.lastIndexOf('_'))}`;

export type ShipmentLine = { readonly sku: string; readonly quantity: number; readonly reservationId: string };

/** How many pieces of one SKU came back fit for sale, and how many to be looked at first. */
export type ReturnedPieces = { readonly sku: string; readonly restock: number; readonly quarantine?: number };

/** What a warehouse or carrier says happened. */
export type ShipmentReport =
  | 'picked'
  | 'handed-to-carrier'
  | 'in-transit'
  | 'out-for-delivery'
  | 'delivered'
  | 'attempt-failed'
  | 'returned'
  | 'lost';

export type ShipmentCommand =
  // from the saga
  | {
      readonly type: 'RequestShipment';
      readonly warehouse: string;
      readonly lines: readonly ShipmentLine[];
      readonly method: ShippingMethod;
      readonly address: PostalAddress;
      /** A reshipment: the shipment whose goods it brings once more. */
      readonly replaces?: string;
    }
  /** Refused (ShipmentCancelRefused) once the carrier has it; for an unknown shipment it leaves a tombstone. */
  | { readonly type: 'CancelShipment'; readonly reason: string }
  // from the gateway
  | CarrierGatewayResult
  // from the warehouse or carrier, by staff or webhook
  | {
      readonly type: 'ReportShipment';
      readonly report: ShipmentReport;
      /**
       * The carrier's number of the delivery attempt, from 1. Required for attempt-failed: a repeated notice counts once.
       * With out-for-delivery it tells the next tour from a late notice of the last one.
       */
      readonly attempt?: number;
      /** When it happened, in ms since the epoch; without it, now. Reports that come out of order are told apart by it. */
      readonly occurredAt?: number;
      /** The reporter's own id of it: a report that comes again under the same id counts once. */
      readonly eventId?: string;
    }
  // from the shipment that replaces it
  | { readonly type: 'NoteReshipped'; readonly newId: string }
  // from staff; recorded with who and why
  | { readonly type: 'ReshipShipment'; readonly by: string; readonly why: string }
  /** What became of the pieces of a parcel that came back, once. Pieces that are not mentioned are missing. */
  | {
      readonly type: 'BookReturnedPieces';
      readonly lines: readonly ReturnedPieces[];
      readonly by: string;
      readonly why: string;
    }
  /** Somebody has looked: the alert is off until there is a new one. */
  | { readonly type: 'AcknowledgeAlert'; readonly by: string; readonly why: string }
  // timers
  | { readonly type: 'RetryLabel' }
  | { readonly type: 'RetryTrace' }
  | { readonly type: 'CheckGhost' }
  | { readonly type: 'CheckLost' };

export type Of<Type extends ShipmentCommand['type']> = Extract<ShipmentCommand, { type: Type }>;

/** What a shipment tells the saga. */
export type ShipmentAnswer =
  | { readonly type: 'ShipmentAccepted'; readonly shipmentId: string }
  | { readonly type: 'ShipmentFailed'; readonly shipmentId: string; readonly reason: string }
  | { readonly type: 'ShipmentCancelled'; readonly shipmentId: string }
  | { readonly type: 'ShipmentCancelRefused'; readonly shipmentId: string; readonly status: ShipmentStatus }
  /** Its goods are to be sent once more: it is lost, or staff says so. */
  | { readonly type: 'ReshipParcel'; readonly shipmentId: string; readonly by: string; readonly why: string }
  /** It was to be sent once more, and has arrived after all. */
  | { readonly type: 'ParcelFound'; readonly shipmentId: string };

export type ShipmentStatus =
  | 'pending'
  | 'assigned'
  | 'labeled'
  | 'handed-to-carrier'
  | 'in-transit'
  | 'out-for-delivery'
  | 'delivered'
  | 'delivery-attempt-failed'
  | 'returning-to-sender'
  | 'returned'
  | 'lost'
  | 'backordered'
  | 'cancelled';

/** What a shipment tells the order; `seq` orders it within the shipment, an older one is ignored. */
export type ShipmentNews = {
  readonly type: 'ShipmentChanged';
  readonly shipmentId: string;
  readonly seq: number;
  readonly status: ShipmentStatus;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly warehouse?: string;
  readonly carrier?: string;
  /** Only once assigned. */
  readonly trackingNumber?: string;
  readonly attempts: number;
  readonly deliveredAt?: number;
  /** Set on a reshipment: the shipment that it replaces. */
  readonly replaces?: string;
  readonly replacedBy?: string;
  readonly alert?: ShipmentAlert;
};

/**
 * Somebody should look: no label can be bought; the carrier never scanned it; it was given up, and turns up.
 */
export type ShipmentAlert = 'label-failed' | 'ghost' | 'found';

export type ShipmentSend =
  | { readonly to: Address<'order-saga'>; readonly message: ShipmentAnswer }
  | { readonly to: Address<'order'>; readonly message: ShipmentNews }
  | { readonly to: Address<'gateway'>; readonly message: CarrierGatewayRequest }
  | { readonly to: Address<'shipment'>; readonly message: Of<'NoteReshipped'> }
  | {
      readonly to: Address<'stock'>;
      readonly message: Extract<InventoryCommand, { type: 'PickReservation' | 'ShipReservation' | 'RestockReturned' }>;
    };
