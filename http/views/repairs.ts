/** Dead letters and repairs as operators see them: without the message's contents, which may be personal. */
import { addressKey, parseAddressKey } from '../../actors/kernel/address.ts';
import type { QuarantineList, StoredDeadLetter, StoredRepair } from '../shop.ts';
import { time } from './time.ts';

export function letterView({ id, key, reason, attempts, at, envelope: { from, message, trace } }: StoredDeadLetter) {
  // A requeued timer counts as sent by its own aggregate.
  const sender = from === undefined || addressKey(from) === key ? null : addressKey(from);
  const type = message.type;
  return { id, to: key, from: sender, type, reason, attempts, at: time(at), ...(trace !== undefined && { trace }) };
}

export function repairView({ at, kind, key, by, why, letter: id, type, reason, attempts }: StoredRepair) {
  const letter = id === null ? null : { id, type, reason, attempts };
  return { at: time(at), kind, actor: key, by, why, letter };
}

export function quarantineView({ held, silent }: QuarantineList) {
  const data = held.map(({ key, reason, since, until }) => {
    const { type, id } = parseAddressKey(key);
    return { type, id, reason, since: time(since), until: time(until) };
  });
  return { data, silent };
}
