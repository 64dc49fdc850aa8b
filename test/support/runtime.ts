/** A node over a real SQLite file in a temporary folder, with whatever deciders a test brings. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Address } from '../../actors/kernel/address.ts';
import type { Typed } from '../../actors/kernel/decider.ts';
import type { Envelope, Reply } from '../../actors/kernel/message.ts';
import type { Clock, Gateway, Settled, ShardLog, ShardStore } from '../../actors/kernel/ports.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { type Db, openDatabase } from '../../storage/database.ts';
import { createDeadLetters, type DeadLetters } from '../../storage/deadLetters.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import { createRealClock } from '../../supervisors/clock.ts';
import { createSeededIds } from '../../supervisors/ids.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { createNode, type Node } from '../../supervisors/node.ts';
import { createTelemetry } from '../../supervisors/telemetry.ts';

export type TestRuntime = {
  readonly node: Node;
  readonly db: Db;
  readonly store: ShardStore;
  readonly letters: DeadLetters;
  readonly folder: string;
  send(envelope: Pick<Envelope, 'id' | 'to' | 'message'> & Partial<Envelope>): Promise<Settled>;
  /** Sends an edge request and expects an answer. */
  ask(to: Address, message: Typed, id?: string, more?: Partial<Envelope>): Promise<Reply>;
  state<State>(address: Address): Promise<State | undefined>;
  /** The process dies: what isn't durable is gone. Then it starts again on the same file. */
  crash(): Promise<TestRuntime>;
  close(): Promise<void>;
  /** Stops without waiting for what can't be finished; the folder stays. */
  leave(): Promise<void>;
};

export type TestRuntimeOptions = {
  readonly deciders: Readonly<Record<string, AnyDecider>>;
  readonly gateways?: readonly Gateway[];
  readonly clock?: Clock;
  readonly shards?: number;
  readonly maxLiveActors?: number;
  readonly wrapLog?: (log: ShardLog) => ShardLog;
  readonly folder?: string;
};

export function startRuntime(options: TestRuntimeOptions): TestRuntime {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  const db = openDatabase(join(folder, 'holdfast.sqlite'));
  const clock = options.clock ?? createRealClock();
  const logger = pino({ level: 'silent' });
  const { log, store, tables } = openEmbeddedStore(db, { monotonic: clock.monotonic, logger });
  const { shards = 4 } = options;
  const node = createNode({
    name: `test-${Math.floor(performance.now() * 1000)}`,
    shards,
    deciders: options.deciders,
    gateways: options.gateways ?? [],
    policy: defaultPolicy,
    store,
    clock,
    ids: createSeededIds(1, clock.now),
    telemetry: createTelemetry(),
    logger,
    failPoint: () => {},
    ...(options.maxLiveActors !== undefined && { maxLiveActors: options.maxLiveActors }),
  });
  const wrapped = options.wrapLog?.(log) ?? log;
  for (let shard = 0; shard < shards; shard++) node.open(shard, { log: wrapped });
  // The runtime's own timers don't keep a process alive; in production the server does.
  const alive = setInterval(() => {}, 60_000);
  let requests = 0;

  const runtime: TestRuntime = {
    node,
    db: tables.reader,
    store,
    letters: createDeadLetters(tables.reader),
    folder,
    send: (envelope) => new Promise((resolve) => node.deliver(envelope, resolve)),
    async ask(to, message, id = `request-${++requests}`, more = {}) {
      const result = await runtime.send({ id, to, message, ...more });
      if (result.kind !== 'done' || !result.reply) throw new Error(`no answer: ${JSON.stringify(result)}`);
      return result.reply;
    },
    state<State>(address: Address) {
      return new Promise<State | undefined>((resolve) => {
        node.shardFor(address)?.read(address, (_result, observed) => resolve(observed?.state as State | undefined));
      });
    },
    async leave() {
      clearInterval(alive);
      await node.stop(0);
      db.close();
    },
    async crash() {
      await runtime.leave();
      return startRuntime({ ...options, folder });
    },
    async close() {
      clearInterval(alive);
      await node.stop(5_000);
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return runtime;
}
