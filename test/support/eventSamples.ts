/**
 * One event of each type of each aggregate, all around one cart and its order, with the types of those that came before
 * it. What golden files are made of.
 */
import { money } from '../../actors/kernel/money.ts';
import { totalsOf } from '../../actors/pricing.ts';
import type { AggregateType, shop } from '../../actors/shop.ts';
import { ids } from './samples.ts';
import { T0 } from './spec.ts';

export type EventOf<Type extends AggregateType> = Parameters<(typeof shop)[Type]['evolve']>[1];

/** An event that may follow these. */
type Sample<Event extends { type: string }, Name> = readonly [
  event: Extract<Event, { type: Name }>,
  ...after: Event['type'][],
];

/** Leaving one out doesn't compile. */
type EventSamples = {
  [Type in AggregateType]: { [Name in EventOf<Type>['type']]: Sample<EventOf<Type>, Name> };
};

const v = 1;
const at = Date.UTC(2026, 0, 1, 12);
const usd = (amount: number) => money(amount, 'USD');
const address = {
  name: 'Ada Jones',
  line1: '1 Main Street',
  line2: 'Flat 2',
  city: 'Columbus',
  region: 'OH',
  postalCode: '43004',
  country: 'US',
};
const line = { sku: 'A', name: 'Tea', quantity: 2, unitPrice: usd(1_000) };
const sold = { ...line, discount: usd(200), tax: usd(144), total: usd(1_944) };
const charges = { discount: usd(200), shipping: usd(599), tax: usd(144) };
const totals = totalsOf([line], charges);
const priceChange = { sku: 'A', old: usd(1_000), new: usd(1_100) };
const customerId = ids.customer;
const reservationId = `${ids.order}/1.1`;
const held = { reservationId, quantity: 2 };
const keep = 1_000;
const refundId = `${ids.order}/cancel-1.1`;
const operatorRefund = `${ids.order}/refund-1`;
const authorize = { kind: 'authorize', attempt: 1 } as const;
const reserve = {
  kind: 'reserve',
  line: 1,
  route: 0,
  reservationId,
  sku: 'A',
  quantity: 2,
  warehouse: 'wh-central',
} as const;
const operator = { by: 'cus_9', why: 'Asked by phone.' } as const;
const undoing = { goal: 'cancelled', reason: 'Changed my mind.', by: `customer:${customerId}`, why: '' } as const;
const ended = { reason: 'Changed my mind.', manual: true, refundPending: true };
const shipment = {
  shipmentId: ids.shipment,
  seq: 7,
  status: 'in-transit',
  lines: [{ sku: 'A', quantity: 2 }],
  carrier: 'UPS',
  trackingNumber: '1Z',
  attempts: 1,
  replaces: 'shp_1_0',
  alert: 'ghost',
} as const;
const details = { name: 'Tea', description: 'Green.', category: 'Drinks', tags: ['green', 'loose'] };

const cart: EventSamples['cart'] = {
  CartCreated: [{ type: 'CartCreated', v, at, customerId, guest: true, currency: 'USD' }],
  ItemAdded: [{ type: 'ItemAdded', v, at, line }, 'CartCreated', 'ItemAdded'],
  ItemQuantityChanged: [{ type: 'ItemQuantityChanged', v, at, sku: 'A', quantity: 3 }, 'CartCreated', 'ItemAdded'],
  ItemRemoved: [{ type: 'ItemRemoved', v, at, sku: 'A' }, 'CartCreated', 'ItemAdded'],
  PriceRefreshed: [{ type: 'PriceRefreshed', v, at, ...priceChange }, 'CartCreated', 'ItemAdded'],
  CartCleared: [{ type: 'CartCleared', v, at }, 'CartCreated', 'ItemAdded'],
  CheckoutStarted: [{ type: 'CheckoutStarted', v, at, round: 1 }, 'CartCreated', 'ItemAdded', 'PriceRefreshed'],
  CartReopened: [
    { type: 'CartReopened', v, round: 1, reason: 'changed' },
    'CartCreated',
    'ItemAdded',
    'CheckoutStarted',
  ],
  CartCheckedOut: [
    { type: 'CartCheckedOut', v, orderId: ids.order },
    'CartCreated',
    'ItemAdded',
    'ItemQuantityChanged',
    'CheckoutStarted',
  ],
  CartAbandoned: [{ type: 'CartAbandoned', v }, 'CartCreated', 'ItemAdded'],
  CartMerged: [{ type: 'CartMerged', v, at, into: 'cart_2' }, 'CartCreated', 'ItemAdded'],
  CartMergeUndone: [{ type: 'CartMergeUndone', v, at, into: 'cart_2' }, 'CartCreated', 'ItemAdded', 'CartMerged'],
  CartMergeRequested: [{ type: 'CartMergeRequested', v, from: 'cart_2', attempt: 1 }, 'CartCreated', 'ItemAdded'],
  CartTakenOver: [
    {
      type: 'CartTakenOver',
      v,
      at,
      from: 'cart_2',
      attempt: 1,
      taken: [
        { ...line, pricedAt: at, agreedPrice: null },
        { ...line, sku: 'B', pricedAt: at, agreedPrice: usd(900) },
      ],
      warnings: [{ code: 'cart.line-left-out', sku: 'C', detail: 'There was no room for C.' }],
    },
    'CartCreated',
    'ItemAdded',
    'CartMergeRequested',
  ],
  CartMergeFailed: [
    {
      type: 'CartMergeFailed',
      v,
      from: 'cart_2',
      attempt: 1,
      rejection: { status: 409, code: 'cart.merged', title: 'Cart merged', detail: 'It is elsewhere.' },
    },
    'CartCreated',
    'ItemAdded',
    'CartMergeRequested',
  ],
};

