import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentGatewayRequest } from '../../../actors/gateways.ts';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import { createSimulatorBooks } from '../../../transport/payment/books.ts';
import { createEntryLedger, createMemoryEntries } from '../../../transport/payment/entryLedger.ts';
import { createPaymentSimulator } from '../../../transport/payment/simulator.ts';
import { settle } from '../../support/eventLoop.ts';
import { usd } from '../../support/paymentRequests.ts';
import { T0 } from '../../support/spec.ts';

const DAY = 24 * 60 * 60 * 1_000;

function setUp() {
  const clock = createVirtualClock(T0);
  const ledger = createEntryLedger(createMemoryEntries());
  const simulator = createPaymentSimulator({ clock, ledger });
  const perform = (request: PaymentGatewayRequest) => simulator.perform(request, new AbortController().signal);
  return {
    clock,
    books: createSimulatorBooks(ledger, clock.now),
    authorize: (orderId: string, attempt = 1, token = 'tok_success') =>
      perform({ type: 'GatewayAuthorize', key: `${orderId}/authorize-${attempt}`, orderId, amount: usd(500), token }),
    capture: (orderId: string, amount: number) =>
      perform({
        type: 'GatewayCapture',
        key: `${orderId}/capture-1`,
        authorizationId: `auth_${orderId}/authorize-1`,
        amount: usd(amount),
      }),
    refund: (orderId: string, id: string, amount: number) =>
      perform({
        type: 'GatewayRefund',
        key: `${orderId}/refund-${id}`,
        captureId: `cap_${orderId}/capture-1`,
        amount: usd(amount),
      }),
    voiding: (orderId: string) =>
      perform({ type: 'GatewayVoid', key: `${orderId}/void-1`, authorizationId: `auth_${orderId}/authorize-1` }),
  };
}

const books = suite('payment simulator: books');

books('an account has every operation of its order with its amount and what became of it', async () => {
  const { books: vendor, authorize, capture, refund } = setUp();
  await authorize('ord_a', 1);
  await authorize('ord_a', 2, 'tok_decline');
  await capture('ord_a', 300);
  await refund('ord_a', 'r1', 100);
  await refund('ord_a', 'r2', 201);
  assert.equal(await vendor.account('ord_a'), {
    orderId: 'ord_a',
    operations: [
      { kind: 'authorize', key: 'ord_a/authorize-1', amount: usd(500), state: 'held' },
      { kind: 'capture', key: 'ord_a/capture-1', amount: usd(300), state: 'done' },
      { kind: 'refund', key: 'ord_a/refund-r1', amount: usd(100), state: 'done' },
      { kind: 'refund', key: 'ord_a/refund-r2', amount: usd(201), state: 'refused' },
      { kind: 'authorize', key: 'ord_a/authorize-2', amount: usd(500), state: 'refused' },
    ],
  });
});

books('an authorization is held until it is captured whole, voided or expired', async () => {
  const { books: vendor, clock, authorize, capture, voiding } = setUp();
  const state = async (orderId: string) => (await vendor.account(orderId))?.operations[0]?.state;
  for (const orderId of ['ord_a', 'ord_b', 'ord_c']) await authorize(orderId);
  await authorize('ord_d', 1, 'tok_requires_action');
  await capture('ord_a', 499);
  assert.equal([await state('ord_a'), await state('ord_d')], ['held', 'pending']);
  await voiding('ord_a');
  await capture('ord_b', 500);
  assert.equal([await state('ord_a'), await state('ord_b'), await state('ord_c')], ['closed', 'closed', 'held']);
  await clock.advance(7 * DAY, settle);
  assert.is(await state('ord_c'), 'closed');
});

books('an order that the vendor has never heard of has no account', async () => {
  const { books: vendor, authorize } = setUp();
  await authorize('ord_b');
  assert.is(await vendor.account('ord_a'), undefined);
  assert.is(await vendor.account('ord_c'), undefined);
});

books('accounts come in pages, in order, each once', async () => {
  const { books: vendor, authorize } = setUp();
  const orders = Array.from({ length: 300 }, (_, number) => `ord_${String(number).padStart(3, '0')}`);
  for (const orderId of orders.toReversed()) await authorize(orderId);
  const seen: string[] = [];
  for (;;) {
    const after = seen.at(-1);
    const page = await vendor.accounts({ limit: 70, ...(after !== undefined && { after }) });
    seen.push(...page.map(({ orderId }) => orderId));
    if (page.length < 70) break;
  }
  assert.equal(seen, orders);
});

books.run();
