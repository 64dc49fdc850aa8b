/** A shop on the virtual clock with one buyer and one member of staff, and what the two do all day, over HTTP. */
import * as assert from 'uvu/assert';
import type { Address } from '../../actors/kernel/address.ts';
import type { Typed } from '../../actors/kernel/decider.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import type { Settled } from '../../actors/kernel/ports.ts';
import type { AggregateType, CommandOf } from '../../actors/shop.ts';
import { type Answer, expressOrder } from './client.ts';
import { startShop, type TestShop, type TestShopOptions } from './shop.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export type Line = { readonly sku: string; readonly quantity: number };
export type StockSums = Readonly<Record<'available' | 'reserved' | 'committed' | 'picked' | 'shipped', number>>;

export type Shopkeeper = {
  readonly shop: TestShop;
  readonly token: string;
  readonly staff: string;
  /** Puts a product on sale. */
  sell(sku: string, amount: number, stock: Readonly<Record<string, number>>): Promise<void>;
  /** Orders and lets everything happen that needs no time; answers the order's id. */
  place(lines: readonly Line[], paymentToken?: string): Promise<string>;
  /** Asks as the buyer, lets everything happen that needs no time. */
  buyer(method: string, path: string, body?: unknown, key?: string): Promise<Answer<Body>>;
  operator(method: string, path: string, body?: unknown, key?: string): Promise<Answer<Body>>;
  order(id: string): Promise<Body>;
  saga(id: string): Promise<Body>;
  /** What of a SKU is in each bucket, over all warehouses. */
  stock(sku: string): Promise<StockSums>;
  report(orderId: string, shipment: number, type: string, attempt?: number): Promise<void>;
  pass(ms: number): Promise<void>;
  /** A message that comes late, twice or out of nowhere, straight to its actor; settles when it is durably answered. */
  deliver<Type extends AggregateType>(
    to: Address<Type>,
    message: CommandOf<Type>,
    from: Address,
    id?: string,
  ): Promise<Settled>;
  close(): Promise<void>;
};

// biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the server says; tests assert on them
type Body = any;

export async function openShop(options: TestShopOptions = {}): Promise<Shopkeeper> {
  const shop = await startShop({ ...options, env: { CLOCK: 'virtual', ...options.env } });
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  let numbers = 0;

  const as = (who: string) => async (method: string, path: string, body?: unknown, key?: string) => {
    const answer = await shop.call(method, path, { token: who, key: key ?? `key-${++numbers}`, body });
    await shop.advance(0);
    return answer;
  };
  const buyer = as(token);
  const operator = as(staff);
  const shown = async (who: string, path: string) => (await shop.call('GET', path, { token: who })).body;

  return {
    shop,
    token,
    staff,
    buyer,
    operator,
    async sell(sku, amount, stock) {
      const path = `/v1/admin/products/${sku}`;
      const put = await shop.call('PUT', path, { token: staff, body: { name: sku, category: 'Test' } });
      const headers = { 'if-match': put.headers.get('etag') ?? '' };
      const price = { amount, currency: 'USD' };
      assert.is((await shop.call('PUT', `${path}/price`, { token: staff, headers, body: price })).status, 200);
      for (const [warehouse, quantity] of Object.entries(stock)) {
        const received = await operator('POST', `/v1/admin/stock/${sku}/receive`, { warehouse, quantity });
        assert.is(received.status, 200, JSON.stringify(received.body));
      }
    },
    async place(lines, paymentToken = 'tok_success') {
      const placed = await buyer('POST', '/v1/orders', expressOrder(lines, paymentToken));
      assert.is(placed.status, 202, JSON.stringify(placed.body));
      return placed.body.id;
    },
    order: (id) => shown(token, `/v1/orders/${id}`),
    saga: (id) => shown(staff, `/v1/admin/sagas/${id}`),
    async stock(sku) {
      const { warehouses } = await shown(staff, `/v1/admin/stock/${sku}`);
      const sum = (bucket: string) => warehouses.reduce((total: number, row: Body) => total + row[bucket], 0);
      const [available, reserved, committed] = [sum('available'), sum('reserved'), sum('committed')];
      return { available, reserved, committed, picked: sum('picked'), shipped: sum('shipped') };
    },
    async report(orderId, shipment, type, attempt) {
      const path = `/v1/admin/orders/${orderId}/shipments/shp_${orderId.slice(4)}_${shipment}/events`;
      const reported = await operator('POST', path, { type, ...(attempt !== undefined && { attempt }) });
      assert.is(reported.status, 200, JSON.stringify(reported.body));
    },
    pass: (ms) => shop.advance(ms),
    async deliver(to, message, from, id = `late-${++numbers}`) {
      const envelope: Envelope = { id, to, from, message: message as Typed };
      const settled = await new Promise<Settled>((resolve) => shop.shop.node.deliver(envelope, resolve));
      await shop.advance(0);
      return settled;
    },
    close: () => shop.close(),
  };
}
