/** What every payment vendor's adapter must do, simulated or real. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentGatewayOutcome, PaymentGatewayRequest } from '../../actors/gateways.ts';
import { type Money, money } from '../../actors/kernel/money.ts';
import type { PaymentAdapter } from '../../transport/payment/gateway.ts';

export type PaymentGatewayUnderTest = {
  readonly adapter: PaymentAdapter;
  /** The vendor's test tokens for what they are named after. */
  readonly tokens: { readonly success: string; readonly declined: string; readonly requiresAction: string };
  /** Never used at the vendor before. */
  newKey(): string;
};

type Kind = PaymentGatewayOutcome['outcome'];

const usd = (amount: number): Money => money(amount, 'USD');

function expectKind<K extends Kind>(
  outcome: PaymentGatewayOutcome,
  kind: K,
): Extract<PaymentGatewayOutcome, { outcome: K }> {
  if (!isKind(outcome, kind)) throw new Error(`expected ${kind}, got ${JSON.stringify(outcome)}`);
  return outcome;
}

function isKind<K extends Kind>(
  outcome: PaymentGatewayOutcome,
  kind: K,
): outcome is Extract<PaymentGatewayOutcome, { outcome: K }> {
  return outcome.outcome === kind;
}

function operationsOf({ adapter, tokens, newKey }: PaymentGatewayUnderTest) {
  const { signal } = new AbortController();
  const perform = (request: PaymentGatewayRequest) => adapter.perform(request, signal);
  const authorizing = (key: string, amount: number, token: string): PaymentGatewayRequest => ({
    type: 'GatewayAuthorize',
    key,
    orderId: 'ord_contract',
    amount: usd(amount),
    token,
  });
  return {
    perform,
    authorizing,
    authorize: async (amount: number) =>
      expectKind(await perform(authorizing(newKey(), amount, tokens.success)), 'authorized').authorizationId,
    capture: (authorizationId: string, amount: number, key = newKey()) =>
      perform({ type: 'GatewayCapture', key, authorizationId, amount: usd(amount) }),
    voiding: (authorizationId: string, key = newKey()) => perform({ type: 'GatewayVoid', key, authorizationId }),
    refund: (captureId: string, amount: number, key = newKey()) =>
      perform({ type: 'GatewayRefund', key, captureId, amount: usd(amount) }),
    enquire: (key: string) => perform({ type: 'GatewayEnquire', key }),
  };
}

