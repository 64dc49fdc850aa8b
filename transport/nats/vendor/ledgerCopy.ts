/**
 * One node's copy of the shared ledger, for what a broker can't do: entries in the order of their keys. It follows only when
 * somebody asks for such a list, and reads the newest document of each order that changed meanwhile. It can be thrown away.
 */
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { nanos } from 'nats';
import type { LedgerEntries } from '../../payment/entryLedger.ts';
import { POSITION_KEY } from '../../payment/ledger.ts';
import type { Link } from '../documents.ts';
import { BrokerUnreachable, brokerError } from '../errors.ts';
import type { OrderDocument } from './sharedLedger.ts';

/** Documents of one pull. */
const BATCH = 200;
const PULL_MS = 2_000;
/** Pulls that bring nothing before the broker counts as unreachable. */
const MAX_EMPTY_PULLS = 5;
const CONSUMER_IDLE_MS = 30_000;
const CLEARING_PAGE = 500;

export type LedgerCopyOptions = {
  readonly link: Link;
  readonly stream: string;
  readonly entries: LedgerEntries;
  /** Of the subjects of orders' documents; others are passed over. */
  readonly ordersPrefix: string;
};

export type LedgerCopy = {
  /**
   * Resolves once the copy has everything that was written before this call.
   * @throws BrokerUnreachable, StreamMissing
   */
  catchUp(): Promise<void>;
};

export function createLedgerCopy(options: LedgerCopyOptions): LedgerCopy {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  /** One at a time. Whoever comes while one is under way needs another one, which began after the call. */
  function catchUp(): Promise<void> {
    if (running === undefined) {
      running = follow(options).finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return catchUp();
      });
    return next;
  }
  return { catchUp };
}

async function follow({ link, stream, entries, ordersPrefix }: LedgerCopyOptions): Promise<void> {
  try {
    const { state, created } = await link.manager.streams.info(stream);
    const position = placeIn(entries, created, state.last_seq);
    if (position >= state.last_seq) return;
    const follower = { entries, ordersPrefix, created };
    await readBetween(link, stream, { after: position, upTo: state.last_seq }, (messages) => take(follower, messages));
  } catch (error) {
    throw brokerError(error, `read ${stream}`);
  }
}

/** How far the copy is. A copy of another stream, or of more than there is, is none: it begins anew. */
function placeIn(entries: LedgerEntries, created: string, end: number): number {
  const position = entries.get(POSITION_KEY);
  if (position?.kind === 'position' && position.created === created && position.sequence <= end)
    return position.sequence;
  for (let page = entries.after('', CLEARING_PAGE); page.length > 0; page = entries.after('', CLEARING_PAGE)) {
    for (const { key } of page) entries.remove(key);
  }
  entries.put({ kind: 'position', key: POSITION_KEY, created, sequence: 0 });
  return 0;
}

type Follower = Pick<LedgerCopyOptions, 'entries' | 'ordersPrefix'> & { readonly created: string };

function take({ entries, ordersPrefix, created }: Follower, messages: readonly JsMsg[]): void {
  const last = messages.at(-1);
  if (last === undefined) return;
  const documents = messages
    .filter(({ subject }) => subject.startsWith(ordersPrefix))
    .map((message) => message.json<OrderDocument>());
  entries.put(...documents.flatMap((document) => document.entries));
  for (const key of documents.flatMap(({ taken }) => taken)) entries.remove(key);
  // Last: cut short, all of them are taken once more.
  entries.put({ kind: 'position', key: POSITION_KEY, created, sequence: last.seq });
}

type Span = { readonly after: number; readonly upTo: number };

/** Hands over what the stream has in the span, in order; it may go on beyond its end. */
async function readBetween(
  { manager, jetstream }: Link,
  stream: string,
  { after, upTo }: Span,
  on: (messages: readonly JsMsg[]) => void,
): Promise<void> {
  const { name } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
    inactive_threshold: nanos(CONSUMER_IDLE_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  try {
    const consumer = await jetstream.consumers.get(stream, name);
    let delivered = 0;
    let empty = 0;
    for (let at = after; at < upTo; ) {
      const messages = await all(await consumer.fetch({ max_messages: BATCH, expires: PULL_MS }), upTo);
      for (const { info } of messages) {
        delivered += 1;
        if (info.deliverySequence !== delivered)
          throw new BrokerUnreachable(`a message of ${stream} was lost on its way`);
      }
      empty = messages.length === 0 ? empty + 1 : 0;
      if (empty === MAX_EMPTY_PULLS) throw new BrokerUnreachable(`${stream} should go up to ${upTo} and ends at ${at}`);
      on(messages);
      at = messages.at(-1)?.seq ?? at;
    }
  } finally {
    // Left alone the broker forgets it.
    manager.consumers.delete(stream, name).catch(() => undefined);
  }
}

async function all(pull: ConsumerMessages, upTo: number): Promise<JsMsg[]> {
  const messages: JsMsg[] = [];
  // Ends at the pull's limits; what is wanted no more isn't waited for.
  for await (const message of pull) {
    messages.push(message);
    if (message.seq >= upTo) break;
  }
  return messages;
}
