/** Whether the lists that queries are answered from show what the aggregates are. */
import type { StockFigures } from '../../actors/inventoryItem/state.ts';
import type { Order } from '../../actors/order.ts';
import type { ProductState } from '../../actors/product.ts';
import type { Catalog } from '../../storage/projections/catalogReader.ts';
import type { CustomerOrders } from '../../storage/projections/customerOrders.ts';
import type { StockLevels } from '../../storage/projections/stockLevels.ts';

export type ReadModels = {
  stock(sku: string, warehouse: string, figures: StockFigures): boolean;
  product(product: ProductState): boolean;
  order(order: Order): boolean;
};

export type ReadModelsOptions = {
  readonly catalog: Pick<Catalog, 'find'>;
  readonly stock: StockLevels;
  readonly customerOrders: CustomerOrders;
};

export function createReadModels({ catalog, stock, customerOrders }: ReadModelsOptions): ReadModels {
  return {
    stock(sku, warehouse, figures) {
      const row = stock(sku).find((each) => each.warehouse === warehouse);
      // An item that has only ever refused what was asked of it never had anything to show.
      return row === undefined ? Object.values(figures).every((pieces) => pieces === 0) : equal(row, figures);
    },
    product(product) {
      const found = catalog.find(product.sku);
      if (product.status === 'none') return found === undefined;
      const { sku, status, name, description, category, price } = product;
      return found !== undefined && equal(found, { sku, status, name, description, category, price });
    },
    order({ customerId, orderId, placedAt, status, totals }) {
      // The page that begins right before it.
      const after = { placedAt: placedAt + 1, orderId: '' };
      for (let from = after; ; ) {
        const rows = customerOrders(customerId, { limit: 50, after: from });
        const row = rows.find((each) => each.orderId === orderId);
        if (row) return row.status === status && equal(row.total, totals.total);
        const last = rows.at(-1);
        if (!last || last.placedAt < placedAt) return false;
        from = last;
      }
    },
  };
}

/** Every member of `expected`, as JSON has it. */
function equal(found: object, expected: object): boolean {
  const members = new Map(Object.entries(found));
  return Object.entries(expected).every(([name, value]) => JSON.stringify(members.get(name)) === JSON.stringify(value));
}
