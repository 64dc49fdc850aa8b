/**
 * A payment vendor in the process: deterministic, steered by test tokens, and strict about money. The same key gives
 * the same outcome; a key used for another request, a capture above its authorization or a refund above its capture is
 * refused as `failed`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { PaymentGatewayOutcome, PaymentGatewayRequest } from '../../actors/gateways.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import { add, compare, type Money } from '../../actors/kernel/money.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { GatewayUnavailable, hang } from '../gateway.ts';
import { pageAtBank } from './bankReference.ts';
import { createEntryLedger, createMemoryEntries } from './entryLedger.ts';
import type { PaymentAdapter } from './gateway.ts';
import {
  type Authorization,
  type AuthorizeRequest,
  amountsOf,
  authorizationAt,
  type FollowUpRequest,
  type LedgerEntry,
  type OrderEntries,
  orderOf,
  type SimulatorLedger,
} from './ledger.ts';

/** The vendor's own figure: after it an authorization can't be captured any more. */
const AUTHORIZATION_MS = 7 * 24 * 60 * 60 * 1_000;
const FLAKY_REFUSALS = 2;

type Behaviour = {
  readonly authorize: 'accept' | 'decline' | 'hang' | 'hang-though-done' | 'flaky' | 'ask-customer' | 'unavailable';
  readonly declined?: string;
  readonly capture?: 'fail' | 'hang-though-done';
  readonly void?: 'fail';
  readonly refund?: 'fail' | 'flaky';
};

const behaviours: Readonly<Record<string, Behaviour>> = {
  tok_success: { authorize: 'accept' },
  tok_decline: { authorize: 'decline', declined: 'card declined' },
  tok_insufficient_funds: { authorize: 'decline', declined: 'insufficient funds' },
  /** Never answers and was never executed. */
  tok_timeout: { authorize: 'hang' },
  /** Never answers, though it was executed. */
  tok_late_success: { authorize: 'hang-though-done' },
  /** Is unavailable twice, then works. */
  tok_flaky: { authorize: 'flaky' },
  tok_requires_action: { authorize: 'ask-customer' },
  tok_unavailable: { authorize: 'unavailable' },
  // These are authorized and go wrong later.
  tok_capture_fails: { authorize: 'accept', capture: 'fail' },
  tok_capture_timeout: { authorize: 'accept', capture: 'hang-though-done' },
  tok_void_fails: { authorize: 'accept', void: 'fail' },
  tok_refund_fails: { authorize: 'accept', refund: 'fail' },
  /** The first two refunds fail, each under its own key. */
  tok_refund_flaky: { authorize: 'accept', refund: 'flaky' },
};

const unknownToken: Behaviour = { authorize: 'decline', declined: 'invalid token' };

function behaviourOf(token: string): Behaviour {
  return (Object.hasOwn(behaviours, token) && behaviours[token]) || unknownToken;
}

export type PaymentSimulatorOptions = {
  readonly clock: Clock;
  /** Where the vendor remembers; in memory unless given. */
  readonly ledger?: SimulatorLedger;
  /** How long each answer takes, in ms of business time. */
  readonly latencyMs?: number;
  /** Makes the addresses at the bank unguessable, and the same for the same key. */
  readonly secret?: string;
};

export function createPaymentSimulator(options: PaymentSimulatorOptions): PaymentAdapter {
  const { clock, ledger = createEntryLedger(createMemoryEntries()), latencyMs = 0, secret = '' } = options;

  function answer(request: PaymentGatewayRequest): Promise<Answer> {
    switch (request.type) {
      case 'GatewayAuthorize':
        return ledger.change(orderOf(request.key), (order) => authorize({ order, secret, now: clock.now() }, request));
      case 'GatewayCapture':
      case 'GatewayVoid':
      case 'GatewayRefund':
        return ledger.change(orderOf(request.key), (order) => followUp(order, request, clock.now()));
      case 'GatewayEnquire':
        return ledger.change(orderOf(request.key), (order) => enquire(order, request.key));
      default:
        return assertNever(request);
    }
  }

  return {
    async perform(request, signal) {
      if (latencyMs > 0) await clock.sleep(latencyMs, signal);
      const given = await answer(request);
      if ('outcome' in given) return given;
      if (given.none === 'ever') return hang(signal);
      throw new GatewayUnavailable(given.reason);
    },
  };
}

