/**
 * Money is an integer count of minor units with its ISO 4217 currency. All arithmetic on it is in this file, so that
 * rounding happens in one place and is named where it is called.
 */
export type Money = { readonly amount: number; readonly currency: string };

export function money(amount: number, currency: string): Money {
  if (!Number.isSafeInteger(amount)) throw new Error(`money must be a safe integer of minor units, got ${amount}`);
  return { amount, currency };
}

export function zero(currency: string): Money {
  return { amount: 0, currency };
}

function sameCurrency(a: Money, b: Money): void {
  if (a.currency !== b.currency) throw new Error(`cannot combine ${a.currency} with ${b.currency}`);
}

export function add(a: Money, b: Money): Money {
  sameCurrency(a, b);
  return money(a.amount + b.amount, a.currency);
}

export function subtract(a: Money, b: Money): Money {
  sameCurrency(a, b);
  return money(a.amount - b.amount, a.currency);
}

export function multiply(unit: Money, quantity: number): Money {
  return money(unit.amount * quantity, unit.currency);
}

export function sum(currency: string, parts: readonly Money[]): Money {
  return parts.reduce(add, zero(currency));
}

/** Compares amounts of one currency: negative, zero or positive, as a sort callback wants it. */
export function compare(a: Money, b: Money): number {
  sameCurrency(a, b);
  return a.amount - b.amount;
}

export function smaller(a: Money, b: Money): Money {
  return compare(a, b) <= 0 ? a : b;
}

/**
 * Splits `total` in proportion to `weights` so that the parts add up to it exactly: each part is rounded towards zero
 * and the remainder goes to the last part that has a weight (domain rule: later partial refunds must add up).
 */
export function allocate(total: Money, weights: readonly number[]): Money[] {
  const whole = weights.reduce((a, b) => a + b, 0);
  if (whole === 0) {
    if (total.amount !== 0) throw new Error('cannot allocate money over no weight');
    return weights.map(() => zero(total.currency));
  }
  const last = weights.findLastIndex((weight) => weight > 0);
  // BigInt: amount × weight may pass 2^53 long before the result does.
  const parts = weights.map((weight) => Number((BigInt(total.amount) * BigInt(weight)) / BigInt(whole)));
  const rest = total.amount - parts.reduce((a, b) => a + b, 0);
  return parts.map((part, index) => money(index === last ? part + rest : part, total.currency));
}

/**
 * As `allocate`, where no part may pass its own limit (a discount on lines): what rounding leaves too much for the last
 * part goes to those before it. `total` must not exceed the limits together.
 */
export function allocateWithin(total: Money, limits: readonly Money[]): Money[] {
  const parts = allocate(
    total,
    limits.map((limit) => limit.amount),
  );
  let excess = 0;
  const fitted = limits.toReversed().map((limit, index) => {
    const wanted = (parts[parts.length - 1 - index]?.amount ?? 0) + excess;
    const taken = Math.min(wanted, limit.amount);
    excess = wanted - taken;
    return money(taken, total.currency);
  });
  if (excess > 0) throw new Error(`cannot allocate ${total.amount} within ${limits.map(({ amount }) => amount)}`);
  return fitted.toReversed();
}
