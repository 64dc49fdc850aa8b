/**
 * Everything that happens in a shop, at once: orders that succeed, decline, run out, are cancelled, held, shipped, lost,
 * returned and delivered; carts, checkouts and accounts; a month passes. For tests that look at what such a day leaves behind.
 */
import { ADDRESS, expressOrder } from './client.ts';
import { DAY, HOUR, MINUTE, type Shopkeeper } from './shopkeeper.ts';

const TOKENS = [
  'tok_success',
  'tok_decline',
  'tok_success',
  'tok_requires_action',
  'tok_capture_fails',
  'tok_success',
  'tok_flaky',
  'tok_insufficient_funds',
  'tok_success',
  'tok_capture_timeout',
  'tok_refund_fails',
  'tok_success',
  'tok_late_success',
  'tok_void_fails',
];
const SKUS = ['TEA-GREEN-50', 'TEA-BLACK-100', 'COF-HOUSE-250', 'TEA-EARL-250'];
const EXPRESS_ORDERS = 84;

type Keeper = Pick<Shopkeeper, 'shop' | 'token' | 'staff' | 'pass'>;

/** Calls it as it comes: what is refused on such a day is part of it. */
const call = ({ shop, token }: Keeper, method: string, path: string, body?: unknown, key?: string) =>
  shop.call(method, path, { token, key, body });

async function orderExpress(keeper: Keeper, number: number): Promise<string> {
  const sku = SKUS[number % SKUS.length] ?? '';
  const other = SKUS[(number + 1) % SKUS.length] ?? '';
  const limited = number % 6 === 0 ? [{ sku: 'HF-LIMITED-10', quantity: 1 }] : [];
  const lines = [{ sku, quantity: 1 + (number % 3) }, { sku: other, quantity: 1 }, ...limited];
  // Too dear not to be looked at.
  const wanted = number % 17 === 16 ? [{ sku, quantity: 60 }] : lines;
  const body = expressOrder(wanted, TOKENS[number % TOKENS.length]);
  const { shop, token } = keeper;
  // Some come from far away, through a proxy (TRUST_PROXY=1).
  const headers = number % 8 === 3 ? { 'x-forwarded-for': '203.0.113.7' } : {};
  const { body: order } = await shop.call('POST', '/v1/orders', { token, key: `express-${number}`, headers, body });
  if (number % 9 === 4) await call(keeper, 'POST', `/v1/orders/${order.id}/cancel`, { reason: 'Changed my mind.' });
  return order.id;
}

/** A cart that becomes an order, or stops on the way after `steps`. */
async function shopAround(keeper: Keeper, number: number): Promise<void> {
  const { body: cart } = await call(keeper, 'POST', '/v1/carts', {});
  const lines = `/v1/carts/${cart.id}/lines`;
  await call(keeper, 'POST', lines, { sku: 'TEA-CHAI-50', quantity: 2 });
  await call(keeper, 'POST', lines, { sku: 'COF-KENYA-250', quantity: 1 });
  await call(keeper, 'PUT', `${lines}/TEA-CHAI-50`, { quantity: 5 });
  if (number % 3 === 0) await call(keeper, 'DELETE', `${lines}/COF-KENYA-250`);
  if (number % 7 === 0) await call(keeper, 'DELETE', lines);
  const { body: checkout } = await call(keeper, 'POST', `/v1/carts/${cart.id}/checkout`, {});
  const path = `/v1/checkouts/${checkout.id}`;
  const steps = [
    () => call(keeper, 'PUT', `${path}/address`, ADDRESS),
    () => call(keeper, 'PUT', `${path}/shipping-method`, { method: 'express' }),
    () => call(keeper, 'PUT', `${path}/payment`, { token: 'tok_success' }),
    () => call(keeper, 'POST', `${path}/complete`, {}, `complete-${number}`),
  ];
  for (const step of steps.slice(0, 1 + (number % 5))) await step();
}

async function openAccount({ shop }: Keeper, number: number): Promise<void> {
  const email = `buyer-${number % 3}@example.com`;
  const body = { email, password: 'correct horse battery', name: 'Ada' };
  const { body: registered } = await shop.call('POST', '/v1/customers', { body });
  if (!registered.token) return;
  const { token } = registered;
  await shop.call('POST', '/v1/me/addresses', { token, body: { address: ADDRESS, makeDefault: true } });
  await shop.call('PATCH', '/v1/me', { token, body: { preferences: { marketing: true } } });
}

