/** The exchanges that tell something about orders and stock, told apart by their routes and read by their published shape. */
import type { Exchange, History } from './exchange.ts';

export type Line = { readonly sku: string; readonly quantity: number };

/** An order as its route shows it, as far as the checks look at it. Amounts in minor units. */
export type OrderView = {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly total: number;
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
  readonly lines: readonly Line[];
  /** The whole body. */
  readonly text: string;
};

export type OrderFact = { readonly exchange: Exchange; readonly order: OrderView };

/** A request for an order: at once or by completing a checkout, which tells no lines. */
export type Placing = {
  readonly exchange: Exchange;
  /** Client, route and key: the same for each try. */
  readonly request: string;
  readonly lines?: readonly Line[];
  /** Of an acknowledgement. */
  readonly order?: OrderView;
};

export type Missing = { readonly exchange: Exchange; readonly orderId: string };

/** All pages of a client's list of its own orders, read from its beginning to its end at one node. */
export type OrderList = {
  readonly client: string;
  readonly node: string;
  readonly from: number;
  readonly until: number;
  readonly ids: readonly string[];
};

export type TimelineEntry = { readonly type: string; readonly text: string };
export type Timeline = {
  readonly exchange: Exchange;
  readonly orderId: string;
  readonly entries: readonly TimelineEntry[];
};

export type StockChange = {
  readonly exchange: Exchange;
  readonly request: string;
  readonly sku: string;
  readonly kind: 'received' | 'adjusted';
  readonly pieces: number;
};

export type StockRow = {
  readonly sku: string;
  readonly warehouse: string;
  readonly available: number;
  readonly reserved: number;
  readonly committed: number;
  readonly picked: number;
  readonly received: number;
  readonly shipped: number;
  readonly adjusted: number;
};

export type StockRead = { readonly exchange: Exchange; readonly sku: string; readonly rows: readonly StockRow[] };

/** An answer that names a version of something. */
export type Versioned = { readonly exchange: Exchange; readonly subject: string; readonly version: number };

/** An answer that shows how far something was: a version, or a count that never goes back. */
export type Sighting = Versioned & {
  /** It says how things are, not how they were when a request was first answered. */
  readonly isRead: boolean;
  /** Of the same version it is always the same. */
  readonly content?: string;
};

export type Facts = {
  readonly placings: readonly Placing[];
  /** Answers to GET. */
  readonly looks: readonly OrderFact[];
  readonly missing: readonly Missing[];
  /** Cancellations that were taken. */
  readonly cancellations: readonly OrderFact[];
  readonly lists: readonly OrderList[];
  readonly timelines: readonly Timeline[];
  readonly stockChanges: readonly StockChange[];
  readonly stockReads: readonly StockRead[];
  readonly stockItems: readonly Versioned[];
  /** Of carts, checkouts and stock. */
  readonly sightings: readonly Sighting[];
  /** What can't be read, although the status says that it is an answer. */
  readonly unreadable: readonly Exchange[];
};

type Gathering = { -readonly [Name in keyof Facts]: Facts[Name] extends readonly (infer Each)[] ? Each[] : never };

const ORDER = /^\/v1\/orders\/([^/?]+)$/;
const CANCEL = /^\/v1\/orders\/([^/?]+)\/cancel$/;
const TIMELINE = /^\/v1\/orders\/([^/?]+)\/timeline$/;
const LIST = /^\/v1\/orders(\?.*)?$/;
const COMPLETE = /^\/v1\/checkouts\/([^/?]+)\/complete$/;
const STOCK = /^\/v1\/admin\/stock\/([^/?]+)$/;
const CART = /^\/v1\/(?:carts|checkouts)(?:\/|$)/;
const CHECKOUT = /^\/v1\/(?:carts\/[^/?]+\/checkout|checkouts\/[^/?]+(?:\/(?:address|shipping-method|payment))?)$/;
const STOCK_CHANGE = /^\/v1\/admin\/stock\/([^/?]+)\/(receive|adjust)$/;

