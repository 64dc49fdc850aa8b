/** One decision in the making: what was recorded so far, what it leads to, and the state as of now. */
import { type PaymentGatewayRequest, paymentGateway } from '../gateways.ts';
import { assertNever } from '../kernel/assertNever.ts';
import type { TimerChange } from '../kernel/decider.ts';
import { sum } from '../kernel/money.ts';
import type { ShopContext } from '../shared.ts';
import type { PaymentEvent } from './events.ts';
import { evolve } from './evolve.ts';
import {
  keyOf,
  type Operation,
  type PaymentAnswer,
  type PaymentCommand,
  type PaymentNews,
  type PaymentSend,
} from './messages.ts';
import { attemptOf, callOf, isOpen, type PaymentState, paymentFigures, paymentStatus, refundOf } from './state.ts';

const HOUR = 60 * 60_000;

/** Enquiries after the saga was told that it failed, with growing pauses up to an hour: about half a day in all. */
const BACKGROUND_ENQUIRIES = 20;

const UNAVAILABLE_GROWTH = 3;

export type Turn = {
  state: PaymentState;
  readonly context: ShopContext;
  readonly events: PaymentEvent[];
  readonly sends: PaymentSend[];
  readonly timers: TimerChange<PaymentCommand>[];
};

export function begin(state: PaymentState, context: ShopContext): Turn {
  return { state, context, events: [], sends: [], timers: [] };
}

export function record(turn: Turn, event: PaymentEvent) {
  turn.events.push(event);
  turn.state = evolve(turn.state, event);
}

export function tell(turn: Turn, answer: PaymentAnswer) {
  turn.sends.push({ to: { type: 'order-saga', id: turn.state.orderId }, message: answer });
}

/** Tells the order what its customer can see of it, once per decision. */
export function tellChanges(turn: Turn, before: PaymentState) {
  if (turn.events.length === 0) return;
  const news = visible(turn.state);
  if (sameToTheEye(visible(before), news)) return;
  const message = { type: 'PaymentChanged', seq: turn.state.events, ...news } as const;
  turn.sends.push({ to: { type: 'order', id: turn.state.orderId }, message });
}

function visible(state: PaymentState): Omit<PaymentNews, 'type' | 'seq'> {
  const all = paymentFigures(state);
  const { chargedBack, ...figures } = all;
  const open = Object.values(state.refunds).filter(isOpen);
  const amount = sum(
    state.currency,
    open.map((refund) => refund.amount),
  );
  return {
    status: paymentStatus(state, all),
    ...figures,
    ...(chargedBack.amount > 0 && { chargedBack }),
    ...(open.length > 0 && { openRefund: { amount, escalated: open.some(({ status }) => status === 'escalated') } }),
  };
}

/** The currency becomes known with the first amount; that alone is no news. */
function sameToTheEye(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return one === other;
  const seen = (news: object) => Object.entries(news).filter(([name]) => name !== 'currency');
  const others = new Map(seen(other));
  const all = seen(one);
  return all.length === others.size && all.every(([name, value]) => sameToTheEye(value, others.get(name)));
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

export function setTimer(turn: Turn, name: string, at: number, message: PaymentCommand) {
  turn.timers.push({ set: name, at, message });
}

export function clearTimer(turn: Turn, name: string) {
  turn.timers.push({ clear: name });
}

/** The one authorization that may be captured is given up in time. */
export const EXPIRY = 'expire';

function enquiryOf(turn: Turn, operation: Operation): string {
  return `enquire:${keyOf(turn.state.orderId, operation)}`;
}

/** Sends a request that was just recorded, unless its result is here already. */
export function start(turn: Turn, operation: Operation) {
  if (turn.state.kept[keyOf(turn.state.orderId, operation)] === undefined) send(turn, requestOf(turn, operation));
}

/** `repeat`: with the same key. `renew`: with the next one, as the last was refused. `enquire`: what became of it? */
export function askAgain(turn: Turn, operation: Operation, how: 'repeat' | 'renew' | 'enquire') {
  record(turn, { type: 'GatewayAskedAgain', v: 1, operation, how });
  send(turn, how === 'enquire' ? { type: 'GatewayEnquire', key: keyNow(turn, operation) } : requestOf(turn, operation));
}

/** Asks for what surely was not executed. */
export function askAnew(turn: Turn, operation: Operation) {
  askAgain(turn, operation, callOf(turn.state, operation)?.keySpent ? 'renew' : 'repeat');
}

/** Asks again by itself at a later time, as often as we may; false when that is used up. */
export function askLater(turn: Turn, operation: Operation): boolean {
  const { enquiries, enquiryDelayMs, maxRepeatDelayMs } = turn.context.policy.payment;
  const { tries = 0, phase } = callOf(turn.state, operation) ?? {};
  if (tries > enquiries + BACKGROUND_ENQUIRIES) return false;
  const growth = phase === 'waiting' ? UNAVAILABLE_GROWTH ** (tries - 1) : 2 ** Math.max(0, tries - enquiries);
  // A customer waits for the one; the other only has to be done some day.
  const forCustomer = phase === 'waiting' && operation.kind !== 'void';
  const pause = Math.min(enquiryDelayMs * growth, Math.max(forCustomer ? maxRepeatDelayMs : HOUR, enquiryDelayMs));
  const key = keyOf(turn.state.orderId, operation);
  setTimer(turn, enquiryOf(turn, operation), turn.context.now + pause, { type: 'EnquireAgain', key });
  return true;
}

export function askNoMore(turn: Turn, operation: Operation) {
  clearTimer(turn, enquiryOf(turn, operation));
}

function send(turn: Turn, message: PaymentGatewayRequest) {
  turn.sends.push({ to: paymentGateway, message });
}

function keyNow({ state }: Turn, operation: Operation): string {
  return keyOf(state.orderId, operation, callOf(state, operation)?.round);
}

function requestOf(turn: Turn, operation: Operation): PaymentGatewayRequest {
  const { state } = turn;
  const key = keyNow(turn, operation);
  const refund = operation.kind === 'refund' ? refundOf(state, operation.refundId) : undefined;
  const attempt = attemptOf(state, operation.kind === 'refund' ? (refund?.attempt ?? 0) : operation.attempt);
  if (!attempt) throw new Error(`nothing is known of ${key}`);
  const { authorizationId = '', capture, amount, token = '' } = attempt;
  switch (operation.kind) {
    case 'authorize':
      return { type: 'GatewayAuthorize', key, orderId: state.orderId, amount, token };
    case 'capture':
      return { type: 'GatewayCapture', key, authorizationId, amount: capture?.amount ?? amount };
    case 'void':
      return { type: 'GatewayVoid', key, authorizationId };
    case 'refund':
      return { type: 'GatewayRefund', key, captureId: capture?.captureId ?? '', amount: refund?.amount ?? amount };
    default:
      return assertNever(operation);
  }
}
