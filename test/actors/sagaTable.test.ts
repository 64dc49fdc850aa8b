/**
 * Every state of the saga × every message that it can hear. What is not in the table changes nothing and sends nothing:
 * late, repeated and misdirected messages are normal input.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type SagaCommand, sagaDecider } from '../../actors/orderSaga/saga.ts';
import {
  backorderOverdue,
  cancelByOperator,
  cancelSaga,
  chooseBackorder,
  draft,
  line,
  payAnew,
  paymentOverdue,
  refundBy,
  releaseHold,
  retrySaga,
  SagaRun,
  says,
  skip,
  start,
  stepTimedOut,
  usd,
} from '../support/orders.ts';
import { T0 } from '../support/spec.ts';

const one = start(draft([line('mug', 2, 900)]));
const dear = start(draft([line('mug', 100, 900)]));

const authorizing = [one, says.reserved('1.1')];
const committing = [...authorizing, says.authorized()];
const capturing = [...committing, says.committed('1.1')];
const fulfilling = [...capturing, says.captured()];
const completed = [...fulfilling, says.accepted()];
const backFromShip = [...completed, cancelSaga];
const backFromCapture = [...backFromShip, says.parcelCancelled()];
const backFromCommit = [...backFromCapture, says.refunded()];
const backFromAuthorize = [...committing, cancelSaga, says.released('1.1')];
const heldOnTheWay = [...authorizing, { type: 'SagaTimedOut' } as const];

const WEEK = 7 * 24 * 60 * 60_000;
/** At each of the three warehouses. */
const queued = (ms: number) => ['1.4', '1.5', '1.6'].map((place) => says.backordered(place, T0 + ms));
const LEAVES_ALL_QUEUES =
  'CompensationStarted CompensationRequested CompensationRequested CompensationRequested > ReleaseReservation ReleaseReservation ReleaseReservation';
const promised = (at: number) => [
  one,
  { ...says.refused('1.1'), expected: { quantity: 2, at: T0 + at } },
  says.refused('1.2'),
  says.refused('1.3'),
];

const states = {
  unknown: [],
  'cancelled before start': [cancelSaga],
  reserving: [one],
  authorizing,
  'at the bank': [...authorizing, says.actionRequired()],
  'in review': [dear, says.reserved('1.1'), says.authorized()],
  committing,
  capturing,
  fulfilling,
  'parcel failed': [...fulfilling, says.parcelFailed()],
  completed,
  'undoing the parcel': backFromShip,
  'undoing the capture': backFromCapture,
  'undoing the commit': backFromCommit,
  'undoing the authorization': backFromAuthorize,
  'undoing the reservation': [one, cancelSaga],
  'undoing for a hold': heldOnTheWay,
  'undoing to be paid anew': [...authorizing, says.declined()],
  'to be paid anew': [...authorizing, says.declined(), says.released('1.1')],
  'registering for a delivery': promised(WEEK),
  'waiting for a delivery': [...promised(WEEK), ...queued(WEEK)],
  'asking whether to wait': [...promised(WEEK + 1), ...queued(WEEK + 1)],
  'held for the operator': [...heldOnTheWay, says.voided(), says.released('1.1')],
  aborted: [...backFromCommit, says.released('1.1'), says.voided()],
  'aborted, refund stuck': [...backFromCapture, says.refundEscalated(), says.released('1.1')],
} as const satisfies Record<string, readonly SagaCommand[]>;

