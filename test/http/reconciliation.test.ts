/** The report of differences between our books and the payment vendor's: each is planted in the vendor's and found. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { money } from '../../actors/kernel/money.ts';
import { openKeyedStore } from '../../storage/keyedStore.ts';
import type { LedgerEntries } from '../../transport/payment/entryLedger.ts';
import type { Authorization, LedgerEntry } from '../../transport/payment/ledger.ts';
import { openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const report = suite('payment reconciliation');
const PATH = '/v1/admin/payments/reconciliation';
const opened: Shopkeeper[] = [];

report.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

async function open(): Promise<Shopkeeper> {
  const keeper = await openShop({ seed: false });
  opened.push(keeper);
  await keeper.sell('MUG', 1_000, { 'wh-east': 100 });
  await keeper.sell('GOLD', 60_000, { 'wh-east': 10 });
  return keeper;
}

/** Somebody at the vendor writes into the vendor's books. */
function atVendor({ shop }: Shopkeeper, write: (ledger: LedgerEntries) => void): void {
  const ledger = openKeyedStore<LedgerEntry>(join(shop.folder, 'payment-simulator.sqlite'));
  write(ledger);
  ledger.close();
}

function change(keeper: Shopkeeper, key: string, changes: (entry: Authorization) => Partial<Authorization>): void {
  atVendor(keeper, (ledger) => {
    const entry = ledger.get(key);
    if (entry?.kind !== 'authorization') throw new Error(`no authorization ${key}`);
    ledger.put({ ...entry, ...changes(entry) });
  });
}

function copy(keeper: Shopkeeper, from: string, to: string, orderId: string): void {
  atVendor(keeper, (ledger) => {
    const entry = ledger.get(from);
    if (entry?.kind !== 'authorization') throw new Error(`no authorization ${from}`);
    const followUps = entry.followUps.map(({ request, ...rest }) => ({
      ...rest,
      request: { ...request, key: request.key.replace(/^.*\//, `${orderId}/`).replace(/-1$/, to.slice(-2)) },
    }));
    ledger.put({ ...entry, key: to, request: { ...entry.request, key: to, orderId }, followUps });
  });
}

async function found(keeper: Shopkeeper): Promise<string[]> {
  const { status, body } = await keeper.operator('GET', PATH);
  assert.is(status, 200, JSON.stringify(body));
  return body.data.map(({ orderId, code }: { orderId: string; code: string }) => `${orderId} ${code}`);
}

const MUG = [{ sku: 'MUG', quantity: 1 }];

report('after an ordinary day the books agree: paid, declined, refunded, asked, on hold and out of stock', async () => {
  const keeper = await open();
  const tokens = ['tok_success', 'tok_decline', 'tok_requires_action', 'tok_late_success', 'tok_capture_timeout'];
  for (const token of tokens) await keeper.place(MUG, token);
  const cancelled = await keeper.place(MUG);
  await keeper.buyer('POST', `/v1/orders/${cancelled}/cancel`, {});
  await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  await keeper.place([{ sku: 'GOLD', quantity: 11 }]);
  assert.equal(await found(keeper), []);
  await keeper.pass(10 * 60_000);
  const { body } = await keeper.operator('GET', PATH);
  assert.equal(body, { data: [], page: { next: null }, examined: 7 });
});

report('each difference that is planted at the vendor is found, and nothing else', async () => {
  const keeper = await open();
  const planted: string[] = [];
  const paid = () => keeper.place(MUG);
  const plant = (orderId: string, ...codes: string[]) => planted.push(...codes.map((code) => `${orderId} ${code}`));
  await paid();

  const missing = await paid();
  change(keeper, `${missing}/authorize-1`, () => ({ followUps: [] }));
  plant(missing, 'authorization-alive', 'capture-missing');

  const differing = await paid();
  change(keeper, `${differing}/authorize-1`, ({ followUps }) => ({
    followUps: followUps.map((each) => ({
      ...each,
      outcome: { outcome: 'captured', captureId: 'x', amount: money(1, 'USD') },
    })),
  }));
  // The rest of it is still held, and nobody needs it.
  plant(differing, 'authorization-alive', 'amount-differs');

  const twice = await paid();
  copy(keeper, `${twice}/authorize-1`, `${twice}/authorize-2`, twice);
  plant(twice, 'charged-unknown', 'captured-twice');

  const cancelled = await paid();
  await keeper.buyer('POST', `/v1/orders/${cancelled}/cancel`, {});
  change(keeper, `${cancelled}/authorize-1`, ({ followUps }) => ({ followUps: followUps.slice(0, 1) }));
  plant(cancelled, 'refund-missing');

  const alive = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  await keeper.buyer('POST', `/v1/orders/${alive}/cancel`, {});
  change(keeper, `${alive}/authorize-1`, () => ({ followUps: [] }));
  plant(alive, 'authorization-alive');

  const lapsed = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  change(keeper, `${lapsed}/authorize-1`, () => ({ outcome: { outcome: 'declined', reason: 'withdrawn' } }));
  plant(lapsed, 'authorization-missing');

  const generous = await paid();
  change(keeper, `${generous}/authorize-1`, ({ followUps }) => ({
    followUps: [
      ...followUps,
      {
        at: 0,
        request: {
          type: 'GatewayRefund',
          key: `${generous}/refund-phone`,
          captureId: `cap_${generous}/capture-1`,
          amount: money(100, 'USD'),
        },
        outcome: { outcome: 'refunded', refundId: 're', amount: money(100, 'USD') },
      },
    ],
  }));
  plant(generous, 'refund-unknown');

  copy(keeper, `${generous}/authorize-1`, 'ord_0NOBODY/authorize-1', 'ord_0NOBODY');
  plant('ord_0NOBODY', 'charged-unknown', 'refund-unknown');

  assert.equal((await found(keeper)).sort(), planted.sort());
});

report('a finding tells both amounts, the key, how bad it is and what it means', async () => {
  const keeper = await open();
  const orderId = await keeper.place(MUG);
  change(keeper, `${orderId}/authorize-1`, ({ request, followUps }) => ({
    request: { ...request, amount: money(1, 'USD') },
    followUps: followUps.map((each) => ({
      ...each,
      outcome: { outcome: 'captured', captureId: 'x', amount: money(1, 'USD') },
    })),
  }));
  const { body } = await keeper.operator('GET', PATH);
  assert.equal(body.data, [
    {
      code: 'amount-differs',
      severity: 'critical',
      orderId,
      key: `${orderId}/capture-1`,
      ours: money(1_599, 'USD'),
      vendors: money(1, 'USD'),
      detail: 'We and the vendor have booked different amounts.',
    },
  ]);
});

report('only staff for payments see it; a cursor of another list is refused', async () => {
  const keeper = await open();
  assert.is((await keeper.shop.call('GET', PATH)).status, 401);
  assert.is((await keeper.buyer('GET', PATH)).status, 403);
  const refused = await keeper.operator('GET', `${PATH}?cursor=nonsense`);
  assert.equal([refused.status, refused.body.code], [400, 'request.invalid-cursor']);
});

report.run();
