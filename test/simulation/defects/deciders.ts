/** Deciders of the shop with a mistake in one of them. */
import type { Send } from '../../../actors/kernel/decider.ts';
import { shop } from '../../../actors/shop.ts';
import type { AnyDecider } from '../../../supervisors/memory.ts';
import type { Defect } from './names.ts';

type Deciders = Readonly<Record<string, AnyDecider>>;
type Decide = AnyDecider['decide'];
type Accepted = Exclude<ReturnType<Decide>, { rejection: object }>;
type Members = Readonly<Record<string, unknown>>;

const all = shop as unknown as Deciders;

/** The deciders with another `decide` for one type, that may use the right one. */
function instead(type: string, mistaken: (right: Decide) => Decide): Deciders {
  const decider = all[type];
  if (!decider) throw new Error(`there is no aggregate of type ${type}`);
  return { ...all, [type]: { ...decider, decide: mistaken(decider.decide.bind(decider)) } };
}

const accepted = (decision: ReturnType<Decide>): decision is Accepted =>
  !('rejection' in decision && decision.rejection);

const membersOf = (value: unknown): Members => value as Members;

function forgetting(type: string, message: string): Deciders {
  return instead(type, (right) => (state, command, context) => {
    const decision = right(state, command, context);
    return command.type === message && accepted(decision) ? { ...decision, events: [] } : decision;
  });
}

/** What the payment asks of its gateway is changed on the way. */
function sending(change: (send: Send) => readonly Send[]): Deciders {
  return instead('payment', (right) => (state, command, context) => {
    const decision = right(state, command, context);
    return accepted(decision) ? { ...decision, sends: (decision.sends ?? []).flatMap(change) } : decision;
  });
}

/** Undefined for a defect that is elsewhere. */
export function mistakenDeciders(defect: Defect): Deciders | undefined {
  switch (defect) {
    case 'oversell':
      return instead('stock', (right) => (state, command, context) => {
        const { available } = membersOf(state);
        const full = { ...membersOf(state), available: Number(available) + 1_000 };
        return right(command.type === 'ReserveStock' ? full : state, command, context);
      });
    case 'hold-not-released':
      return forgetting('stock', 'ReleaseReservation');
    case 'cancellation-forgotten':
      return forgetting('order', 'CancelOrder');
    case 'unknown-is-declined':
      return instead('payment', (right) => (state, command, context) => {
        const isUnknown = membersOf(membersOf(command)['result'] ?? {})['outcome'] === 'unknown';
        const declined = { ...command, result: { outcome: 'declined', reason: 'no answer' } };
        return right(state, isUnknown ? declined : command, context);
      });
    case 'refund-twice':
      return sending((send) => {
        if (send.message.type !== 'GatewayRefund') return [send];
        const again = { ...send.message, key: `${membersOf(send.message)['key']}-again` };
        return [send, { ...send, message: again }];
      });
    case 'capture-twice':
      return sending((send) => {
        if (send.message.type !== 'GatewayCapture') return [send];
        const again = { ...send.message, key: `${membersOf(send.message)['key']}-again` };
        return [send, { ...send, message: again }];
      });
    default:
      return undefined;
  }
}
