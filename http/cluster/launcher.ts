/**
 * Brokers and nodes of one cluster on this machine, from their start to their end. Nothing is started again by itself:
 * whoever kills a node here wants to see what the others do. Nodes end before brokers, because they need those to hand
 * their shards over.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Broker, startBroker } from '../../transport/nats/server/broker.ts';
import { startBrokers } from '../../transport/nats/server/brokers.ts';
import { findBroker } from '../../transport/nats/server/find.ts';
import { versionText } from '../../transport/nats/version.ts';
import { type Keeper, startKeeper } from './keeper.ts';
import { type Fate, fateText, type NodeProcess, startNode } from './nodeProcess.ts';
import type { ClusterPlan, NodePlan } from './plan.ts';
import type { Screen } from './screen.ts';

const KEEPER_FILE = 'launcher.pid';
/** Longer than a node waits for its shards to be taken over and for work under way. */
export const STOP_PATIENCE_MS = 60_000;
const READY_POLL_MS = 100;
const READY_TIMEOUT_MS = 2_000;
/** What http/serve.ts prints when it has thought of a password. */
const OPERATOR_LINE = /Operator \(shown once\)/;

export type LaunchOptions = {
  readonly plan: ClusterPlan;
  /** Node's arguments that run one node. */
  readonly program: readonly string[];
  readonly screen: Screen;
};

type RunningNode = { readonly plan: NodePlan; readonly process: NodeProcess; ready: boolean };

export class Launcher {
  readonly #plan: ClusterPlan;
  readonly #program: readonly string[];
  readonly #screen: Screen;
  readonly #stopped = new AbortController();
  #nodes: readonly RunningNode[] = [];
  /** Kept for the end of the start, where it isn't lost between other lines. */
  #operatorLine: string | undefined;
  #url = '';

  constructor({ plan, program, screen }: LaunchOptions) {
    this.#plan = plan;
    this.#program = program;
    this.#screen = screen;
  }

