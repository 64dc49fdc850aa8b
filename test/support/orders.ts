/** Orders to test with, and a saga driven message by message. */
import type { TimerChange } from '../../actors/kernel/decider.ts';
import { money } from '../../actors/kernel/money.ts';
import type { SagaNews } from '../../actors/order.ts';
import type { SagaEvent } from '../../actors/orderSaga/events.ts';
import {
  type Saga,
  type SagaCommand,
  type SagaSend,
  type SagaState,
  sagaDecider,
} from '../../actors/orderSaga/saga.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import type { OrderDraft, OrderLine, PostalAddress } from '../../actors/shared.ts';
import { shipmentId } from '../../actors/shipment.ts';
import { type Outcome, specification, T0 } from './spec.ts';

export const ORDER = 'ord_1';
export const CUSTOMER = 'cus_1';
export const usd = (amount: number) => money(amount, 'USD');

export const ohio: PostalAddress = {
  name: 'Ada Jones',
  line1: '1 Main Street',
  city: 'Columbus',
  region: 'OH',
  postalCode: '43004',
  country: 'US',
};

export function line(sku: string, quantity: number, unitPrice: number): OrderLine {
  const total = usd(unitPrice * quantity);
  return { sku, name: sku, quantity, unitPrice: usd(unitPrice), discount: usd(0), tax: usd(0), total };
}

export function draft(lines = [line('mug', 2, 900), line('tea', 1, 500)], more: Partial<OrderDraft> = {}): OrderDraft {
  const subtotal = lines.reduce((total, { unitPrice, quantity }) => total + unitPrice.amount * quantity, 0);
  return {
    orderId: ORDER,
    customerId: CUSTOMER,
    currency: 'USD',
    lines,
    totals: {
      subtotal: usd(subtotal),
      discount: usd(0),
      shipping: usd(599),
      tax: usd(0),
      total: usd(subtotal + 599),
    },
    shippingMethod: 'standard',
    paymentToken: 'tok_success',
    address: ohio,
    ...more,
  };
}

/** What the world answers, for short. `n` is the saga's name of the reservation: line.try. */
export const says = {
  reserved: (n: string) => ({ type: 'StockReserved', reservationId: `${ORDER}/${n}`, expiresAt: T0 + 1 }) as const,
  refused: (n: string) => ({ type: 'StockRefused', reservationId: `${ORDER}/${n}`, available: 0 }) as const,
  backordered: (n: string, expectedAt = T0 + 1) =>
    ({ type: 'StockBackordered', reservationId: `${ORDER}/${n}`, expectedAt }) as const,
  committed: (n: string) => ({ type: 'StockCommitted', reservationId: `${ORDER}/${n}` }) as const,
  commitRefused: (n: string) =>
    ({ type: 'StockCommitRefused', reservationId: `${ORDER}/${n}`, reason: 'expired' }) as const,
  released: (n: string) => ({ type: 'StockReleased', reservationId: `${ORDER}/${n}` }) as const,
  expired: (n: string) => ({ type: 'StockExpired', reservationId: `${ORDER}/${n}` }) as const,
  authorized: (attempt = 1) => ({ type: 'PaymentAuthorized', attempt, expiresAt: T0 + 1 }) as const,
  declined: (attempt = 1) => ({ type: 'PaymentDeclined', attempt, reason: 'no funds', retriable: false }) as const,
  /** Given up: nobody knows what became of it. */
  lost: (attempt = 1) => ({ type: 'PaymentDeclined', attempt, reason: 'no answer', retriable: true }) as const,
  actionRequired: (attempt = 1) => ({ type: 'PaymentActionRequired', attempt, url: 'https://bank.example' }) as const,
  captured: (attempt = 1) => ({ type: 'PaymentCaptured', attempt, amount: usd(2_899) }) as const,
  captureFailed: (attempt = 1) => ({ type: 'PaymentCaptureFailed', attempt, reason: 'no funds' }) as const,
  voided: (attempt = 1) => ({ type: 'PaymentVoided', attempt }) as const,
  authorizationExpired: (attempt = 1) => ({ type: 'AuthorizationExpired', attempt }) as const,
  refunded: (n = '1.1') => ({ type: 'PaymentRefunded', refundId: `${ORDER}/cancel-${n}`, amount: usd(2_899) }) as const,
  refundEscalated: (n = '1.1') =>
    ({ type: 'RefundEscalated', refundId: `${ORDER}/cancel-${n}`, reason: 'account closed' }) as const,
  accepted: (n = 1) => ({ type: 'ShipmentAccepted', shipmentId: shipmentId(ORDER, n) }) as const,
  parcelFailed: (n = 1) => ({ type: 'ShipmentFailed', shipmentId: shipmentId(ORDER, n), reason: 'no label' }) as const,
  parcelCancelled: (n = 1) => ({ type: 'ShipmentCancelled', shipmentId: shipmentId(ORDER, n) }) as const,
  cancelRefused: (n = 1) =>
    ({ type: 'ShipmentCancelRefused', shipmentId: shipmentId(ORDER, n), status: 'in-transit' }) as const,
};

