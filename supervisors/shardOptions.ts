/** What one shard is given by its node. */
import type { Ref } from 'nact';
import type { Logger } from 'pino';
import type { Address } from '../actors/kernel/address.ts';
import type { Envelope } from '../actors/kernel/message.ts';
import type { Clock, FailPoint, Ids, Settled, ShardLog, ShardStore, Telemetry } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import type { AnyDecider } from './memory.ts';
import type { Turns } from './turns.ts';

export type ShardOptions = {
  readonly shard: number;
  readonly parent: Ref<never>;
  readonly log: ShardLog;
  /** In a cluster: under which claim the shard is open here, and how far its inbox is answered. */
  readonly epoch?: number;
  readonly inboxOffset?: () => number;
  readonly store: ShardStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly policy: Policy;
  readonly deciderOf: (type: string) => AnyDecider | undefined;
  /** Whether an address belongs to this shard. */
  readonly isLocal: (address: Address) => boolean;
  /** Delivers to another shard or to a gateway. */
  readonly send: (envelope: Envelope, settle: (result: Settled) => void) => void;
  /** Shared by the node's shards. */
  readonly turns: Turns;
  readonly telemetry: Telemetry;
  readonly logger: Logger;
  readonly failPoint: FailPoint;
};
