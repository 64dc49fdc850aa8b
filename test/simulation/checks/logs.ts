/** What must hold of the shards' logs, whoever wrote them: one owner at a time, no gap, nothing answered twice. */
import { decodeWire } from '../../../storage/wireCodec.ts';
import { parseEntryId } from '../../../transport/nats/log/entry.ts';
import type { KeptStream } from '../network/keptStream.ts';

type Logs = readonly KeptStream<Uint8Array>[];

/** Claims, records and their hashes, from the first entry on. */
export function logViolations(logs: Logs): string[] {
  return [...logs.flatMap(violationsOf), ...messagesOfNobody(logs)];
}

/** Of messages that aggregates send, by their commit: `id/type#seq.index`. */
const SENT_ID = /#\d+\.\d+$/;

/** What was answered was sent by a commit that is in the logs (I1). */
function messagesOfNobody(logs: Logs): string[] {
  const sent = new Set<string>();
  const answered: string[] = [];
  for (const { id, payload } of logs.flatMap(({ entries }) => entries)) {
    if (parseEntryId(id)?.kind !== 'record') continue;
    for (const { sends, cause } of decodeWire(payload).record.commits) {
      for (const { id: message } of sends) sent.add(message);
      if (SENT_ID.test(cause)) answered.push(cause);
    }
  }
  return answered.filter((cause) => !sent.has(cause)).map((cause) => `I1: ${cause} was answered, and never sent`);
}

function violationsOf(log: KeptStream<Uint8Array>, shard: number): string[] {
  const found: string[] = [];
  const answered = new Set<string>();
  const versions = new Map<string, number>();
  let epoch = 0;
  let n = 0;
  let hash: string | undefined;
  for (const { position, id, payload } of log.entries) {
    const entry = parseEntryId(id);
    const at = `entry ${position} of log ${shard}`;
    if (entry?.kind === 'claim') epoch = position;
    if (entry?.kind !== 'record') continue;
    if (entry.epoch !== epoch) found.push(`I3: ${at} is of epoch ${entry.epoch}, claimed was ${epoch}`);
    const { record, hash: own } = decodeWire(payload);
    if (record.n !== n + 1) found.push(`log: ${at} has number ${record.n} after ${n}`);
    if (hash !== undefined && record.prevHash !== hash) found.push(`log: ${at} does not follow the one before`);
    n = record.n;
    hash = own;
    for (const { key, seq, cause } of record.commits) {
      const before = versions.get(key) ?? 0;
      if (seq !== before + 1) found.push(`log: ${at} has commit ${seq} of ${key} after ${before}`);
      versions.set(key, seq);
      const answer = `${key} ${cause}`;
      if (answered.has(answer)) found.push(`I4: ${at} answers ${cause} to ${key} a second time`);
      answered.add(answer);
    }
  }
  return found;
}

/** What was ever in the logs. */
export class Durable {
  readonly #commits = new Set<string>();

  stored(payload: Uint8Array): void {
    const { record } = decodeWire(payload);
    for (const { key, seq } of record.commits) this.#commits.add(`${key}#${seq}`);
  }

  /** There is a commit of this aggregate. */
  has(key: string): boolean {
    return this.#commits.has(`${key}#1`);
  }

  /** True for what no commit of an aggregate sends. */
  mayLeave(message: string): boolean {
    return !SENT_ID.test(message) || this.#commits.has(message.slice(0, message.lastIndexOf('.')));
  }
}
