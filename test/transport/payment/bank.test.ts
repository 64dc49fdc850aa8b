import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentGatewayRequest } from '../../../actors/gateways.ts';
import { money } from '../../../actors/kernel/money.ts';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import { createSimulatedBank } from '../../../transport/payment/bank.ts';
import { createSimulatorBooks } from '../../../transport/payment/books.ts';
import { createEntryLedger, createMemoryEntries } from '../../../transport/payment/entryLedger.ts';
import { createPaymentSimulator } from '../../../transport/payment/simulator.ts';
import { usd } from '../../support/paymentRequests.ts';
import { T0 } from '../../support/spec.ts';

const DAY = 24 * 60 * 60 * 1_000;
const ORDER = 'ord_1';
const KEY = `${ORDER}/authorize-1`;
const CAPTURE = `${ORDER}/capture-1`;

function setUp(secret = 'secret') {
  const clock = createVirtualClock(T0);
  const ledger = createEntryLedger(createMemoryEntries());
  const simulator = createPaymentSimulator({ clock, ledger, secret });
  const perform = (request: PaymentGatewayRequest) => simulator.perform(request, new AbortController().signal);
  const authorize = (token: string) =>
    perform({ type: 'GatewayAuthorize', key: KEY, orderId: ORDER, amount: usd(5_000), token });
  const bank = createSimulatedBank(ledger, clock);
  const refund = (key: string, amount: number) =>
    perform({ type: 'GatewayRefund', key: `${ORDER}/refund-${key}`, captureId: `cap_${CAPTURE}`, amount: usd(amount) });
  return {
    bank,
    books: createSimulatorBooks(ledger, clock.now),
    refund,
    async asked(): Promise<string> {
      const outcome = await authorize('tok_requires_action');
      return outcome.outcome === 'requires-action' ? (outcome.url.split('/').at(-1) ?? '') : '';
    },
    async captured(amount = 5_000) {
      await authorize('tok_success');
      await perform({ type: 'GatewayCapture', key: CAPTURE, authorizationId: `auth_${KEY}`, amount: usd(amount) });
    },
    told: async () => (await bank.untold(10)).map(({ message }) => message),
  };
}

const approving = suite('simulated bank: approving');

approving('the page shows the payment; its address depends on the secret', async () => {
  const { bank, asked } = setUp();
  const reference = await asked();
  assert.equal(await bank.find(reference), { orderId: ORDER, amount: usd(5_000), status: 'waiting' });
  assert.is(await bank.find('nothing'), undefined);
  assert.is.not(await setUp('another').asked(), reference);
});

approving('approved - authorized from now on, and the shop is to be told once', async () => {
  const { bank, asked, told } = setUp();
  const reference = await asked();
  assert.is((await bank.decide(reference, true))?.status, 'approved');
  assert.equal(await told(), [
    {
      type: 'PaymentGatewayResult',
      operation: 'GatewayAuthorize',
      key: KEY,
      result: { outcome: 'authorized', authorizationId: `auth_${KEY}`, expiresAt: T0 + 7 * DAY },
    },
  ]);
  assert.is((await bank.decide(reference, true))?.status, 'approved');
  assert.is((await bank.decide(reference, false))?.status, 'approved', 'the first word counts');
  assert.is((await told()).length, 1);
  for (const news of await bank.untold(10)) await bank.taken(news);
  assert.equal(await told(), []);
});

approving('declined - the shop is told why', async () => {
  const { bank, asked, told } = setUp();
  const reference = await asked();
  assert.is((await bank.decide(reference, false))?.status, 'declined');
  const [news] = await told();
  assert.equal(news?.type === 'PaymentGatewayResult' && news.result, {
    outcome: 'declined',
    reason: 'the customer declined it at the bank',
  });
  assert.is((await bank.decide(reference, true))?.status, 'declined');
  assert.is(await bank.decide('nothing', true), undefined);
});

approving.run();

const disputing = suite('simulated bank: disputes');
const fraud = { id: 'dp_1', reason: 'fraudulent' };

disputing('opened - all that is kept, told to the shop, in the books', async () => {
  const { bank, captured, refund, told, books } = setUp();
  await captured(4_000);
  await refund('r1', 500);
  const dispute = await bank.dispute(ORDER, fraud);
  assert.equal(dispute, { ...fraud, orderId: ORDER, amount: usd(3_500), at: T0, status: 'open' });
  assert.equal(await bank.dispute(ORDER, fraud), dispute, 'the same id is the same dispute');
  const news = { type: 'PaymentDisputeNews', disputeId: 'dp_1', amount: usd(3_500), reason: 'fraudulent' };
  assert.equal(await told(), [{ ...news, stage: 'opened' }]);
  const operations = (await books.account(ORDER))?.operations ?? [];
  assert.equal(operations.at(-1), { kind: 'dispute', key: 'dp_1', amount: usd(3_500), state: 'open' });
});

disputing('only what is kept can be disputed, once', async () => {
  const { bank, captured } = setUp();
  assert.is(await bank.dispute(ORDER, fraud), undefined, 'nothing is captured');
  await captured(4_000);
  assert.is(await bank.dispute('ord_2', fraud), undefined);
  for (const amount of [usd(4_001), usd(0), usd(-1), money(1, 'EUR')]) {
    assert.is(await bank.dispute(ORDER, { ...fraud, amount }), undefined);
  }
  assert.ok(await bank.dispute(ORDER, { ...fraud, amount: usd(3_000) }));
  assert.is(await bank.dispute(ORDER, { ...fraud, id: 'dp_2', amount: usd(1_001) }), undefined);
  assert.ok(await bank.dispute(ORDER, { ...fraud, id: 'dp_2', amount: usd(1_000) }));
});

disputing('while one is open nothing is paid back; afterwards only what a lost one leaves', async () => {
  const { bank, captured, refund } = setUp();
  await captured();
  await bank.dispute(ORDER, { ...fraud, amount: usd(3_000) });
  assert.equal(await refund('r1', 100), { outcome: 'failed', reason: 'disputed' });
  assert.is((await bank.resolve('dp_1', 'lost'))?.status, 'lost');
  assert.equal(await refund('r2', 2_001), { outcome: 'failed', reason: 'more than was captured' });
  assert.is((await refund('r3', 2_000)).outcome, 'refunded');
});

disputing('the first end counts; a dispute that was won leaves everything', async () => {
  const { bank, captured, refund, told } = setUp();
  await captured();
  await bank.dispute(ORDER, fraud);
  assert.is((await bank.resolve('dp_1', 'won'))?.status, 'won');
  assert.is((await bank.resolve('dp_1', 'lost'))?.status, 'won');
  assert.is(await bank.resolve('nothing', 'lost'), undefined);
  assert.equal(
    (await told()).map((news) => 'stage' in news && news.stage),
    ['opened', 'won'],
  );
  assert.is((await refund('r1', 5_000)).outcome, 'refunded');
});

disputing.run();