  /**
   * Resolves when nothing of it runs any more: with 0 when it was stopped and all nodes that ran came to a good end.
   * @throws ConfigError; NoBrokerProgram; BrokerNotStarted, with nothing left running
   */
  async run(): Promise<0 | 1> {
    const { folder } = this.#plan;
    mkdirSync(folder, { recursive: true });
    const keeper = await startKeeper(join(folder, KEEPER_FILE));
    try {
      const brokers = await this.#startBrokers(keeper);
      try {
        if (this.#stopping) return 0;
        return await this.#runNodes(keeper);
      } finally {
        await Promise.all(brokers.map((broker) => broker.stop()));
      }
    } finally {
      await keeper.done();
    }
  }

  /** Nodes hand over and end, then the brokers; `run` resolves after that. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopped.abort();
    this.#screen.say(
      '\nStopping: the nodes finish what is under way, then the brokers end. Once more: kill them now.\n',
    );
    for (const { process } of this.#nodes) process.signal('SIGTERM');
  }

  get #stopping(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #startBrokers(keeper: Keeper): Promise<readonly Broker[]> {
    const { folder, brokers: count } = this.#plan;
    const onFetch = (source: string): void => this.#screen.say(`Fetching nats-server: ${source}`);
    const program = await findBroker({ onFetch });
    const onProcess = (pid: number): void => keeper.watch('broker', pid);
    const common = { program, onProcess, ownGroup: true };
    const name = 'broker';
    const first = `${name}-1`;
    const all =
      count === 1
        ? [await startBroker({ ...common, name: first, folder: join(folder, first) })]
        : (await startBrokers(count, { ...common, name, folder })).all;
    this.#url = all.map(({ url }) => url).join(',');
    this.#screen.say(`nats-server ${versionText(program.version)}: ${this.#url}`);
    for (const broker of all) void this.#watchBroker(broker, keeper);
    return all;
  }

  async #watchBroker(broker: Broker, keeper: Keeper): Promise<void> {
    const fate = await broker.ended;
    keeper.forget(broker.pid);
    // They end last; one that ends while nodes run is missed by them.
    if (!this.#nodes.some(({ process }) => process.running)) return;
    const log = broker.lastLines().join('\n  ');
    this.#screen.shout(`${broker.name} has ended: ${fateText(fate)}. Its log is in ${broker.folder}:\n  ${log}`);
  }

  async #runNodes(keeper: Keeper): Promise<0 | 1> {
    this.#nodes = this.#plan.nodes.map((plan) => {
      const started = startNode(this.#program, { ...plan.environment, NATS_URL: this.#url });
      if (started.pid > 0) keeper.watch('node', started.pid);
      return { plan, process: started, ready: false };
    });
    const ended = Promise.all(this.#nodes.map((node) => this.#follow(node, keeper)));
    const gone = new AbortController();
    void this.#killLate(gone.signal);
    const fates = await ended;
    gone.abort();
    this.#sayOperator();
    if (!this.#stopping) {
      this.#screen.shout('No node is left.');
      return 1;
    }
    return fates.every((fine) => fine) ? 0 : 1;
  }

  /** Resolves when it has ended: with false when it had to be killed or failed after it was told to stop. */
  async #follow(node: RunningNode, keeper: Keeper): Promise<boolean> {
    const { plan, process } = node;
    const copies = process.outputs.map((output) => this.#screen.copy(output, plan.name, (line) => this.#keep(line)));
    void this.#whenReady(node);
    const fate = await process.ended;
    keeper.forget(process.pid);
    await Promise.all(copies);
    this.#nodes = this.#nodes.filter((each) => each !== node);
    // Who was killed before the stop isn't this launcher's failure.
    if (!this.#stopping) this.#sayLost(plan, fate);
    else if (fate !== 0) this.#screen.shout(`${plan.name} did not end well: ${fateText(fate)}.`);
    return !this.#stopping || fate === 0;
  }

  #keep(line: string): boolean {
    if (!OPERATOR_LINE.test(line)) return false;
    this.#operatorLine = line;
    if (this.#allReady()) this.#sayOperator();
    return true;
  }

  async #whenReady(node: RunningNode): Promise<void> {
    const { plan, process } = node;
    while (process.running && !this.#stopping) {
      if (await isReady(plan.url)) {
        node.ready = true;
        this.#screen.say(`${plan.name} is ready: ${plan.url}`);
        if (this.#allReady()) this.#sayAllReady();
        return;
      }
      await pause(READY_POLL_MS);
    }
  }

  #allReady(): boolean {
    return this.#nodes.every(({ ready }) => ready);
  }

  #sayAllReady(): void {
    const [first] = this.#nodes;
    if (first === undefined) return;
    const lines = this.#nodes.map(({ plan }) => `  ${plan.name}  ${plan.url}`);
    this.#screen.say(`\n${lines.join('\n')}\n\n  Read and try the API   ${first.plan.url}/docs`);
    this.#sayOperator();
    this.#screen.say('  Ctrl-C stops all of them.\n');
  }

  #sayOperator(): void {
    if (this.#operatorLine !== undefined) this.#screen.say(this.#operatorLine);
    this.#operatorLine = undefined;
  }

  #sayLost({ name, environment }: NodePlan, fate: Fate): void {
    const { PORT, DATA_DIR, REPLICAS } = environment;
    const again = `NATS_URL=${this.#url} REPLICAS=${REPLICAS} NODE_NAME=${name} DATA_DIR=${DATA_DIR} PORT=${PORT} npm start`;
    const others = this.#nodes.length === 0 ? '' : ' The others go on. To bring it back, in another terminal:';
    this.#screen.shout(`${name} has ended: ${fateText(fate)}.${others === '' ? '' : `${others}\n  ${again}`}`);
    if (this.#nodes.length > 0 && this.#allReady()) this.#sayOperator();
  }

  /** A node that doesn't end is killed some time after the stop, unless all are gone before. */
  async #killLate(gone: AbortSignal): Promise<void> {
    const { signal } = this.#stopped;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      gone.addEventListener('abort', () => resolve(), { once: true });
    });
    const late = await pause(STOP_PATIENCE_MS, true, { signal: gone }).catch(() => false);
    if (!late) return;
    for (const { plan, process } of this.#nodes) {
      this.#screen.shout(`${plan.name} did not end in ${STOP_PATIENCE_MS / 1_000} s: it is killed.`);
      process.signal('SIGKILL');
    }
  }
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok === true;
}