const began = {
  round: 1,
  customerId,
  lines: [line],
  priceChanges: [priceChange],
  discount: usd(0),
  tax: usd(0),
  pricesUntil: at + 9,
};
const checkout: EventSamples['checkout'] = {
  CheckoutBegan: [{ type: 'CheckoutBegan', v, expiresAt: at, ...began }],
  AddressSet: [{ type: 'AddressSet', v, expiresAt: at + 1, personal: { address } }, 'CheckoutBegan'],
  AddressChecked: [
    {
      type: 'AddressChecked',
      v,
      personal: { addressCheck: { status: 'undeliverable', reason: 'there is no such address' } },
    },
    'CheckoutBegan',
    'AddressSet',
  ],
  MethodSet: [
    { type: 'MethodSet', v, expiresAt: at + 2, method: 'express', price: usd(1_299) },
    'CheckoutBegan',
    'AddressSet',
  ],
  PaymentSet: [
    { type: 'PaymentSet', v, expiresAt: at + 3, personal: { token: 'tok_success' } },
    'CheckoutBegan',
    'AddressSet',
    'MethodSet',
  ],
  PriceChangeAcknowledged: [
    { type: 'PriceChangeAcknowledged', v, priceChanges: [priceChange] },
    'CheckoutBegan',
    'AddressSet',
    'MethodSet',
    'PaymentSet',
  ],
  CheckoutCompleted: [
    { type: 'CheckoutCompleted', v, orderId: ids.order },
    'CheckoutBegan',
    'AddressSet',
    'MethodSet',
    'PaymentSet',
    'PriceChangeAcknowledged',
  ],
  CheckoutExpired: [{ type: 'CheckoutExpired', v, round: 1, reason: 'timeout' }, 'CheckoutBegan', 'AddressSet'],
};

const customer: EventSamples['customer'] = {
  CustomerRegistered: [
    {
      type: 'CustomerRegistered',
      v,
      emailHash: ids['email-claim'],
      role: 'staff',
      scopes: ['orders', 'stock'],
      personal: { email: 'ada@example.com', name: 'Ada', passwordHash: 'scrypt$1' },
    },
  ],
  PasswordChanged: [{ type: 'PasswordChanged', v, personal: { passwordHash: 'scrypt$2' } }, 'CustomerRegistered'],
  NameChanged: [{ type: 'NameChanged', v, personal: { name: 'Ada Lovelace' } }, 'CustomerRegistered'],
  ScopesChanged: [{ type: 'ScopesChanged', v, scopes: ['orders'], by: 'cus_2', why: 'Moved.' }, 'CustomerRegistered'],
  AccountDisabled: [{ type: 'AccountDisabled', v, by: 'cus_2', why: 'Left.' }, 'CustomerRegistered'],
  AccountEnabled: [
    { type: 'AccountEnabled', v, by: 'cus_2', why: 'Came back.' },
    'CustomerRegistered',
    'AccountDisabled',
  ],
  AddressAdded: [{ type: 'AddressAdded', v, addressId: 'adr_1', personal: { address } }, 'CustomerRegistered'],
  AddressChanged: [
    { type: 'AddressChanged', v, addressId: 'adr_1', personal: { address: { ...address, city: 'Reno' } } },
    'CustomerRegistered',
    'AddressAdded',
  ],
  AddressDoubted: [
    {
      type: 'AddressDoubted',
      v,
      addressId: 'adr_1',
      personal: { check: { status: 'corrected', suggestion: { ...address, line1: '1 Main St.' } } },
    },
    'CustomerRegistered',
    'AddressAdded',
  ],
  AddressVerified: [{ type: 'AddressVerified', v, addressId: 'adr_1' }, 'CustomerRegistered', 'AddressAdded'],
  AddressRemoved: [
    { type: 'AddressRemoved', v, addressId: 'adr_1' },
    'CustomerRegistered',
    'AddressAdded',
    'DefaultAddressSet',
  ],
  DefaultAddressSet: [{ type: 'DefaultAddressSet', v, addressId: 'adr_1' }, 'CustomerRegistered', 'AddressAdded'],
  PreferencesChanged: [
    { type: 'PreferencesChanged', v, preferences: { orderUpdates: false, marketing: true } },
    'CustomerRegistered',
  ],
  CustomerAnonymised: [
    { type: 'CustomerAnonymised', v, reason: 'asked' },
    'CustomerRegistered',
    'AddressAdded',
    'PreferencesChanged',
  ],
};