async function keepWarehouse({ shop, staff }: Keeper, number: number): Promise<void> {
  const path = `/v1/admin/stock/${SKUS[number % SKUS.length]}`;
  const warehouse = number % 2 ? 'wh-east' : 'wh-west';
  const move = (what: string, body: object) =>
    shop.call('POST', `${path}/${what}`, { token: staff, key: `${what}-${number}`, body: { warehouse, ...body } });
  await move('receive', { quantity: 5 });
  await move('adjust', { delta: -2, reason: 'Broken.' });
}

/**
 * So many payments at once that go wrong may open the vendor's breaker before the good ones had their turn: then they are
 * made when it lets them through.
 */
async function untilDecided({ shop, token, pass }: Keeper, orders: readonly string[]): Promise<void> {
  for (let minute = 0; minute < 4; minute++) {
    await pass(MINUTE);
    const shown = await Promise.all(orders.map((id) => shop.call('GET', `/v1/orders/${id}`, { token })));
    if (shown.every(({ body }) => body.status !== 'placed')) return;
  }
}

async function sendParcels(keeper: Keeper, orders: readonly string[]): Promise<void> {
  const journeys = [
    ['picked', 'handed-to-carrier', 'in-transit', 'out-for-delivery', 'delivered'],
    ['handed-to-carrier'],
    ['delivered', 'in-transit', 'picked'],
    ['in-transit', 'attempt-failed', 'attempt-failed', 'delivered'],
    ['picked', 'handed-to-carrier', 'lost'],
    ['picked'],
  ];
  const { shop, token, staff } = keeper;
  const shown = await Promise.all(orders.map((id) => shop.call('GET', `/v1/orders/${id}`, { token })));
  const parcels = shown.flatMap(({ body }) =>
    body.fulfillment.shipments.map(({ id }: { id: string }) => [body.id, id]),
  );
  // One that nothing else keeps from ending there.
  const alone = ({ body }: (typeof shown)[number]) =>
    body.status === 'fulfilling' && body.fulfillment.shipments.length === 1;
  const comesBack = shown.findLast(alone)?.body.id;
  await Promise.all(
    parcels.map(async ([order, parcel], index) => {
      const journey = order === comesBack ? ['handed-to-carrier', 'returned'] : journeys[index % journeys.length];
      for (const type of journey ?? []) {
        const body = { type, ...(type === 'attempt-failed' && { attempt: 1 }) };
        await shop.call('POST', `/v1/admin/orders/${order}/shipments/${parcel}/events`, { token: staff, body });
      }
    }),
  );
}

async function seeToHeld({ shop, staff }: Keeper, orders: readonly string[]): Promise<void> {
  const repair = ['release', 'cancel', 'retry'];
  await Promise.all(
    orders.map((id, index) =>
      shop.call('POST', `/v1/admin/sagas/${id}/${repair[index % repair.length]}`, {
        token: staff,
        body: { why: 'As agreed on the phone.' },
      }),
    ),
  );
}

/** Answers the ids of the orders that were not bought through a cart. */
export async function liveThroughBusyDay(keeper: Keeper): Promise<readonly string[]> {
  const count = (to: number) => Array.from({ length: to }, (_, number) => number);
  const [orders] = await Promise.all([
    Promise.all(count(EXPRESS_ORDERS).map((number) => orderExpress(keeper, number))),
    Promise.all(count(15).map((number) => shopAround(keeper, number))),
    Promise.all(count(5).map((number) => openAccount(keeper, number))),
    Promise.all(count(6).map((number) => keepWarehouse(keeper, number))),
  ]);
  await untilDecided(keeper, orders);
  await sendParcels(keeper, orders);
  await keeper.pass(5 * MINUTE);
  await seeToHeld(keeper, orders);
  await keeper.pass(HOUR);
  await seeToHeld(keeper, orders.toReversed());
  for (const period of [DAY, 7 * DAY, 31 * DAY]) await keeper.pass(period);
  // The next morning: some of it is under way when somebody comes to look.
  const later = count(2 * TOKENS.length).map((number) => orderExpress(keeper, EXPRESS_ORDERS + number));
  const [more] = await Promise.all([Promise.all(later), ...count(5).map((number) => shopAround(keeper, 15 + number))]);
  await keeper.pass(MINUTE);
  return [...orders, ...more];
}
