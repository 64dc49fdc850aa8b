/**
 * A real process under load, killed again and again. Whatever a client saw acknowledged must be there afterwards, with
 * the same answer for the same key, and money and stock must add up (I2, I4, I5, I6, I8).
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FailPointName } from '../../actors/kernel/ports.ts';
import { createSeededIds } from '../../supervisors/ids.ts';
import { checkShop } from '../support/check.ts';
import { createClient } from '../support/client.ts';
import { type Server, startServer } from '../support/server.ts';
import { checkBooks, vendorFindings } from './books.ts';
import { type Buyers, startBuyers } from './buyers.ts';

const crash = suite('crash');

const SKUS = ['TEA-GREEN-50', 'TEA-BLACK-100', 'TEA-EARL-250', 'HF-LIMITED-10'];
const RANDOM_KILLS = 20;
const SEED = Number(process.env['CRASH_SEED'] ?? 20261121);
const SETTLE_DEADLINE_MS = 30_000;

const seededRandom = (seed: number): (() => number) => createSeededIds(seed, () => 0).random;

type Shop = { server: Server; token: string; staff: string };

async function open(): Promise<Shop> {
  const server = await startServer({ env: { LOG_LEVEL: 'info', SEED: 'demo' } });
  const client = createClient(server.url);
  return { server, token: await client.guest(), staff: await client.staff() };
}

function buyersOf(shop: Shop, random: () => number): Buyers {
  return startBuyers({ url: () => shop.server.url, token: shop.token, skus: SKUS, buyers: 8, random });
}

/** Everybody is answered; then the books are checked over HTTP and, with the shop closed, in the vendor's ledger. */
async function closeBooks(shop: Shop, buyers: Buyers): Promise<void> {
  await buyers.finish();
  const { token, staff } = shop;
  const client = createClient(shop.server.url);
  const { purchases } = buyers;
  const books = await checkBooks({ client, token, staff, purchases, skus: SKUS }, SETTLE_DEADLINE_MS);
  const kept = new Map<string, number>();
  for (const { orderId } of purchases) {
    const { body } = await client.call('GET', `/v1/orders/${orderId}`, { token });
    kept.set(orderId, body.payment.captured.amount - body.payment.refunded.amount);
  }
  const checked = await checkShop(client, staff);
  await shop.server.kill('SIGTERM');
  const findings = [
    ...books.findings,
    ...checked.serious,
    ...buyers.surprises,
    ...vendorFindings(shop.server.folder, kept),
  ];
  assert.equal(findings, [], `seed ${SEED}`);
  assert.is(books.fulfilled + books.ended, purchases.length);
  assert.ok(books.fulfilled > 0 && books.ended > 0, `${books.fulfilled} fulfilled, ${books.ended} ended`);
}

crash(`${RANDOM_KILLS} kills at random moments under load lose and double nothing`, async () => {
  const random = seededRandom(SEED);
  const shop = await open();
  const buyers = buyersOf(shop, random);
  for (let kill = 0; kill < RANDOM_KILLS; kill++) {
    const before = buyers.purchases.length;
    // Not before something happened in this life, then at any moment.
    while (buyers.purchases.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, random() * 300));
    await shop.server.kill('SIGKILL');
    shop.server = await startServer({ folder: shop.server.folder });
  }
  assert.ok(buyers.purchases.length >= RANDOM_KILLS);
  await closeBooks(shop, buyers);
});

/** It takes up the work of its earlier life at once, and may end on that before it says that it is ready. */
function isKilled(starting: Promise<Server>, ready: (server: Server) => void): Promise<boolean> {
  return starting.then(
    async (server) => {
      ready(server);
      return (await server.ended) === 'SIGKILL';
    },
    (error: Error) => error.message.includes('ended (SIGKILL)'),
  );
}

const FAIL_POINTS: readonly FailPointName[] = [
  'before-append',
  'after-append-before-apply',
  'after-append-before-reply',
  'before-send',
  'after-send',
  'before-gateway-call',
  'after-gateway-call',
];

for (const point of FAIL_POINTS) {
  crash(`killed ${point.replaceAll('-', ' ')} nothing is lost or doubled`, async () => {
    const random = seededRandom(SEED + FAIL_POINTS.indexOf(point));
    const shop = await open();
    const buyers = buyersOf(shop, random);
    for (const nth of [7, 40]) {
      await shop.server.kill('SIGKILL');
      const { folder } = shop.server;
      const doomed = startServer({ folder, env: { FAIL_POINT: `${point}:${nth}` } });
      assert.ok(await isKilled(doomed, (server) => (shop.server = server)), 'the fail point was reached');
      shop.server = await startServer({ folder });
    }
    await closeBooks(shop, buyers);
  });
}

crash('SIGTERM under load finishes what was begun: no cut answer, nothing left to send', async () => {
  const shop = await open();
  const buyers = buyersOf(shop, seededRandom(SEED));
  while (buyers.purchases.length < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  await shop.server.kill('SIGTERM');
  assert.is(await shop.server.ended, 0);
  shop.server = await startServer({ folder: shop.server.folder });
  await closeBooks(shop, buyers);
});

crash.run();
