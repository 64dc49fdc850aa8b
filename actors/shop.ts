/**
 * The whole shop: every aggregate by its type, and the proof that no wire between them is dead. What is sent has a handler
 * and every handler has a sender; forget one and this file doesn't compile.
 */
import { type CartEdgeCommand, type CartSend, type CartTimerCommand, cartDecider } from './cart.ts';
import { type CheckoutEdgeCommand, type CheckoutSend, type CheckoutTimerCommand, checkoutDecider } from './checkout.ts';
import { type CustomerEdgeCommand, type CustomerSend, customerDecider } from './customer.ts';
import { customerOrdersDecider } from './customerOrders.ts';
import {
  type EmailClaimEdgeCommand,
  type EmailClaimSend,
  type EmailClaimTimerCommand,
  emailClaimDecider,
} from './emailClaim.ts';
import type {
  CarrierGatewayRequest,
  CarrierGatewayResult,
  PaymentDisputeNews,
  PaymentGatewayRequest,
  PaymentGatewayResult,
} from './gateways.ts';
import { type InventorySend, inventoryDecider } from './inventoryItem.ts';
import type { Address } from './kernel/address.ts';
import type { Decider, Typed, Versioned } from './kernel/decider.ts';
import { type NetworkAddressCommand, networkAddressDecider } from './networkAddress.ts';
import { type OrderEdgeCommand, type OrderSend, type OrderTimerCommand, orderDecider } from './order.ts';
import type { SagaEdgeCommand, SagaSend, SagaTimerCommand } from './orderSaga/messages.ts';
import { sagaDecider } from './orderSaga/saga.ts';
import { type PaymentSend, paymentDecider } from './payment.ts';
import type { Policy } from './policy.ts';
import { type ProductEdgeCommand, type ProductTimerCommand, productDecider } from './product.ts';
import { type RequestCommand, requestDecider } from './request.ts';
import { type ShipmentSend, shipmentDecider } from './shipment.ts';

export const shop = {
  cart: cartDecider,
  checkout: checkoutDecider,
  customer: customerDecider,
  'customer-orders': customerOrdersDecider,
  'email-claim': emailClaimDecider,
  'network-address': networkAddressDecider,
  order: orderDecider,
  'order-saga': sagaDecider,
  payment: paymentDecider,
  product: productDecider,
  request: requestDecider,
  shipment: shipmentDecider,
  stock: inventoryDecider,
} satisfies Record<string, Decider<unknown, Typed, Versioned, Policy>>;

export type AggregateType = keyof typeof shop;
export type CommandOf<Type extends AggregateType> = Parameters<(typeof shop)[Type]['decide']>[1];

/** Everything that one aggregate says to another or to a gateway. */
type Wire =
  | CartSend
  | CheckoutSend
  | CustomerSend
  | EmailClaimSend
  | InventorySend
  | OrderSend
  | PaymentSend
  | SagaSend
  | ShipmentSend;

/** What comes from elsewhere: the edge (and through it staff and carriers), the aggregate's own timers, the gateways. */
export type FromElsewhere = {
  cart: (CartEdgeCommand | CartTimerCommand)['type'];
  checkout: (CheckoutEdgeCommand | CheckoutTimerCommand)['type'];
  customer: CustomerEdgeCommand['type'];
  'customer-orders': never;
  'email-claim': (EmailClaimEdgeCommand | EmailClaimTimerCommand)['type'];
  'network-address': NetworkAddressCommand['type'];
  order: (OrderEdgeCommand | OrderTimerCommand)['type'];
  'order-saga': (SagaEdgeCommand | SagaTimerCommand)['type'];
  payment:
    | (PaymentGatewayResult | PaymentDisputeNews)['type']
    | 'EnquireAgain'
    | 'RetryRefund'
    | 'NoteRefundOverdue'
    | 'ExpireAuthorization';
  product: (ProductEdgeCommand | ProductTimerCommand)['type'];
  request: RequestCommand['type'];
  shipment:
    | CarrierGatewayResult['type']
    | 'ReportShipment'
    | 'ReshipShipment'
    | 'BookReturnedPieces'
    | 'AcknowledgeAlert'
    | 'RetryLabel'
    | 'RetryTrace'
    | 'CheckGhost'
    | 'CheckLost';
  stock:
    | 'ReceiveStock'
    | 'AdjustStock'
    | 'TransferStock'
    | 'QuarantineStock'
    | 'ReleaseQuarantine'
    | 'ExpectDelivery'
    | 'ClearExpected'
    | 'ExpireReservation'
    | 'AllocateBackorders';
};

type Accepted<Type> = Type extends AggregateType
  ? CommandOf<Type>
  : Type extends 'gateway'
    ? PaymentGatewayRequest | CarrierGatewayRequest
    : never;

type SentTo<Type, AWire = Wire> = AWire extends { to: Address<infer To>; message: { type: infer Name } }
  ? Type extends To
    ? Name
    : never
  : never;

/** Messages that their target doesn't know. */
type Unheard<AWire = Wire> = AWire extends { to: Address<infer To>; message: infer Message }
  ? Exclude<Message, Accepted<To>>
  : never;

/** Commands that nobody gives. */
type Unsaid = {
  [Type in AggregateType]: Exclude<CommandOf<Type>['type'], SentTo<Type> | FromElsewhere[Type]>;
}[AggregateType];

/** Commands that are said to come from elsewhere, but don't exist. */
type Mislabelled = {
  [Type in AggregateType]: Exclude<FromElsewhere[Type], CommandOf<Type>['type']>;
}[AggregateType];

type None<Type extends never> = Type;
export type EveryMessageHasAHandler = None<Unheard>;
export type EveryHandlerHasASender = None<Unsaid>;
export type EveryLabelIsTrue = None<Mislabelled>;
