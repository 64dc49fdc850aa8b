/** Who has which shard, and how a node is emptied before it is stopped. */
import { notFound, Problem } from '../../problem.ts';
import { type Route, route } from '../../route.ts';
import { clusterSchema, drainSchema, nodeParams } from '../../schemas/cluster.ts';
import { clusterView } from '../../views/cluster.ts';

const tag = 'Operators: runtime';
const access = { scope: 'cluster' } as const;

const getCluster = route({
  method: 'get',
  path: '/v1/admin/cluster',
  tag,
  summary: 'Nodes, shards, owners, standbys, epochs and how far each is behind',
  access,
  ownWord: true,
  responses: { 200: { description: 'As the answering node sees it.', schema: clusterSchema } },
  handler: async ({ shop }) => {
    const [lags, checkpoint] = await Promise.all([shop.operations.inboxLags(), shop.operations.checkpoint()]);
    return { status: 200, body: clusterView(shop.status(), lags, checkpoint, shop.clock.now()) };
  },
});

const drain = route({
  method: 'post',
  path: '/v1/admin/cluster/nodes/{id}/drain',
  tag,
  summary: 'Have a node give all its shards to the others',
  access,
  idempotency: 'ignored',
  ownWord: true,
  params: nodeParams,
  responses: {
    202: { description: 'It begins now, goes on answering, and owns nothing until it restarts.', schema: drainSchema },
    409: { description: 'No other node could take the shards, or the node is not running.' },
  },
  handler: async ({ shop, params: { id } }) => {
    const answer = await shop.operations.drainNode(id);
    if (answer.kind === 'unknown') throw notFound('node');
    if (answer.kind === 'refused') throw new Problem(409, 'node.not-drainable', answer.reason);
    const { shards, heirs } = answer;
    return { status: 202, body: { id, state: 'draining', shards, heirs, until: 'restart' } };
  },
});

export const clusterRoutes: readonly Route[] = [getCluster, drain];
