/** Envelopes as bytes between nodes. */
import type { Address } from '../../actors/kernel/address.ts';
import type { Envelope } from '../../actors/kernel/message.ts';

/** What was stored isn't an envelope: a bug, or somebody else wrote to the subject. */
class NotAnEnvelope extends Error {
  override readonly name = 'NotAnEnvelope';
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** Without the deadline: that is on the sender's own clock and means nothing elsewhere. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return encoder.encode(JSON.stringify(withoutDeadline(envelope)));
}

function withoutDeadline({ deadline: _, carries, ...rest }: Envelope): Envelope {
  return carries === undefined ? rest : { ...rest, carries: withoutDeadline(carries) };
}

/** @throws NotAnEnvelope */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new NotAnEnvelope('not JSON', { cause });
  }
  if (!isEnvelope(value)) throw new NotAnEnvelope('a member is missing or of another type');
  return value;
}

/** Only what the runtime routes by: the message itself is judged by its receiver, who makes it a dead letter if need be. */
function isEnvelope(value: unknown): value is Envelope {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    value['id'] !== '' &&
    isAddress(value['to']) &&
    (value['from'] === undefined || isAddress(value['from'])) &&
    isObject(value['message']) &&
    typeof value['message']['type'] === 'string' &&
    (value['carries'] === undefined || isEnvelope(value['carries']))
  );
}

function isAddress(value: unknown): value is Address {
  return isObject(value) && typeof value['type'] === 'string' && typeof value['id'] === 'string';
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
