/**
 * JSON documents that all nodes share, one by subject of a stream that keeps the newest of each. A document is replaced
 * only by whoever knows the newest: the broker compares revisions under the stream's lock. (Of several brokers those before
 * 2.9.21 let more than one win; `connectBroker` refuses them.) Reads are answered by the stream's leader alone, never by a
 * replica that lags; a leader that was cut off and doesn't know it yet may still answer with something older.
 */
import { JetStreamApiError } from '@nats-io/jetstream';
import type { BrokerConnection } from './connection.ts';
import { BrokerUnreachable, brokerError } from './errors.ts';

export type Link = Pick<BrokerConnection, 'nats' | 'jetstream' | 'manager' | 'connected'>;

/** 0: there is no document. */
export type Revision = number;
export type Document = { readonly value: unknown; readonly revision: Revision };

export interface Documents {
  /** @throws BrokerUnreachable, StreamMissing, StreamUnavailable, BrokerForbids */
  read(subject: string): Promise<Document>;
  /**
   * `overtaken`: the revision isn't the newest, nothing happened. `unknown`: it may be written now, later or never; a
   * write of the same revision that succeeds afterwards proves that it never will.
   * @throws StreamMissing, StreamUnavailable, StreamFull, MessageTooLarge, BrokerForbids, BrokerUnreachable: nothing happened
   */
  write(subject: string, value: unknown, replaces: Revision): Promise<'written' | 'overtaken' | 'unknown'>;
}

const NOTHING: Document = { value: undefined, revision: 0 };
/** "wrong last sequence", with and without the sequence. */
const OVERTAKEN: readonly number[] = [10071, 10164];

export function createDocuments(link: Link, stream: string): Documents {
  const { nats, jetstream, manager } = link;
  return {
    async read(subject) {
      try {
        const found = await manager.streams.getMessage(stream, { last_by_subj: subject });
        return found === null ? NOTHING : { value: found.json(), revision: found.seq };
      } catch (error) {
        throw brokerError(error, `read from ${stream}`);
      }
    },
    async write(subject, value, replaces) {
      // The client would keep it and send it once there is a connection again, long after it was given up.
      if (!link.connected || nats.info === undefined) {
        throw new BrokerUnreachable(`can't write to ${stream}: no connection`);
      }
      try {
        await jetstream.publish(subject, JSON.stringify(value), { expect: { lastSubjectSequence: replaces } });
        return 'written';
      } catch (error) {
        if (error instanceof JetStreamApiError && OVERTAKEN.includes(error.code)) return 'overtaken';
        const named = brokerError(error, `write to ${stream}`);
        if (named instanceof BrokerUnreachable) return 'unknown';
        throw named;
      }
    },
  };
}

/** Anything as one token of a subject: what isn't a letter, digit, dash or underscore is `=` and its bytes in hex. */
export function tokenOf(text: string): string {
  return text === '' ? '=' : text.replace(/[^A-Za-z0-9_-]/gu, (char) => `=${Buffer.from(char).toString('hex')}=`);
}