const messages = [
  one,
  cancelSaga,
  says.reserved('1.1'),
  says.refused('1.1'),
  says.backordered('1.1'),
  says.committed('1.1'),
  says.commitRefused('1.1'),
  says.released('1.1'),
  says.expired('1.1'),
  says.authorized(),
  says.declined(),
  says.actionRequired(),
  says.captured(),
  says.captureFailed(),
  says.voided(),
  says.authorizationExpired(),
  says.refunded(),
  says.refundEscalated(),
  says.accepted(),
  says.parcelFailed(),
  says.parcelCancelled(),
  says.cancelRefused(),
  releaseHold,
  cancelByOperator,
  retrySaga,
  stepTimedOut(1),
  { type: 'SagaTimedOut' },
  { type: 'ReviewOverdue' },
  payAnew(),
  paymentOverdue,
  skip,
  refundBy(),
  chooseBackorder('wait'),
  backorderOverdue,
  { type: 'ReshipParcel', shipmentId: 'shp_1_1', by: 'ops', why: 'lost' },
  { type: 'ParcelFound', shipmentId: 'shp_1_1' },
  { type: 'EndRefunded', settled: ['shp_1_1'] },
  { type: 'PaymentDisputed', disputeId: 'dp_1', amount: usd(500), status: 'open' },
  { type: 'PaymentDisputeEnded', disputeId: 'dp_1' },
  { type: 'RefundRefused', refundId: 'ord_1/cancel-1.1', code: 'payment.disputed', reason: 'disputed' },
] as const satisfies readonly SagaCommand[];

/** Leaving a message out doesn't compile. */
type Untested = Exclude<SagaCommand['type'], (typeof messages)[number]['type']>;
type None<Type extends never> = Type;
export type EveryMessageIsTested = None<Untested>;

type State = keyof typeof states;
type Row = Partial<Record<SagaCommand['type'], string>>;

