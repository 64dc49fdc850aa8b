/** What each step asks for and what undoes it. Every id derives from the step: asked again, it is the same request. */
import { stockAddress } from '../inventoryItem.ts';
import { assertNever } from '../kernel/assertNever.ts';
import { paymentAddress } from '../payment.ts';
import type { Policy } from '../policy.ts';
import { shipmentAddress } from '../shipment.ts';
import type { StepKind, Work } from './events.ts';
import { type SagaSend, sagaAddress } from './messages.ts';
import type { Saga, Step } from './state.ts';

export function requestOf(saga: Saga, work: Work): SagaSend {
  const { orderId } = saga;
  const from = sagaAddress(orderId);
  switch (work.kind) {
    case 'reserve':
    case 'reship-reserve': {
      const { reservationId, quantity } = work;
      const { wait, promisedAt } = work.kind === 'reserve' ? work : {};
      const waiting = { ...(wait && { wait }), ...(promisedAt !== undefined && { promisedAt }) };
      const message = { type: 'ReserveStock', reservationId, quantity, saga: from, ...waiting } as const;
      return { to: stockAddress(work.sku, work.warehouse), message };
    }
    case 'authorize': {
      const { total: amount, paymentToken: token } = saga;
      const message = { type: 'AuthorizePayment', attempt: work.attempt, amount, token } as const;
      return { to: paymentAddress(orderId), message };
    }
    case 'commit':
    case 'reship-commit': {
      const message = { type: 'CommitReservation', reservationId: work.reservationId, saga: from } as const;
      return { to: stockAddress(work.sku, work.warehouse), message };
    }
    case 'capture': {
      const message = { type: 'CapturePayment', attempt: work.attempt, amount: saga.total } as const;
      return { to: paymentAddress(orderId), message };
    }
    case 'ship':
    case 'reship': {
      const { warehouse, lines } = work;
      const { shippingMethod: method, address } = saga;
      const replaces = work.kind === 'reship' ? { replaces: work.replaces } : {};
      const message = { type: 'RequestShipment', warehouse, lines, method, address, ...replaces } as const;
      return { to: shipmentAddress(work.shipmentId), message };
    }
    default:
      return assertNever(work);
  }
}

export function compensationOf(saga: Saga, step: Step, reason: string): SagaSend {
  const { orderId } = saga;
  const { work } = step;
  switch (work.kind) {
    case 'reserve':
    case 'commit':
    case 'reship-reserve':
    case 'reship-commit': {
      const { reservationId } = work;
      const message = { type: 'ReleaseReservation', reservationId, saga: sagaAddress(orderId) } as const;
      return { to: stockAddress(work.sku, work.warehouse), message };
    }
    case 'authorize': {
      const message = { type: 'VoidPayment', attempt: work.attempt, reason } as const;
      return { to: paymentAddress(orderId), message };
    }
    case 'capture': {
      const refundId = refundIdOf(orderId, work.attempt, step.undone);
      const message = { type: 'RefundPayment', refundId, amount: saga.total, reason } as const;
      return { to: paymentAddress(orderId), message };
    }
    case 'ship':
    case 'reship':
      return { to: shipmentAddress(work.shipmentId), message: { type: 'CancelShipment', reason } };
    default:
      return assertNever(work);
  }
}

/** A capture that turns out to exist after its refund was answered needs another refund, not the same again. */
export function refundIdOf(orderId: string, attempt: number, undone: number): string {
  return `${orderId}/cancel-${attempt}.${undone + 1}`;
}

export function stepTimeoutMs(kind: StepKind, policy: Policy): number {
  return policy.saga.stepTimeoutMs[plainKind(kind)];
}

/** Sending once more takes the same steps, with the same figures. */
function plainKind(kind: StepKind): 'reserve' | 'authorize' | 'commit' | 'capture' | 'ship' {
  if (kind === 'reship-reserve') return 'reserve';
  if (kind === 'reship-commit') return 'commit';
  return kind === 'reship' ? 'ship' : kind;
}

export function stepAttempts(kind: StepKind, policy: Policy): number {
  const { stock, payment, shipment } = policy.saga.stepAttempts;
  return { reserve: stock, commit: stock, authorize: payment, capture: payment, ship: shipment }[plainKind(kind)];
}