export function paymentGatewayContract(
  name: string,
  create: () => PaymentGatewayUnderTest,
  finish: () => void | Promise<void> = () => {},
): void {
  const test = suite(`payment gateway contract: ${name}`);
  test.after(finish);

  test('authorize - the same key authorizes once', async () => {
    const subject = create();
    const { perform, authorizing } = operationsOf(subject);
    const request = authorizing(subject.newKey(), 5_000, subject.tokens.success);
    const first = expectKind(await perform(request), 'authorized');
    assert.equal(await perform(request), first);
  });

  test('authorize - a decline is an outcome, and stays one', async () => {
    const subject = create();
    const { perform, authorizing, enquire } = operationsOf(subject);
    const request = authorizing(subject.newKey(), 5_000, subject.tokens.declined);
    const first = expectKind(await perform(request), 'declined');
    assert.equal(await perform(request), first);
    assert.equal(await enquire(request.key), first);
  });

  test('authorize - may ask the customer to act', async () => {
    const subject = create();
    const { perform, authorizing } = operationsOf(subject);
    const outcome = await perform(authorizing(subject.newKey(), 5_000, subject.tokens.requiresAction));
    // The simulator's is on our own edge, wherever that is.
    const { url } = expectKind(outcome, 'requires-action');
    assert.is(new URL(url, 'https://shop.example').protocol, 'https:');
  });

  test('a key is refused for another request', async () => {
    const subject = create();
    const { perform, authorizing, capture } = operationsOf(subject);
    const key = subject.newKey();
    const { authorizationId } = expectKind(
      await perform(authorizing(key, 5_000, subject.tokens.success)),
      'authorized',
    );
    expectKind(await perform(authorizing(key, 6_000, subject.tokens.success)), 'failed');
    const captureKey = subject.newKey();
    expectKind(await capture(authorizationId, 1_000, captureKey), 'captured');
    expectKind(await capture(authorizationId, 2_000, captureKey), 'failed');
  });

  test('capture - the same key captures once', async () => {
    const subject = create();
    const { authorize, capture } = operationsOf(subject);
    const authorizationId = await authorize(5_000);
    const key = subject.newKey();
    const first = expectKind(await capture(authorizationId, 5_000, key), 'captured');
    assert.equal(first.amount, usd(5_000));
    assert.equal(await capture(authorizationId, 5_000, key), first);
  });

  test('capture - less than authorized, never more', async () => {
    const { authorize, capture } = operationsOf(create());
    expectKind(await capture(await authorize(5_000), 4_000), 'captured');
    expectKind(await capture(await authorize(5_000), 5_001), 'failed');
  });

  test('void - ends an authorization, however often it is asked', async () => {
    const { authorize, capture, voiding } = operationsOf(create());
    const authorizationId = await authorize(5_000);
    expectKind(await voiding(authorizationId), 'voided');
    expectKind(await voiding(authorizationId), 'voided');
    expectKind(await capture(authorizationId, 5_000), 'failed');
  });

  test('void - is refused for what was captured', async () => {
    const { authorize, capture, voiding } = operationsOf(create());
    const authorizationId = await authorize(5_000);
    expectKind(await capture(authorizationId, 5_000), 'captured');
    expectKind(await voiding(authorizationId), 'failed');
  });

  test('void - of what a partial capture left: no more can be captured, what was can be refunded', async () => {
    const { authorize, capture, voiding, refund } = operationsOf(create());
    const authorizationId = await authorize(5_000);
    const { captureId } = expectKind(await capture(authorizationId, 2_000), 'captured');
    expectKind(await voiding(authorizationId), 'voided');
    expectKind(await capture(authorizationId, 3_000), 'failed');
    expectKind(await refund(captureId, 2_001), 'failed');
    expectKind(await refund(captureId, 2_000), 'refunded');
  });

  test('refund - in parts up to what was captured, each key once', async () => {
    const subject = create();
    const { authorize, capture, refund } = operationsOf(subject);
    const { captureId } = expectKind(await capture(await authorize(5_000), 4_000), 'captured');
    const key = subject.newKey();
    const first = expectKind(await refund(captureId, 2_500, key), 'refunded');
    assert.equal(first.amount, usd(2_500));
    assert.equal(await refund(captureId, 2_500, key), first);
    expectKind(await refund(captureId, 1_501), 'failed');
    expectKind(await refund(captureId, 1_500), 'refunded');
    expectKind(await refund(captureId, 1), 'failed');
  });

  test('enquire - tells what became of each operation', async () => {
    const subject = create();
    const { perform, authorizing, capture, voiding, refund, enquire } = operationsOf(subject);
    const authorizeKey = subject.newKey();
    const captureKey = subject.newKey();
    const refundKey = subject.newKey();
    const voidKey = subject.newKey();
    const authorized = expectKind(
      await perform(authorizing(authorizeKey, 5_000, subject.tokens.success)),
      'authorized',
    );
    const captured = expectKind(await capture(authorized.authorizationId, 3_000, captureKey), 'captured');
    const refunded = await refund(captured.captureId, 1_000, refundKey);
    const voided = await voiding(authorized.authorizationId, voidKey);
    assert.equal(await enquire(authorizeKey), authorized);
    assert.equal(await enquire(captureKey), captured);
    assert.equal(await enquire(refundKey), refunded);
    assert.equal(await enquire(voidKey), voided);
  });

  test('enquire - an unknown key never happened', async () => {
    const subject = create();
    assert.equal(await operationsOf(subject).enquire(subject.newKey()), { outcome: 'not-found' });
  });

  test('what does not exist is refused', async () => {
    const { capture, voiding, refund } = operationsOf(create());
    expectKind(await capture('no-such-authorization', 1_000), 'failed');
    expectKind(await voiding('no-such-authorization'), 'failed');
    expectKind(await refund('no-such-capture', 1_000), 'failed');
  });

  test.run();
}
