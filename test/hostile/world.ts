/** A whole shop with something in it that belongs to somebody, every route served, and requests for each route. */
import { request } from 'node:http';
import type { Route } from '../../http/route.ts';
import { allRoutes } from '../../http/routes/index.ts';
import { ADDRESS, expressOrder } from '../support/client.ts';
import { startShop, type TestShop } from '../support/shop.ts';

export const routes: readonly Route[] = allRoutes({ virtualClock: true, chaos: true, simulatedPayment: true });
const SKU = 'TEA-GREEN-100';
/** Not the documented example: else changing the password as documented would succeed. */
const PASSWORD = 'a password of these tests';

/** What belongs to one customer. */
export type Belongings = {
  readonly token: string;
  readonly customerId: string;
  readonly cartId: string;
  readonly checkoutId: string;
  readonly orderId: string;
  readonly addressId: string;
};

export type World = {
  readonly shop: TestShop;
  readonly staff: string;
  readonly guest: string;
  readonly ada: Belongings;
  readonly bob: Belongings;
  /** A colleague's token with just these scopes. */
  colleague(...scopes: readonly string[]): Promise<string>;
  /** Everything that a request may change and somebody may look at. */
  visible(): Promise<unknown>;
};

export async function startWorld(): Promise<World> {
  const shop = await startShop({ env: { CLOCK: 'virtual', CHAOS: 'on' } });
  const staff = await shop.staff();
  const ada = await customer(shop, 'ada@example.com');
  const bob = await customer(shop, 'bob@example.com');
  await shop.advance(1_000);
  let colleagues = 0;
  return {
    shop,
    staff,
    guest: await shop.guest(),
    ada,
    bob,
    async colleague(...scopes) {
      const email = `colleague-${++colleagues}@example.com`;
      const body = { email, password: PASSWORD, name: 'Grace', scopes };
      await shop.call('POST', '/v1/admin/staff', { token: staff, body });
      const signedIn = await shop.call('POST', '/v1/sessions', { body: { email, password: PASSWORD } });
      return signedIn.body.token;
    },
    async visible() {
      const seen = [];
      for (const { token, cartId, checkoutId, orderId } of [ada, bob]) {
        for (const path of [`/v1/carts/${cartId}`, `/v1/checkouts/${checkoutId}`, `/v1/orders/${orderId}`, '/v1/me']) {
          seen.push((await shop.call('GET', path, { token })).body);
        }
        seen.push((await shop.call('GET', '/v1/orders', { token })).body);
      }
      for (const path of [`/v1/admin/stock/${SKU}`, '/v1/admin/staff', '/v1/admin/dead-letters']) {
        seen.push((await shop.call('GET', path, { token: staff })).body);
      }
      seen.push((await shop.call('GET', '/v1/products?limit=100')).body);
      return seen;
    },
  };
}

async function customer(shop: TestShop, email: string): Promise<Belongings> {
  const opened = await shop.call('POST', '/v1/customers', { body: { email, password: PASSWORD, name: 'Somebody' } });
  const { token } = opened.body;
  const cart = await shop.call('POST', '/v1/carts', { token });
  const line = { sku: SKU, quantity: 2 };
  await shop.call('POST', `/v1/carts/${cart.body.id}/lines`, { token, body: line });
  const checkout = await shop.call('POST', `/v1/carts/${cart.body.id}/checkout`, { token });
  const order = await shop.call('POST', '/v1/orders', { token, key: `first-${email}`, body: expressOrder([line]) });
  const address = await shop.call('POST', '/v1/me/addresses', { token, body: { address: ADDRESS, makeDefault: true } });
  return {
    token,
    customerId: opened.body.customer.id,
    cartId: cart.body.id,
    checkoutId: checkout.body.id,
    orderId: order.body.id,
    addressId: address.body.id,
  };
}

/** The route's address, with the ids of what `owner` has; `unknown` puts in an id of the right kind that isn't there. */
export function addressOf({ path }: Route, owner: Belongings, unknown = false): string {
  const real: Readonly<Record<string, string>> = {
    '/v1/carts': owner.cartId,
    '/v1/checkouts': owner.checkoutId,
    '/v1/orders': owner.orderId,
    '/v1/me': owner.addressId,
    '/v1/admin': owner.orderId,
  };
  const kind = Object.keys(real).find((prefix) => path.startsWith(prefix)) ?? '/v1/admin';
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'sku') return unknown ? 'NO-SUCH-SKU' : SKU;
    if (name === 'type') return 'order';
    const id = (name === 'id' || name === 'orderId') && real[kind];
    if (!id) return 'none_1';
    return unknown ? `${id.slice(0, id.indexOf('_') + 1)}${'0'.repeat(26)}` : id;
  });
}

/** What the documentation says to send; a key and a precondition where one is required. */
export function documented(route: Route, key: string): { headers: Record<string, string>; body?: unknown } {
  const headers = {
    ...(route.idempotency === 'required' && { 'idempotency-key': key }),
    ...(route.ifMatch === 'required' && { 'if-match': '*' }),
  };
  return route.body ? { headers, body: route.example } : { headers };
}

export type RawAnswer = { readonly status: number; readonly type: string; readonly text: string };

export type RawRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

/** As it is given, without fetch's opinions about what a request may be. */
export function send(url: string, { method, path, headers = {}, body }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, refuse) => {
    const outgoing = request({ hostname, port, method, path, headers, insecureHTTPParser: true }, (answer) => {
      const parts: Buffer[] = [];
      const type = answer.headers['content-type'] ?? '';
      const give = (): void => resolve({ status: answer.statusCode ?? 0, type, text: Buffer.concat(parts).toString() });
      answer.on('error', refuse);
      answer.on('end', give);
      answer.on('data', (part: Buffer) => {
        parts.push(part);
        if (type !== 'text/event-stream') return;
        // It would never end by itself.
        give();
        answer.destroy();
      });
    });
    outgoing.on('error', refuse);
    outgoing.end(body);
  });
}
