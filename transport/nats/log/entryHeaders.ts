/** What the log sets in the headers of a message. */
import { headers, type MsgHdrs } from 'nats';
import type { Expectation } from './stream.ts';

/** The id that a broker compares, and remembers for the stream's window. */
const COMPARED_ID = 'Nats-Msg-Id';
/**
 * For several brokers. Their leader remembers a compared id before its message is stored, and calls what it never stored a
 * duplicate for as long as the window (nats-server 2.10.27). What an entry comes after keeps it from being stored twice.
 */
const OWN_ID = 'Holdfast-Entry';

export function headersOf(
  stream: string,
  id: string,
  { expected, comparesIds }: { readonly expected: Expectation; readonly comparesIds: boolean },
): MsgHdrs {
  const set = headers();
  set.append(comparesIds ? COMPARED_ID : OWN_ID, id);
  set.append('Nats-Expected-Stream', stream);
  set.append('Nats-Expected-Last-Sequence', String(expected.position));
  if (comparesIds && expected.id !== undefined) set.append('Nats-Expected-Last-Msg-Id', expected.id);
  return set;
}

/** Empty for a message that no node of ours wrote. */
export const entryIdOf = (from: MsgHdrs | undefined): string => from?.get(OWN_ID) || from?.get(COMPARED_ID) || '';
