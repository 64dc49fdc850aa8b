/** One of each command of each aggregate, all around one cart and its order. */
import { money } from '../../actors/kernel/money.ts';
import { draftOf } from '../../actors/pricing.ts';
import type { AggregateType, CommandOf } from '../../actors/shop.ts';
import { T0 } from './spec.ts';

/** Leaving one out doesn't compile. */
type Samples = {
  [Type in AggregateType]: { [Name in CommandOf<Type>['type']]: Extract<CommandOf<Type>, { type: Name }> };
};
const usd = (amount: number) => money(amount, 'USD');
const address = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07102', country: 'US' };
const customerId = 'cus_1';
const product = { sku: 'A', name: 'Tea', price: usd(1_000), status: 'active', available: 5 } as const;
const line = { sku: 'A', name: 'Tea', quantity: 2, unitPrice: usd(1_000) };
const saga = { type: 'order-saga', id: 'ord_1' } as const;
const reservationId = 'ord_1/A/1';
const operator = { by: 'cus_9', why: 'asked' };
const draft = draftOf({
  orderId: 'ord_1',
  customerId,
  lines: [line],
  discount: usd(0),
  tax: usd(0),
  shipping: usd(599),
  shippingMethod: 'standard',
  paymentToken: 'tok_success',
  address,
});
const shipmentNews = { shipmentId: 'shp_1_1', seq: 1, status: 'delivered', lines: [line], attempts: 0 } as const;

