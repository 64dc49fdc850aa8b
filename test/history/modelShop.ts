/** A shop in a few lines that makes no mistake, with the public interface's words: what it answers, the checker must accept. */
import { type Answer, type Ask, markerOf } from './exchange.ts';
import type { Line } from './facts.ts';

export const WAREHOUSE = 'wh-1';
const PRICE = 100;
const REFUSED = 422;
const TOO_LATE = 409;
const UNKNOWN = 404;

type ModelOrder = {
  readonly id: string;
  readonly owner: string;
  readonly lines: readonly Line[];
  readonly marker: string;
  version: number;
  status: string;
  captured: number;
  refunded: number;
  readonly timeline: { type: string; title: string }[];
};

type ModelStock = { available: number; committed: number; received: number; adjusted: number; version: number };

export type ModelShop = {
  /** Done at once. The staff's name is `staff`. */
  ask(client: string, ask: Ask): Answer;
  /** Each order that was placed goes on to where it ends. */
  settle(): void;
  /** What is known of the orders, newest last. */
  readonly orders: readonly { readonly id: string; readonly owner: string }[];
};

export function createModelShop(): ModelShop {
  const orders = new Map<string, ModelOrder>();
  const stock = new Map<string, ModelStock>();
  const answers = new Map<string, Answer>();

  const of = (sku: string): ModelStock => {
    const known = stock.get(sku) ?? { available: 0, committed: 0, received: 0, adjusted: 0, version: 0 };
    stock.set(sku, known);
    return known;
  };
  const totalOf = ({ lines }: ModelOrder): number => lines.reduce((sum, { quantity }) => sum + quantity * PRICE, 0);

  function change(order: ModelOrder, status: string, ...entries: readonly string[]): void {
    order.status = status;
    order.version += 1;
    order.timeline.push(...entries.map((type) => ({ type, title: type })));
  }

  function advance(order: ModelOrder): void {
    if (order.status !== 'placed') return;
    const wanted = (sku: string) => order.lines.reduce((sum, each) => sum + (each.sku === sku ? each.quantity : 0), 0);
    const there = order.lines.every(({ sku }) => of(sku).available >= wanted(sku));
    if (!there) {
      change(order, 'out-of-stock', 'order.out-of-stock');
      return;
    }
    for (const { sku, quantity } of order.lines) {
      of(sku).available -= quantity;
      of(sku).committed += quantity;
    }
    order.captured = totalOf(order);
    change(order, 'fulfilling', 'payment.captured', 'order.fulfilling');
  }

  function cancel(order: ModelOrder): Answer {
    if (order.status === 'fulfilling') {
      for (const { sku, quantity } of order.lines) {
        of(sku).available += quantity;
        of(sku).committed -= quantity;
      }
      order.refunded = order.captured;
    } else if (order.status !== 'placed') return problem(TOO_LATE, 'order.ended');
    change(order, 'cancelled', 'order.cancelled');
    return { status: 202, text: view(order) };
  }

  function view({ id, lines, marker, version, status, captured, refunded, ...rest }: ModelOrder): string {
    const total = totalOf({ id, lines, marker, version, status, captured, refunded, ...rest });
    const payment = { authorized: { amount: total }, captured: { amount: captured }, refunded: { amount: refunded } };
    const totals = { total: { amount: total } };
    return JSON.stringify({ id, status, version, lines, totals, payment, address: { name: marker } });
  }

  function place(client: string, { body, key = '' }: Ask): Answer {
    const { lines } = body as { readonly lines: readonly Line[] };
    if (lines.some(({ quantity }) => quantity < 1)) return problem(REFUSED, 'order.quantity');
    const id = `ord_${orders.size + 1}${key}`;
    const facts = {
      id,
      owner: client,
      lines,
      marker: markerOf(client),
      timeline: [{ type: 'order.placed', title: '' }],
    };
    const order: ModelOrder = { ...facts, version: 1, status: 'placed', captured: 0, refunded: 0 };
    orders.set(id, order);
    return { status: 202, text: view(order) };
  }

  function changeStock(sku: string, { path, body }: Ask): Answer {
    const item = of(sku);
    const { quantity = 0, delta = 0 } = body as { readonly quantity?: number; readonly delta?: number };
    if (path.endsWith('/receive')) item.received += quantity;
    else if (item.available + delta < 0) return problem(REFUSED, 'stock.below-zero');
    else item.adjusted += delta;
    item.available += path.endsWith('/receive') ? quantity : delta;
    item.version += 1;
    return ok(stockRow(item, { sku, version: item.version }));
  }

  const stockRow = ({ version: _version, ...item }: ModelStock, more: object) => ({
    ...{ warehouse: WAREHOUSE, reserved: 0, picked: 0, shipped: 0 },
    ...item,
    ...more,
  });

  function read(client: string, path: string): Answer {
    const [, , area = '', id, rest] = (path.split('?')[0] ?? '').split('/');
    if (path.startsWith('/v1/admin/stock/')) {
      const sku = path.split('/').at(-1) ?? '';
      return ok({ sku, warehouses: [stockRow(of(sku), {})] });
    }
    if (path.startsWith('/v1/admin/check')) return ok({ findings: [], page: { next: null } });
    if (path.startsWith('/v1/admin/payments')) return ok({ data: [], page: { next: null } });
    if (area !== 'orders') return problem(UNKNOWN, 'route.unknown');
    const mine = [...orders.values()].filter(({ owner }) => owner === client);
    if (id === undefined) return ok({ data: mine.map(({ id: each }) => ({ id: each })), page: { next: null } });
    const order = mine.find((each) => each.id === id);
    if (!order) return problem(UNKNOWN, 'order.unknown');
    if (rest === 'timeline') return ok({ orderId: id, status: order.status, data: order.timeline });
    return { status: 200, text: view(order) };
  }

  function write(client: string, ask: Ask): Answer {
    if (ask.path === '/v1/orders') return place(client, ask);
    const [, , area, , sku = ''] = ask.path.split('/');
    if (area === 'admin') return changeStock(sku, ask);
    const order = orders.get(ask.path.split('/')[3] ?? '');
    return order?.owner === client ? cancel(order) : problem(UNKNOWN, 'order.unknown');
  }

  return {
    ask(client, ask) {
      if (ask.method === 'GET') return read(client, ask.path);
      const request = `${client} ${ask.path} ${ask.key}`;
      const answer = answers.get(request) ?? write(client, ask);
      answers.set(request, answer);
      return answer;
    },
    settle: () => [...orders.values()].forEach(advance),
    get orders() {
      return [...orders.values()];
    },
  };
}

const ok = (body: unknown): Answer => ({ status: 200, text: JSON.stringify(body) });
const problem = (status: number, code: string): Answer => ({ status, text: JSON.stringify({ code }) });
