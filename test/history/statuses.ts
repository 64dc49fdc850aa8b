/** The words that the public interface has for where an order stands, as the checks need them sorted. */

/** The shop takes it on: paid, and its goods are kept or on their way. */
export const GOES_ON: ReadonlySet<string> = new Set(['confirmed', 'fulfilling', 'shipped', 'delivered']);
/** So too, but some of its goods may be out twice or back. */
export const PARTLY: ReadonlySet<string> = new Set(['partially-shipped', 'partially-delivered', 'delivery-failed']);
/** It ended without goods, so without money. */
export const WITHOUT_MONEY: ReadonlySet<string> = new Set(['payment-failed', 'out-of-stock', 'cancelled']);
/** It ended or will, and somebody has to see to the money. */
const ENDS_BY_HAND: ReadonlySet<string> = new Set(['refund-pending', 'manual-review']);
/** Nothing is owed to anybody any more. */
const CLOSED = 'closed';
/** It waits for somebody, and says so. */
const WAITS: ReadonlySet<string> = new Set(['on-hold', 'backordered', ...ENDS_BY_HAND]);

/** Nobody has to do anything, or somebody is known to have to. */
export function isAtRest(status: string): boolean {
  return [GOES_ON, PARTLY, WITHOUT_MONEY, WAITS].some((group) => group.has(status)) || status === CLOSED;
}

/** Why an order that was the one can't be the other afterwards; undefined when it can. */
export function impossibleStep(before: string, after: string): string | undefined {
  if (before === after) return undefined;
  if (before === CLOSED) return 'a closed order stays closed';
  const hasEnded = WITHOUT_MONEY.has(before) || ENDS_BY_HAND.has(before);
  if (hasEnded && !WITHOUT_MONEY.has(after) && !ENDS_BY_HAND.has(after)) return 'an ended order does not come back';
  if (WITHOUT_MONEY.has(before) && WITHOUT_MONEY.has(after)) return 'an order ends in one way';
  if ((GOES_ON.has(before) || PARTLY.has(before)) && after === 'placed') return 'a confirmed order was placed before';
  const arrived = before === 'delivered' && after !== CLOSED;
  if (arrived && (GOES_ON.has(after) || WITHOUT_MONEY.has(after))) return 'what is delivered stays delivered';
  return undefined;
}
