import { z } from 'zod';
import { idSchema, timeSchema } from './common.ts';

const count = z.int().min(0);
const nodeName = z.union([z.string(), z.null()]);
const entries = z.union([count, z.null()]);

export const nodeParams = z.object({ id: idSchema });

const nodeSchema = z
  .strictObject({
    id: z.string().meta({ description: 'Its NODE_NAME.' }),
    state: z.enum(['joining', 'active', 'draining', 'dead']),
    version: z.string(),
    incarnation: z.string().meta({ description: 'Another one each time the process starts.' }),
    address: z.string(),
    heardMsAgo: count,
    shards: z.array(count).meta({ description: 'Those that it says it owns.' }),
  })
  .meta({ id: 'ClusterNode' });

const shardSchema = z
  .strictObject({
    id: count,
    owner: nodeName,
    wanted: nodeName.meta({ description: 'Who should own it; differs from the owner while it moves.' }),
    standby: z.union([z.strictObject({ id: z.string(), lag: entries }), z.null()]).meta({
      description: 'Who takes it over when the owner goes, and how many log entries it is behind.',
    }),
    epoch: z.union([z.int(), z.null()]).meta({ description: 'Of the newest claim: the fencing token.' }),
    phase: z.enum(['following', 'claiming', 'owning', 'releasing']).meta({ description: 'On the node that answers.' }),
    position: count.meta({ description: 'Newest log entry that the answering node has.' }),
    lag: entries.meta({ description: 'Log entries that the answering node is behind; null while nobody owns it.' }),
    checkpoint: entries.meta({ description: 'Newest log entry that the newest checkpoint holds.' }),
    inboxLag: entries.meta({ description: 'Messages of other shards that are not known to be answered.' }),
  })
  .meta({ id: 'ClusterShard' });

export const clusterSchema = z
  .strictObject({
    mode: z.enum(['embedded', 'cluster']),
    cluster: nodeName,
    node: z.string().meta({ description: 'Who answers: everything is told as this node sees it.' }),
    ready: z.boolean(),
    broker: z.union([z.strictObject({ connected: z.boolean(), contactMsAgo: count }), z.null()]),
    nodes: z.array(nodeSchema),
    shards: z.array(shardSchema),
    checkpoint: z
      .union([z.strictObject({ at: timeSchema, ageMs: count, entriesSince: count }), z.null()])
      .meta({ description: 'The newest copy of the shop that a node could begin with; null: none, or nobody tells.' }),
    counts: z
      .strictObject({ claims: count, lost: count, released: count, received: count })
      .meta({ description: 'Of the answering node since it started.' }),
  })
  .meta({ id: 'Cluster' });

export const drainSchema = z
  .strictObject({
    id: z.string(),
    state: z.literal('draining'),
    shards: z.array(count).meta({ description: 'Shards that it still has and gives away now.' }),
    heirs: z.array(z.string()).meta({ description: 'Nodes that come for them.' }),
    until: z.literal('restart').meta({ description: 'It owns nothing again before its process restarts.' }),
  })
  .meta({ id: 'Drain' });