export const samples: Samples = {
  cart: {
    CreateCart: { type: 'CreateCart', customerId, guest: true },
    AddItem: { type: 'AddItem', customerId, sku: 'A', quantity: 2, product },
    SetItemQuantity: { type: 'SetItemQuantity', customerId, sku: 'A', quantity: 3, product },
    RemoveItem: { type: 'RemoveItem', customerId, sku: 'A' },
    ClearCart: { type: 'ClearCart', customerId },
    StartCheckout: { type: 'StartCheckout', customerId, prices: [product] },
    MergeCart: { type: 'MergeCart', customerId, from: 'cart_2' },
    GiveCart: { type: 'GiveCart', into: 'cart_2', customerId, attempt: 1 },
    CartGiven: {
      type: 'CartGiven',
      from: 'cart_2',
      attempt: 1,
      lines: [{ ...line, pricedAt: T0, agreedPrice: null }],
    },
    CartNotGiven: {
      type: 'CartNotGiven',
      from: 'cart_2',
      attempt: 1,
      rejection: { status: 409, code: 'cart.checking-out', title: 'Cart is being ordered', detail: 'Finish it first.' },
    },
    TakeCartBack: { type: 'TakeCartBack', into: 'cart_2' },
    CheckedOut: { type: 'CheckedOut', orderId: 'ord_1' },
    CheckoutLapsed: { type: 'CheckoutLapsed', round: 1 },
    AbandonCart: { type: 'AbandonCart' },
  },
  checkout: {
    BeginCheckout: {
      type: 'BeginCheckout',
      round: 1,
      customerId,
      currency: 'USD',
      lines: [line],
      priceChanges: [],
    },
    CancelCheckout: { type: 'CancelCheckout', round: 1 },
    SetAddress: { type: 'SetAddress', customerId, address },
    SetShippingMethod: { type: 'SetShippingMethod', customerId, method: 'standard' },
    SetPayment: { type: 'SetPayment', customerId, token: 'tok_success' },
    CompleteCheckout: { type: 'CompleteCheckout', customerId, acceptPriceChanges: false },
    ExpireCheckout: { type: 'ExpireCheckout' },
  },
  customer: {
    RegisterCustomer: {
      type: 'RegisterCustomer',
      emailHash: 'hash',
      passwordHash: 'hash',
      role: 'customer',
      scopes: [],
      personal: { email: 'ada@example.com', name: 'Ada' },
    },
    ChangePassword: { type: 'ChangePassword', passwordHash: 'other' },
    AddAddress: { type: 'AddAddress', address, makeDefault: true },
    ChangeAddress: { type: 'ChangeAddress', addressId: 'adr_1', address: { ...address, city: 'Reno' } },
    RemoveAddress: { type: 'RemoveAddress', addressId: 'adr_1' },
    SetDefaultAddress: { type: 'SetDefaultAddress', addressId: 'adr_1' },
    ChangeProfile: { type: 'ChangeProfile', name: 'Ada Lovelace', preferences: { marketing: true } },
    ChangeScopes: { type: 'ChangeScopes', scopes: ['orders'], by: 'cus_2', why: 'Moved.' },
    DisableAccount: { type: 'DisableAccount', by: 'cus_2', why: 'Left.' },
    EnableAccount: { type: 'EnableAccount', by: 'cus_2', why: 'Came back.' },
    AnonymiseCustomer: { type: 'AnonymiseCustomer' },
    EmailSettled: { type: 'EmailSettled', emailHash: 'hash', won: false },
  },
  'customer-orders': {
    NoteOrder: { type: 'NoteOrder', orderId: 'ord_1', seq: 1, status: 'placed', total: usd(1), placedAt: T0 },
  },
  'email-claim': {
    HoldEmail: { type: 'HoldEmail', customerId },
    TakeEmail: { type: 'TakeEmail', customerId: 'cus_2' },
    FreeEmail: { type: 'FreeEmail', customerId },
    ReleaseHeldEmail: { type: 'ReleaseHeldEmail' },
  },
  order: {
    PlaceOrder: { type: 'PlaceOrder', draft },
    CancelOrder: { type: 'CancelOrder', by: { role: 'customer', id: customerId }, reason: 'changed my mind' },
    HoldOrder: { type: 'HoldOrder', seq: 1, reason: 'large', awaiting: 'review' },
    ReleaseOrder: { type: 'ReleaseOrder', seq: 2 },
    ConfirmOrder: { type: 'ConfirmOrder', seq: 3 },
    BeginFulfilment: { type: 'BeginFulfilment', seq: 4 },
    EndOrder: {
      type: 'EndOrder',
      seq: 5,
      outcome: 'cancelled',
      reason: 'cancelled',
      manual: false,
      refundPending: true,
    },
    RefuseCancellation: { type: 'RefuseCancellation', seq: 6, reason: 'shipped' },
    PaymentChanged: {
      type: 'PaymentChanged',
      seq: 1,
      status: 'captured',
      authorized: usd(1),
      captured: usd(1),
      refunded: usd(0),
    },
    ShipmentChanged: { type: 'ShipmentChanged', ...shipmentNews },
    CloseOrder: { type: 'CloseOrder' },
  },
  'order-saga': {
    StartSaga: { type: 'StartSaga', draft },
    CancelSaga: { type: 'CancelSaga', by: customerId, reason: 'changed my mind' },
    StockReserved: { type: 'StockReserved', reservationId, expiresAt: T0 + 1 },
    StockRefused: { type: 'StockRefused', reservationId, available: 0 },
    StockCommitted: { type: 'StockCommitted', reservationId },
    StockCommitRefused: { type: 'StockCommitRefused', reservationId, reason: 'expired' },
    StockReleased: { type: 'StockReleased', reservationId },
    StockExpired: { type: 'StockExpired', reservationId },
    PaymentAuthorized: { type: 'PaymentAuthorized', attempt: 1, expiresAt: T0 + 1 },
    PaymentDeclined: { type: 'PaymentDeclined', attempt: 1, reason: 'declined', retriable: false },
    PaymentActionRequired: { type: 'PaymentActionRequired', attempt: 1, url: 'https://bank.example' },
    PaymentCaptured: { type: 'PaymentCaptured', attempt: 1, amount: usd(2_599) },
    PaymentCaptureFailed: { type: 'PaymentCaptureFailed', attempt: 1, reason: 'expired' },
    PaymentVoided: { type: 'PaymentVoided', attempt: 1 },
    AuthorizationExpired: { type: 'AuthorizationExpired', attempt: 1 },
    PaymentRefunded: { type: 'PaymentRefunded', refundId: 'ord_1/refund', amount: usd(2_599) },
    RefundEscalated: { type: 'RefundEscalated', refundId: 'ord_1/refund', reason: 'refused' },
    ShipmentAccepted: { type: 'ShipmentAccepted', shipmentId: 'shp_1_1' },
    ShipmentFailed: { type: 'ShipmentFailed', shipmentId: 'shp_1_1', reason: 'no label' },
    ShipmentCancelled: { type: 'ShipmentCancelled', shipmentId: 'shp_1_1' },
    ShipmentCancelRefused: { type: 'ShipmentCancelRefused', shipmentId: 'shp_1_1', status: 'in-transit' },
    ReleaseHold: { type: 'ReleaseHold', ...operator },
    CancelByOperator: { type: 'CancelByOperator', ...operator },
    RetrySaga: { type: 'RetrySaga', ...operator },
    StepTimedOut: { type: 'StepTimedOut', step: 'reserve', attempt: 1 },
    SagaTimedOut: { type: 'SagaTimedOut' },
    ReviewOverdue: { type: 'ReviewOverdue' },
    PaymentMethodOverdue: { type: 'PaymentMethodOverdue' },
    ProvidePaymentMethod: { type: 'ProvidePaymentMethod', by: customerId, token: 'tok_other' },
  },
  payment: {
    AuthorizePayment: { type: 'AuthorizePayment', attempt: 1, amount: usd(2_599), token: 'tok_success' },
    CapturePayment: { type: 'CapturePayment', attempt: 1, amount: usd(2_599) },
    VoidPayment: { type: 'VoidPayment', attempt: 1, reason: 'cancelled' },
    RefundPayment: { type: 'RefundPayment', refundId: 'ord_1/refund', amount: usd(100), reason: 'cancelled' },
    PaymentGatewayResult: {
      type: 'PaymentGatewayResult',
      operation: 'GatewayAuthorize',
      key: 'ord_1/authorize-1',
      result: { outcome: 'authorized', authorizationId: 'auth_1', expiresAt: T0 + 604_800_000 },
    },
    EnquireAgain: { type: 'EnquireAgain', key: 'ord_1/authorize-1' },
    RetryRefund: { type: 'RetryRefund', refundId: 'ord_1/refund' },
    ExpireAuthorization: { type: 'ExpireAuthorization' },
  },
  request: { ClaimRequest: { type: 'ClaimRequest' } },
  product: {
    PutProduct: { type: 'PutProduct', name: 'Tea', description: '', category: 'Drinks', tags: [] },
    SetPrice: { type: 'SetPrice', price: usd(1_000) },
    SchedulePrice: { type: 'SchedulePrice', price: usd(900), at: T0 + 86_400_000 },
    CancelScheduledPrice: { type: 'CancelScheduledPrice' },
    ActivatePrice: { type: 'ActivatePrice' },
    DiscontinueProduct: { type: 'DiscontinueProduct' },
  },
  shipment: {
    RequestShipment: {
      type: 'RequestShipment',
      warehouse: 'wh-east',
      lines: [{ sku: 'A', quantity: 2, reservationId }],
      method: 'standard',
      address,
    },
    CancelShipment: { type: 'CancelShipment', reason: 'cancelled' },
    CarrierGatewayResult: {
      type: 'CarrierGatewayResult',
      operation: 'CarrierBuyLabel',
      key: 'shp_1_1/label',
      result: { outcome: 'label', labelId: 'lbl_1', carrier: 'UPS', trackingNumber: '1Z' },
    },
    ReportShipment: { type: 'ReportShipment', report: 'handed-to-carrier' },
    RetryLabel: { type: 'RetryLabel' },
    CheckGhost: { type: 'CheckGhost' },
    CheckLost: { type: 'CheckLost' },
  },
  stock: {
    ReserveStock: { type: 'ReserveStock', reservationId, quantity: 2, saga },
    CommitReservation: { type: 'CommitReservation', reservationId, saga },
    ReleaseReservation: { type: 'ReleaseReservation', reservationId, saga },
    PickReservation: { type: 'PickReservation', reservationId },
    ShipReservation: { type: 'ShipReservation', reservationId },
    ExpireReservation: { type: 'ExpireReservation', reservationId },
    ReceiveStock: { type: 'ReceiveStock', quantity: 10 },
    AdjustStock: { type: 'AdjustStock', delta: -1, reason: 'broken' },
    RestockReturned: { type: 'RestockReturned', quantity: 1, returnId: 'ret_1' },
  },
};

export const ids: Record<AggregateType, string> = {
  cart: 'cart_1',
  checkout: 'chk_1',
  customer: customerId,
  'customer-orders': customerId,
  'email-claim': 'hash',
  order: 'ord_1',
  'order-saga': 'ord_1',
  payment: 'ord_1',
  product: 'A-1',
  request: 'req_1',
  shipment: 'shp_1_1',
  stock: 'A@wh-east',
};
