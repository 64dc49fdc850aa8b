/**
 * The subjects of the checks that may have to be looked at twice: each is examined within one turn, from what is durable
 * at that moment, so an examination never sees half of anything.
 */
import { type Finding, finding, GRACE_MS } from '../../actors/checks/finding.ts';
import { checkOrder } from '../../actors/checks/order.ts';
import { checkReservation, checkStockItem } from '../../actors/checks/stock.ts';
import { waitingFor } from '../../actors/inventoryItem/backorders.ts';
import { type InventoryState, stockFigures } from '../../actors/inventoryItem/state.ts';
import { type AddressKey, addressKey, parseAddressKey } from '../../actors/kernel/address.ts';
import { type Envelope, resultId } from '../../actors/kernel/message.ts';
import type { ShardStore } from '../../actors/kernel/ports.ts';
import { tableGet } from '../../actors/kernel/table.ts';
import { orderAddress } from '../../actors/order.ts';
import { sagaAddress } from '../../actors/orderSaga/messages.ts';
import { paymentAddress } from '../../actors/payment.ts';
import type { ProductState } from '../../actors/product.ts';
import type { AuditReader } from '../../storage/auditReader.ts';
import { type Facts, Unreadable } from './facts.ts';
import type { ReadModels } from './readModels.ts';

export type Subject =
  /** Whatever its type: it can be rebuilt, and its timers are there. */
  | { readonly kind: 'aggregate'; readonly key: AddressKey }
  | { readonly kind: 'order'; readonly orderId: string }
  | { readonly kind: 'reservation'; readonly key: AddressKey; readonly reservationId: string }
  /** A message that was sent: it is answered or waits. */
  | { readonly kind: 'message'; readonly envelope: Envelope }
  | { readonly kind: 'late-message'; readonly envelope: Envelope; readonly since: number }
  | { readonly kind: 'late-timer'; readonly key: AddressKey; readonly name: string };

/** A message that has been waiting so long is not on its way any more. */
export const LATE_MESSAGE_MS = 5 * 60_000;

export type ExamineOptions = {
  readonly facts: Facts;
  readonly reader: AuditReader;
  readonly store: Pick<ShardStore, 'answered'>;
  readonly readModels: ReadModels;
  readonly now: () => number;
};

export type Examine = (subject: Subject) => readonly Finding[];

export function createExamine(options: ExamineOptions): Examine {
  return (subject) => {
    try {
      return examined(options, subject);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const text = `Its state cannot be rebuilt (${error.message}): it answers nobody. Fix the code or restore a backup.`;
      return [finding('critical', 'aggregate.unreadable', text, error.key)];
    }
  };
}

function examined(options: ExamineOptions, subject: Subject): readonly Finding[] {
  switch (subject.kind) {
    case 'aggregate':
      return examineAggregate(options, subject.key);
    case 'order':
      return examineOrder(options, subject.orderId);
    case 'reservation':
      return examineReservation(options, subject);
    case 'message':
      return examineMessage(options, subject.envelope);
    case 'late-message':
      return examineLateMessage(options, subject);
    case 'late-timer':
      return examineLateTimer(options, subject);
  }
}

function examineAggregate({ facts, reader, readModels }: ExamineOptions, key: AddressKey): Finding[] {
  const address = parseAddressKey(key);
  const { state, timers } = facts.memory(address);
  const stored = new Map(reader.timers(key).map((timer) => [timer.name, timer]));
  const findings: Finding[] = [];
  for (const { name, at, seq } of timers.values()) {
    const row = stored.get(name);
    stored.delete(name);
    if (row?.at === at && row.seq === seq) continue;
    const text = `Its timer ${name} of ${new Date(at).toISOString()} will not fire: it is not among the pending ones.`;
    findings.push(finding('critical', 'timer.lost', text, key, name));
  }
  for (const name of stored.keys()) {
    findings.push(finding('warning', 'timer.unknown', `A timer ${name} is pending that it never set.`, key, name));
  }
  if (address.type === 'stock') {
    const item = state as InventoryState;
    const same = readModels.stock(item.sku, item.warehouse, stockFigures(item));
    findings.push(...checkStockItem(item), ...differs(same, 'stock', key));
  }
  if (address.type === 'product') {
    findings.push(...differs(readModels.product(state as ProductState), 'catalog', key));
  }
  return findings;
}