export const start = (of = draft()) => ({ type: 'StartSaga', draft: of }) as const;
export const cancelSaga = { type: 'CancelSaga', by: `customer:${CUSTOMER}`, reason: 'changed my mind' } as const;
export const stepTimedOut = (attempt: number) => ({ type: 'StepTimedOut', step: '', attempt }) as const;
export const retrySaga = { type: 'RetrySaga', by: 'ops', why: 'it works again' } as const;
export const releaseHold = { type: 'ReleaseHold', by: 'ops', why: 'looks fine' } as const;
export const backorderOverdue = { type: 'BackorderOverdue' } as const;
export const chooseBackorder = (choice: 'wait' | 'cancel') =>
  ({ type: 'ChooseBackorder', by: `customer:${CUSTOMER}`, choice }) as const;
export const paymentOverdue = { type: 'PaymentMethodOverdue' } as const;
export const payAnew = (token = 'tok_other') =>
  ({ type: 'ProvidePaymentMethod', by: `customer:${CUSTOMER}`, token }) as const;
export const skip = { type: 'SkipCompensation', by: 'ops', why: 'settled by hand' } as const;
/** All that is left, without an amount. */
export const refundBy = (amount?: number) =>
  ({
    type: 'RefundByOperator',
    by: 'ops',
    why: 'goodwill',
    amount: amount === undefined ? null : usd(amount),
  }) as const;
export const cancelByOperator = { type: 'CancelByOperator', by: 'ops', why: 'fraud' } as const;

/** What leads to each phase, for an order of two lines that are in the same warehouse. */
const reserving: readonly SagaCommand[] = [start()];
const authorizing = [...reserving, says.reserved('1.1'), says.reserved('2.1')];
const committing = [...authorizing, says.authorized()];
const capturing = [...committing, says.committed('1.1'), says.committed('2.1')];
const fulfilling = [...capturing, says.captured()];
const completed = [...fulfilling, says.accepted()];
export const upTo = { reserving, authorizing, committing, capturing, fulfilling, completed } as const;

/** The saga after some commands, with all that it said on the way. */
export class SagaRun {
  state: SagaState = sagaDecider.initial(ORDER);
  now = T0;
  readonly events: SagaEvent[] = [];
  readonly sent: SagaSend[] = [];
  readonly timers = new Map<string, Extract<TimerChange, { set: string }>>();
  readonly policy: Policy;

  constructor(commands: readonly SagaCommand[] = [], policy: Policy = defaultPolicy) {
    this.policy = policy;
    this.does(...commands);
  }

  does(...commands: readonly SagaCommand[]): this {
    for (const command of commands) this.when(command);
    return this;
  }

  /** Decides on a command; the outcome has only what that command led to. */
  when(command: SagaCommand): Outcome<SagaState, SagaEvent> {
    const options = { now: this.now, policy: this.policy };
    const outcome = specification(sagaDecider, { id: ORDER }).from(this.state).when(command, options);
    this.state = outcome.state;
    if (outcome.rejection !== undefined) return outcome;
    this.events.push(...outcome.accepted.events);
    this.sent.push(...(outcome.sent as SagaSend[]));
    for (const change of outcome.timers) {
      if ('set' in change) this.timers.set(change.set, change);
      else this.timers.delete(change.clear);
    }
    return outcome;
  }

  /** The step timer fires; false if it isn't set. */
  stepTimerFires(): boolean {
    const timer = this.timers.get('step');
    this.timers.delete('step');
    if (timer !== undefined) this.when(timer.message as SagaCommand);
    return timer !== undefined;
  }

  get saga(): Saga {
    if (this.state.status !== 'started') throw new Error(`the saga is ${this.state.status}`);
    return this.state;
  }

  /** `id status` of every step. */
  get ledger(): readonly string[] {
    return Object.values(this.saga.steps).map(({ id, status }) => `${id} ${status}`);
  }

  get news(): SagaNews[] {
    return this.sent.flatMap((send) => (send.to.type === 'order' ? [send.message as SagaNews] : []));
  }

  count(type: SagaSend['message']['type']): number {
    return this.sent.filter(({ message }) => message.type === type).length;
  }
}
