// CONTRACT (to be completed into the aggregate; names are agreed with the saga, the order and the edge)

import type { CarrierGatewayResult } from './gateways.ts';
import type { Address } from './kernel/address.ts';
import type { ShippingMethod } from './policy.ts';
import type { PostalAddress } from './shared.ts';

/** `shp_<body of the order's id>_<number>`: derived, so that creating twice creates once. */
export const shipmentId = (orderId: string, number: number): string => `shp_${orderId.slice('ord_'.length)}_${number}`;
export const shipmentAddress = (id: string): Address<'shipment'> => ({ type: 'shipment', id });
export const orderOfShipment = (id: string): string => `ord_${id.slice('shp_'.length, id.lastIndexOf('_'))}`;

export type ShipmentLine = { readonly sku: string; readonly quantity: number; readonly reservationId: string };

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
      readonly report:
        | 'picked'
        | 'handed-to-carrier'
        | 'in-transit'
        | 'out-for-delivery'
        | 'delivered'
        | 'attempt-failed'
        | 'returned'
        | 'lost';
      /** For attempt-failed: the carrier's number of the attempt; a repeated notice counts once. */
      readonly attempt?: number;
    }
  // timers
  | { readonly type: 'RetryLabel' }
  | { readonly type: 'CheckGhost' }
  | { readonly type: 'CheckLost' };

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
};
