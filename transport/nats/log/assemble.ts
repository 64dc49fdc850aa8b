/** A `SharedLog` from one stream per shard, whatever the streams are made of. */
import type { SharedLog } from '../../../actors/kernel/clusterPorts.ts';
import type { EncodedRecord } from '../../../actors/kernel/ports.ts';
import { claimLog, type OwnClaim } from './claiming.ts';
import { type FollowingLog, followLog } from './following.ts';
import type { PublishingTimes } from './publishing.ts';
import type { LogStream } from './stream.ts';

/** Claims of a shard that are remembered, so that followers recognise what this process appended. */
const REMEMBERED_CLAIMS = 4;

/** How records travel: the store's business. */
export type RecordWire = {
  readonly encode: (record: EncodedRecord) => Uint8Array;
  /** @throws when the bytes aren't a record that this version reads */
  readonly decode: (payload: Uint8Array) => EncodedRecord;
};

export type AssembleOptions = {
  /** By shard. */
  readonly streams: readonly LogStream[];
  readonly wire: RecordWire;
  readonly times: PublishingTimes;
  /** Business time in ms since the epoch, for people who read the log. */
  readonly now: () => number;
  /** Different for every claim that anybody ever makes. */
  readonly nonce: () => string;
  readonly logger: FollowingLog;
};

export function assembleSharedLog({ streams, wire, times, now, nonce, logger }: AssembleOptions): SharedLog {
  const claims = streams.map(() => new Map<number, OwnClaim>());

  function part<Part>(parts: readonly Part[], shard: number): Part {
    const found = parts[shard];
    if (found === undefined) throw new Error(`there is no shard ${shard}: the cluster has ${streams.length}`);
    return found;
  }

  function remember(own: Map<number, OwnClaim>, claim: OwnClaim): void {
    own.set(claim.epoch, claim);
    for (const epoch of own.keys()) {
      if (own.size <= REMEMBERED_CLAIMS) break;
      own.delete(epoch);
    }
  }

  return {
    async claim(shard, node) {
      const surroundings = { stream: part(streams, shard), times, encode: wire.encode };
      const claim = await claimLog(surroundings, { node, nonce: nonce(), at: now() });
      remember(part(claims, shard), claim);
      return claim;
    },
    follow(shard, after, on, options = {}) {
      const surroundings = { stream: part(streams, shard), claims: part(claims, shard), decode: wire.decode, logger };
      return followLog(surroundings, after, on, options);
    },
    async end(shard) {
      return (await part(streams, shard).bounds()).last;
    },
    async begin(shard) {
      return (await part(streams, shard).bounds()).first;
    },
  };
}
