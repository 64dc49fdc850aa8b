/** Second story: the card is declined, and what the order had taken goes back. */
import type { Checks } from './checks.ts';
import type { Printer } from './printer.ts';
import { ADDRESS, type Order, type Product, type Saga, type Shop, type Timeline } from './shop.ts';
import { printStock, printTimeline } from './words.ts';

const SKU = 'HF-LIMITED-10';

export async function orderThatIsNotPaid(shop: Shop, print: Printer, checks: Checks): Promise<void> {
  const { name } = await shop.guest<Product>('GET', `/v1/products/${SKU}`);
  const before = await shop.stock(SKU);
  print.chapter('Another order, with a card that is declined', 'POST /v1/orders');
  print.line(`3 × ${name}, payment tok_decline`);
  const placed = await shop.guest<Order>(
    'POST',
    '/v1/orders',
    {
      lines: [{ sku: SKU, quantity: 3 }],
      address: ADDRESS,
      shippingMethod: 'express',
      payment: { token: 'tok_decline' },
    },
    { 'idempotency-key': 'demo-declined', prefer: 'wait=10' },
  );
  const order = await shop.orderWhen(placed.id, 'the end of the order', ({ status }) => status === 'payment-failed');
  checks.equal('captured amount of the declined order', order.payment.captured.amount, 0);

  print.chapter('What the order had done is undone', 'GET /v1/admin/sagas/{orderId}');
  const saga = await shop.staff<Saga>('GET', `/v1/admin/sagas/${order.id}`);
  print.table(saga.steps.map(({ id, status, reason }) => [id, status, reason ?? 'the prints are back on the shelf']));
  const statuses = saga.steps.map(({ id, status }) => `${id} ${status}`);
  checks.equal('steps of the declined order', statuses, ['reserve:1.1 compensated', 'authorize:1 failed']);

  print.chapter('Its timeline (UTC)', 'GET /v1/orders/{id}/timeline');
  printTimeline(print, await shop.guest<Timeline>('GET', `/v1/orders/${order.id}/timeline`));

  print.chapter(`Stock of ${SKU}, of which there are ten`, 'GET /v1/admin/stock/{sku}');
  const after = await shop.stock(SKU);
  printStock(print, [
    ['before', before],
    ['after', after],
  ]);
  checks.equal('stock after the declined order', after, before);
}