/** Events, then what is sent; or the code of the rejection. */
const table: Record<State, Row> = {
  unknown: {
    ChooseBackorder: 'saga.unknown',
    StartSaga: 'SagaStarted StepStarted > ReserveStock',
    CancelSaga: 'SagaAborted > EndOrder',
    ReleaseHold: 'saga.unknown',
    CancelByOperator: 'saga.unknown',
    RetrySaga: 'saga.unknown',
    ProvidePaymentMethod: 'saga.unknown',
    SkipCompensation: 'saga.unknown',
    RefundByOperator: 'saga.unknown',
  },
  'cancelled before start': {
    ChooseBackorder: 'saga.unknown',
    ReleaseHold: 'saga.unknown',
    CancelByOperator: 'saga.unknown',
    RetrySaga: 'saga.unknown',
    ProvidePaymentMethod: 'saga.unknown',
    SkipCompensation: 'saga.unknown',
    RefundByOperator: 'saga.unknown',
  },
  reserving: {
    StockBackordered: 'StepDeferred',
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > ReleaseReservation',
    StockReserved: 'StepSucceeded StepStarted > AuthorizePayment',
    StockRefused: 'StepFailed StepStarted > ReserveStock',
    StockExpired: 'StepFailed StepStarted > ReserveStock',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > ReleaseReservation',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'StepTimedOut > ReserveStock',
    SagaTimedOut: 'CompensationStarted CompensationRequested > HoldOrder ReleaseReservation',
  },
  authorizing: {
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > VoidPayment',
    StockExpired: 'StepFailed StepStarted > ReserveStock',
    PaymentAuthorized: 'StepSucceeded StepStarted > CommitReservation',
    PaymentDeclined:
      'StepFailed PaymentMethodAsked CompensationStarted CompensationRequested > HoldOrder ReleaseReservation',
    PaymentActionRequired: 'SagaHeld > HoldOrder',
    PaymentVoided: 'StepFailed StepStarted > AuthorizePayment',
    AuthorizationExpired: 'StepFailed StepStarted > AuthorizePayment',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > VoidPayment',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'StepTimedOut > AuthorizePayment',
    SagaTimedOut: 'CompensationStarted CompensationRequested > HoldOrder VoidPayment',
  },
  'at the bank': {
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > VoidPayment',
    StockExpired: 'StepFailed',
    PaymentAuthorized: 'StepSucceeded SagaReleased StepStarted > ReleaseOrder CommitReservation',
    PaymentDeclined:
      'StepFailed PaymentMethodAsked CompensationStarted CompensationRequested > HoldOrder ReleaseReservation',
    PaymentVoided: 'StepFailed',
    AuthorizationExpired: 'StepFailed',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > VoidPayment',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    SagaTimedOut: 'CompensationStarted CompensationRequested > HoldOrder VoidPayment',
  },
  'in review': {
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > VoidPayment',
    StockExpired: 'StepFailed',
    PaymentVoided: 'StepFailed',
    AuthorizationExpired: 'StepFailed',
    ReleaseHold: 'SagaReleased StepStarted > ReleaseOrder CommitReservation',
    CancelByOperator: 'CompensationStarted CompensationRequested > VoidPayment',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    ReviewOverdue: 'ReviewOverdueNoted',
  },
  committing: {
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > ReleaseReservation',
    StockCommitted: 'StepSucceeded StepStarted > CapturePayment',
    StockCommitRefused: 'StepFailed StepFailed StepStarted > ReserveStock',
    PaymentVoided: 'StepFailed StepStarted > AuthorizePayment',
    AuthorizationExpired: 'StepFailed StepStarted > AuthorizePayment',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > ReleaseReservation',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'StepTimedOut > CommitReservation',
    SagaTimedOut: 'CompensationStarted CompensationRequested > HoldOrder ReleaseReservation',
  },
  capturing: {
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > RefundPayment',
    PaymentCaptured: 'StepSucceeded StepStarted > ConfirmOrder RequestShipment',
    PaymentCaptureFailed:
      'StepFailed PaymentMethodAsked CompensationStarted CompensationRequested > HoldOrder ReleaseReservation',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > RefundPayment',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'StepTimedOut > CapturePayment',
    SagaTimedOut: 'CompensationStarted CompensationRequested > HoldOrder RefundPayment',
  },
  fulfilling: {
    EndRefunded: 'ParcelsSettled CompensationStarted SagaAborted > EndOrder',
    ReshipParcel: 'ReshipmentStarted',
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > CancelShipment',
    ShipmentAccepted: 'StepSucceeded SagaCompleted > BeginFulfilment',
    ShipmentFailed: 'StepFailed SagaHeld > HoldOrder',
    ShipmentCancelled: 'StepFailed SagaHeld > HoldOrder',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > CancelShipment',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'OperatorRefundRequested > RefundPayment',
    StepTimedOut: 'StepTimedOut > RequestShipment',
  },
  'parcel failed': {
    EndRefunded: 'ParcelsSettled CompensationStarted SagaAborted > EndOrder',
    ReshipParcel: 'ReshipmentStarted',
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > RefundPayment',
    ShipmentAccepted: 'CompensationRequested > CancelShipment',
    ReleaseHold: 'SagaReleased StepStarted > ReleaseOrder RequestShipment',
    CancelByOperator: 'CompensationStarted CompensationRequested > RefundPayment',
    RetrySaga: 'SagaReleased StepStarted > ReleaseOrder RequestShipment',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'OperatorRefundRequested > RefundPayment',
  },
  completed: {
    EndRefunded: 'ParcelsSettled CompensationStarted SagaAborted > EndOrder',
    ReshipParcel: 'ReshipmentStarted StepStarted > ReserveStock',
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted CompensationRequested > CancelShipment',
    ShipmentFailed: 'StepFailed SagaHeld > HoldOrder',
    ShipmentCancelled: 'StepFailed SagaHeld > HoldOrder',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > CancelShipment',
    RetrySaga: 'SagaReleased StepStarted > ReleaseOrder RequestShipment',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'OperatorRefundRequested > RefundPayment',
  },
  'undoing the parcel': {
    EndRefunded: 'ParcelsSettled',
    ReshipParcel: 'ReshipmentStarted',
    ChooseBackorder: 'order.backorder-not-asked',
    ShipmentFailed: 'StepCompensated CompensationRequested > RefundPayment',
    ShipmentCancelled: 'StepCompensated CompensationRequested > RefundPayment',
    ShipmentCancelRefused: 'CompensationRefused SagaReleased SagaCompleted > RefuseCancellation BeginFulfilment',
    ReleaseHold: 'saga.not-held',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'CompensationRequested > CancelShipment',
  },
  'undoing the capture': {
    RefundRefused: 'CompensationFailed CompensationRequested > ReleaseReservation',
    ReshipParcel: 'ReshipmentStarted',
    ChooseBackorder: 'order.backorder-not-asked',
    PaymentCaptureFailed: 'StepCompensated CompensationRequested > ReleaseReservation',
    PaymentRefunded: 'StepCompensated CompensationRequested > ReleaseReservation',
    RefundEscalated: 'CompensationFailed CompensationRequested > ReleaseReservation',
    ShipmentAccepted: 'CompensationRequested > CancelShipment',
    ReleaseHold: 'saga.not-held',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'CompensationRequested > RefundPayment',
  },
  'undoing the commit': {
    ReshipParcel: 'ReshipmentStarted',
    ChooseBackorder: 'order.backorder-not-asked',
    StockReleased: 'StepCompensated StepCompensated CompensationRequested > VoidPayment',
    PaymentCaptured: 'CompensationRequested > RefundPayment',
    ShipmentAccepted: 'CompensationRequested > CancelShipment',
    ReleaseHold: 'saga.not-held',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'CompensationRequested > ReleaseReservation',
  },
  'undoing the authorization': {
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ChooseBackorder: 'order.backorder-not-asked',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockCommitted: 'CompensationRequested > ReleaseReservation',
    PaymentVoided: 'StepCompensated SagaAborted > EndOrder',
    RefundEscalated: 'CompensationFailed SagaAborted > EndOrder',
    ReleaseHold: 'saga.not-held',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'CompensationRequested > VoidPayment',
  },
  'undoing the reservation': {
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ChooseBackorder: 'order.backorder-not-asked',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockReleased: 'StepCompensated SagaAborted > EndOrder',
    ReleaseHold: 'saga.not-held',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'CompensationRequested > ReleaseReservation',
  },
  'undoing for a hold': {
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'GoalChanged',
    StockExpired: 'StepFailed',
    PaymentVoided: 'StepCompensated CompensationRequested > ReleaseReservation',
    RefundEscalated: 'CompensationFailed CompensationRequested > ReleaseReservation',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'GoalChanged',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'CompensationRequested > VoidPayment',
  },
  'undoing to be paid anew': {
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'GoalChanged',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockReleased: 'StepCompensated SagaHeld',
    PaymentAuthorized: 'CompensationRequested > VoidPayment',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'GoalChanged',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'PaymentMethodGiven GoalChanged > ReleaseOrder',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    StepTimedOut: 'CompensationRequested > ReleaseReservation',
    PaymentMethodOverdue: 'GoalChanged',
  },
  'to be paid anew': {
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted SagaAborted > EndOrder',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    PaymentAuthorized: 'CompensationRequested > VoidPayment',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted SagaAborted > EndOrder',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'PaymentMethodGiven CompensationStarted SagaReleased StepStarted > ReleaseOrder ReserveStock',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    PaymentMethodOverdue: 'CompensationStarted SagaAborted > EndOrder',
  },
  'registering for a delivery': {
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    CancelSaga: 'CompensationStarted CompensationRequested > ReleaseReservation',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'CompensationStarted CompensationRequested > ReleaseReservation',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    ChooseBackorder: 'order.backorder-not-asked',
    StepTimedOut: 'StepTimedOut > ReserveStock',
    SagaTimedOut: 'CompensationStarted CompensationRequested > HoldOrder ReleaseReservation',
  },
  'waiting for a delivery': {
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    CancelSaga: LEAVES_ALL_QUEUES,
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: LEAVES_ALL_QUEUES,
    RetrySaga: LEAVES_ALL_QUEUES,
    ProvidePaymentMethod: 'order.payment-not-asked',
    ChooseBackorder: 'order.backorder-not-asked',
    BackorderOverdue: 'BackorderOverdueNoted > HoldOrder',
  },
  'asking whether to wait': {
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
    CancelSaga: LEAVES_ALL_QUEUES,
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: LEAVES_ALL_QUEUES,
    RetrySaga: LEAVES_ALL_QUEUES,
    ProvidePaymentMethod: 'order.payment-not-asked',
    ChooseBackorder: 'BackorderChosen SagaHeld > HoldOrder',
    BackorderOverdue: LEAVES_ALL_QUEUES,
  },
  'held for the operator': {
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ChooseBackorder: 'order.backorder-not-asked',
    CancelSaga: 'CompensationStarted SagaAborted > EndOrder',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    PaymentAuthorized: 'CompensationRequested > VoidPayment',
    ReleaseHold: 'SagaReleased StepStarted > ReleaseOrder ReserveStock',
    CancelByOperator: 'CompensationStarted SagaAborted > EndOrder',
    RetrySaga: 'SagaReleased StepStarted > ReleaseOrder ReserveStock',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
  },
  aborted: {
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ReshipParcel: 'ReshipmentStarted',
    ChooseBackorder: 'order.backorder-not-asked',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockCommitted: 'CompensationRequested > ReleaseReservation',
    PaymentAuthorized: 'CompensationRequested > VoidPayment',
    PaymentCaptured: 'CompensationRequested > RefundPayment',
    ShipmentAccepted: 'CompensationRequested > CancelShipment',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'saga.ended',
    RetrySaga: 'saga.not-waiting',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'saga.nothing-stuck',
    RefundByOperator: 'saga.not-refundable',
  },
  'aborted, refund stuck': {
    StockBackordered: 'CompensationRequested > ReleaseReservation',
    ReshipParcel: 'ReshipmentStarted',
    ChooseBackorder: 'order.backorder-not-asked',
    StockReserved: 'CompensationRequested > ReleaseReservation',
    StockCommitted: 'CompensationRequested > ReleaseReservation',
    PaymentRefunded: 'StepCompensated SagaAborted > EndOrder',
    ShipmentAccepted: 'CompensationRequested > CancelShipment',
    ReleaseHold: 'saga.not-held',
    CancelByOperator: 'saga.ended',
    RetrySaga: 'CompensationStarted CompensationRequested > RefundPayment',
    PaymentDisputeEnded: 'CompensationStarted CompensationRequested > RefundPayment',
    ProvidePaymentMethod: 'order.payment-not-asked',
    SkipCompensation: 'StepSkipped SagaAborted > SettleRefundByHand EndOrder',
    RefundByOperator: 'saga.not-refundable',
  },
};

