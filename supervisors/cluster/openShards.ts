/** The shards that are open on this node: opened under a claim, fed from their inbox, written to their log, closed. */
import {
  type Claim,
  Fenced,
  type Following,
  type Inbox,
  type MayAppend,
  type NodeCalls,
} from '../../actors/kernel/clusterPorts.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import { AppendRefused, type EncodedRecord, type Settled, type ShardLog } from '../../actors/kernel/ports.ts';
import type { LocalCopy } from '../../storage/localCopy.ts';
import type { Ground } from '../home.ts';
import type { Node } from '../node.ts';
import type { ShopCore } from '../shop.ts';
import { type InboxReader, readInbox } from './inboxReader.ts';
import type { Ownership } from './ownership.ts';
import { serveShard } from './shardService.ts';

export type OpenShardsOptions = Pick<Ground, 'clock' | 'ids' | 'telemetry' | 'logger'> & {
  readonly copy: LocalCopy;
  readonly inbox: Inbox;
  readonly calls: NodeCalls;
};

/** What runs the shards. */
export type ShardRunners = {
  readonly node: Node;
  readonly local: ShopCore;
  readonly ownership: Pick<Ownership, 'mayServe' | 'mayAppend' | 'lost'>;
  /** Lays over a log what is to see each append. */
  readonly tapped: (log: ShardLog) => ShardLog;
};

type Open = { readonly reader: InboxReader; readonly serving: Following; readonly mayServe: () => boolean };

export type OpenShards = {
  has(shard: number): boolean;
  /** It is open here, and nobody else can have it. */
  serves(shard: number): boolean;
  open(shard: number, claim: Claim, runners: ShardRunners): void;
  close(shard: number, node: Node, how: { readonly flush: boolean }): Promise<void>;
  /** Up to where its inbox is answered durably, as far as is known here. */
  offsetOf(shard: number): number;
  /** Messages that were read and are not answered durably. */
  unanswered(): readonly { readonly shard: number; readonly unanswered: number }[];
  /** Since the start. */
  readonly failedAppends: { readonly fenced: number; readonly refused: number };
};

export function createOpenShards({ copy, inbox, calls, telemetry, ids, ...options }: OpenShardsOptions): OpenShards {
  const { clock, logger } = options;
  const surroundings = { clock, random: ids.random, logger };
  const opened = new Map<number, Open>();
  const failedAppends = { fenced: 0, refused: 0 };
  const serves = (shard: number): boolean => opened.get(shard)?.mayServe() ?? false;

  async function append(
    claim: Claim,
    record: EncodedRecord,
    { may, lost }: { readonly may: MayAppend; readonly lost: () => void },
  ): Promise<number> {
    try {
      copy.makeRoom();
      return await claim.append(record, may);
    } catch (error) {
      const fenced = error instanceof Fenced;
      failedAppends[fenced ? 'fenced' : 'refused'] += 1;
      if (error instanceof AppendRefused) throw error;
      if (fenced) lost();
      throw new AppendRefused(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Calls of gateways come from outboxes alone: one in an inbox is not of ours, and would be made again and again. */
  function toActor(node: Node, envelope: Envelope, settle: (result: Settled) => void): void {
    if (envelope.to.type === 'gateway') {
      logger.error({ id: envelope.id, from: envelope.from }, 'a call of a gateway stands in an inbox: passed over');
      settle({ kind: 'done' });
    } else {
      node.deliver(envelope, settle);
    }
  }

  return {
    has: (shard) => opened.has(shard),
    serves,
    open(shard, claim, { node, local, ownership, tapped }) {
      copy.catchUp();
      const reader = readInbox({
        shard,
        from: copy.answered(shard),
        inbox,
        deliver: (envelope, settle) => toActor(node, envelope, settle),
        ...surroundings,
      });
      const owner = {
        may: () => ownership.mayAppend(shard, claim.epoch),
        lost: () => ownership.lost(shard, claim.epoch),
      };
      const records: ShardLog = {
        async append(record) {
          const started = clock.monotonic();
          copy.own(shard, await append(claim, record, owner), record);
          const { commits, inboxOffset } = record.record;
          reader.stored(inboxOffset);
          telemetry.recordAppended(commits.length, record.bytes, clock.monotonic() - started);
        },
      };
      try {
        node.open(shard, { log: tapped(records), epoch: claim.epoch, inboxOffset: reader.offset });
      } catch (error) {
        // It would go on handing this node the messages of whoever takes the shard.
        reader.close();
        throw error;
      }
      const serving = serveShard({ shard, local, calls, mayServe: () => serves(shard), ...surroundings });
      opened.set(shard, { reader, serving, mayServe: () => ownership.mayServe(shard) });
    },
    async close(shard, node, how) {
      opened.get(shard)?.serving.stop();
      opened.get(shard)?.reader.close();
      opened.delete(shard);
      await node.close(shard, how);
    },
    offsetOf: (shard) => opened.get(shard)?.reader.offset() ?? copy.answered(shard),
    unanswered: () => [...opened].map(([shard, { reader }]) => ({ shard, unanswered: reader.unanswered })),
    failedAppends,
  };
}
