/** What customers, operators and carriers do in a simulated shop, by chance, for as long as they are told to. */
import { ADDRESS, expressOrder } from '../../support/client.ts';
import type { ShownOrder } from '../checks/money.ts';
import type { Asked } from '../nodes/edge.ts';
import type { World } from '../world/world.ts';
import { bodyOf, type Clients, type Exchange } from './clients.ts';
import { type OpenedShop, SKUS } from './opening.ts';

export type WorkloadOptions = {
  readonly world: World;
  readonly clients: Clients;
  readonly shop: OpenedShop;
  /** Mean pause between two actions of one of them, in ms. */
  readonly thinkMs: number;
  /** Actions of all together, at most. */
  readonly actions: number;
  /** Told of each order as soon as it is acknowledged. */
  readonly onPlaced: (id: string) => void;
};

/** An order that was acknowledged. */
export type Placed = { readonly id: string; readonly token: string; readonly first: Exchange };

const TOKENS: readonly string[] = [
  ...Array.from({ length: 8 }, () => 'tok_success'),
  'tok_decline',
  'tok_capture_fails',
  'tok_flaky',
];
/** Their outcome stays unknown for minutes: with them in each shop, most of the simulated time would be waiting. */
const SLOW_TOKENS: readonly string[] = ['tok_late_success', 'tok_capture_timeout', 'tok_timeout'];
const SLOW_SHARE = 0.25;
const JOURNEYS = [
  ['picked', 'handed-to-carrier', 'in-transit', 'out-for-delivery', 'delivered'],
  ['handed-to-carrier'],
  ['delivered', 'in-transit', 'picked'],
  ['picked', 'handed-to-carrier', 'lost'],
  ['picked'],
];

/** So many of the newest orders are looked at again and again. */
const LOOKED_AT = 5;

