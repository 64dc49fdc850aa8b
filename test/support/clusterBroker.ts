/** The shards' logs of a simulated cluster, which refuse whoever isn't the newest claimant, and when what was written. */
import { Fenced, type LogEntry, type LogPosition } from '../../actors/kernel/clusterPorts.ts';
import type { EncodedRecord } from '../../actors/kernel/ports.ts';

type Written = {
  readonly entry: LogEntry;
  readonly at: number;
  /** Epoch of the writer; a claim's is its own. */
  readonly under: number;
};

export class ClusterBroker {
  readonly #shards: readonly Written[][];
  readonly #now: () => number;
  readonly #onWritten: (shard: number) => void;
  up = true;

  constructor(shards: number, now: () => number, onWritten: (shard: number) => void) {
    this.#shards = Array.from({ length: shards }, () => []);
    this.#now = now;
    this.#onWritten = onWritten;
  }

  get logs(): readonly (readonly Written[])[] {
    return this.#shards;
  }

  end(shard: number): LogPosition {
    return this.#log(shard).length;
  }

  entry(shard: number, position: LogPosition): LogEntry | undefined {
    return this.#log(shard)[position - 1]?.entry;
  }

  claim(shard: number, node: string): number {
    const position = this.end(shard) + 1;
    return this.#write(shard, { kind: 'claim', position, node }, position);
  }

  /** @throws Fenced */
  append(shard: number, epoch: number): LogPosition {
    this.#fence(shard, epoch);
    return this.#write(shard, { kind: 'record', position: this.end(shard) + 1, record: RECORD }, epoch);
  }

  /** @throws Fenced */
  release(shard: number, epoch: number, to: string | undefined): void {
    this.#fence(shard, epoch);
    const release = { kind: 'release', position: this.end(shard) + 1, epoch } as const;
    this.#write(shard, to === undefined ? release : { ...release, to }, epoch);
  }

  newestClaim(shard: number): Extract<LogEntry, { kind: 'claim' }> | undefined {
    const entry = this.#log(shard).findLast((written) => written.entry.kind === 'claim')?.entry;
    return entry?.kind === 'claim' ? entry : undefined;
  }

  /** For how long another claim than this one has been in force, in ms. */
  overtakenFor(shard: number, epoch: number): number | undefined {
    const later = this.#log(shard).find(({ entry }) => entry.kind === 'claim' && entry.position > epoch);
    return later && this.#now() - later.at;
  }

  #log(shard: number): Written[] {
    const log = this.#shards[shard];
    if (!log) throw new RangeError(`no shard ${shard}`);
    return log;
  }

  #fence(shard: number, epoch: number): void {
    if (this.newestClaim(shard)?.position !== epoch) throw new Fenced(`shard ${shard} is another's`, 'superseded');
  }

  #write(shard: number, entry: LogEntry, under: number): LogPosition {
    this.#log(shard).push({ entry, at: this.#now(), under });
    this.#onWritten(shard);
    return entry.position;
  }
}

/** Nobody looks into it. */
const RECORD = { bytes: 1 } as EncodedRecord;
