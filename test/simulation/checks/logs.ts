/** What must hold of the shards' logs, whoever wrote them: one owner at a time, no gap, nothing answered twice. */
import { decodeWire } from '../../../storage/wireCodec.ts';
import { parseEntryId } from '../../../transport/nats/log/entry.ts';
import type { KeptStream } from '../network/keptStream.ts';

type Logs = readonly KeptStream<Uint8Array>[];

/** Claims, records and their hashes, from the first entry on. */
export function logViolations(logs: Logs): string[] {
  return logs.flatMap(violationsOf);
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

/** Keys of all aggregates that have a commit in the logs. */
export class DurableKeys {
  readonly #keys = new Set<string>();

  stored(payload: Uint8Array): void {
    const { record } = decodeWire(payload);
    for (const { key } of record.commits) this.#keys.add(key);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }
}