const order: EventSamples['order'] = {
  OrderPlaced: [
    {
      type: 'OrderPlaced',
      v,
      customerId,
      cartId: ids.cart,
      currency: 'USD',
      lines: [sold],
      totals,
      shippingMethod: 'standard',
      placedAt: at,
      personal: { address },
    },
  ],
  OrderHeld: [{ type: 'OrderHeld', v, seq: 3, awaiting: 'review', reason: 'Large.' }, 'OrderPlaced'],
  OrderReleased: [{ type: 'OrderReleased', v, seq: 4 }, 'OrderPlaced', 'OrderHeld'],
  OrderConfirmed: [{ type: 'OrderConfirmed', v, seq: 5 }, 'OrderPlaced', 'OrderPaymentChanged'],
  OrderFulfilmentBegun: [{ type: 'OrderFulfilmentBegun', v, seq: 6 }, 'OrderPlaced', 'OrderConfirmed'],
  OrderPaymentChanged: [
    {
      type: 'OrderPaymentChanged',
      v,
      seq: 2,
      payment: { status: 'captured', authorized: totals.total, captured: totals.total, refunded: usd(0) },
    },
    'OrderPlaced',
  ],
  OrderShipmentChanged: [
    { type: 'OrderShipmentChanged', v, shipment },
    'OrderPlaced',
    'OrderConfirmed',
    'OrderFulfilmentBegun',
  ],
  OrderShipped: [{ type: 'OrderShipped', v, complete: true }, 'OrderPlaced', 'OrderConfirmed', 'OrderShipmentChanged'],
  OrderDelivered: [
    { type: 'OrderDelivered', v, complete: true, deliveredAt: at + 1 },
    'OrderPlaced',
    'OrderConfirmed',
    'OrderShipmentChanged',
  ],
  OrderDeliveryFailed: [{ type: 'OrderDeliveryFailed', v }, 'OrderPlaced', 'OrderConfirmed', 'OrderShipmentChanged'],
  OrderCancelRequested: [
    { type: 'OrderCancelRequested', v, by: `customer:${customerId}`, reason: 'Changed my mind.' },
    'OrderPlaced',
    'OrderConfirmed',
  ],
  OrderCancelRefused: [
    { type: 'OrderCancelRefused', v, seq: 9, reason: 'The carrier has the goods.' },
    'OrderPlaced',
    'OrderConfirmed',
    'OrderCancelRequested',
  ],
  OrderCancelled: [{ type: 'OrderCancelled', v, seq: 9, ...ended }, 'OrderPlaced', 'OrderHeld', 'OrderCancelRequested'],
  OrderOutOfStock: [
    { type: 'OrderOutOfStock', v, seq: 9, ...ended, manual: false, refundPending: false },
    'OrderPlaced',
  ],
  OrderPaymentFailed: [{ type: 'OrderPaymentFailed', v, seq: 9, ...ended, refundPending: false }, 'OrderPlaced'],
  OrderNoteAdded: [
    { type: 'OrderNoteAdded', v, at, by: 'cus_9', personal: { text: 'Knock, the bell is broken.' } },
    'OrderPlaced',
  ],
  OrderClosed: [
    { type: 'OrderClosed', v },
    'OrderPlaced',
    'OrderConfirmed',
    'OrderFulfilmentBegun',
    'OrderShipmentChanged',
    'OrderDelivered',
  ],
};

