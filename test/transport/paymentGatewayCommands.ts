/**
 * Any sequence of requests to a payment vendor's adapter, against a model of the vendor in a few lines; the same seeds
 * wherever the vendor keeps its books. Time-outs after which it was done all the same are among them.
 */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentGatewayOutcome, PaymentGatewayRequest } from '../../actors/gateways.ts';
import { money } from '../../actors/kernel/money.ts';
import type { PaymentAdapter } from '../../transport/payment/gateway.ts';

const SEED = 20_261_121;
const KEYS = 5;
const TOTAL = 1_000;
const DEADLINE_MS = 10_000;

/** What each token makes of an authorization, and of a capture of it. */
const TOKENS = {
  tok_success: { authorizes: 'authorized', captures: 'captured' },
  tok_decline: { authorizes: 'declined', captures: 'failed' },
  tok_late_success: { authorizes: 'silence', captures: 'captured' },
  tok_timeout: { authorizes: 'nothing', captures: 'failed' },
  tok_capture_fails: { authorizes: 'authorized', captures: 'failed' },
  tok_capture_timeout: { authorizes: 'authorized', captures: 'silence' },
} as const;
type Token = keyof typeof TOKENS;
const tokens = Object.keys(TOKENS) as Token[];

type Step =
  | { readonly do: 'authorize'; readonly key: number; readonly amount: number; readonly token: Token }
  /** About the authorization or the capture under the key `of`, whether or not there is one. */
  | { readonly do: 'capture' | 'void' | 'refund'; readonly key: number; readonly of: number; readonly amount: number }
  | { readonly do: 'enquire'; readonly key: number };

const key = fc.nat(KEYS);
const amount = fc.constantFrom(TOTAL, TOTAL, 400, 600, TOTAL + 1);
const token = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Token>('tok_success') },
  { weight: 3, arbitrary: fc.constantFrom(...tokens) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('authorize' as const), key, amount, token }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('capture', 'capture', 'refund', 'refund', 'void'),
      key,
      of: key,
      amount,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('enquire' as const), key }) },
);
/** Each step may be asked twice: whoever got no answer does. */
const sequences = fc.array(fc.tuple(step, fc.boolean()), { minLength: 1, maxLength: 40, size: 'max' });

export type CommandedGateway = { readonly adapter: PaymentAdapter /** Never used before. */; readonly order: string };

export function paymentGatewayCommands(name: string, create: () => CommandedGateway, runs: number): void {
  const test = suite(`payment gateway commands: ${name}`);

  test('any sequence of requests does what the model says, each key once', async () => {
    const holds = fc.asyncProperty(sequences, (steps) => play(create(), steps));
    await fc.assert(holds, { seed: SEED, numRuns: runs });
  });

  test.run();
}

/** Of what stands under a key. */
type Entry = {
  readonly request: string;
  readonly authorization: Authorization;
  readonly kind: 'authorize' | 'capture' | 'void' | 'refund';
  readonly of: number;
  readonly outcome: Kind;
  readonly amount: number;
};
type Kind = PaymentGatewayOutcome['outcome'];
type Answer = Kind | 'silence';
type Authorization = { readonly total: number; readonly token: Token; readonly outcome: Kind };

async function play({ adapter, order }: CommandedGateway, steps: readonly (readonly [Step, boolean])[]): Promise<void> {
  const entries = new Map<number, Entry>();
  const answers = new Map<string, PaymentGatewayOutcome>();
  for (const [each, twice] of steps) {
    for (let time = 0; time < (twice ? 2 : 1); time += 1) {
      const expected = modelled(entries, each);
      const request = requestOf(order, each);
      const actual = await answerOf(adapter, request, expected);
      assert.is(typeof actual === 'string' ? actual : actual.outcome, expected, JSON.stringify(request));
      if (typeof actual === 'string' || actual.outcome === 'failed' || actual.outcome === 'not-found') continue;
      // Whoever is told of an operation that was done is told the same each time, enquiring or asking again.
      const told = answers.get(request.key) ?? actual;
      answers.set(request.key, told);
      assert.equal(actual, told);
    }
  }
}

