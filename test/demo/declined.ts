/** Second story: cards that are declined. What the order had taken goes back, and the customer is asked once for another. */
import type { Checks } from './checks.ts';
import type { Printer } from './printer.ts';
import { ADDRESS, type Buckets, type Order, type Product, type Shop, type Timeline } from './shop.ts';
import { price, printStock, printTimeline } from './words.ts';

const SKU = 'HF-LIMITED-10';
const QUANTITY = 3;
const HOUR = 3_600_000;

export async function ordersWithDeclinedCards(shop: Shop, print: Printer, checks: Checks): Promise<void> {
  const before = await shop.stock(SKU);
  const lost = await orderWithDeclinedCard(shop, print, checks, before);
  await giveUpOn(shop, print, checks, lost);
  const ended = await shop.stock(SKU);
  checks.equal('stock after the order that was never paid', ended, before);
  await saveByAnotherCard(shop, print, checks);
  const after = await shop.stock(SKU);
  print.chapter(`Stock of ${SKU}, of which there are ten`, 'GET /v1/admin/stock/{sku}');
  printStock(print, [
    ['before', before],
    ['never paid', ended],
    ['paid in the end', after],
  ]);
  const available = before.available - QUANTITY;
  checks.equal('stock after the saved order', after, { ...before, available, committed: before.committed + QUANTITY });
}

function place(shop: Shop, key: string): Promise<Order> {
  const body = {
    lines: [{ sku: SKU, quantity: QUANTITY }],
    address: ADDRESS,
    shippingMethod: 'express',
    payment: { token: 'tok_decline' },
  };
  return shop.guest<Order>('POST', '/v1/orders', body, { 'idempotency-key': key, prefer: 'wait=10' });
}

const isAsked = ({ awaiting }: Order): boolean => awaiting === 'payment-method';

async function orderWithDeclinedCard(shop: Shop, print: Printer, checks: Checks, before: Buckets): Promise<Order> {
  const { name } = await shop.guest<Product>('GET', `/v1/products/${SKU}`);
  print.chapter('Another order, with a card that is declined', 'POST /v1/orders');
  print.line(`${QUANTITY} × ${name}, payment tok_decline`);
  const { id } = await place(shop, 'demo-declined');
  const order = await shop.orderWhen(id, 'the question for another card', isAsked);
  checks.equal('status of the order that waits for a card', order.status, 'on-hold');

  print.chapter('What the order had done is undone', 'GET /v1/admin/sagas/{orderId}');
  const saga = await shop.sagaWhen(id, 'the prints on the shelf', ({ status }) => status === 'waiting');
  print.table(
    saga.steps.map(({ id: step, status, reason }) => [step, status, reason ?? 'the prints are on the shelf']),
  );
  const statuses = saga.steps.map(({ id: step, status }) => `${step} ${status}`);
  checks.equal('steps of the declined order', statuses, ['reserve:1.1 compensated', 'authorize:1 failed']);
  checks.equal('stock while it waits', await shop.stock(SKU), before);
  return order;
}

async function giveUpOn(shop: Shop, print: Printer, checks: Checks, { id, paymentRequest }: Order): Promise<void> {
  print.chapter('… and the customer is asked, once, for another card', 'PUT /v1/orders/{id}/payment');
  print.line(`"${paymentRequest?.reason}": another one, please, until ${paymentRequest?.expiresAt}`);
  checks.equal('where to give another card', paymentRequest?.url, `/v1/orders/${id}/payment`);
  await shop.guest('PUT', `/v1/orders/${id}/payment`, { token: 'tok_insufficient_funds' });
  const order = await shop.orderWhen(id, 'the end of the order', ({ status }) => status === 'payment-failed');
  print.line('The second card is declined too: the order ends, nothing is charged.');
  checks.equal('captured amount of the order that was never paid', order.payment.captured.amount, 0);
  printTimeline(print, await shop.guest<Timeline>('GET', `/v1/orders/${id}/timeline`));
}

async function saveByAnotherCard(shop: Shop, print: Printer, checks: Checks): Promise<void> {
  print.chapter('The next one is saved by a good card, two hours later', 'PUT /v1/orders/{id}/payment');
  const { id } = await place(shop, 'demo-saved');
  await shop.orderWhen(id, 'the question for another card', isAsked);
  await shop.pass(2 * HOUR);
  await shop.guest('PUT', `/v1/orders/${id}/payment`, { token: 'tok_success' });
  const order = await shop.orderWhen(id, 'the parcel', ({ fulfillment }) =>
    fulfillment.shipments.some(({ status }) => status === 'labeled'),
  );
  print.line(`${price(order.payment.captured)} captured, once; the parcel is labelled.`);
  checks.equal('captured amount of the saved order', order.payment.captured, order.totals.total);
  printTimeline(print, await shop.guest<Timeline>('GET', `/v1/orders/${id}/timeline`));
}