export const isAcknowledged = ({ status }: Pick<Exchange, 'status'>): boolean => status >= 200 && status < 300;
/** It surely changed nothing. What the server could not do in time, or no answer at all, is neither. */
export const isRefused = ({ status }: Exchange): boolean => status >= 400 && status < 500;
/** The same for each try of a request; without a key each try is a request of its own. */
export const requestOf = ({ client, method, path, key, from }: Exchange): string =>
  `${client} ${method} ${path} ${key ?? `at ${from}`}`;

export function factsOf({ exchanges }: History): Facts {
  const facts: Gathering = {
    placings: [],
    looks: [],
    missing: [],
    cancellations: [],
    lists: [],
    timelines: [],
    stockChanges: [],
    stockReads: [],
    stockItems: [],
    sightings: [],
    unreadable: [],
  };
  const pages = new Map<string, OrderList>();
  for (const exchange of exchanges) {
    try {
      gather(facts, pages, exchange);
    } catch {
      facts.unreadable.push(exchange);
    }
  }
  return { ...facts, placings: withCheckouts(facts.placings, exchanges) };
}

/** What is ordered by completing a checkout is what the checkout has shown: it keeps its lines. */
function withCheckouts(placings: readonly Placing[], exchanges: readonly Exchange[]): readonly Placing[] {
  const wanted = new Set(placings.flatMap(({ exchange }) => COMPLETE.exec(exchange.path)?.[1] ?? []));
  if (wanted.size === 0) return placings;
  const shown = new Map<string, readonly Line[]>();
  for (const exchange of exchanges) {
    if (!isAcknowledged(exchange) || !CHECKOUT.test(exchange.path)) continue;
    const { id, lines } = viewOf(exchange) ?? {};
    if (id !== undefined && lines !== undefined && wanted.has(id)) shown.set(id, lines);
  }
  return placings.map((placing) => {
    const lines = shown.get(COMPLETE.exec(placing.exchange.path)?.[1] ?? '');
    return lines ? { ...placing, lines } : placing;
  });
}

function gather(facts: Gathering, pages: Map<string, OrderList>, exchange: Exchange): void {
  const { method, path, status } = exchange;
  const acknowledged = isAcknowledged(exchange);
  if (acknowledged && CART.test(path) && !COMPLETE.test(path)) facts.sightings.push(...cartSeen(exchange));
  if (method === 'POST') {
    if (path === '/v1/orders' || COMPLETE.test(path)) facts.placings.push(placingOf(exchange));
    else if (CANCEL.test(path)) {
      if (acknowledged) facts.cancellations.push({ exchange, order: orderOf(exchange.text) });
    } else stockChange(facts, exchange);
    return;
  }
  if (method !== 'GET') return;
  const [, orderId] = ORDER.exec(path) ?? [];
  if (orderId !== undefined) {
    if (acknowledged) facts.looks.push({ exchange, order: orderOf(exchange.text) });
    else if (status === 404) facts.missing.push({ exchange, orderId });
  } else if (acknowledged && TIMELINE.test(path)) facts.timelines.push(timelineOf(exchange));
  else if (acknowledged && STOCK.test(path)) {
    const read = stockReadOf(exchange);
    facts.stockReads.push(read);
    facts.sightings.push(...read.rows.flatMap((row) => stockSeen(exchange, row, true)));
  } else if (LIST.test(path)) page(facts, pages, exchange);
}

function placingOf(exchange: Exchange): Placing {
  const { lines } = (exchange.body ?? {}) as { readonly lines?: readonly Line[] };
  return {
    exchange,
    request: requestOf(exchange),
    ...(lines !== undefined && { lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }),
    ...(isAcknowledged(exchange) && { order: orderOf(exchange.text) }),
  };
}

type Amount = { readonly amount: number };
type PublicOrder = {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly lines: readonly Line[];
  readonly totals: { readonly total: Amount };
  readonly payment: { readonly authorized: Amount; readonly captured: Amount; readonly refunded: Amount };
};