const saga: EventSamples['order-saga'] = {
  SagaStarted: [
    {
      type: 'SagaStarted',
      v,
      lines: [{ sku: 'A', quantity: 2 }],
      total: totals.total,
      shippingMethod: 'standard',
      candidates: ['wh-central', 'wh-east'],
      personal: { address, paymentToken: 'tok_success' },
    },
  ],
  StepStarted: [{ type: 'StepStarted', v, step: 'reserve:1.1', work: reserve }, 'SagaStarted'],
  StepSucceeded: [{ type: 'StepSucceeded', v, step: 'reserve:1.1' }, 'SagaStarted', 'StepStarted'],
  StepFailed: [{ type: 'StepFailed', v, step: 'reserve:1.1', reason: 'refused' }, 'SagaStarted', 'StepStarted'],
  StepTimedOut: [{ type: 'StepTimedOut', v, step: 'reserve:1.1', final: true }, 'SagaStarted', 'StepStarted'],
  CompensationStarted: [
    { type: 'CompensationStarted', v, ...undoing },
    'SagaStarted',
    'StepStarted',
    'CompensationFailed',
  ],
  GoalChanged: [
    { type: 'GoalChanged', v, ...undoing, goal: 'out-of-stock' },
    'SagaStarted',
    'StepStarted',
    'CompensationStarted',
  ],
  CompensationRequested: [
    { type: 'CompensationRequested', v, step: 'reserve:1.1' },
    'SagaStarted',
    'StepStarted',
    'CompensationStarted',
    'CompensationRequested',
  ],
  StepCompensated: [
    { type: 'StepCompensated', v, step: 'reserve:1.1' },
    'SagaStarted',
    'StepStarted',
    'CompensationStarted',
    'CompensationRequested',
  ],
  CompensationRefused: [
    { type: 'CompensationRefused', v, step: 'reserve:1.1', reason: 'It is in-transit.' },
    'SagaStarted',
    'StepStarted',
    'CompensationStarted',
    'CompensationRequested',
  ],
  CompensationFailed: [
    { type: 'CompensationFailed', v, step: 'reserve:1.1', reason: 'No answer.' },
    'SagaStarted',
    'StepStarted',
    'CompensationStarted',
    'CompensationRequested',
  ],
  SagaHeld: [
    { type: 'SagaHeld', v, awaiting: 'payment', reason: 'The bank asks the customer.' },
    'SagaStarted',
    'StepStarted',
  ],
  StepSkipped: [
    { type: 'StepSkipped', v, step: 'reserve:1.1', by: 'cus_9', why: 'Counted by hand.' },
    'SagaStarted',
    'StepStarted',
    'CompensationStarted',
    'CompensationRequested',
    'CompensationFailed',
  ],
  OperatorRefundRequested: [
    { type: 'OperatorRefundRequested', v, refundId: operatorRefund, amount: usd(100), by: 'cus_9', why: 'Chipped.' },
    'SagaStarted',
  ],
  OperatorRefundStuck: [
    { type: 'OperatorRefundStuck', v, refundId: operatorRefund, reason: 'Account closed.' },
    'SagaStarted',
    'OperatorRefundRequested',
  ],
  DisputeNoted: [{ type: 'DisputeNoted', v, disputeId: 'dp_1', amount: usd(500), status: 'open' }, 'SagaStarted'],
  ParcelsSettled: [{ type: 'ParcelsSettled', v, shipments: [ids.shipment] }, 'SagaStarted'],
  OperatorRefundRetried: [
    { type: 'OperatorRefundRetried', v, refundId: operatorRefund, by: 'cus_9', why: 'Open again.' },
    'SagaStarted',
    'OperatorRefundRequested',
    'OperatorRefundStuck',
  ],
  OperatorRefundSkipped: [
    { type: 'OperatorRefundSkipped', v, refundId: operatorRefund, by: 'cus_9', why: 'Sent a cheque.' },
    'SagaStarted',
    'OperatorRefundRequested',
    'OperatorRefundStuck',
  ],
  OperatorRefundDone: [
    { type: 'OperatorRefundDone', v, refundId: operatorRefund, amount: usd(100) },
    'SagaStarted',
    'OperatorRefundRequested',
  ],
  StepDeferred: [
    { type: 'StepDeferred', v, step: 'reserve:1.1', expectedAt: at },
    'SagaStarted',
    'BackorderPlanned',
    'StepStarted',
  ],
  BackorderPlanned: [
    { type: 'BackorderPlanned', v, lines: [{ line: 1, warehouse: 'wh-east', expectedAt: at }] },
    'SagaStarted',
    'StepStarted',
  ],
  BackorderChosen: [
    { type: 'BackorderChosen', v, by: `customer:${customerId}`, choice: 'wait' },
    'SagaStarted',
    'BackorderPlanned',
    'StepStarted',
    'StepDeferred',
    'SagaHeld',
  ],
  BackorderOverdueNoted: [
    { type: 'BackorderOverdueNoted', v },
    'SagaStarted',
    'BackorderPlanned',
    'StepStarted',
    'StepDeferred',
    'SagaHeld',
  ],
  PaymentMethodAsked: [
    { type: 'PaymentMethodAsked', v, reason: 'Card declined.', expiresAt: at + 1 },
    'SagaStarted',
    'StepStarted',
    'StepFailed',
  ],
  PaymentMethodGiven: [
    { type: 'PaymentMethodGiven', v, by: `customer:${customerId}`, personal: { paymentToken: 'tok_other' } },
    'SagaStarted',
    'PaymentMethodAsked',
  ],
  ReviewOverdueNoted: [{ type: 'ReviewOverdueNoted', v }, 'SagaStarted', 'StepStarted', 'SagaHeld'],
  SagaReleased: [
    { type: 'SagaReleased', v, by: 'cus_9', why: 'Known customer.' },
    'SagaStarted',
    'StepStarted',
    'SagaHeld',
  ],
  ReshipmentStarted: [{ type: 'ReshipmentStarted', v, shipmentId: ids.shipment, ...operator }, 'SagaStarted'],
  ReshipmentDropped: [
    { type: 'ReshipmentDropped', v, shipmentId: ids.shipment, reason: 'It has arrived after all.' },
    'SagaStarted',
    'ReshipmentStarted',
  ],
  SagaCompleted: [{ type: 'SagaCompleted', v }, 'SagaStarted', 'StepStarted', 'StepSucceeded'],
  SagaAborted: [{ type: 'SagaAborted', v, outcome: 'cancelled', ...ended }, 'SagaStarted', 'StepStarted', 'StepFailed'],
};

