/** What must hold of each node's store at any moment, however far behind the logs it is (I5). */
import type { Db } from '../../../storage/database.ts';

type Row = Readonly<
  Record<'available' | 'reserved' | 'committed' | 'picked' | 'received' | 'shipped' | 'adjusted', number>
> & {
  readonly sku: string;
  readonly warehouse: string;
};

export function stockViolations(node: string, db: Db): string[] {
  const rows = db.prepare<[], Row>('SELECT * FROM stock_levels').all();
  return rows.flatMap(({ sku, warehouse, available, reserved, committed, picked, received, shipped, adjusted }) => {
    const found: string[] = [];
    const held = available + reserved + committed + picked;
    if (held !== received - shipped + adjusted) found.push(`I5: ${sku} in ${warehouse} at ${node} does not add up`);
    if (Math.min(available, reserved, committed, picked) < 0)
      found.push(`I5: ${sku} in ${warehouse} at ${node} is sold out twice`);
    return found;
  });
}
