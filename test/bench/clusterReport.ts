/** What a cluster costs, as tables. */
import type { ClusterLoad, ClusterRun } from './cluster.ts';
import { milliseconds, PERCENTILES, per, table } from './tables.ts';

export function clusterTables(run: ClusterRun): string[] {
  const { loads, ratio, idleSeconds, idleAlone, idle, halfRate, crossShard } = run;
  const { withinNode, betweenNodes } = crossShard;
  const percent = (share: number | undefined): string => (share === undefined ? '–' : `${(share * 100).toFixed(1)} %`);
  return [
    '## Cluster',
    'One broker (nats-server, every write synced), on the same machine as the nodes and the load generator.',
    table(
      ['load', 'per second', ...PERCENTILES, 'failed'],
      loads.map(({ name, load }) => [
        name,
        load.perSecond.toFixed(0),
        ...milliseconds(load.latencyMs),
        String(Object.values(load.failures).reduce((sum, count) => sum + count, 0)),
      ]),
    ),
    `One node over one broker does ${percent(ratio)} of what a node alone does before and after it, on average.`,
    table(['cost', ...COSTS], loads.map(costs)),
    table(
      [`idle for ${idleSeconds} s`, 'of a core'],
      [
        ['a node alone', percent(idleAlone.node)],
        ['one node with a broker', percent(idle.node)],
        ['its broker', percent(idle.broker)],
      ],
    ),
    table(
      [`message between shards, ${halfRate} orders/s: decided → answer decided`, 'messages', ...PERCENTILES],
      [
        ['both at one node', String(withinNode.count), ...milliseconds(withinNode)],
        ['from node to node', String(betweenNodes.count), ...milliseconds(betweenNodes)],
      ],
    ),
  ];
}

const COSTS = [
  'CPU ms each',
  'broker CPU ms each',
  'load generator ms each',
  'commits each',
  'appends each',
  'ms per append',
  'RSS MB',
];
const MB = 1_024 * 1_024;

/** Per order: the nodes' together. */
function costs({ name, load: { used, completed }, orders, brokerCpuMs }: ClusterLoad): string[] {
  return [
    name,
    per(used.cpuMs, completed, 2),
    per(brokerCpuMs, orders, 2),
    per(used.generatorMs, completed, 2),
    per(used.commits, completed, 1),
    per(used.appends, completed, 2),
    per(used.appendMs, used.appends, 2),
    per(used.rssBytes, MB, 0),
  ];
}