const payment: EventSamples['payment'] = {
  PaymentInitiated: [
    { type: 'PaymentInitiated', v, attempt: 1, amount: usd(2_543), personal: { token: 'tok_success' } },
  ],
  StrayAttemptFound: [{ type: 'StrayAttemptFound', v, attempt: 2, amount: usd(2_543) }, 'PaymentInitiated'],
  PaymentActionRequired: [
    { type: 'PaymentActionRequired', v, attempt: 1, url: 'https://bank.example' },
    'PaymentInitiated',
  ],
  PaymentAuthorized: [
    { type: 'PaymentAuthorized', v, attempt: 1, authorizationId: 'auth_1', expiresAt: at },
    'PaymentInitiated',
  ],
  PaymentFailed: [
    { type: 'PaymentFailed', v, attempt: 1, reason: 'No funds.', retriable: false, unresolved: true },
    'PaymentInitiated',
    'OutcomeUnknown',
  ],
  AuthorizationExpired: [{ type: 'AuthorizationExpired', v, attempt: 1 }, 'PaymentInitiated', 'PaymentAuthorized'],
  VoidRequested: [{ type: 'VoidRequested', v, attempt: 1 }, 'PaymentInitiated', 'PaymentAuthorized'],
  VoidFailed: [
    { type: 'VoidFailed', v, attempt: 1, reason: 'No.' },
    'PaymentInitiated',
    'PaymentAuthorized',
    'VoidRequested',
  ],
  AuthorizationVoided: [
    { type: 'AuthorizationVoided', v, attempt: 1 },
    'PaymentInitiated',
    'PaymentAuthorized',
    'VoidRequested',
  ],
  CaptureRequested: [
    { type: 'CaptureRequested', v, attempt: 1, amount: usd(2_500) },
    'PaymentInitiated',
    'PaymentAuthorized',
  ],
  PaymentCaptured: [
    { type: 'PaymentCaptured', v, attempt: 1, captureId: 'cap_1', amount: usd(2_500) },
    'PaymentInitiated',
    'PaymentAuthorized',
    'CaptureRequested',
  ],
  CaptureFailed: [
    { type: 'CaptureFailed', v, attempt: 1, reason: 'Expired.', unresolved: false },
    'PaymentInitiated',
    'PaymentAuthorized',
    'CaptureRequested',
  ],
  CancellationRequested: [
    { type: 'CancellationRequested', v, reason: 'Cancelled.', through: 1, currency: 'USD' },
    'PaymentInitiated',
    'PaymentAuthorized',
  ],
  PaymentVoided: [
    { type: 'PaymentVoided', v, attempt: 1 },
    'PaymentInitiated',
    'PaymentAuthorized',
    'CancellationRequested',
    'VoidRequested',
    'AuthorizationVoided',
  ],
  RefundRequested: [
    { type: 'RefundRequested', v, attempt: 1, refundId, amount: usd(2_000), reason: 'Cancelled.', waiting: false },
    'PaymentInitiated',
    'PaymentAuthorized',
    'CaptureRequested',
    'PaymentCaptured',
  ],
  RefundFailed: [
    { type: 'RefundFailed', v, refundId, reason: 'No.', keySpent: true },
    'PaymentInitiated',
    'PaymentAuthorized',
    'PaymentCaptured',
    'RefundRequested',
  ],
  RefundCompleted: [
    { type: 'RefundCompleted', v, attempt: 1, refundId, amount: usd(2_000) },
    'PaymentInitiated',
    'PaymentAuthorized',
    'PaymentCaptured',
    'RefundRequested',
  ],
  RefundSettledByHand: [
    { type: 'RefundSettledByHand', v, refundId, reason: 'A cheque was sent.' },
    'PaymentInitiated',
    'PaymentAuthorized',
    'CaptureRequested',
    'PaymentCaptured',
    'RefundRequested',
    'RefundEscalated',
  ],
  RefundEscalated: [
    { type: 'RefundEscalated', v, refundId, reason: 'Account closed.' },
    'PaymentInitiated',
    'PaymentAuthorized',
    'PaymentCaptured',
    'RefundRequested',
    'RefundFailed',
  ],
  RefundOverdueNoted: [
    { type: 'RefundOverdueNoted', v, refundId },
    'PaymentInitiated',
    'PaymentAuthorized',
    'PaymentCaptured',
    'RefundRequested',
  ],
  ChargebackOpened: [
    { type: 'ChargebackOpened', v, disputeId: 'dp_1', amount: usd(2_500), reason: 'fraudulent' },
    'PaymentInitiated',
    'PaymentAuthorized',
    'PaymentCaptured',
  ],
  ChargebackResolved: [
    { type: 'ChargebackResolved', v, disputeId: 'dp_1', outcome: 'lost' },
    'PaymentInitiated',
    'PaymentAuthorized',
    'PaymentCaptured',
    'ChargebackOpened',
  ],
  OutcomeUnknown: [{ type: 'OutcomeUnknown', v, operation: authorize, reason: 'Timed out.' }, 'PaymentInitiated'],
  GatewayUnavailable: [{ type: 'GatewayUnavailable', v, operation: authorize, reason: 'Down.' }, 'PaymentInitiated'],
  GatewayAskedAgain: [
    { type: 'GatewayAskedAgain', v, operation: authorize, how: 'enquire' },
    'PaymentInitiated',
    'OutcomeUnknown',
  ],
  OutcomeEscalated: [
    { type: 'OutcomeEscalated', v, operation: authorize, reason: 'Timed out.' },
    'PaymentInitiated',
    'OutcomeUnknown',
  ],
  ResultKept: [{ type: 'ResultKept', v, operation: authorize, result: { outcome: 'declined', reason: 'No funds.' } }],
  KeptResultUsed: [{ type: 'KeptResultUsed', v, operation: authorize }, 'ResultKept', 'PaymentInitiated'],
};

