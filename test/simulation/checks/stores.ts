/** What must hold of the stock in each node's store at any moment, however far behind the logs it is (I5). */
import type { Db } from '../../../storage/database.ts';

const COLUMNS = ['available', 'reserved', 'committed', 'picked', 'received', 'shipped', 'adjusted'] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number], number>>;

/** Looks at each row as it is written. */
export function watchStock(node: string, db: Db, violated: (what: string) => void): void {
  db.function('stock_is_written', { varargs: true }, (sku: string, warehouse: string, ...figures: number[]) => {
    const row = Object.fromEntries(COLUMNS.map((column, index) => [column, figures[index]])) as Row;
    for (const what of violationsOf(row)) violated(`I5: ${sku} in ${warehouse} at ${node} ${what}`);
    return null;
  });
  const figures = COLUMNS.map((column) => `NEW.${column}`).join();
  for (const change of ['INSERT', 'UPDATE']) {
    db.exec(
      `CREATE TEMP TRIGGER stock_${change} AFTER ${change} ON main.stock_levels
       BEGIN SELECT stock_is_written(NEW.sku, NEW.warehouse, ${figures}); END`,
    );
  }
}

function violationsOf({ available, reserved, committed, picked, received, shipped, adjusted }: Row): string[] {
  const held = available + reserved + committed + picked;
  return [
    ...(held !== received - shipped + adjusted ? ['does not add up'] : []),
    ...(Math.min(available, reserved, committed, picked) < 0 ? ['is sold out twice'] : []),
  ];
}
