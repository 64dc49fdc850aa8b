/** What operators wrote and did about an order. */
import type { StoredCommit } from '../../actors/kernel/ports.ts';
import type { Order } from '../../actors/order/state.ts';
import type { SagaEvent } from '../../actors/orderSaga/events.ts';
import { time } from './time.ts';

export function notesView({ notes = [] }: Order) {
  return notes.map(({ at, by, text }) => ({ at: time(at), by, text }));
}

/** Who is no operator: the order's customer, and the parts of the shop that act by themselves. */
const NO_OPERATOR = /^(saga|carrier|payment|stock|customer(:.*)?)$/;

/** What operators did to the saga, oldest first, up to a version of it. */
export function repairsView(history: readonly StoredCommit[], version: number) {
  return history
    .filter((commit) => commit.version <= version)
    .flatMap((commit) => commit.events.flatMap((event) => repairView(event as SagaEvent, commit.at)));
}

function repairView(event: SagaEvent, at: number) {
  if (!('by' in event) || NO_OPERATOR.test(event.by)) return [];
  // A cancellation by staff through the order says why as its reason.
  const why = ('why' in event && event.why) || ('reason' in event && event.reason) || '';
  return [
    {
      at: time(at),
      type: event.type,
      by: event.by,
      why,
      ...('step' in event && { step: event.step }),
      ...('refundId' in event && { refundId: event.refundId }),
      ...('amount' in event && { amount: event.amount }),
    },
  ];
}