const parcel: EventSamples['shipment'] = {
  WarehouseAssigned: [
    {
      type: 'WarehouseAssigned',
      v,
      warehouse: 'wh-central',
      lines: [{ sku: 'A', quantity: 2, reservationId }],
      method: 'standard',
      personal: { address },
    },
  ],
  LabelRequested: [{ type: 'LabelRequested', v }, 'WarehouseAssigned'],
  LabelAttemptFailed: [
    { type: 'LabelAttemptFailed', v, reason: 'Timed out.', uncertain: true },
    'WarehouseAssigned',
    'LabelRequested',
  ],
  LabelPurchased: [{ type: 'LabelPurchased', v, labelId: 'lbl_1' }, 'WarehouseAssigned', 'LabelRequested'],
  LabelFailed: [
    { type: 'LabelFailed', v, reason: 'Not served.', final: true },
    'WarehouseAssigned',
    'LabelRequested',
    'LabelAttemptFailed',
  ],
  LabelVoidRequested: [
    { type: 'LabelVoidRequested', v },
    'WarehouseAssigned',
    'LabelRequested',
    'LabelPurchased',
    'ShipmentCancelled',
  ],
  LabelVoided: [
    { type: 'LabelVoided', v },
    'WarehouseAssigned',
    'LabelRequested',
    'LabelPurchased',
    'ShipmentCancelled',
    'LabelVoidRequested',
  ],
  LabelVoidFailed: [
    { type: 'LabelVoidFailed', v, reason: 'No.', final: false },
    'WarehouseAssigned',
    'LabelRequested',
    'LabelPurchased',
    'ShipmentCancelled',
    'LabelVoidRequested',
  ],
  TrackingAssigned: [
    { type: 'TrackingAssigned', v, carrier: 'UPS', trackingNumber: '1Z' },
    'WarehouseAssigned',
    'LabelRequested',
    'LabelPurchased',
  ],
  ShipmentPicked: [{ type: 'ShipmentPicked', v }, 'WarehouseAssigned'],
  HandedToCarrier: [{ type: 'HandedToCarrier', v, at }, 'WarehouseAssigned', 'ShipmentPicked'],
  InTransit: [{ type: 'InTransit', v, at: at + 1 }, 'WarehouseAssigned', 'HandedToCarrier'],
  OutForDelivery: [{ type: 'OutForDelivery', v, at: at + 2 }, 'WarehouseAssigned', 'HandedToCarrier'],
  DeliveryAttemptFailed: [
    { type: 'DeliveryAttemptFailed', v, at: at + 3, attempt: 1 },
    'WarehouseAssigned',
    'HandedToCarrier',
    'OutForDelivery',
  ],
  Delivered: [{ type: 'Delivered', v, at: at + 4 }, 'WarehouseAssigned', 'HandedToCarrier'],
  ReturnToSenderStarted: [
    { type: 'ReturnToSenderStarted', v, at: at + 5 },
    'WarehouseAssigned',
    'HandedToCarrier',
    'DeliveryAttemptFailed',
  ],
  Returned: [
    { type: 'Returned', v, at: at + 6 },
    'WarehouseAssigned',
    'HandedToCarrier',
    'DeliveryAttemptFailed',
    'ReturnToSenderStarted',
  ],
  ShipmentLost: [{ type: 'ShipmentLost', v, at: at + 7 }, 'WarehouseAssigned', 'HandedToCarrier'],
  ShipmentScanned: [
    { type: 'ShipmentScanned', v, at: at + 8 },
    'WarehouseAssigned',
    'HandedToCarrier',
    'ShipmentGhost',
  ],
  ShipmentGhost: [{ type: 'ShipmentGhost', v }, 'WarehouseAssigned', 'HandedToCarrier'],
  ShipmentFound: [{ type: 'ShipmentFound', v, at: at + 9 }, 'WarehouseAssigned', 'HandedToCarrier', 'ShipmentLost'],
  ReportNoted: [{ type: 'ReportNoted', v, eventId: 'evt_1' }, 'WarehouseAssigned'],
  TraceRequested: [{ type: 'TraceRequested', v }, 'WarehouseAssigned', 'HandedToCarrier', 'ShipmentLost'],
  TraceOpened: [
    { type: 'TraceOpened', v, traceId: 'trc_1' },
    'WarehouseAssigned',
    'HandedToCarrier',
    'ShipmentLost',
    'TraceRequested',
  ],
  TraceFailed: [
    { type: 'TraceFailed', v, reason: 'No.', final: false, refused: true },
    'WarehouseAssigned',
    'HandedToCarrier',
    'ShipmentLost',
    'TraceRequested',
  ],
  ReshipmentRequested: [
    { type: 'ReshipmentRequested', v, ...operator },
    'WarehouseAssigned',
    'HandedToCarrier',
    'ShipmentLost',
  ],
  ShipmentReshipped: [
    { type: 'ShipmentReshipped', v, newId: 'shp_1_2' },
    'WarehouseAssigned',
    'HandedToCarrier',
    'ShipmentLost',
    'ReshipmentRequested',
  ],
  ReturnedPiecesBooked: [
    { type: 'ReturnedPiecesBooked', v, lines: [{ sku: 'A', restock: 1 }], ...operator },
    'WarehouseAssigned',
    'HandedToCarrier',
    'Returned',
  ],
  AlertAcknowledged: [
    { type: 'AlertAcknowledged', v, ...operator },
    'WarehouseAssigned',
    'HandedToCarrier',
    'ShipmentGhost',
  ],
  ShipmentCancelled: [
    { type: 'ShipmentCancelled', v, reason: 'Cancelled.' },
    'WarehouseAssigned',
    'LabelRequested',
    'LabelPurchased',
  ],
};