function requestOf(order: string, each: Step): PaymentGatewayRequest {
  const named = (number: number): string => `${order}/k${number}`;
  const its = { key: named(each.key) };
  switch (each.do) {
    case 'authorize':
      return { type: 'GatewayAuthorize', ...its, orderId: order, amount: money(each.amount, 'USD'), token: each.token };
    case 'capture':
      return {
        ...{ type: 'GatewayCapture', ...its, amount: money(each.amount, 'USD') },
        authorizationId: `auth_${named(each.of)}`,
      };
    case 'void':
      return { type: 'GatewayVoid', ...its, authorizationId: `auth_${named(each.of)}` };
    case 'refund':
      return { type: 'GatewayRefund', ...its, captureId: `cap_${named(each.of)}`, amount: money(each.amount, 'USD') };
    case 'enquire':
      return { type: 'GatewayEnquire', ...its };
  }
}

/** Gives up at once where no answer is expected: what was asked for is done all the same, or never. */
async function answerOf(
  adapter: PaymentAdapter,
  request: PaymentGatewayRequest,
  expected: Answer,
): Promise<PaymentGatewayOutcome | 'silence'> {
  const gaveUp = new Error('no answer');
  const signal = expected === 'silence' ? AbortSignal.abort(gaveUp) : AbortSignal.timeout(DEADLINE_MS);
  return adapter.perform(request, signal).catch((error: unknown) => {
    if (error === gaveUp) return 'silence';
    throw error;
  });
}

function modelled(entries: Map<number, Entry>, each: Step): Answer {
  if (each.do === 'enquire') return entries.get(each.key)?.outcome ?? 'not-found';
  const request = JSON.stringify(requestOf('', each));
  const known = entries.get(each.key);
  if (each.do === 'authorize') {
    if (known) return known.request === request ? known.outcome : 'failed';
    return authorize(entries, each, request);
  }
  const authorization = authorizationOf(entries, each);
  if (!authorization) return 'failed';
  if (known) return known.request === request ? known.outcome : 'failed';
  const outcome = followUp(entries, each, authorization);
  entries.set(each.key, { request, authorization, kind: each.do, of: each.of, outcome, amount: each.amount });
  const silent = each.do === 'capture' && TOKENS[authorization.token].captures === 'silence';
  return silent ? 'silence' : outcome;
}

type Authorize = Extract<Step, { do: 'authorize' }>;
type FollowUp = Extract<Step, { do: 'capture' | 'void' | 'refund' }>;

function authorize(
  entries: Map<number, Entry>,
  { key: its, amount: total, token: by }: Authorize,
  request: string,
): Answer {
  const { authorizes } = TOKENS[by];
  if (authorizes === 'nothing') return 'silence';
  const outcome: Kind = authorizes === 'declined' ? 'declined' : 'authorized';
  const authorization = { total, token: by, outcome };
  entries.set(its, { request, authorization, kind: 'authorize', of: its, outcome, amount: total });
  return authorizes === 'silence' ? 'silence' : outcome;
}

/** A refund names a capture, or what the vendor takes for one. */
function authorizationOf(entries: ReadonlyMap<number, Entry>, each: FollowUp): Authorization | undefined {
  const entry = entries.get(each.of);
  return (entry?.kind === 'authorize') === (each.do !== 'refund') ? entry?.authorization : undefined;
}

function followUp(entries: ReadonlyMap<number, Entry>, each: FollowUp, authorization: Authorization): Kind {
  const done = [...entries.values()].filter((entry) => entry.authorization === authorization);
  const sum = (outcome: Kind, fits: (entry: Entry) => boolean): number =>
    done.reduce((total, entry) => total + (entry.outcome === outcome && fits(entry) ? entry.amount : 0), 0);
  const captured = sum('captured', () => true);
  if (authorization.outcome !== 'authorized') return 'failed';
  switch (each.do) {
    case 'capture': {
      const isVoided = done.some(({ outcome }) => outcome === 'voided');
      if (isVoided || captured + each.amount > authorization.total) return 'failed';
      return TOKENS[authorization.token].captures === 'failed' ? 'failed' : 'captured';
    }
    case 'void':
      return captured === authorization.total ? 'failed' : 'voided';
    case 'refund': {
      const capture = entries.get(each.of);
      const refunded = sum('refunded', ({ of }) => of === each.of);
      return capture?.outcome === 'captured' && refunded + each.amount <= capture.amount ? 'refunded' : 'failed';
    }
  }
}
