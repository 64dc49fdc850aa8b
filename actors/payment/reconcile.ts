/**
 * Our books of one order's money against the vendor's. Pure: who compares reads first what the order and its payment
 * know and then what the vendor knows, so that the vendor is never behind; what is under way counts as no difference.
 */
import type { VendorAccount, VendorOperation } from '../gateways.ts';
import { type Money, subtract, sum, zero } from '../kernel/money.ts';
import { keyOf, type Operation, operationOf } from './messages.ts';
import {
  type Attempt,
  attemptOf,
  attemptsOf,
  callOf,
  disputeOf,
  isDisputed,
  isLive,
  type PaymentState,
  paidByHand,
  paymentFigures,
  refundOf,
} from './state.ts';

export type FindingCode =
  /** The vendor has taken money and we know nothing of it. */
  | 'charged-unknown'
  /** We booked a capture that the vendor does not have. */
  | 'capture-missing'
  /** Both have it, not with the same amount. */
  | 'amount-differs'
  | 'captured-twice'
  /** The vendor holds money that nobody here wants any more: the order has ended, or what it needs is captured. */
  | 'authorization-alive'
  /** The vendor holds money for an order that doesn't know it. */
  | 'authorization-unknown'
  /** We rely on an authorization that the vendor does not hold. */
  | 'authorization-missing'
  /** The vendor has not paid back what we booked as paid back, or what an ended order must get back. */
  | 'refund-missing'
  /** The vendor has paid back and we know nothing of it: it might be paid again. */
  | 'refund-unknown'
  /** One side has a dispute that the other doesn't have, or knows another end or amount of it. */
  | 'dispute-differs';

export type Finding = {
  readonly code: FindingCode;
  readonly severity: 'critical' | 'warning';
  readonly orderId: string;
  /** The operation at the vendor, where it is about one. */
  readonly key?: string;
  readonly ours?: Money;
  readonly vendors?: Money;
};

const SEVERITIES: Readonly<Record<FindingCode, Finding['severity']>> = {
  'charged-unknown': 'critical',
  'capture-missing': 'critical',
  'amount-differs': 'critical',
  'captured-twice': 'critical',
  'authorization-alive': 'warning',
  'authorization-unknown': 'warning',
  'authorization-missing': 'warning',
  'refund-missing': 'critical',
  'refund-unknown': 'critical',
  'dispute-differs': 'critical',
};

export type OurBooks = {
  readonly payment: PaymentState;
  /** The order has ended without being fulfilled: nothing of the customer's money may be held or kept. */
  readonly ended: boolean;
};

type Of<Kind extends VendorOperation['kind']> = VendorOperation & { readonly kind: Kind };

/** Without an account the vendor has never heard of the order. */
export function compareBooks(books: OurBooks, account?: VendorAccount): readonly Finding[] {
  const { orderId } = books.payment;
  const operations = account?.operations ?? [];
  const findings = [
    ...operations.flatMap((operation) => compareOperation(books, operation)),
    ...missing(books.payment, operations),
    ...totals(books, operations),
  ];
  return findings.map((finding) => ({ ...finding, severity: SEVERITIES[finding.code], orderId }));
}

type Difference = Omit<Finding, 'severity' | 'orderId'>;

function compareOperation(books: OurBooks, vendors: VendorOperation): Difference[] {
  if (vendors.kind === 'authorize') return compareAuthorization(books, vendors);
  if (vendors.kind === 'dispute') return compareDispute(books.payment, vendors);
  if (vendors.state !== 'done') return [];
  return vendors.kind === 'capture' ? compareCapture(books.payment, vendors) : compareRefund(books.payment, vendors);
}

function compareAuthorization({ payment, ended }: OurBooks, vendors: Of<'authorize'>): Difference[] {
  const { key, amount } = vendors;
  const attempt = attemptAt(payment, key, 'authorize');
  if (attempt && isUnderWay(payment, attempt.number)) return [];
  if (vendors.state !== 'held') return [];
  if (!attempt) return [{ code: 'authorization-unknown', key, vendors: amount }];
  if (ended || !isNeeded(attempt)) return [{ code: 'authorization-alive', key, vendors: amount }];
  if (!isLive(attempt)) return [{ code: 'authorization-unknown', key, vendors: amount }];
  return differing(key, attempt.amount, amount);
}

function compareCapture(payment: PaymentState, { key, amount }: Of<'capture' | 'refund'>): Difference[] {
  const attempt = attemptAt(payment, key, 'capture');
  if (attempt?.capture?.status === 'done') return differing(key, attempt.capture.amount, amount);
  const underWay = attempt && isCalled(payment, { kind: 'capture', attempt: attempt.number });
  return underWay ? [] : [{ code: 'charged-unknown', key, vendors: amount }];
}

function compareRefund(payment: PaymentState, { key, amount }: Of<'capture' | 'refund'>): Difference[] {
  const operation = operationOf(payment.orderId, key)?.operation;
  const refund = operation?.kind === 'refund' ? refundOf(payment, operation.refundId) : undefined;
  if (refund?.status === 'done') return differing(key, refund.amount, amount);
  return operation && isCalled(payment, operation) ? [] : [{ code: 'refund-unknown', key, vendors: amount }];
}