const stock: EventSamples['stock'] = {
  StockReceived: [{ type: 'StockReceived', v, quantity: 12, reference: 'delivery 1' }],
  StockReserved: [{ type: 'StockReserved', v, ...held, sagaId: ids['order-saga'], expiresAt: at }, 'StockReceived'],
  ReservationRejected: [{ type: 'ReservationRejected', v, ...held, available: 0, keep }],
  ReservationCommitted: [{ type: 'ReservationCommitted', v, ...held }, 'StockReceived', 'StockReserved'],
  ReservationReleased: [
    { type: 'ReservationReleased', v, ...held, from: 'committed', keep },
    'StockReceived',
    'StockReserved',
    'ReservationCommitted',
  ],
  ReservationPrevented: [{ type: 'ReservationPrevented', v, reservationId, keep }, 'StockReceived'],
  ReservationExpired: [{ type: 'ReservationExpired', v, ...held, keep }, 'StockReceived', 'StockReserved'],
  StockPicked: [{ type: 'StockPicked', v, ...held }, 'StockReceived', 'StockReserved', 'ReservationCommitted'],
  StockShipped: [
    { type: 'StockShipped', v, ...held, keep },
    'StockReceived',
    'StockReserved',
    'ReservationCommitted',
    'StockPicked',
  ],
  StockRestocked: [{ type: 'StockRestocked', v, quantity: 1, returnId: 'ret_1', keep }, 'StockReceived'],
  StockAdjusted: [{ type: 'StockAdjusted', v, delta: -3, reason: 'Broken.' }, 'StockReceived'],
  BackorderRegistered: [
    { type: 'BackorderRegistered', v, ...held, sagaId: ids['order-saga'], expectedAt: at },
    'DeliveryExpected',
  ],
  BackorderCleared: [
    { type: 'BackorderCleared', v, ...held, outcome: 'released', keep },
    'DeliveryExpected',
    'BackorderRegistered',
  ],
  StockTransferredOut: [
    { type: 'StockTransferredOut', v, transferId: 'req_1', to: 'wh-west', quantity: 4 },
    'StockReceived',
  ],
  StockTransferConfirmed: [
    { type: 'StockTransferConfirmed', v, transferId: 'req_1', quantity: 4 },
    'StockReceived',
    'StockTransferredOut',
  ],
  StockTransferredIn: [{ type: 'StockTransferredIn', v, transferId: 'req_2', from: 'wh-west', quantity: 3, keep }],
  StockQuarantined: [{ type: 'StockQuarantined', v, quantity: 2, reason: 'Wet.' }, 'StockReceived'],
  QuarantineReleased: [
    { type: 'QuarantineReleased', v, quantity: 1, reason: 'Dry.' },
    'StockReceived',
    'StockQuarantined',
  ],
  DeliveryExpected: [{ type: 'DeliveryExpected', v, quantity: 30, at }],
  ExpectationCleared: [{ type: 'ExpectationCleared', v }, 'DeliveryExpected'],
  LowStockReached: [{ type: 'LowStockReached', v, available: 9, threshold: 10 }, 'StockReceived', 'StockAdjusted'],
  LowStockEnded: [
    { type: 'LowStockEnded', v, available: 21, threshold: 10 },
    'StockReceived',
    'StockAdjusted',
    'LowStockReached',
    'StockReceived',
  ],
};

