/** First story: a guest buys two products, and they arrive. */
import { type Checks, NotAsExpected } from './checks.ts';
import type { Printer } from './printer.ts';
import { ADDRESS, type Cart, type Checkout, type Order, type Product, type Shop, type Timeline } from './shop.ts';
import { price, printStock, printTimeline } from './words.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SHOWN = 3;
/** When the story begins: people shop, pick and deliver by day. */
const MORNING = 9 * HOUR + 12 * MINUTE;

/** What the warehouse and the carrier report, after how much time, and in whose words. */
const REPORTS = [
  ['picked', 2 * HOUR, 'the warehouse has picked it'],
  ['handed-to-carrier', 3 * HOUR, 'the carrier has taken it'],
  ['in-transit', 18 * HOUR, 'it travels'],
  ['out-for-delivery', 24 * HOUR, 'it is on the van'],
  ['delivered', 4 * HOUR + 25 * MINUTE, 'it is at the door'],
] as const;

export async function orderFromShelfToDoor(shop: Shop, print: Printer, checks: Checks): Promise<void> {
  await shop.pass(DAY - (Date.now() % DAY) + MORNING);
  const tea = await browse(shop, print, 'A guest looks for green tea, typing in a hurry', 'gren teaa');
  checks.equal('what is found in spite of two typing errors', tea.sku, 'TEA-GREEN-100');
  const mug = await browse(shop, print, '… and for a mug to drink it from', 'mug');
  const before = await shop.stock(tea.sku);
  const cart = await fillCart(shop, print, checks, [
    [tea, 2],
    [mug, 1],
  ]);
  const order = await checkOut(shop, print, checks, cart);
  const paid = await shop.stock(tea.sku);
  await deliver(shop, print, checks, order);
  const delivered = await shop.stock(tea.sku);

  print.chapter("The order's timeline, as its customer sees it (UTC)", 'GET /v1/orders/{id}/timeline');
  printTimeline(print, await shop.guest<Timeline>('GET', `/v1/orders/${order.id}/timeline`));

  print.chapter(`Stock of ${tea.sku}, all warehouses together`, 'GET /v1/admin/stock/{sku}');
  printStock(print, [
    ['before', before],
    ['paid', paid],
    ['delivered', delivered],
  ]);
  const available = before.available - 2;
  checks.equal('stock when paid', paid, { ...before, available, committed: before.committed + 2 });
  checks.equal('stock when delivered', delivered, { ...before, available, shipped: before.shipped + 2 });
}

async function browse(shop: Shop, print: Printer, title: string, words: string): Promise<Product> {
  const query = new URLSearchParams({ q: words });
  print.chapter(title, `GET /v1/products?${query}`);
  const { data, total } = await shop.guest<{ data: readonly Product[]; total: number }>('GET', `/v1/products?${query}`);
  print.table(
    data
      .slice(0, SHOWN)
      .map(({ sku, name, price: each, available }) => [sku, name, price(each), `${available} in stock`]),
  );
  if (total > SHOWN) print.line(`and ${total - SHOWN} more`);
  const product = data.find(({ available }) => available >= 10);
  if (!product) throw new NotAsExpected(`nothing found for "${words}" is in stock`);
  return product;
}

type Wanted = readonly (readonly [product: Product, quantity: number])[];

async function fillCart(shop: Shop, print: Printer, checks: Checks, wanted: Wanted): Promise<Cart> {
  print.chapter('… puts both into a cart', 'POST /v1/carts, POST /v1/carts/{id}/lines');
  let cart = await shop.guest<Cart>('POST', '/v1/carts', {});
  for (const [{ sku }, quantity] of wanted) {
    cart = await shop.guest<Cart>('POST', `/v1/carts/${cart.id}/lines`, { sku, quantity });
  }
  print.table(cart.lines.map(({ name, quantity, total }) => [`${quantity} ×`, name, price(total)]));
  const subtotal = wanted.reduce((sum, [product, quantity]) => sum + product.price.amount * quantity, 0);
  checks.equal('subtotal of the cart', cart.totals.subtotal.amount, subtotal);
  return cart;
}

async function checkOut(shop: Shop, print: Printer, checks: Checks, cart: Cart): Promise<Order> {
  print.chapter('… checks out, step by step', 'POST /v1/carts/{id}/checkout');
  const { id, step } = await shop.guest<Checkout>('POST', `/v1/carts/${cart.id}/checkout`, {});
  const path = `/v1/checkouts/${id}`;
  const steps = [step];
  const put = async (part: string, body: unknown): Promise<Checkout> => {
    const checkout = await shop.guest<Checkout>('PUT', `${path}/${part}`, body);
    steps.push(checkout.step);
    return checkout;
  };
  await put('address', ADDRESS);
  await put('shipping-method', { method: 'standard' });
  const { totals } = await put('payment', { token: 'tok_success' });
  checks.equal('steps of the checkout', steps, ['address', 'shipping-method', 'payment', 'complete']);
  print.table([
    ['address', `${ADDRESS.name}, ${ADDRESS.line1}, ${ADDRESS.city} ${ADDRESS.region}`, 'PUT …/address'],
    ['shipping', `standard, ${price(totals.shipping)}`, 'PUT …/shipping-method'],
    ['payment', 'tok_success', 'PUT …/payment'],
    ['to pay', `${price(totals.total)} in all`],
  ]);

  print.chapter('… and orders', 'POST /v1/checkouts/{id}/complete');
  const started = performance.now();
  const headers = { 'idempotency-key': `demo-${id}`, prefer: 'wait=10' };
  const placed = await shop.guest<Order>('POST', `${path}/complete`, {}, headers);
  const order = await shop.orderWhen(placed.id, 'the parcel', labelled);
  const ms = Math.round(performance.now() - started);
  print.line(`${order.id}: stock reserved, ${price(order.payment.captured)} captured, parcel labelled after ${ms} ms`);
  checks.equal('status of the payment', order.payment.status, 'captured');
  checks.equal('captured amount', order.payment.captured, totals.total);
  const again = await shop.guest<Order>('POST', `${path}/complete`, {}, headers);
  checks.equal('order after pressing the button twice', again.id, order.id);
  print.line('Pressed twice by mistake: the same order, charged once.');
  return order;
}

function labelled({ fulfillment: { shipments } }: Order): boolean {
  return shipments.length > 0 && shipments.every(({ status }) => status === 'labeled');
}

async function deliver(shop: Shop, print: Printer, checks: Checks, { id, fulfillment, totals }: Order): Promise<void> {
  print.chapter('Warehouse and carrier report', 'POST /v1/admin/orders/{id}/shipments/{sid}/events');
  const rows: string[][] = [];
  for (const [type, after, words] of REPORTS) {
    await shop.pass(after);
    for (const shipment of fulfillment.shipments) {
      await shop.staff('POST', `/v1/admin/orders/${id}/shipments/${shipment.id}/events`, { type });
    }
    rows.push([type, `${(after / HOUR).toFixed(0)} h later`, words]);
  }
  print.table(rows);
  const delivered = await shop.orderWhen(id, 'the delivery', ({ status }) => status === 'delivered');
  checks.equal('money of the delivered order', delivered.payment.captured, totals.total);
  checks.equal('refunds of the delivered order', delivered.payment.refunded.amount, 0);
  print.line('The order is delivered. The clock of this node is virtual, so the days passed at once.');
}