function compareDispute(payment: PaymentState, { key, amount, state }: Of<'dispute'>): Difference[] {
  const dispute = disputeOf(payment, key);
  if (dispute?.status !== state) return [{ code: 'dispute-differs', key, vendors: amount }];
  return differing(key, dispute.amount, amount);
}

function differing(key: string, ours: Money, vendors: Money): Difference[] {
  const same = ours.currency === vendors.currency && ours.amount === vendors.amount;
  return same ? [] : [{ code: 'amount-differs', key, ours, vendors }];
}

/** What we believe that the vendor did, and it did not. */
function missing(payment: PaymentState, operations: readonly VendorOperation[]): Difference[] {
  const { orderId } = payment;
  const vendorHas = (kind: VendorOperation['kind'], states: readonly string[], of: Operation): boolean =>
    operations.some((operation) => {
      const known = operationOf(orderId, operation.key)?.operation;
      return operation.kind === kind && states.includes(operation.state) && sameOperation(known, of);
    });
  const findings: Difference[] = [];
  for (const [number, attempt] of attemptsOf(payment)) {
    const { capture, amount } = attempt;
    const authorize: Operation = { kind: 'authorize', attempt: number };
    const capturing: Operation = { kind: 'capture', attempt: number };
    if (capture?.status === 'done') {
      if (capture.amount.amount > 0 && !vendorHas('capture', ['done'], capturing)) {
        findings.push({ code: 'capture-missing', key: keyOf(orderId, capturing), ours: capture.amount });
      }
    } else if (isLive(attempt) && attempt.wanted && !isUnderWay(payment, number)) {
      // One that was captured whole can't be captured again; then the capture itself is the difference.
      if (!vendorHas('authorize', ['held'], authorize) && !vendorHas('capture', ['done'], capturing)) {
        findings.push({ code: 'authorization-missing', key: keyOf(orderId, authorize), ours: amount });
      }
    }
  }
  for (const [refundId, { status, amount }] of Object.entries(payment.refunds)) {
    const operation: Operation = { kind: 'refund', refundId };
    if (status !== 'done' || amount.amount === 0 || vendorHas('refund', ['done'], operation)) continue;
    findings.push({ code: 'refund-missing', key: keyOf(orderId, operation), ours: amount });
  }
  for (const [disputeId, { amount }] of Object.entries(payment.disputes ?? {})) {
    const known = operations.some(({ kind, key }) => kind === 'dispute' && key === disputeId);
    if (!known) findings.push({ code: 'dispute-differs', key: disputeId, ours: amount });
  }
  return findings;
}

function sameOperation(one: Operation | undefined, other: Operation): boolean {
  return one !== undefined && keyOf('', one) === keyOf('', other);
}

/** What no single operation shows. */
function totals({ payment, ended }: OurBooks, operations: readonly VendorOperation[]): Difference[] {
  const of = (kind: 'capture' | 'refund' | 'dispute', state: 'done' | 'lost') =>
    operations.flatMap((each) => (each.kind === kind && each.state === state ? [each.amount] : []));
  const captures = of('capture', 'done');
  const back = [...of('refund', 'done'), ...of('dispute', 'lost')];
  const { currency } = payment;
  // What is in another currency differs from ours and says so by itself.
  if ([...captures, ...back].some((amount) => amount.currency !== currency)) return [];
  const captured = sum(currency, captures);
  const findings: Difference[] = captures.length > 1 ? [{ code: 'captured-twice', vendors: captured }] : [];
  const kept = subtract(captured, sum(currency, back));
  const owed = stillOwed(payment);
  if (ended && kept.amount > 0 && owed.amount > 0) findings.push({ code: 'refund-missing', ours: owed, vendors: kept });
  return findings;
}

/** What of a capture is neither booked as paid back, in whatever way, nor on its way. While it is disputed nobody may pay it back. */
function stillOwed(payment: PaymentState): Money {
  if (isDisputed(payment)) return zero(payment.currency);
  const { captured, refunded } = paymentFigures(payment);
  const leaving = Object.entries(payment.refunds).flatMap(([refundId, { amount }]) =>
    isCalled(payment, { kind: 'refund', refundId }) ? [amount] : [],
  );
  return subtract(subtract(subtract(captured, refunded), paidByHand(payment)), sum(payment.currency, leaving));
}

type NumberedAttempt = Attempt & { readonly number: number };

function attemptAt(payment: PaymentState, key: string, kind: 'authorize' | 'capture'): NumberedAttempt | undefined {
  const operation = operationOf(payment.orderId, key)?.operation;
  if (operation?.kind !== kind) return undefined;
  const attempt = attemptOf(payment, operation.attempt);
  return attempt && { ...attempt, number: operation.attempt };
}

function isNeeded({ wanted, capture }: Attempt): boolean {
  return wanted && capture?.status !== 'done';
}

/** A result is still to come. What is escalated nobody waits for. */
function isCalled(payment: PaymentState, operation: Operation): boolean {
  const call = callOf(payment, operation);
  return call !== undefined && call.phase !== 'escalated';
}

function isUnderWay(payment: PaymentState, attempt: number): boolean {
  return (['authorize', 'capture', 'void'] as const).some((kind) => isCalled(payment, { kind, attempt }));
}
