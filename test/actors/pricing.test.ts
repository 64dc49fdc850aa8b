import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bodyOf, cartOf, checkoutOf, orderOf } from '../../actors/ids.ts';
import { allocateWithin, money, sum } from '../../actors/kernel/money.ts';
import { problemOf } from '../../actors/order/draft.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { draftOf, type PricedLine, type Purchase, shippingPrice, totalsOf } from '../../actors/pricing.ts';

const usd = (amount: number) => money(amount, 'USD');
const line = (sku: string, quantity: number, price: number): PricedLine => ({
  sku,
  name: sku,
  quantity,
  unitPrice: usd(price),
});
const address = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07102', country: 'US' };
const purchase = (lines: readonly PricedLine[], discount = 0, tax = 0): Purchase => ({
  orderId: 'ord_1',
  customerId: 'cus_1',
  lines,
  discount: usd(discount),
  tax: usd(tax),
  shipping: usd(599),
  shippingMethod: 'standard',
  paymentToken: 'tok_success',
  address,
});

const pricing = suite('Pricing');

pricing('adds up lines, discount, shipping and tax', () => {
  const charges = { discount: usd(300), shipping: usd(599), tax: usd(210) };
  assert.equal(totalsOf([line('A', 2, 1_000), line('B', 1, 500)], charges), {
    subtotal: usd(2_500),
    ...charges,
    total: usd(3_009),
  });
});

pricing('nothing costs nothing', () => {
  const none = { discount: usd(0), shipping: usd(0), tax: usd(0) };
  assert.equal(totalsOf([], none).total, usd(0));
});

pricing('has the price of each shipping method', () => {
  const prices = (['standard', 'express', 'overnight'] as const).map((method) => shippingPrice(method, defaultPolicy));
  assert.equal(prices, [usd(599), usd(1_299), usd(2_499)]);
});

pricing('splits discount and tax over the lines, the remainder to the last', () => {
  const draft = draftOf(purchase([line('A', 1, 1_000), line('B', 1, 1_000), line('C', 1, 1_000)], 100, 50));
  assert.equal(
    draft.lines.map(({ discount, tax, total }) => [discount.amount, tax.amount, total.amount]),
    [
      [33, 16, 983],
      [33, 16, 983],
      [34, 18, 984],
    ],
  );
});

pricing('a discount never makes a line cost less than nothing', () => {
  const draft = draftOf(purchase([line('A', 1, 5), line('B', 1, 5), line('C', 1, 1)], 10));
  assert.equal(
    draft.lines.map(({ discount }) => discount.amount),
    [4, 5, 1],
  );
  assert.throws(() => allocateWithin(usd(3), [usd(1), usd(1)]), /cannot allocate 3 within 1,1/);
});

pricing('an order keeps what it was made of', () => {
  const draft = draftOf({ ...purchase([line('A', 1, 1_000)]), cartId: 'cart_1' });
  const { lines: _lines, totals: _totals, ...rest } = draft;
  assert.equal(rest, {
    orderId: 'ord_1',
    customerId: 'cus_1',
    cartId: 'cart_1',
    currency: 'USD',
    shippingMethod: 'standard',
    paymentToken: 'tok_success',
    address,
  });
});

pricing('whatever is bought, the lines add up to the total and the order takes it', () => {
  const anyLine = fc.record({
    sku: fc.constant('A'),
    name: fc.constant('A'),
    quantity: fc.integer({ min: 1, max: 99 }),
    unitPrice: fc.integer({ min: 1, max: 45_000 }).map(usd),
  });
  const anyPurchase = fc
    .array(anyLine, { minLength: 1, maxLength: 20 })
    .chain((lines) =>
      fc
        .tuple(
          fc.nat(lines.reduce((all, { unitPrice, quantity }) => all + unitPrice.amount * quantity, 0)),
          fc.nat(9_999),
        )
        .map(([discount, tax]) => purchase(lines, discount, tax)),
    );
  fc.assert(
    fc.property(anyPurchase, (bought) => {
      const draft = draftOf(bought);
      const ofLines = sum(
        'USD',
        draft.lines.map(({ total }) => total),
      );
      assert.is(ofLines.amount + draft.totals.shipping.amount, draft.totals.total.amount);
      assert.is(problemOf(draft, defaultPolicy), undefined);
    }),
    { seed: 7, numRuns: 200 },
  );
});

pricing('what comes of one cart shares the body of its id', () => {
  assert.equal([checkoutOf('cart_01J'), orderOf('chk_01J'), cartOf('chk_01J')], ['chk_01J', 'ord_01J', 'cart_01J']);
  assert.equal(['cart_01J', 'ord_a_b', 'strange', ''].map(bodyOf), ['01J', 'a_b', 'strange', '']);
});

pricing.run();