function orderOf(text: string): OrderView {
  const { id, status, version, lines, totals, payment } = JSON.parse(text) as PublicOrder;
  return {
    id,
    status,
    version,
    total: totals.total.amount,
    authorized: payment.authorized.amount,
    captured: payment.captured.amount,
    refunded: payment.refunded.amount,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    text,
  };
}

function timelineOf(exchange: Exchange): Timeline {
  const { orderId, data } = JSON.parse(exchange.text) as { orderId: string; data: readonly { type: string }[] };
  return { exchange, orderId, entries: data.map((entry) => ({ type: entry.type, text: JSON.stringify(entry) })) };
}

function stockChange(facts: Gathering, exchange: Exchange): void {
  const [, sku, verb] = STOCK_CHANGE.exec(exchange.path) ?? [];
  if (sku === undefined) return;
  const { quantity = 0, delta = 0 } = exchange.body as { readonly quantity?: number; readonly delta?: number };
  const change = verb === 'receive' ? ({ kind: 'received', pieces: quantity } as const) : adjustment(delta);
  facts.stockChanges.push({ exchange, request: requestOf(exchange), sku, ...change });
  if (!isAcknowledged(exchange)) return;
  const item = JSON.parse(exchange.text) as StockRow & { readonly version: number };
  facts.stockItems.push({ exchange, subject: `stock of ${sku} in ${item.warehouse}`, version: item.version });
  facts.sightings.push(...stockSeen(exchange, item, false));
}

const adjustment = (pieces: number) => ({ kind: 'adjusted', pieces }) as const;

function stockReadOf(exchange: Exchange): StockRead {
  const { sku, warehouses } = JSON.parse(exchange.text) as {
    readonly sku: string;
    readonly warehouses: readonly Omit<StockRow, 'sku'>[];
  };
  return { exchange, sku, rows: warehouses.map((row) => ({ ...row, sku })) };
}

/** What has come in and gone out only becomes more. */
function stockSeen(exchange: Exchange, row: StockRow, isRead: boolean): Sighting[] {
  return (['received', 'shipped'] as const).map((count) => {
    return { exchange, subject: `${row.sku} ${count} in ${row.warehouse}`, version: row[count], isRead };
  });
}

type PublicCart = Pick<OrderView, 'id' | 'status' | 'version' | 'lines'>;

function viewOf({ text }: Exchange): Partial<PublicCart> | undefined {
  try {
    return JSON.parse(text) as Partial<PublicCart>;
  } catch {
    // It is among what can't be read.
    return undefined;
  }
}

/** Prices and warnings come from elsewhere: they may change without the cart. */
function cartSeen(exchange: Exchange): Sighting[] {
  const { id, status, version, lines } = JSON.parse(exchange.text) as Partial<PublicCart>;
  if (id === undefined || version === undefined || lines === undefined) return [];
  const content = `${status}: ${lines.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ')}`;
  return [{ exchange, subject: id, version, isRead: exchange.method === 'GET', content }];
}

type Page = { readonly data: readonly { readonly id: string }[]; readonly page: { readonly next: string | null } };

/** A page with a cursor goes on with the list that the same client began at the same node. */
function page(facts: Gathering, pages: Map<string, OrderList>, exchange: Exchange): void {
  const { client, node, path, from, until } = exchange;
  const reading = `${client} at ${node}`;
  if (!isAcknowledged(exchange)) return;
  const goesOn = /[?&]cursor=/.test(path);
  const before = pages.get(reading);
  if (goesOn && !before) return;
  const { data, page: its } = JSON.parse(exchange.text) as Page;
  const ids = data.map(({ id }) => id);
  const list =
    goesOn && before ? { ...before, until, ids: [...before.ids, ...ids] } : { client, node, from, until, ids };
  if (its.next === null) {
    pages.delete(reading);
    facts.lists.push(list);
  } else pages.set(reading, list);
}
