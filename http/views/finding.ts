import type { Finding } from '../shop.ts';

const DETAILS: Readonly<Record<Finding['code'], string>> = {
  'charged-unknown': 'The vendor has taken money that we know nothing of.',
  'capture-missing': 'We booked money as taken; the vendor has not taken it.',
  'amount-differs': 'We and the vendor have booked different amounts.',
  'captured-twice': 'The vendor has taken money for this order more than once.',
  'authorization-alive': 'The vendor still holds money that this order does not need any more.',
  'authorization-unknown': 'The vendor holds money that this order does not know of.',
  'authorization-missing': 'We rely on an authorization that the vendor does not hold.',
  'refund-missing': 'Money must be back with the customer; the vendor has not paid it back.',
  'refund-unknown': 'The vendor has paid money back that we know nothing of.',
  'dispute-differs': 'We and the vendor do not know the same of a dispute.',
};

export function findingView(finding: Finding) {
  return { ...finding, detail: DETAILS[finding.code] };
}
