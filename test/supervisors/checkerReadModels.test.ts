import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initial, stockFigures } from '../../actors/inventoryItem/state.ts';
import { createReadModels } from '../../supervisors/checker/readModels.ts';

const checked = suite('read models, as the checker sees them');

const nothing = stockFigures(initial('MUG@wh-east'));
const readModels = createReadModels({ catalog: { find: () => undefined }, stock: () => [], customerOrders: () => [] });

checked('the stock list need not show an item that never had anything', () => {
  assert.ok(readModels.stock('MUG', 'wh-east', nothing));
});

checked('the stock list shows every item that has moved', () => {
  assert.not.ok(readModels.stock('MUG', 'wh-east', { ...nothing, received: 3, shipped: 3 }));
});

checked.run();
