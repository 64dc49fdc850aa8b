/** Several brokers on this machine that keep the same streams. */
import { join } from 'node:path';
import { type Broker, type BrokerOptions, startBroker } from './broker.ts';
import { findBroker } from './find.ts';
import { freePorts } from './ports.ts';

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
};

/**
 * Resolves once all of them are healthy: they have a leader then, and streams can be made.
 * @throws NoBrokerProgram; BrokerNotStarted, with none of them left running
 */
export async function startBrokers(count: number, options: BrokersOptions): Promise<Brokers> {
  const { name = 'brokers', folder, ...rest } = options;
  const program = options.program ?? (await findBroker());
  const ports = await freePorts(2 * count);
  const routes = ports.slice(count);
  const starts = await Promise.allSettled(
    routes.map((route, index) => {
      const broker = `${name}-${index + 1}`;
      const port = ports[index] ?? 0;
      const cluster = { name, port: route, routes };
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
    await healthy();
  } catch (error) {
    await stop();
    throw error;
  }
  return { all, url: all.map((broker) => broker.url).join(','), healthy, stop };
}
