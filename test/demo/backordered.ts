/** Fourth story: two orders for what is not there yet but expected. They wait unpaid, and nobody overtakes the first. */
import type { Checks } from './checks.ts';
import type { Printer } from './printer.ts';
import { ADDRESS, type Order, type Shop } from './shop.ts';
import { price } from './words.ts';

const SKU = 'HF-LIMITED-10';
const WAREHOUSE = 'wh-east';
const DELIVERY = 10;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export async function ordersForWhatIsExpected(shop: Shop, print: Printer, checks: Checks): Promise<void> {
  const { available } = await shop.stock(SKU);
  print.chapter(
    `${available} of the prints are left, ${DELIVERY} more are expected`,
    'PUT /v1/admin/stock/{sku}/expected',
  );
  const expected = { warehouse: WAREHOUSE, quantity: DELIVERY, at: shop.timeIn(3 * DAY) };
  await shop.staff('PUT', `/v1/admin/stock/${SKU}/expected`, expected);
  const first = await place(shop, available + 1);
  const second = await place(shop, 1);
  print.table([
    ['first order', `${available + 1} prints`, first.status, `awaiting ${first.awaiting}`],
    ['second order', '1 print', second.status, `awaiting ${second.awaiting}`, 'the pieces are for the first'],
  ]);
  checks.equal('status of the order that wants more than there is', first.status, 'backordered');
  checks.equal('status of the order that would overtake it', second.status, 'backordered');
  checks.equal('what is paid for prints that are not there', first.payment.authorized.amount, 0);
  checks.equal('pieces that are waited for', (await shop.stock(SKU)).backordered, available + 2);

  print.chapter('Three days later the delivery arrives', 'POST /v1/admin/stock/{sku}/receive');
  await shop.pass(3 * DAY);
  const received = { warehouse: WAREHOUSE, quantity: DELIVERY };
  await shop.staff('POST', `/v1/admin/stock/${SKU}/receive`, received, { 'idempotency-key': 'demo-delivery' });
  const served = await Promise.all([first, second].map(({ id }) => shop.orderWhen(id, 'the parcel', isLabelled)));
  print.table(
    served.map(({ status, payment }, index) => [
      index === 0 ? 'first order' : 'second order',
      status,
      `${price(payment.captured)} captured`,
    ]),
  );
  for (const { payment, totals } of served) checks.equal('captured when it came', payment.captured, totals.total);
  const after = await shop.stock(SKU);
  checks.equal('prints that are left', [after.available, after.backordered], [DELIVERY - 2, 0]);
}

async function place(shop: Shop, quantity: number): Promise<Order> {
  const body = {
    lines: [{ sku: SKU, quantity }],
    address: ADDRESS,
    shippingMethod: 'standard',
    payment: { token: 'tok_success' },
  };
  const headers = { 'idempotency-key': `demo-wait-${quantity}`, prefer: 'wait=10' };
  const { id } = await shop.guest<Order>('POST', '/v1/orders', body, headers);
  return shop.orderWhen(id, 'a decision about it', ({ status }) => status !== 'placed');
}

function isLabelled({ fulfillment: { shipments } }: Order): boolean {
  return shipments.length > 0 && shipments.every(({ status }) => status === 'labeled');
}
