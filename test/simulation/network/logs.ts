/** The shards' logs of a simulated broker: what claims, repeats and judges is the real code, only the streams are simulated. */
import { LogUnanswered, LogUnreadable, type SharedLog } from '../../../actors/kernel/clusterPorts.ts';
import { decodeWire, encodeWire } from '../../../storage/wireCodec.ts';
import { assembleSharedLog } from '../../../transport/nats/log/assemble.ts';
import type { Expectation, LogStream, Published } from '../../../transport/nats/log/stream.ts';
import { type KeptStream, tail } from './keptStream.ts';
import type { Line } from './line.ts';

export type LogEntries = KeptStream<Uint8Array>;

const ANSWER_MS = 2_000;

/** `compares`: it looks at what an entry is expected to come after. */
export type LogFaults = { full: boolean; compares: boolean };

/** Told of each entry that is stored. */
export type OnStored = (id: string, payload: Uint8Array) => void;

type Arriving = {
  readonly id: string;
  readonly payload: Uint8Array;
  readonly expected: Expectation;
  readonly at: number;
};

/** In the order in which the broker checks. */
function arrive(stream: LogEntries, faults: LogFaults, { id, payload, expected, at }: Arriving): Published {
  if (faults.full) return { kind: 'refused', fault: 'store', reason: 'no room' };
  const known = stream.known(id);
  if (known !== undefined) return { kind: 'stored', position: known };
  if (!faults.compares) return { kind: 'stored', position: stream.store(id, payload, at) };
  if (expected.position !== stream.last) {
    return { kind: 'contradicted', about: 'position', reason: `wrong last sequence: ${stream.last}` };
  }
  if (expected.id !== undefined && expected.id !== stream.newestId) {
    return { kind: 'contradicted', about: 'id', reason: `wrong last msg ID: ${stream.newestId}` };
  }
  return { kind: 'stored', position: stream.store(id, payload, at) };
}

export type NodeLogOptions = {
  readonly streams: readonly LogEntries[];
  readonly faults: LogFaults;
  readonly stored: OnStored;
  readonly line: Line;
  readonly now: () => number;
  readonly nonce: () => string;
  readonly logger: { warn(fields: object, text: string): void; error(fields: object, text: string): void };
};

/** Of one process: claims of one aren't another's. */
export function logOf({ streams, faults, stored, line, now, nonce, logger }: NodeLogOptions): SharedLog {
  return assembleSharedLog({
    streams: streams.map((stream, shard) => streamOf(`simulated-${shard}`, stream, { faults, stored, line })),
    wire: { encode: encodeWire, decode: decodeWire },
    now,
    nonce,
    logger,
    times: { monotonic: () => performance.now(), delay: (ms, task) => void setTimeout(task, ms) },
  });
}

type Surroundings = Pick<NodeLogOptions, 'faults' | 'stored' | 'line'>;

function streamOf(name: string, stream: LogEntries, { faults, stored, line }: Surroundings): LogStream {
  async function question<Value>(answer: () => Value): Promise<Value> {
    const answered = await line.ask(answer, ANSWER_MS);
    if (answered.kind === 'lost') throw new LogUnanswered('no answer');
    return answered.value;
  }
  return {
    name,
    get closed() {
      return line.closed;
    },
    comparesIds: true,
    whenUp: async () => undefined,
    async publish(id, payload, expected) {
      if (line.closed) return { kind: 'closed' };
      const answered = await line.ask(() => {
        const { world } = line.network;
        const published = arrive(stream, faults, { id, payload, expected, at: world.now });
        if (published.kind === 'stored') stored(id, payload);
        world.note(`${name} ${id} from ${line.process.name}: ${JSON.stringify(published)}`, payload);
        return published;
      }, ANSWER_MS);
      if (line.closed) return { kind: 'closed' };
      return answered.kind === 'lost' ? { kind: 'unknown', reason: 'no answer' } : answered.value;
    },
    read: (position) => question(() => stream.at(position)),
    bounds: () => question(() => ({ first: stream.first, last: stream.last })),
    tail(start, { entry, failed }) {
      const following = tail(stream, line, start, {
        entry: async (each) => {
          try {
            await entry(each);
          } catch (error) {
            following.stop();
            failed(error instanceof LogUnreadable ? error : new LogUnreadable('not taken', 'entry', { cause: error }));
          }
        },
        ended: (how) => failed(new LogUnreadable(`begins at ${stream.first}, ends at ${stream.last}`, how)),
      });
      return following;
    },
  };
}