export class Workload {
  readonly #options: WorkloadOptions;
  readonly #chance: () => number;
  readonly placed: Placed[] = [];
  /** Requests with a key that were answered. */
  readonly #answered: Exchange[] = [];
  readonly #tokens: readonly string[];
  #left: number;
  #going = true;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#chance = options.world.chance('workload');
    this.#left = options.actions;
    const isSlow = options.world.chance('tokens')() < SLOW_SHARE;
    this.#tokens = isSlow ? [...TOKENS, ...SLOW_TOKENS, ...SLOW_TOKENS] : TOKENS;
  }

  /** Nothing new is begun. */
  stop(): void {
    this.#going = false;
  }

  /** Resolves when all that was begun is answered. */
  async run(): Promise<void> {
    const { shop } = this.#options;
    await Promise.all([
      ...shop.guests.map((token, number) => this.#repeatedly(() => this.#buy(`guest-${number}`, token))),
      this.#repeatedly(() => this.#keepShop()),
      this.#repeatedly(() => this.#carry()),
    ]);
  }

  /** What each order shows its customer now. */
  outcome(): Promise<ShownOrder[]> {
    return Promise.all(this.placed.map(async (order) => bodyOf<ShownOrder>(await this.#look(order))));
  }

  async #repeatedly(action: () => Promise<void>): Promise<void> {
    const { world, thinkMs } = this.#options;
    for (;;) {
      await world.pause(thinkMs * 2 * this.#chance());
      if (!this.#going || this.#left <= 0) return;
      this.#left -= 1;
      await action();
      await this.#lookBack();
    }
  }

  /** Whatever was changed before must show, wherever it is looked for. */
  async #lookBack(): Promise<void> {
    if (this.placed.length === 0 || this.#chance() < 0.5) return;
    await this.#look(this.#one(this.placed.slice(-LOOKED_AT)));
  }

  #look({ id, token, first }: Placed): Promise<Exchange> {
    return this.#options.clients.insist(first.client, { method: 'GET', path: `/v1/orders/${id}`, token });
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#chance() * items.length)] as Item;
  }

  async #buy(client: string, token: string): Promise<void> {
    const mine = this.placed.filter((each) => each.token === token);
    const dice = this.#chance();
    if (mine.length === 0 || dice < 0.4) return this.#orderExpress(client, token);
    if (dice < 0.55) return this.#shopAround(client, token);
    const order = this.#one(mine);
    if (dice < 0.65) return this.#repeat(client, order.first);
    if (dice < 0.75) return this.#post(client, `/v1/orders/${order.id}/cancel`, token, { reason: 'Changed my mind.' });
    if (dice < 0.85) {
      const asked = { method: 'PUT', path: `/v1/orders/${order.id}/payment`, token, body: { token: 'tok_success' } };
      await this.#options.clients.insist(client, asked);
      return;
    }
    await this.#options.clients.insist(client, { method: 'GET', path: `/v1/orders/${order.id}`, token });
  }

  async #post(client: string, path: string, token: string, body: object): Promise<void> {
    const { clients } = this.#options;
    const first = await clients.insist(client, { method: 'POST', path, token, key: clients.key(), body });
    this.#answered.push(first);
    const order = this.placed.find(({ id }) => path.includes(id));
    if (order) await this.#look(order);
  }

  async #orderExpress(client: string, token: string): Promise<void> {
    const { clients } = this.#options;
    const first = this.#one(SKUS);
    const second = this.#one(SKUS);
    const lines = [{ sku: first, quantity: 1 + Math.floor(this.#chance() * 3) }];
    if (second !== first) lines.push({ sku: second, quantity: 1 });
    const body = expressOrder(lines, this.#one(this.#tokens));
    const asked = { method: 'POST', path: '/v1/orders', token, key: clients.key(), body };
    this.#place(token, await clients.insist(client, asked));
  }

  #place(token: string, first: Exchange): void {
    if (first.status >= 300) return;
    const { id } = bodyOf<{ id: string }>(first);
    this.placed.push({ id, token, first });
    this.#options.onPlaced(id);
  }

  /** A cart that becomes an order, or is left on the way. */
  async #shopAround(client: string, token: string): Promise<void> {
    const { clients } = this.#options;
    const ask = (method: string, path: string, body: object): Promise<Exchange> =>
      clients.insist(client, { method, path, token, body, ...(method === 'POST' && { key: clients.key() }) });
    const cart = bodyOf<{ id: string }>(await ask('POST', '/v1/carts', {}));
    const added = await ask('POST', `/v1/carts/${cart.id}/lines`, { sku: this.#one(SKUS), quantity: 2 });
    if (added.status >= 300 || this.#chance() < 0.2) return;
    const begun = await ask('POST', `/v1/carts/${cart.id}/checkout`, {});
    if (begun.status >= 300) return;
    const path = `/v1/checkouts/${bodyOf<{ id: string }>(begun).id}`;
    await ask('PUT', `${path}/address`, ADDRESS);
    await ask('PUT', `${path}/shipping-method`, { method: 'standard' });
    await ask('PUT', `${path}/payment`, { token: this.#one(this.#tokens) });
    if (this.#chance() < 0.1) return;
    this.#place(token, await ask('POST', `${path}/complete`, { acceptPriceChanges: true }));
  }

  /** The same key at another node, or at the same: it was done once and is answered as before. */
  async #repeat(client: string, first: Exchange): Promise<void> {
    const { clients, world } = this.#options;
    const { method, path, token, key, body } = first;
    const asked: Asked = { method, path, token, key, body };
    const again = await clients.insist(client, asked);
    if (again.status !== first.status || said(again) !== said(first)) {
      world.violated(
        `I4: ${path} with ${key} was answered ${first.status} ${first.text}, then ${again.status} ${again.text}`,
      );
    }
  }

  async #keepShop(): Promise<void> {
    const { shop } = this.#options;
    const sku = this.#one(SKUS);
    const dice = this.#chance();
    const warehouse = dice < 0.5 ? 'wh-east' : 'wh-west';
    const stock = `/v1/admin/stock/${sku}`;
    const order = this.placed.length > 0 ? this.#one(this.placed) : undefined;
    const why = 'As agreed on the phone.';
    const action = this.#chance();
    if (this.#answered.length > 0 && action < 0.2) {
      const first = this.#one(this.#answered);
      return this.#repeat(first.client, first);
    }
    if (action < 0.45) return this.#post('staff', `${stock}/receive`, shop.staff, { warehouse, quantity: 3 });
    if (action < 0.55)
      return this.#post('staff', `${stock}/adjust`, shop.staff, { warehouse, delta: -1, reason: 'Broken.' });
    if (action < 0.65) {
      const body = { amount: 400 + Math.floor(dice * 1_000), currency: 'USD' };
      const path = `/v1/admin/products/${sku}`;
      const { clients } = this.#options;
      const shown = await clients.insist('staff', { method: 'GET', path: `/v1/products/${sku}` });
      const headers = { 'if-match': `"${bodyOf<{ version: number }>(shown).version}"` };
      await clients.insist('staff', { method: 'PUT', path: `${path}/price`, token: shop.staff, headers, body });
    } else if (order && action < 0.75) {
      const amount = { amount: 100, currency: 'USD' };
      await this.#post('staff', `/v1/admin/sagas/${order.id}/refund`, shop.staff, { amount, why });
    } else if (order) {
      const repair = this.#one(['release', 'cancel', 'retry']);
      await this.#post('staff', `/v1/admin/sagas/${order.id}/${repair}`, shop.staff, { why });
    }
  }

  /** Carriers report, twice sometimes, what happened to a parcel. */
  async #carry(): Promise<void> {
    const { clients, shop } = this.#options;
    if (this.placed.length === 0) return;
    const order = this.#one(this.placed);
    const path = `/v1/orders/${order.id}`;
    const shown = await clients.insist('carrier', { method: 'GET', path, token: order.token });
    if (shown.status !== 200) return;
    const { fulfillment } = bodyOf<{ fulfillment: { shipments: readonly { id: string }[] } }>(shown);
    const parcel = fulfillment.shipments[0];
    if (!parcel) return;
    for (const type of this.#one(JOURNEYS)) {
      const body = { type, eventId: `${parcel.id}-${type}` };
      await this.#post('carrier', `/v1/admin/orders/${order.id}/shipments/${parcel.id}/events`, shop.staff, body);
    }
  }
}

/** The answer but for the trace, which each request has of its own. */
const said = ({ text }: Exchange): string => text.replace(/"traceId":"[0-9a-f]+"/, '');
