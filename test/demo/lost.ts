/** Third story: a cart that comes along when its guest opens an account, and a parcel that gets lost and is sent again. */
import type { Checks } from './checks.ts';
import type { Printer } from './printer.ts';
import { ADDRESS, type Caller, type Cart, type Checkout, type Order, type Shop, type Timeline } from './shop.ts';
import { printStock, printTimeline } from './words.ts';

const [TEA, MUG] = ['TEA-BLACK-100', 'TAB-MUG-SLATE'];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ACCOUNT = { email: 'grace@example.com', password: 'a demo needs no secret', name: 'Grace Hopper' };

export async function orderWithLostParcel(shop: Shop, print: Printer, checks: Checks): Promise<void> {
  const before = await shop.stock(TEA);
  const customer = await shop.register(ACCOUNT);
  const cart = await mergedCart(shop, customer, print, checks);
  const order = await checkOut(shop, customer, cart);
  await loseParcel(shop, print, checks, order);
  const after = await shop.stock(TEA);

  print.chapter('… and Grace has them', 'GET /v1/orders/{id}/timeline');
  printTimeline(print, await customer<Timeline>('GET', `/v1/orders/${order.id}/timeline`));
  print.chapter(`Stock of ${TEA}: sent twice, and paid once`, 'GET /v1/admin/stock/{sku}');
  printStock(print, [
    ['before', before],
    ['after', after],
  ]);
  const { available, shipped } = before;
  checks.equal('stock after both parcels', after, { ...before, available: available - 4, shipped: shipped + 4 });
}

async function mergedCart(shop: Shop, customer: Caller, print: Printer, checks: Checks): Promise<Cart> {
  const fill = async (caller: Caller, lines: readonly (readonly [sku: string, quantity: number])[]): Promise<Cart> => {
    const { id } = await caller<Cart>('POST', '/v1/carts', {});
    for (const [sku, quantity] of lines) await caller('POST', `/v1/carts/${id}/lines`, { sku, quantity });
    return caller<Cart>('GET', `/v1/carts/${id}`);
  };
  print.chapter('A guest with a cart signs in; it goes into the one of her account', 'POST /v1/carts/{id}/merge');
  const [from, into] = [
    await fill(shop.guest, [
      [TEA, 2],
      [MUG, 1],
    ]),
    await fill(customer, [[MUG, 1]]),
  ];
  const merge = (): Promise<Cart> => customer<Cart>('POST', `/v1/carts/${into.id}/merge`, { from: from.id });
  const merged = await merge();
  const again = await merge();
  const contents = ({ lines }: Cart): string => lines.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ');
  print.table([
    ["the guest's", contents(from)],
    ["the account's", contents(into)],
    ['merged', contents(merged)],
    ['merged again', contents(again)],
  ]);
  const quantities = Object.fromEntries(merged.lines.map(({ sku, quantity }) => [sku, quantity]));
  checks.equal('quantities of the merged cart', quantities, { [TEA]: 2, [MUG]: 2 });
  checks.equal('the cart after merging twice', again.lines, merged.lines);
  return merged;
}

async function checkOut(shop: Shop, customer: Caller, cart: Cart): Promise<Order> {
  const { id } = await customer<Checkout>('POST', `/v1/carts/${cart.id}/checkout`, {});
  const steps = [
    ['address', ADDRESS],
    ['shipping-method', { method: 'standard' }],
    ['payment', { token: 'tok_success' }],
  ] as const;
  for (const [step, body] of steps) await customer('PUT', `/v1/checkouts/${id}/${step}`, body);
  const headers = { 'idempotency-key': `demo-${id}`, prefer: 'wait=10' };
  const order = await customer<Order>('POST', `/v1/checkouts/${id}/complete`, {}, headers);
  return shop.orderWhen(order.id, 'the parcel', ({ fulfillment }) => fulfillment.shipments[0]?.status === 'labeled');
}

async function loseParcel(shop: Shop, print: Printer, checks: Checks, { id, fulfillment }: Order): Promise<void> {
  const report = (parcel: string | undefined, type: string): Promise<unknown> =>
    shop.staff('POST', `/v1/admin/orders/${id}/shipments/${parcel}/events`, { type });
  print.chapter('She orders. The carrier takes the parcel, and nobody scans it again', 'GET /v1/orders/{id}');
  await shop.pass(3 * HOUR);
  await report(fulfillment.shipments[0]?.id, 'handed-to-carrier');
  await shop.pass(2 * DAY);
  const silent = await shop.orderWhen(id, 'the alert', ({ awaiting }) => awaiting === 'operator');
  await shop.pass(6 * DAY);
  const lost = await shop.orderWhen(id, 'the second parcel', ({ fulfillment: { shipments } }) => {
    return shipments[0]?.status === 'lost' && shipments[1]?.status === 'labeled';
  });
  const [first, second] = lost.fulfillment.shipments;
  print.table([
    ['2 days later', `order ${silent.status}, awaiting ${silent.awaiting}`, 'nobody has scanned it: an alert'],
    ['8 days later', `${first?.id} ${first?.status}`, 'a week without a scan: the carrier traces it'],
    ['', `${second?.id} ${second?.status}`, 'the same goods once more, without another payment'],
  ]);
  checks.equal('what replaces the lost parcel', first?.replacedBy, second?.id);
  await report(second?.id, 'handed-to-carrier');
  await shop.pass(2 * DAY);
  await report(second?.id, 'delivered');
  const delivered = await shop.orderWhen(id, 'the delivery', ({ status }) => status === 'delivered');
  checks.equal('captured amount, in spite of two parcels', delivered.payment.captured, delivered.totals.total);
}