type Answer =
  | PaymentGatewayOutcome
  | { readonly none: 'ever' }
  /** Nothing was executed. */
  | { readonly none: 'now'; readonly reason: string };
const silence: Answer = { none: 'ever' };

type Visit = { readonly order: OrderEntries; readonly secret: string; readonly now: number };

function authorize({ order, secret, now }: Visit, request: AuthorizeRequest): Answer {
  const { key } = request;
  const known = order.get(key);
  if (known !== undefined && (known.kind !== 'authorization' || !isDeepStrictEqual(known.request, request))) {
    return failed('key already used for another request');
  }
  if (known?.outcome !== undefined) return known.outcome;

  const refusals = known?.refusals ?? 0;
  const entry: Authorization = { kind: 'authorization', key, request, at: now, refusals, followUps: [] };
  const conclude = (outcome: PaymentGatewayOutcome, ...more: readonly LedgerEntry[]): PaymentGatewayOutcome => {
    order.put({ ...entry, outcome }, ...more);
    return outcome;
  };
  if (request.amount.amount <= 0) return conclude(failed('wrong amount'));
  const behaviour = behaviourOf(request.token);
  switch (behaviour.authorize) {
    case 'accept':
      return conclude(authorized(key, now));
    case 'decline':
      return conclude({ outcome: 'declined', reason: behaviour.declined ?? 'declined' });
    case 'ask-customer': {
      const page = pageAtBank(key, secret);
      return conclude({ outcome: 'requires-action', url: page.url }, page.entry);
    }
    case 'flaky':
      if (refusals === FLAKY_REFUSALS) return conclude(authorized(key, now));
      order.put({ ...entry, refusals: refusals + 1 });
      return { none: 'now', reason: 'vendor is busy' };
    case 'unavailable':
      return { none: 'now', reason: 'vendor is down' };
    case 'hang-though-done':
      conclude(authorized(key, now));
      return silence;
    case 'hang':
      return silence;
    default:
      return assertNever(behaviour.authorize);
  }
}

function followUp(order: OrderEntries, request: FollowUpRequest, now: number): Answer {
  const { key } = request;
  const authorization = authorizationOf(order, request);
  if (authorization === undefined) {
    order.confirm();
    return failed('no such authorization or capture');
  }
  const done = authorization.followUps.find((each) => each.request.key === key);
  if (done !== undefined && isDeepStrictEqual(done.request, request)) return done.outcome;
  if (done !== undefined || leadsElsewhere(order.get(key), authorization)) {
    return failed('key already used for another request');
  }

  const outcome = execute(authorization, request, now);
  order.put(
    { kind: 'follow-up', key, authorizationKey: authorization.key },
    { ...authorization, followUps: [...authorization.followUps, { request, at: now, outcome }] },
  );
  const { capture } = behaviourOf(authorization.request.token);
  return request.type === 'GatewayCapture' && capture === 'hang-though-done' ? silence : outcome;
}

function leadsElsewhere(known: LedgerEntry | undefined, authorization: Authorization): boolean {
  return known !== undefined && (known.kind !== 'follow-up' || known.authorizationKey !== authorization.key);
}

/** The operation's own key names the order: what it is about must be of the same. */
function authorizationOf(order: OrderEntries, request: FollowUpRequest): Authorization | undefined {
  const of =
    request.type === 'GatewayRefund'
      ? keyIn(CAPTURE_PREFIX, request.captureId)
      : keyIn(AUTHORIZATION_PREFIX, request.authorizationId);
  if (orderOf(of) !== orderOf(request.key)) return undefined;
  if (request.type !== 'GatewayRefund') return authorizationAt(order, of);
  const capture = order.get(of);
  return capture?.kind === 'follow-up' ? authorizationAt(order, capture.authorizationKey) : undefined;
}

