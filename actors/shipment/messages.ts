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
    }
  // timers
  | { readonly type: 'RetryLabel' }
  | { readonly type: 'CheckGhost' }
  | { readonly type: 'CheckLost' };

export type Of<Type extends ShipmentCommand['type']> = Extract<ShipmentCommand, { type: Type }>;

/** What a shipment tells the saga. */
export type ShipmentAnswer =
  | { readonly type: 'ShipmentAccepted'; readonly shipmentId: string }
  | { readonly type: 'ShipmentFailed'; readonly shipmentId: string; readonly reason: string }
  | { readonly type: 'ShipmentCancelled'; readonly shipmentId: string }
  | { readonly type: 'ShipmentCancelRefused'; readonly shipmentId: string; readonly status: ShipmentStatus };

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
  readonly carrier?: string;
  /** Only once assigned. */
  readonly trackingNumber?: string;
  readonly attempts: number;
  /** Set on a reshipment: the shipment that it replaces. */
  readonly replaces?: string;
  /** Somebody should look: no label can be bought, or the carrier never scanned it. */
  readonly alert?: ShipmentAlert;
};

export type ShipmentAlert = 'label-failed' | 'ghost';

export type ShipmentSend =
  | { readonly to: Address<'order-saga'>; readonly message: ShipmentAnswer }
  | { readonly to: Address<'order'>; readonly message: ShipmentNews }
  | { readonly to: Address<'gateway'>; readonly message: CarrierGatewayRequest }
  | {
      readonly to: Address<'stock'>;
      readonly message: Extract<InventoryCommand, { type: 'PickReservation' | 'ShipReservation' }>;
    };
