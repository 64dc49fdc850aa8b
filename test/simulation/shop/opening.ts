/** What a simulated shop needs before customers come: an operator, a few products, some stock. */
import { ensureOperator } from '../../../http/operator.ts';
import type { SimulatedNode } from '../nodes/node.ts';
import type { World } from '../world/world.ts';
import { bodyOf, type Clients } from './clients.ts';

const OPERATOR = { email: 'operator@example.com', password: 'correct horse battery' };

export type Shelf = {
  readonly sku: string;
  readonly warehouse: string;
  readonly quantity: number;
  readonly price: number;
};

const SHELVES: readonly Shelf[] = [
  { sku: 'TEA', warehouse: 'wh-east', quantity: 60, price: 500 },
  { sku: 'MUG', warehouse: 'wh-east', quantity: 30, price: 900 },
  { sku: 'MUG', warehouse: 'wh-west', quantity: 10, price: 900 },
  { sku: 'RARE', warehouse: 'wh-west', quantity: 3, price: 2_500 },
];

export const SKUS: readonly string[] = [...new Set(SHELVES.map(({ sku }) => sku))];

export type OpenedShop = { readonly staff: string; readonly guests: readonly string[] };

export async function openShop(
  world: World,
  node: SimulatedNode,
  clients: Clients,
  customers: number,
): Promise<OpenedShop> {
  const { life } = node;
  if (!life) throw new Error(`${node.name} does not run`);
  await new Promise<void>((resolve, reject) => {
    world.inside(life.process, () => void ensureOperator(life.edge.services, OPERATOR).then(() => resolve(), reject));
  });
  const signedIn = await clients.insist('staff', { method: 'POST', path: '/v1/sessions', body: OPERATOR });
  const staff = bodyOf<{ token: string }>(signedIn).token;
  await Promise.all(SKUS.map((sku) => openShelf(clients, staff, sku)));
  const guests = await Promise.all(
    Array.from({ length: customers }, async (_, number) =>
      bodyOf<{ token: string }>(
        await clients.insist(`guest-${number}`, { method: 'POST', path: '/v1/sessions/guest' }),
      ),
    ),
  );
  return { staff, guests: guests.map(({ token }) => token) };
}

async function openShelf(clients: Clients, token: string, sku: string): Promise<void> {
  const shelves = SHELVES.filter((shelf) => shelf.sku === sku);
  const path = `/v1/admin/products/${sku}`;
  const details = { name: sku, description: `A ${sku}.`, category: 'all', tags: [] };
  const { version } = bodyOf<{ version: number }>(
    await clients.insist('staff', { method: 'PUT', path, token, body: details }),
  );
  const headers = { 'if-match': `"${version}"` };
  const price = { amount: shelves[0]?.price ?? 0, currency: 'USD' };
  bodyOf(await clients.insist('staff', { method: 'PUT', path: `${path}/price`, token, headers, body: price }));
  for (const { warehouse, quantity } of shelves) {
    const received = { method: 'POST', path: `/v1/admin/stock/${sku}/receive`, token, key: clients.key() };
    bodyOf(await clients.insist('staff', { ...received, body: { warehouse, quantity } }));
  }
}
