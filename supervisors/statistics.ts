/**
 * What the shop has, and what it has sold, taken and missed lately. Made piece by piece, from daily sums, and kept for five
 * minutes: figures of a day don't have to be of this second.
 */
import type { Clock } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import type { ProductStatus } from '../actors/product.ts';
import { dayOf } from '../storage/projections/orderFigures.ts';
import type {
  DailySums,
  OrderDay,
  OrderedEver,
  PaymentDay,
  SagaDay,
  SkuDay,
  SkuLevel,
} from '../storage/projections/statistics.ts';
import type { Caches } from './caches.ts';
import { otherWork } from './pieces.ts';

type LowStock = Pick<SkuLevel, 'sku' | 'available'>;

export type Statistics = {
  /** When these figures were made, in ms since the epoch. */
  readonly asOf: number;
  /** First day, in days since 1970-01-01 UTC. */
  readonly from: number;
  readonly products: Readonly<Record<ProductStatus, number>> & {
    /** Of the active ones. */
    readonly outOfStock: number;
  };
  /** Pieces in all warehouses. */
  readonly stock: Omit<SkuLevel, 'sku'>;
  readonly everOrdered: readonly OrderedEver[];
  readonly orders: readonly OrderDay[];
  readonly payments: readonly PaymentDay[];
  readonly sagas: readonly SagaDay[];
  /** Most pieces first. */
  readonly topSkus: readonly SkuDay[];
  /** Fewest first. */
  readonly lowStock: readonly LowStock[];
};

/** The last so many days, today included. */
export type StatisticsOf = (days: number) => Promise<Statistics>;

const TOP_SKUS = 20;
const MAX_LOW_STOCK = 100;
const PIECE = 2_000;

/** As many periods as are asked for at the same time. */
const MAX_KEPT = 32;

export function createStatistics(sums: DailySums, clock: Clock, policy: Policy, caches: Caches): StatisticsOf {
  // Holds the promises: who asks while figures are being made waits for the same ones.
  const kept = caches.create<Promise<Statistics>>('statistics', { max: MAX_KEPT, ttlMs: policy.statistics.cacheMs });

  async function make(days: number): Promise<Statistics> {
    const asOf = clock.now();
    const today = dayOf(asOf);
    const from = today - days + 1;
    const topSkus = await bestSold(sums, from, today);
    const levels = await stockLevels(sums, policy.stock.lowStockThreshold);
    const products = await countProducts(sums);
    return {
      asOf,
      from,
      products,
      ...levels,
      everOrdered: sums.ever(),
      orders: sums.orders(from),
      payments: sums.payments(from),
      sagas: sums.sagas(from),
      topSkus,
    };
  }

  return (days) => {
    const key = String(days);
    const known = kept.get(key);
    if (known) return known;
    const made = make(days);
    kept.set(key, made);
    made.catch(() => kept.forget(key));
    return made;
  };
}

async function bestSold(sums: DailySums, from: number, to: number): Promise<SkuDay[]> {
  const totals = new Map<string, SkuDay>();
  for (let day = from; day <= to; day++) {
    for (const row of sums.skus(day)) {
      const key = `${row.sku} ${row.currency}`;
      const { orders, pieces, amount } = totals.get(key) ?? { orders: 0, pieces: 0, amount: 0 };
      totals.set(key, {
        ...row,
        orders: orders + row.orders,
        pieces: pieces + row.pieces,
        amount: amount + row.amount,
      });
    }
    await otherWork();
  }
  return [...totals.values()].sort((a, b) => b.pieces - a.pieces || (a.sku < b.sku ? -1 : 1)).slice(0, TOP_SKUS);
}

type Levels = Pick<Statistics, 'stock' | 'lowStock'>;

async function stockLevels(sums: DailySums, threshold: number): Promise<Levels> {
  const low: LowStock[] = [];
  const stock = { available: 0, reserved: 0, committed: 0, picked: 0 };
  await eachPiece(sums.levels, ({ sku, available, reserved, committed, picked }) => {
    stock.available += available;
    stock.reserved += reserved;
    stock.committed += committed;
    stock.picked += picked;
    if (available <= threshold) low.push({ sku, available });
  });
  low.sort((a, b) => a.available - b.available || (a.sku < b.sku ? -1 : 1));
  return { stock, lowStock: low.slice(0, MAX_LOW_STOCK) };
}

async function countProducts(sums: DailySums): Promise<Statistics['products']> {
  const counts = { draft: 0, active: 0, discontinued: 0, outOfStock: 0 };
  await eachPiece(sums.products, ({ status, inStock }) => {
    counts[status] += 1;
    if (status === 'active' && inStock === 0) counts.outOfStock += 1;
  });
  return counts;
}

async function eachPiece<Row extends { readonly sku: string }>(
  read: (afterSku: string, limit: number) => readonly Row[],
  take: (row: Row) => void,
): Promise<void> {
  for (let after = ''; ; ) {
    const piece = read(after, PIECE);
    piece.forEach(take);
    const last = piece.at(-1);
    if (piece.length < PIECE || last === undefined) return;
    after = last.sku;
    await otherWork();
  }
}
