/** The shop that is measured: 200 products with far more stock than anybody orders, and one order that has been delivered. */
import { type Client, createClient, expressOrder } from '../support/client.ts';
import { startBenchServer, stopServer } from './server.ts';

const PRODUCTS = 200;
const PIECES = 1_000_000;
const WAREHOUSES = ['wh-east', 'wh-central', 'wh-west'];
const PARALLEL = 16;
const REPORTS = ['picked', 'handed-to-carrier', 'in-transit', 'out-for-delivery', 'delivered'];
const PATIENCE_MS = 10_000;

export type Delivered = { readonly orderId: string; readonly customerId: string };
export type Shop = { readonly skus: readonly string[]; readonly delivered: Delivered };

/** Fills the folder through the public interface and leaves it closed. */
export async function createShop(folder: string): Promise<Shop> {
  const server = await startBenchServer(folder);
  const shop = await fillShop(server.url);
  await stopServer(server);
  return shop;
}

/** Fills an empty shop that runs. */
export async function fillShop(url: string): Promise<Shop> {
  const client = createClient(url);
  const staff = await client.staff();
  const skus = Array.from({ length: PRODUCTS }, (_, index) => `BENCH-${String(index + 1).padStart(3, '0')}`);
  const queue = [...skus.entries()];
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let entry = queue.pop(); entry; entry = queue.pop()) await createProduct(client, staff, entry[1], entry[0]);
    }),
  );
  return { skus, delivered: await deliverOne(client, staff, skus.slice(0, 2)) };
}

async function createProduct(client: Client, token: string, sku: string, index: number): Promise<void> {
  const path = `/v1/admin/products/${sku}`;
  const details = { name: `Product ${index + 1}`, description: 'To be measured.', category: 'Bench', tags: ['bench'] };
  const created = await succeed(client, 'PUT', path, { token, body: details });
  const etag = created.headers.get('etag') ?? '';
  const amount = 1_000 + (index % 30) * 100;
  await succeed(client, 'PUT', `${path}/price`, {
    token,
    headers: { 'if-match': etag },
    body: { amount, currency: 'USD' },
  });
  for (const warehouse of WAREHOUSES) {
    const body = { warehouse, quantity: PIECES };
    await succeed(client, 'POST', `/v1/admin/stock/${sku}/receive`, { token, key: `${sku}/${warehouse}`, body });
  }
}

/** One express order of two products, delivered: the pattern of the stored orders. */
async function deliverOne(client: Client, staff: string, skus: readonly string[]): Promise<Delivered> {
  const token = await client.guest();
  const body = expressOrder(skus.map((sku) => ({ sku, quantity: 1 })));
  const placed = await succeed(client, 'POST', '/v1/orders', { token, key: 'pattern', body });
  const orderId = placed.body.id as string;
  const labelled = await orderWhen(client, token, orderId, (order) => shipmentsOf(order).some(isLabelled));
  for (const type of REPORTS) {
    for (const { id } of shipmentsOf(labelled)) {
      await succeed(client, 'POST', `/v1/admin/orders/${orderId}/shipments/${id}/events`, {
        token: staff,
        body: { type },
      });
    }
  }
  await orderWhen(client, token, orderId, ({ status }) => status === 'delivered');
  return { orderId, customerId: subjectOf(token) };
}

type Shipment = { readonly id: string; readonly status: string };
type Order = { readonly status: string; readonly fulfillment: { readonly shipments: readonly Shipment[] } };

const shipmentsOf = ({ fulfillment }: Order): readonly Shipment[] => fulfillment.shipments;
const isLabelled = ({ status }: Shipment): boolean => status === 'labeled';

async function orderWhen(
  client: Client,
  token: string,
  orderId: string,
  holds: (order: Order) => boolean,
): Promise<Order> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const { body } = await succeed(client, 'GET', `/v1/orders/${orderId}`, { token });
    if (holds(body)) return body;
    if (performance.now() > until) throw new Error(`the pattern order stays ${body.status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function succeed(client: Client, ...[method, path, options]: Parameters<Client['call']>) {
  const answer = await client.call(method, path, options);
  if (answer.status >= 300) {
    throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer;
}

/** `sub` of a token. */
function subjectOf(token: string): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  return (JSON.parse(payload) as { sub: string }).sub;
}
