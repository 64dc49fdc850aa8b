/**
 * Which orders a person looks at before they are captured. Decided once, when the order is placed, from what the order is
 * and from what the edge found out about who orders; each rule can be switched off.
 */
import type { Policy } from '../policy.ts';
import type { OrderDraft } from '../shared.ts';

const REASONS = {
  total: 'The total is above the limit for a review.',
  'first-order': 'It is the first order of this customer, and above the limit for one.',
  'network-address': 'Many orders came from the same network address of late.',
  country: 'The billing address is in another country than the shipping address.',
} as const;

export type ReviewRule = keyof typeof REASONS;

export function rulesMatched({ totals, address, billingAddress, facts }: OrderDraft, policy: Policy): ReviewRule[] {
  const { totalAbove, firstOrderAbove, ordersPerAddress, countryMismatch } = policy.review;
  const total = totals.total.amount;
  const matches: Readonly<Record<ReviewRule, boolean>> = {
    total: totalAbove !== null && total > totalAbove,
    'first-order': firstOrderAbove !== null && facts?.firstOrder === true && total > firstOrderAbove,
    'network-address': ordersPerAddress !== null && (facts?.ordersFromAddress ?? 0) > ordersPerAddress,
    country: countryMismatch && billingAddress !== undefined && billingAddress.country !== address.country,
  };
  return RULES.filter((rule) => matches[rule]);
}

const RULES: readonly ReviewRule[] = ['total', 'first-order', 'network-address', 'country'];

export function reviewReason(rules: readonly ReviewRule[]): string {
  return rules.map((rule) => REASONS[rule]).join(' ');
}
