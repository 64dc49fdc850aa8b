/** Several brokers on this machine that keep the same streams. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Broker, BrokerNotStarted, type BrokerOptions, startBroker } from './broker.ts';
import { findBroker } from './find.ts';
import { freePorts } from './ports.ts';
import { membersOf } from './probes.ts';

/** For the first election and for all to join: it takes less than a second, and more on a busy machine; doubles each time. */
const JOIN_PATIENCE_MS = 5_000;
const JOIN_DEADLINE_MS = 60_000;
const JOIN_POLL_MS = 100;

export type Brokers = {
  readonly all: readonly Broker[];
  /** Of all of them, as `connectBroker` takes it. */
  readonly url: string;
  /** Resolves once all of them are healthy. */
  healthy(): Promise<void>;
  stop(): Promise<void>;
};

export type BrokersOptions = Pick<
  BrokerOptions,
  'folder' | 'syncAlways' | 'settings' | 'ownGroup' | 'onProcess' | 'program'
> & {
  /** Of the group; the brokers are `<name>-1` and so on. */
  readonly name?: string;
  /** As in `ClusterPart`. */
  readonly advertised?: boolean;
};

/**
 * Resolves once all of them are healthy and in one group with a leader: streams of `count` replicas can be made.
 * @throws NoBrokerProgram; BrokerNotStarted, with none of them left running
 */
export async function startBrokers(count: number, options: BrokersOptions): Promise<Brokers> {
  const { name = 'brokers', folder, advertised = true, ...rest } = options;
  const program = options.program ?? (await findBroker());
  const ports = await freePorts(2 * count);
  const routes = ports.slice(count);
  const starts = await Promise.allSettled(
    routes.map((route, index) => {
      const broker = `${name}-${index + 1}`;
      const port = ports[index] ?? 0;
      const cluster = { name, port: route, routes, advertised };
      return startBroker({ ...rest, program, name: broker, folder: join(folder, broker), port, cluster });
    }),
  );
  const all = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((broker) => broker.stop()));
  };
  const healthy = async (): Promise<void> => {
    await Promise.all(all.map((broker) => broker.healthy()));
  };
  try {
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (count > 1) await joined(all);
    await healthy();
  } catch (error) {
    await stop();
    throw error;
  }
  return { all, url: all.map((broker) => broker.url).join(','), healthy, stop };
}

/**
 * In some of a hundred starts of new brokers at the same moment, nats-server 2.10 never gets a message from one of them to
 * another: their leader goes without the one it doesn't hear, which still calls itself healthy, or there is no leader at all.
 * They don't recover from it. A broker that is started again is heard.
 */
async function joined(all: readonly Broker[]): Promise<void> {
  const deadline = performance.now() + JOIN_DEADLINE_MS;
  let patience = performance.now() + JOIN_PATIENCE_MS;
  let restarts = 0;
  for (;;) {
    const members = (await Promise.all(all.map((broker) => membersOf(broker.monitorPort)))).find(
      (list) => list.length > 0,
    );
    const left = all.filter(({ name }) => members?.includes(name) !== true);
    // Without a leader nobody says which of them isn't heard: one after the other.
    const missing = left.at(-1 - (restarts % left.length));
    if (missing === undefined) return;
    const now = performance.now();
    if (now > deadline) {
      throw new BrokerNotStarted(
        `nats-server ${missing.name} got into no group with the others:\n${missing.lastLines().join('\n')}`,
      );
    }
    if (now > patience) {
      await missing.restart();
      restarts += 1;
      patience = performance.now() + JOIN_PATIENCE_MS * 2 ** restarts;
    }
    await pause(JOIN_POLL_MS);
  }
}