function differs(same: boolean, list: string, ...ids: string[]): Finding[] {
  if (same) return [];
  return [finding('warning', 'read-model.differs', `The ${list} list does not show what is.`, ...ids)];
}

/** Whether something is under way is asked only where it matters: a popular stock item has many messages to look through. */
function unlessUnderWay(
  check: (underWay: boolean) => readonly Finding[],
  isUnderWay: () => boolean,
): readonly Finding[] {
  const findings = check(false);
  return findings.length > 0 && isUnderWay() ? check(true) : findings;
}

function examineOrder({ facts, readModels }: ExamineOptions, orderId: string): readonly Finding[] {
  const group = facts.group(orderId);
  const rest = {
    orderId,
    ...group,
    stockOf: (sku: string, warehouse: string) => facts.stock(sku, warehouse),
    sagaTimers: facts.memory(sagaAddress(orderId)).timers.size,
    paymentTimers: facts.memory(paymentAddress(orderId)).timers.size,
  };
  const { order } = group;
  const check = (underWay: boolean): readonly Finding[] => {
    const findings = checkOrder({ ...rest, underWay });
    if (underWay || order.status === 'unknown') return findings;
    return [...findings, ...differs(readModels.order(order), "customer's orders", orderId)];
  };
  return unlessUnderWay(check, () => facts.underWay(orderId, group));
}

type Reservation = Extract<Subject, { kind: 'reservation' }>;

function examineReservation({ facts, now }: ExamineOptions, { key, reservationId }: Reservation): readonly Finding[] {
  const item = facts.state<InventoryState>(parseAddressKey(key));
  const reservation = tableGet(item.reservations, reservationId) ?? waitingFor(item, reservationId);
  if (!reservation) return [];
  const { sagaId } = reservation;
  const group = facts.group(sagaId);
  return unlessUnderWay(
    (underWay) => checkReservation({ item, reservationId, reservation, ...group, underWay, now: now() }),
    () => facts.answering(key, sagaId) || facts.underWay(sagaId, group),
  );
}

function examineMessage(options: ExamineOptions, envelope: Envelope): Finding[] {
  const { id, to, message } = envelope;
  if (options.reader.isWaiting(id) || isAnswered(options, envelope)) return [];
  const text = `${message.type} to ${addressKey(to)} is lost: nobody answered it and it waits nowhere.`;
  return [finding('critical', 'message.lost', text, id)];
}

/** A call of a gateway is answered when its result has reached the asker. */
function isAnswered({ facts, store }: ExamineOptions, { id, to, from, carries }: Envelope): boolean {
  const call = to.type === 'gateway';
  const receiver = call ? from : to;
  if (!receiver) return true;
  // What a requeued letter's carrier brings is answered under its own id.
  const answer = call ? resultId(id) : (carries?.id ?? id);
  const { seen, forgotten } = facts.memory(receiver);
  return seen.has(answer) || (forgotten > 0 && store.answered(addressKey(receiver), answer) !== undefined);
}

type LateMessage = Extract<Subject, { kind: 'late-message' }>;

/** One that is answered waits for no more than the next record, which will take it out of the outbox. */
function examineLateMessage(options: ExamineOptions, { envelope, since }: LateMessage): Finding[] {
  const { id } = envelope;
  if (!options.reader.isWaiting(id) || isAnswered(options, envelope)) return [];
  const minutes = Math.floor((options.now() - since) / 60_000);
  const text = `It has been waiting for ${minutes} min: its receiver can't be loaded, or is in quarantine.`;
  return [finding('warning', 'message.late', text, id)];
}

function examineLateTimer(
  { reader, now }: ExamineOptions,
  { key, name }: Extract<Subject, { kind: 'late-timer' }>,
): Finding[] {
  const timer = reader.timers(key).find((row) => row.name === name);
  if (!timer || timer.at > now() - GRACE_MS) return [];
  const text = `Its timer ${name} was due at ${new Date(timer.at).toISOString()} and has not fired.`;
  return [finding('warning', 'timer.overdue', text, key, name)];
}

/** An order's aggregates stand side by side; the first of them that exists stands for all. */
export function orderOf(key: AddressKey, reader: AuditReader): string | undefined {
  const { type, id } = parseAddressKey(key);
  const group = [orderAddress(id), sagaAddress(id), paymentAddress(id)];
  const place = group.findIndex((address) => address.type === type);
  if (place < 0) return undefined;
  return group.slice(0, place).some((address) => reader.newestSeq(addressKey(address)) > 0) ? undefined : id;
}