function enquire(order: OrderEntries, key: string): PaymentGatewayOutcome {
  const entry = order.get(key);
  const operation =
    entry?.kind === 'follow-up'
      ? authorizationAt(order, entry.authorizationKey)?.followUps.find((each) => each.request.key === key)
      : authorizationAt(order, key);
  if (operation?.outcome !== undefined) return operation.outcome;
  order.confirm();
  return { outcome: 'not-found' };
}

const AUTHORIZATION_PREFIX = 'auth_';
const CAPTURE_PREFIX = 'cap_';
const REFUND_PREFIX = 're_';

/** The vendor's ids are the keys with a prefix; an id of another kind leads to no key. */
function keyIn(prefix: string, id: string): string {
  return id.startsWith(prefix) ? id.slice(prefix.length) : '';
}

export function authorized(key: string, now: number): PaymentGatewayOutcome {
  return {
    outcome: 'authorized',
    authorizationId: `${AUTHORIZATION_PREFIX}${key}`,
    expiresAt: now + AUTHORIZATION_MS,
  };
}

function failed(reason: string): PaymentGatewayOutcome {
  return { outcome: 'failed', reason };
}

function execute(authorization: Authorization, request: FollowUpRequest, now: number): PaymentGatewayOutcome {
  const { outcome } = authorization;
  if (outcome?.outcome !== 'authorized') return failed('not authorized');
  switch (request.type) {
    case 'GatewayCapture':
      return now >= outcome.expiresAt ? failed('authorization expired') : capture(authorization, request);
    case 'GatewayVoid':
      return voidRest(authorization);
    case 'GatewayRefund':
      return refund(authorization, request);
    default:
      return assertNever(request);
  }
}

function capture(
  authorization: Authorization,
  { key, amount }: Extract<FollowUpRequest, { type: 'GatewayCapture' }>,
): PaymentGatewayOutcome {
  const { captured, voided } = amountsOf(authorization);
  if (voided) return failed('already voided');
  if (!isPayable(amount, authorization)) return failed('wrong amount');
  if (compare(add(captured, amount), authorization.request.amount) > 0) return failed('more than was authorized');
  if (behaviourOf(authorization.request.token).capture === 'fail') return failed('capture refused');
  return { outcome: 'captured', captureId: `${CAPTURE_PREFIX}${key}`, amount };
}

/** Also when it expired or was voided before: there is nothing left to hold. */
function voidRest(authorization: Authorization): PaymentGatewayOutcome {
  if (compare(amountsOf(authorization).captured, authorization.request.amount) === 0) return failed('already captured');
  if (behaviourOf(authorization.request.token).void === 'fail') return failed('void refused');
  return { outcome: 'voided' };
}

function refund(
  authorization: Authorization,
  { key, captureId, amount }: Extract<FollowUpRequest, { type: 'GatewayRefund' }>,
): PaymentGatewayOutcome {
  const captures = authorization.followUps.map((each) => each.outcome).filter((each) => each.outcome === 'captured');
  const captured = captures.find((each) => each.captureId === captureId)?.amount;
  if (captured === undefined) return failed('no such capture');
  if (!isPayable(amount, authorization)) return failed('wrong amount');
  if (authorization.disputes?.some(({ status }) => status === 'open')) return failed('disputed');
  const { refunded, lost } = amountsOf(authorization, captureId);
  if (compare(add(add(refunded, lost), amount), captured) > 0) return failed('more than was captured');
  const behaviour = behaviourOf(authorization.request.token).refund;
  const failures = authorization.followUps.filter(
    (each) => each.request.type === 'GatewayRefund' && each.outcome.outcome === 'failed',
  ).length;
  if (behaviour === 'fail' || (behaviour === 'flaky' && failures < FLAKY_REFUSALS)) return failed('refund refused');
  return { outcome: 'refunded', refundId: `${REFUND_PREFIX}${key}`, amount };
}

function isPayable(amount: Money, { request }: Authorization): boolean {
  return amount.amount > 0 && amount.currency === request.amount.currency;
}