export const eventSamples: EventSamples = {
  cart,
  checkout,
  customer,
  'customer-orders': {
    OrderNoted: [
      {
        type: 'OrderNoted',
        v,
        orderId: ids.order,
        seq: 1,
        status: 'placed',
        total: totals.total,
        placedAt: at,
      },
    ],
  },
  'email-claim': {
    EmailHeld: [{ type: 'EmailHeld', v, customerId, until: at }],
    EmailTaken: [{ type: 'EmailTaken', v, customerId }, 'EmailHeld'],
    EmailFreed: [{ type: 'EmailFreed', v, customerId }, 'EmailHeld', 'EmailTaken'],
  },
  'network-address': {
    OrderFromNoted: [{ type: 'OrderFromNoted', v, orderId: ids.order, at, since: at - 3_600_000 }],
  },
  order,
  'order-saga': saga,
  payment,
  product: {
    ProductCreated: [{ type: 'ProductCreated', v, ...details }],
    ProductChanged: [{ type: 'ProductChanged', v, ...details, tags: [] }, 'ProductCreated', 'PriceSet'],
    PriceSet: [{ type: 'PriceSet', v, old: null, price: usd(1_000) }, 'ProductCreated'],
    PriceChangeScheduled: [{ type: 'PriceChangeScheduled', v, price: usd(900), at: T0 }, 'ProductCreated', 'PriceSet'],
    PriceChangeActivated: [
      { type: 'PriceChangeActivated', v, old: usd(1_000), price: usd(900) },
      'ProductCreated',
      'PriceSet',
      'PriceChangeScheduled',
    ],
    PriceChangeCancelled: [
      { type: 'PriceChangeCancelled', v, price: usd(900), at: T0 },
      'ProductCreated',
      'PriceSet',
      'PriceChangeScheduled',
    ],
    ProductDiscontinued: [{ type: 'ProductDiscontinued', v }, 'ProductCreated', 'PriceSet'],
  },
  request: { RequestClaimed: [{ type: 'RequestClaimed', v }] },
  shipment: parcel,
  stock,
};
