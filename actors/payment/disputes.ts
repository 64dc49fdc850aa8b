/**
 * Chargebacks: the customer's bank takes the money back, and the vendor says how that ended. Meanwhile nothing is paid
 * back; what was to be paid back goes on afterwards, less what the customer has got that way (never pay twice).
 */
import type { Of } from './messages.ts';
import { payBackAfterDispute } from './refunds.ts';
import { disputeOf, isDisputed } from './state.ts';
import { record, type Turn, tell } from './turn.ts';

/** The news may come twice and in any order: the end before the beginning tells of both. */
export function onDispute(turn: Turn, { disputeId, amount, reason, stage }: Of<'PaymentDisputeNews'>) {
  const known = disputeOf(turn.state, disputeId);
  const { currency } = turn.state;
  const countable = Number.isSafeInteger(amount.amount) && amount.amount >= 0;
  // Nothing of ours could be added up with it: it is none of this payment's.
  if (!countable || (currency !== 'XXX' && currency !== amount.currency)) return;
  if (known && (known.status !== 'open' || stage === 'opened')) return;
  if (!known) record(turn, { type: 'ChargebackOpened', v: 1, disputeId, amount, reason });
  if (stage === 'opened') return tell(turn, { type: 'PaymentDisputed', disputeId, amount, status: 'open' });
  record(turn, { type: 'ChargebackResolved', v: 1, disputeId, outcome: stage });
  // What is at stake was said when it began.
  tell(turn, { type: 'PaymentDisputed', disputeId, amount: known?.amount ?? amount, status: stage });
  if (isDisputed(turn.state)) return;
  payBackAfterDispute(turn);
  tell(turn, { type: 'PaymentDisputeEnded', disputeId });
}
