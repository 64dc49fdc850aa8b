/** The configuration file of a broker that we start. */
import { join } from 'node:path';

/** A record is 256 KB at most as a rule, but one commit can be larger; above 8 MB nats-server itself advises against. */
export const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

export type BrokerPorts = { readonly client: number; readonly monitor: number };

/** This broker's part in a group of brokers. */
export type ClusterPart = {
  /** The same for all of them. */
  readonly name: string;
  /** For the others. */
  readonly port: number;
  /** Ports of all of them. */
  readonly routes: readonly number[];
  /** Clients are told of the others too, and go there when this one is away. True by default. */
  readonly advertised?: boolean;
};

export type BrokerSettings = {
  readonly name: string;
  readonly folder: string;
  readonly ports: BrokerPorts;
  readonly syncAlways: boolean;
  readonly jetstream: boolean;
  readonly cluster?: ClusterPart;
  readonly extra?: string;
};

/** Strings are quoted as JSON, which nats-server reads the same. */
export function brokerConfiguration(settings: BrokerSettings): string {
  const { name, folder, ports, syncAlways, jetstream, cluster, extra } = settings;
  const store = JSON.stringify(join(folder, 'jetstream'));
  return [
    `server_name: ${JSON.stringify(name)}`,
    `host: 127.0.0.1`,
    `port: ${ports.client}`,
    `http: 127.0.0.1:${ports.monitor}`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    ...(jetstream ? [`jetstream { store_dir: ${store}${syncAlways ? ', sync_interval: always' : ''} }`] : []),
    ...(cluster === undefined ? [] : clusterLines(cluster)),
    ...(extra === undefined ? [] : [extra]),
    '',
  ].join('\n');
}

function clusterLines({ name, port, routes, advertised = true }: ClusterPart): readonly string[] {
  const others = routes.filter((route) => route !== port).map((route) => `nats://127.0.0.1:${route}`);
  const parts = [
    `name: ${JSON.stringify(name)}`,
    `listen: "127.0.0.1:${port}"`,
    `routes: ${JSON.stringify(others)}`,
    ...(advertised ? [] : ['no_advertise: true']),
  ];
  return [`cluster { ${parts.join(', ')} }`];
}
