/**
 * All orders, for the operators' lists: one lean row each, an index by SKU, and the unusual facts with their times. A
 * transaction writes each order once, however many of its commits it holds.
 */
import { parseAddressKey } from '../../actors/kernel/address.ts';
import type { Commit } from '../../actors/kernel/message.ts';
import { type OrderEvent, type OrderState, orderDecider } from '../../actors/order.ts';
import type { SagaEvent } from '../../actors/orderSaga/saga.ts';
import type { PaymentEvent } from '../../actors/payment/events.ts';
import type { Db } from '../database.ts';
import { createFolding } from '../folding.ts';
import type { ReadModel } from '../readModels.ts';
import { factsOfOrder, factsOfPayment, factsOfSaga, type OrderFact } from './orderFacts.ts';
import { createOrderFigures, ORDER_FIGURES } from './orderFigures.ts';

type PlacedOrder = Exclude<OrderState, { status: 'unknown' }>;
/** An order before and after a transaction, and when what its row shows changed last within it, if it did. */
export type OrderChange = { readonly before: OrderState; readonly after: PlacedOrder; readonly at: number | undefined };

const SCHEMA = `
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL, awaiting TEXT, payment TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, placed_at INTEGER NOT NULL, changed_at INTEGER NOT NULL
  );
  CREATE INDEX orders_by_time ON orders (placed_at, id);
  CREATE INDEX orders_by_status ON orders (status, placed_at, id);
  CREATE INDEX orders_by_awaiting ON orders (awaiting, placed_at, id) WHERE awaiting IS NOT NULL;
  CREATE TABLE order_skus (
    sku TEXT NOT NULL, placed_at INTEGER NOT NULL, order_id TEXT NOT NULL, PRIMARY KEY (sku, placed_at, order_id)
  ) WITHOUT ROWID;
  CREATE TABLE order_facts (
    fact TEXT NOT NULL, at INTEGER NOT NULL, order_id TEXT NOT NULL, PRIMARY KEY (fact, at, order_id)
  ) WITHOUT ROWID;
  CREATE INDEX order_facts_by_order ON order_facts (order_id, fact, at);
`;

export const ordersModel: ReadModel = {
  tables: ['orders', 'order_skus', 'order_facts', ...ORDER_FIGURES.tables],
  schema: SCHEMA + ORDER_FIGURES.schema,
  open: createOrders,
};

function createOrders(db: Db) {
  const folding = createFolding<OrderState, OrderEvent>(db, orderDecider);
  const figures = createOrderFigures(db);
  const write = createOrderWriter(db);
  const insertFact = db.prepare('INSERT OR IGNORE INTO order_facts VALUES (?, ?, ?)');
  let changes = new Map<string, OrderChange>();
  let facts: (readonly [fact: OrderFact, at: number, orderId: string])[] = [];

  function note(found: readonly OrderFact[], { at }: Commit, orderId: string): void {
    for (const fact of found) facts.push([fact, at, orderId]);
  }

  function applyOrder(commit: Commit, id: string): void {
    const { before, after } = folding.fold(commit);
    if (after.status === 'unknown') return;
    note(factsOfOrder(before, after, commit.events as readonly OrderEvent[]), commit, id);
    const known = changes.get(id);
    changes.set(id, { before: known?.before ?? before, after, at: shows(before, after) ? commit.at : known?.at });
  }

  return {
    types: ['order', 'order-saga', 'payment'],
    apply(commit: Commit) {
      const { type, id } = parseAddressKey(commit.key);
      if (type === 'order') applyOrder(commit, id);
      else if (type === 'payment') {
        const events = commit.events as readonly PaymentEvent[];
        for (const event of events) note(factsOfPayment(event), commit, id);
        figures.countPayments(events, commit.at);
      } else {
        for (const event of commit.events as readonly SagaEvent[]) note(factsOfSaga(event), commit, id);
      }
    },
    flush() {
      for (const change of changes.values()) write(change);
      for (const fact of facts) insertFact.run(...fact);
      figures.flush([...changes.values()]);
      changes = new Map();
      facts = [];
    },
    discard() {
      changes = new Map();
      facts = [];
      folding.discard();
      figures.discard();
    },
  };
}

const shows = (before: OrderState, after: PlacedOrder): boolean =>
  before.status !== after.status ||
  before.awaiting !== after.awaiting ||
  before.payment.status !== after.payment.status;

/** Writes what is different; an index is touched only when a column of it is. */
function createOrderWriter(db: Db): (change: OrderChange) => void {
  const insert = db.prepare('INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const insertSku = db.prepare('INSERT OR IGNORE INTO order_skus VALUES (?, ?, ?)');
  const move = db.prepare('UPDATE orders SET status = ?, awaiting = ?, payment = ?, changed_at = ? WHERE id = ?');
  const pay = db.prepare('UPDATE orders SET payment = ?, changed_at = ? WHERE id = ?');
  return ({ before, after, at }) => {
    if (at === undefined) return;
    const { orderId, customerId, status, awaiting, payment, totals, placedAt, lines } = after;
    if (before.status === 'unknown') {
      const { amount, currency } = totals.total;
      insert.run(orderId, customerId, status, awaiting, payment.status, amount, currency, placedAt, at);
      for (const { sku } of lines) insertSku.run(sku, placedAt, orderId);
    } else if (before.status !== status || before.awaiting !== awaiting) {
      move.run(status, awaiting, payment.status, at, orderId);
    } else {
      pay.run(payment.status, at, orderId);
    }
  };
}
