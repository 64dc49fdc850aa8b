/**
 * Answers the broker's service discovery (ADR-32, `nats micro ls|info|stats`), so that an operator finds the nodes of all
 * clusters with the broker's own tool. Three small JSON answers: the package for it has no stable release.
 */
import type { Msg } from 'nats';
import type { Following } from '../../actors/kernel/clusterPorts.ts';
import type { NatsCalls, ServedFigures } from './calls.ts';
import { isConnected } from './connected.ts';
import type { BrokerConnection, BrokerLogger } from './connection.ts';
import { nodeToken } from './subjects.ts';

export type DiscoveryOptions = {
  readonly broker: Pick<BrokerConnection, 'nats'>;
  readonly calls: Pick<NatsCalls, 'served'>;
  readonly cluster: string;
  readonly node: string;
  /** Becomes the id of the instance. */
  readonly incarnation: string;
  /** A semantic version. */
  readonly version: string;
  readonly address: string;
  /** When the node started, ms since the epoch. */
  readonly startedAt: number;
  readonly logger: BrokerLogger;
};

const SERVICE = 'holdfast';
const DESCRIPTION = 'Holdfast order backend: a node of a cluster';
const NS_PER_MS = 1_000_000;

export function answerDiscovery(options: DiscoveryOptions): Following {
  const { broker, calls, cluster, node, incarnation, version, address, startedAt, logger } = options;
  const id = nodeToken(incarnation);
  const metadata = { cluster, node, incarnation, address };
  const common = (verb: string) => ({
    type: `io.nats.micro.v1.${verb}_response`,
    name: SERVICE,
    id,
    version,
    metadata,
  });
  const answers = {
    PING: () => common('ping'),
    INFO: () => ({ ...common('info'), description: DESCRIPTION, endpoints: calls.served().map(endpointInfo) }),
    STATS: () => ({
      ...common('stats'),
      started: new Date(startedAt).toISOString(),
      endpoints: calls.served().map(endpointStats),
    }),
  };
  const subscriptions = Object.entries(answers).flatMap(([verb, answer]) => {
    const callback = (error: Error | null, message: Msg): void => {
      if (error) logger.warn({ verb, err: error }, 'the broker does not let this node answer the service discovery');
      else if (isConnected(broker.nats)) message.respond(JSON.stringify(answer()));
    };
    const subjects = [`$SRV.${verb}`, `$SRV.${verb}.${SERVICE}`, `$SRV.${verb}.${SERVICE}.${id}`];
    return subjects.map((subject) => broker.nats.subscribe(subject, { callback }));
  });
  return {
    stop() {
      if (broker.nats.isClosed()) return;
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

/** Endpoints have no queue group: see calls.ts. */
function endpointInfo({ name, subject }: ServedFigures) {
  return { name, subject, queue_group: '', metadata: {} };
}

function endpointStats({ name, subject, requests, errors, lastError, processingMs }: ServedFigures) {
  const nanoseconds = Math.round(processingMs * NS_PER_MS);
  return {
    name,
    subject,
    queue_group: '',
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: nanoseconds,
    average_processing_time: requests === 0 ? 0 : Math.trunc(nanoseconds / requests),
  };
}
