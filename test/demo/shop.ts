/** The shop as the demo's guest, customer and staff see it: the public HTTP interface, with the answers it reads. */
import { ADDRESS, createClient } from '../support/client.ts';

export type Money = { readonly amount: number; readonly currency: string };
export type Product = {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly available: number;
};
export type Cart = {
  readonly id: string;
  readonly lines: readonly {
    readonly sku: string;
    readonly name: string;
    readonly quantity: number;
    readonly total: Money;
  }[];
  readonly totals: Totals;
};
export type Totals = { readonly subtotal: Money; readonly shipping: Money; readonly total: Money };
export type Checkout = { readonly id: string; readonly step: string | null; readonly totals: Totals };
export type Order = {
  readonly id: string;
  readonly status: string;
  readonly awaiting: string | null;
  readonly backorder: { readonly expectedAt: string } | null;
  readonly paymentRequest: { readonly reason: string; readonly url: string; readonly expiresAt: string } | null;
  readonly payment: {
    readonly status: string;
    readonly authorized: Money;
    readonly captured: Money;
    readonly refunded: Money;
  };
  readonly fulfillment: {
    readonly status: string;
    readonly shipments: readonly {
      readonly id: string;
      readonly status: string;
      readonly carrier?: string;
      readonly trackingNumber?: string;
      readonly replacedBy?: string;
    }[];
  };
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly totals: Totals;
};
export type Timeline = {
  readonly data: readonly {
    readonly at: string;
    readonly title: string;
    readonly amount?: Money;
    readonly carrier?: string;
    readonly trackingNumber?: string;
  }[];
};
export type Saga = {
  readonly status: string;
  readonly reason: string | null;
  readonly steps: readonly {
    readonly id: string;
    readonly status: string;
    readonly sku?: string;
    readonly reason: string | null;
  }[];
};
export type Buckets = {
  readonly available: number;
  readonly reserved: number;
  readonly committed: number;
  readonly picked: number;
  readonly shipped: number;
  readonly backordered: number;
};

export type CheckReport = {
  readonly covered: Readonly<Record<string, number>>;
  readonly findings: readonly { readonly code: string; readonly text: string }[];
  readonly page: { readonly next: string | null };
};
export type Account = { readonly email: string; readonly password: string; readonly name: string };

export { ADDRESS };

const POLL_MS = 20;
const PATIENCE_MS = 10_000;

/** A request of somebody; @throws Error when the answer isn't a success. */
export type Caller = <Body>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Body>;

export type Shop = {
  readonly guest: Caller;
  readonly staff: Caller;
  /** Opens an account and is signed in. */
  register(account: Account): Promise<Caller>;
  /** The order as soon as it `holds`. */
  orderWhen(id: string, what: string, holds: (order: Order) => boolean): Promise<Order>;
  sagaWhen(id: string, what: string, holds: (saga: Saga) => boolean): Promise<Saga>;
  /** Stock of a SKU, all warehouses together. */
  stock(sku: string): Promise<Buckets>;
  /** Lets business time pass. */
  pass(ms: number): Promise<void>;
  /** The business time in so many ms, to some seconds. */
  timeIn(ms: number): string;
};

export async function openShop(url: string): Promise<Shop> {
  const client = createClient(url);
  const openedAt = Date.now();
  let passed = 0;

  function callerWith(token: string): Caller {
    return async <Body>(
      method: string,
      path: string,
      body?: unknown,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<Body> => {
      const answer = await client.call(method, path, { token, body, headers });
      if (answer.status >= 300) {
        throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
      return answer.body as Body;
    };
  }

  const guest = callerWith(await client.guest());
  const staff = callerWith(await client.staff());

  async function when<Body extends { readonly status: string }>(
    read: () => Promise<Body>,
    what: string,
    holds: (body: Body) => boolean,
  ): Promise<Body> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const body = await read();
      if (holds(body)) return body;
      if (performance.now() > until) throw new Error(`waited in vain for ${what}; it is ${body.status}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  return {
    guest,
    staff,
    async register(account) {
      const { token } = await guest<{ token: string }>('POST', '/v1/customers', account);
      return callerWith(token);
    },
    orderWhen: (id, what, holds) => when(() => staff<Order>('GET', `/v1/orders/${id}`), what, holds),
    sagaWhen: (id, what, holds) => when(() => staff<Saga>('GET', `/v1/admin/sagas/${id}`), what, holds),
    async stock(sku) {
      const { warehouses } = await staff<{ warehouses: readonly Buckets[] }>('GET', `/v1/admin/stock/${sku}`);
      const sum = (bucket: keyof Buckets): number => warehouses.reduce((total, each) => total + each[bucket], 0);
      return {
        available: sum('available'),
        reserved: sum('reserved'),
        committed: sum('committed'),
        picked: sum('picked'),
        shipped: sum('shipped'),
        // Who waits, waits at each of the warehouses.
        backordered: Math.max(...warehouses.map((row) => row.backordered)),
      };
    },
    timeIn: (ms) => new Date(openedAt + passed + ms).toISOString(),
    async pass(ms) {
      passed += ms;
      await staff('POST', '/v1/admin/clock/advance', { ms });
    },
  };
}
