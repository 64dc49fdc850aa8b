/** Whether a draft makes sense as an order: its lines exist and everything adds up to the total. */

import { type Rejection, reject } from '../kernel/decider.ts';
import { add, type Money, multiply, subtract, sum } from '../kernel/money.ts';
import type { Policy } from '../policy.ts';
import type { OrderLine, PricedOrder } from '../shared.ts';

/** Keeps every product and sum of one order inside the safe integers. */
const MAX_AMOUNT = 1e10;

export function problemOf(draft: PricedOrder, policy: Policy): Rejection | undefined {
  const { lines, currency } = draft;
  if (lines.length === 0) return problem('order.empty', 'An order needs at least one line.');
  if (lines.length > policy.cart.maxSkus) {
    return problem('order.too-many-lines', `An order has at most ${policy.cart.maxSkus} lines.`);
  }
  const wrong = lines.find(({ quantity }) => !validQuantity(quantity, policy.cart.maxQuantity));
  if (wrong !== undefined) {
    return problem('order.quantity-invalid', `${wrong.sku}: the quantity must be 1 to ${policy.cart.maxQuantity}.`);
  }
  const amounts = [...Object.values(draft.totals), ...lines.flatMap(amountsOf)];
  if (amounts.some((money) => money.currency !== currency)) {
    return problem('order.currency-mixed', `Everything of the order must be in ${currency}.`);
  }
  if (amounts.some(({ amount }) => !Number.isSafeInteger(amount) || amount < 0 || amount > MAX_AMOUNT)) {
    return problem('order.amount-invalid', 'Every amount must be a whole number of minor units, not below zero.');
  }
  return addsUp(draft) ? undefined : problem('order.totals-wrong', "The order's lines don't add up to its totals.");
}

function problem(code: string, detail: string): Rejection {
  return reject(422, code, 'Not a valid order', detail).rejection;
}

function validQuantity(quantity: number, max: number): boolean {
  return Number.isSafeInteger(quantity) && quantity >= 1 && quantity <= max;
}

function amountsOf({ unitPrice, discount, tax, total }: OrderLine): Money[] {
  return [unitPrice, discount, tax, total];
}

function addsUp({ lines, totals, currency }: PricedOrder): boolean {
  const subtotals = lines.map(({ unitPrice, quantity }) => multiply(unitPrice, quantity));
  const total = add(add(subtract(totals.subtotal, totals.discount), totals.shipping), totals.tax);
  return (
    lines.every((line, index) => line.total.amount === lineTotal(line, subtotals[index]?.amount ?? 0)) &&
    totals.subtotal.amount === sum(currency, subtotals).amount &&
    totals.discount.amount === totalOf(lines.map(({ discount }) => discount)) &&
    totals.tax.amount === totalOf(lines.map(({ tax }) => tax)) &&
    totals.total.amount === total.amount
  );

  function totalOf(parts: readonly Money[]): number {
    return sum(currency, parts).amount;
  }
}

function lineTotal({ discount, tax }: OrderLine, subtotal: number): number {
  return subtotal - discount.amount + tax.amount;
}
