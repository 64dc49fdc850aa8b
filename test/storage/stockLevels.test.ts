import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stockAddress } from '../../actors/inventoryItem/messages.ts';
import { addressKey } from '../../actors/kernel/address.ts';
import { openDatabase } from '../../storage/database.ts';
import { createStockLevels } from '../../storage/projections/stockLevels.ts';
import { commit } from './shardLogContract.ts';

const test = suite('stock levels');

/** More than stay in memory. */
const SKUS = 5_100;

test('what moves again in one transaction, after more than stays in memory, goes on from where it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-stock-'));
  const db = openDatabase(join(folder, 'test.sqlite'));
  const levels = createStockLevels(db);
  const receive = (sku: string, warehouse: string, seq: number) => {
    const events = [{ type: 'StockReceived', v: 1, quantity: 1 }];
    levels.apply(commit(addressKey(stockAddress(sku, warehouse)), seq, { events }));
  };
  const catchUp = db.transaction(() => {
    receive('FIRST', 'WH-EAST', 1);
    receive('FIRST', 'WH-WEST', 1);
    for (let number = 0; number < SKUS; number++) receive(`SKU-${number}`, 'WH-EAST', 1);
    receive('FIRST', 'WH-EAST', 2);
    levels.flush();
  });
  catchUp();
  const both = [
    { warehouse: 'WH-EAST', available: 2 },
    { warehouse: 'WH-WEST', available: 1 },
  ];
  assert.equal(levels.shelves('FIRST'), both);
  assert.equal(createStockLevels(db).shelves('FIRST'), both, 'in the table too');
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

test.run();
