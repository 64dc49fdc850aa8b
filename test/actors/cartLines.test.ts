/** What a buyer is warned of when looking at a cart, whatever was there when its lines were added. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CartLine, goodsWarnings, warningsNow } from '../../actors/cartLines.ts';
import type { CatalogFacts } from '../../actors/catalogFacts.ts';
import { money } from '../../actors/kernel/money.ts';
import { T0 } from '../support/spec.ts';

const hour = 3_600_000;
const usd = (amount: number) => money(amount, 'USD');
const facts = (more: Partial<CatalogFacts> = {}): CatalogFacts => ({
  sku: 'A',
  name: 'Tea',
  price: usd(1_000),
  status: 'active',
  available: 3,
  ...more,
});
const line = (more: Partial<CartLine> = {}): CartLine => ({
  sku: 'A',
  name: 'Tea',
  quantity: 3,
  unitPrice: usd(1_000),
  pricedAt: T0,
  agreedPrice: null,
  ...more,
});
const codes = (warnings: readonly { code: string }[]) => warnings.map(({ code }) => code);
const now = (lines: CartLine[], product: CatalogFacts | null, at = T0) =>
  codes(warningsNow({ lines, currency: 'USD' }, () => product, at, hour));

const warnings = suite('Cart lines - warnings as things are now');

warnings('nothing to say of what is there at its price', () => {
  assert.equal(now([line()], facts()), []);
});

warnings('stock that has gone since, in whole or in part', () => {
  assert.equal(now([line()], facts({ available: 0 })), ['cart.out-of-stock']);
  assert.equal(now([line()], facts({ available: 2 })), ['cart.stock-short']);
});

warnings('what is not for sale any more', () => {
  for (const product of [null, facts({ status: 'discontinued' }), facts({ price: money(1, 'EUR') })]) {
    assert.equal(now([line()], product), ['cart.sku-unavailable']);
  }
});

warnings('another price counts only once the freeze is over', () => {
  const dearer = facts({ price: usd(1_100) });
  assert.equal(now([line()], dearer, T0 + hour - 1), []);
  assert.equal(now([line()], dearer, T0 + hour), ['cart.price-changed']);
});

warnings('a refreshed price is named until its buyer agrees, once', () => {
  const refreshed = line({ agreedPrice: usd(900) });
  assert.equal(now([refreshed], facts(), T0 + 1), ['cart.price-changed']);
  assert.equal(now([refreshed], facts({ price: usd(1_100) }), T0 + hour), ['cart.price-changed']);
  assert.equal(now([refreshed], facts({ price: usd(900) }), T0 + hour), [], 'back to what was agreed');
});

warnings('each line has its own, in the order of the lines', () => {
  const lines = [line(), line({ sku: 'B' }), line({ sku: 'C', quantity: 1 })];
  const lookUp = (sku: string) => (sku === 'B' ? null : facts({ sku, available: 1 }));
  assert.equal(
    goodsWarnings(lines, 'USD', lookUp).map(({ code, sku }) => `${code} ${sku}`),
    ['cart.stock-short A', 'cart.sku-unavailable B'],
  );
});

warnings.run();