/** Where nothing else is listed. A dispute is noted in every saga that was started. */
const usual = (state: State): Row =>
  state === 'unknown' || state === 'cancelled before start' ? {} : { PaymentDisputed: 'DisputeNoted' };

const pairs = suite('saga, every state × every message');

for (const [state, commands] of Object.entries(states)) {
  pairs(state, () => {
    const row: Row = { ...usual(state as State), ...table[state as State] };
    for (const message of messages) {
      assert.is(effectOf(new SagaRun(commands), message), row[message.type] ?? '', `${state} × ${message.type}`);
    }
  });

  pairs(`${state} - hears every message twice without a new effect on the outside`, () => {
    for (const message of messages) {
      const run = new SagaRun(commands);
      if (run.when(message).rejection !== undefined) continue;
      const again = run.when(message);
      const asked = again.sent.flatMap((send) => (send.to.type === 'order' ? [] : [send.message.type]));
      // A release may be repeated for ever: it has the same effect once.
      const late = message.type === 'StockReserved' || message.type === 'StockBackordered';
      if (late && asked[0] === 'ReleaseReservation') asked.shift();
      assert.equal(asked, [], `${state} × ${message.type}`);
      assert.equal(run.events.reduce(sagaDecider.evolve, sagaDecider.initial('ord_1')), run.state, 'replays');
    }
  });
}

pairs.run();

function effectOf(run: SagaRun, message: SagaCommand): string {
  const outcome = run.when(message);
  if (outcome.rejection !== undefined) return outcome.rejection.code;
  const events = outcome.accepted.events.map(({ type }) => type);
  const sends = outcome.sent.map((send) => send.message.type);
  return [...events, ...(sends.length > 0 ? ['>', ...sends] : [])].join(' ');
}
