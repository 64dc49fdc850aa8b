/** A simulated broker, and what a process has of it. */
import { decodeWire } from '../../../storage/wireCodec.ts';
import type { Broker } from '../../../supervisors/cluster/broker.ts';
import type { Ground } from '../../../supervisors/home.ts';
import { parseEntryId } from '../../../transport/nats/log/entry.ts';
import type { ClusterSettings } from '../../../transport/nats/settings.ts';
import type { SimulatorLedger } from '../../../transport/payment/ledger.ts';
import type { SimulatedProcess, World } from '../world/world.ts';
import { callsOf, Exchange } from './calls.ts';
import { inboxOf } from './inboxes.ts';
import { KeptStream } from './keptStream.ts';
import { Line, Network } from './line.ts';
import { logOf, type OnStored } from './logs.ts';

const isRecord = ({ id }: { readonly id: string }): boolean => parseEntryId(id)?.kind === 'record';

/** Ids of the messages that a record sends. */
const sentBy = ({ payload }: { readonly payload: Uint8Array }): readonly string[] =>
  decodeWire(payload).record.commits.flatMap(({ sends }) => sends.map(({ id }) => id));

export class SimulatedBroker {
  readonly network: Network;
  readonly exchange = new Exchange();
  readonly logs: readonly KeptStream<Uint8Array>[];
  readonly inboxes: readonly KeptStream<Uint8Array>[];
  readonly logFaults = { full: false, compares: true };
  readonly settings: ClusterSettings;
  /** Told of each entry of a log that is stored. */
  onStored: OnStored = () => undefined;
  /** Told of each message that is put into an inbox. */
  onMessage: (id: string) => void = () => undefined;
  readonly #lines = new Set<Line>();
  #nonces = 0;

  constructor(world: World, settings: ClusterSettings) {
    this.network = new Network(world);
    this.settings = settings;
    this.logs = Array.from({ length: settings.shards }, () => new KeptStream<Uint8Array>());
    this.inboxes = Array.from({ length: settings.shards }, () => new KeptStream<Uint8Array>());
  }

  connect(process: SimulatedProcess): Line {
    const line = new Line(this.network, process);
    this.#lines.add(line);
    return line;
  }

  setUp(up: boolean): void {
    this.network.brokerUp = up;
    for (const line of this.#lines) line.changed();
  }

  /**
   * It comes back without what it had stored after the moment, nor any memory of ids. Messages are sent again by a shard
   * whose log has lost records; that others lose theirs is not covered (ARCHITECTURE, "How copies and logs come together").
   */
  loseSince(moment: number): number {
    const ofLogs = this.logs.map((log) => log.loseSince(moment));
    const whole = this.logs.filter((_, shard) => !ofLogs[shard]?.some(isRecord));
    const kept = new Set(whole.flatMap(({ entries }) => entries.filter(isRecord).flatMap(sentBy)));
    const ofInboxes = this.inboxes.map((inbox) => inbox.loseSince(moment, ({ id }) => !kept.has(id)));
    return [...ofLogs, ...ofInboxes].flat().length;
  }

  forgetIds(): void {
    for (const stream of this.logs) stream.forgetIds();
  }

  hangUp(line: Line): void {
    line.closed = true;
    line.changed();
    this.#lines.delete(line);
  }

  /** What a node has of this broker over its line. */
  brokerOf({ config, clock, logger }: Ground, line: Line, ledger: SimulatorLedger): Broker {
    return {
      log: logOf({
        streams: this.logs,
        faults: this.logFaults,
        stored: (id, payload) => this.onStored(id, payload),
        line,
        now: clock.now,
        nonce: () => `nonce-${this.#nonces++}`,
        logger,
      }),
      inbox: inboxOf(this.inboxes, line, (id) => this.onMessage(id)),
      calls: callsOf(this.exchange, line),
      settings: this.settings,
      ledger,
      self: { node: config.NODE_NAME, version: this.settings.version, address: `simulated:${config.NODE_NAME}` },
      connection: {
        get connected() {
          return line.up;
        },
        get lastContact() {
          return line.lastContact;
        },
        close: async () => this.hangUp(line),
      },
      isNew: this.logs.every(({ last }) => last === 0),
      shelf: async () => ({
        list: async () => [],
        put: async () => undefined,
        get: async () => undefined,
        remove: async () => undefined,
      }),
      trim: async () => undefined,
      answerDiscovery: () => ({ stop: () => undefined }),
    };
  }
}
