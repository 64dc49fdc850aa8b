/**
 * A shop of counters whose shards move between simulated nodes. Each command adds one; what is decided is decided on what all
 * nodes share, so that a command which happens twice, or an answer that nobody stored, shows.
 */
import { pino } from 'pino';
import { type Address, addressKey } from '../../actors/kernel/address.ts';
import type { Following } from '../../actors/kernel/clusterPorts.ts';
import type { Reply } from '../../actors/kernel/message.ts';
import type { StoredCommit } from '../../actors/kernel/ports.ts';
import { createRemoteShop } from '../../supervisors/cluster/remoteShop.ts';
import { serveShard } from '../../supervisors/cluster/shardService.ts';
import { type AskRequest, type ShopCore, Unavailable } from '../../supervisors/shop.ts';
import { type CallFaults, createSimulatedNet, type SimulatedNet, type SimulatedNode } from './simulatedCalls.ts';
import { createTimeline, seededRandom, type Timeline } from './timeline.ts';

type MovingShopOptions = {
  readonly timeline: Timeline;
  readonly random: () => number;
  readonly net: SimulatedNet;
  readonly shards?: number;
};

export type MovingNode = {
  readonly calls: SimulatedNode;
  readonly shop: ShopCore;
  /** What was asked of its own shards, in process or by others. */
  readonly asked: readonly string[];
  readonly errors: readonly string[];
  /** Questions that it sent to other nodes. */
  readonly sent: () => number;
  /** Takes the shard: whoever had it decides no more, but may not know yet. */
  open(shard: number): void;
  /** With `listening` it still gets what others ask. */
  close(shard: number, how?: { readonly listening?: boolean }): void;
  /** Doesn't decide before so long. */
  slowMs: number;
  /** Instead of deciding. */
  fails: ((request: AskRequest) => Error | undefined) | undefined;
};

const LATENCY_MS = 5;

function createMovingShop({ timeline, random, net, shards = 1 }: MovingShopOptions) {
  const histories = new Map<string, StoredCommit[]>();
  const owners = new Map<number, MovingNode>();

  const shardOf = ({ id }: Address): number => Number(id.split('-')[0]) % shards;
  const historyOf = (address: Address): StoredCommit[] => {
    const history = histories.get(addressKey(address)) ?? [];
    histories.set(addressKey(address), history);
    return history;
  };
  const moved = (): Unavailable => new Unavailable('the shard is not open here', 1_000, { moved: true });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => timeline.delay(ms, resolve));

  function decide({ to, id, message }: AskRequest): Reply {
    const history = historyOf(to);
    const earlier = history.find(({ cause }) => cause === id);
    if (earlier?.reply) return { ...earlier.reply, replayed: true };
    const version = history.length + 1;
    const reply: Reply =
      message.type === 'refuse'
        ? {
            ok: false,
            version: history.length,
            rejection: { code: 'counter.refused', title: 'Refused', detail: 'No.', status: 409 },
          }
        : { ok: true, version, value: id };
    if (reply.ok)
      history.push({ seq: version, version, cause: id, at: 0, events: [message] as never, timers: [], reply });
    return reply;
  }

  /** Slow, and as unhelpful as is allowed: whoever waits for a version hears of a close only at its deadline. */
  function coreOf(node: () => MovingNode, open: ReadonlySet<number>, asked: string[]): ShopCore {
    async function atOwner<Value>(address: Address, what: string, act: () => Value): Promise<Value> {
      const shard = shardOf(address);
      if (!open.has(shard)) throw moved();
      asked.push(what);
      await pause(random() * LATENCY_MS + node().slowMs);
      // The log refuses what a former owner appends.
      if (owners.get(shard) !== node()) throw moved();
      return act();
    }
    const stateOf = (address: Address, version = historyOf(address).length) => {
      const state = historyOf(address)
        .slice(0, version)
        .map(({ cause }) => cause);
      return version === 0 ? undefined : ({ state, version } as never);
    };
    return {
      ask: async (request) => {
        const reply = await atOwner(request.to, request.id, () => {
          const fault = node().fails?.(request);
          if (fault) throw fault;
          return decide(request);
        });
        await pause(random() * LATENCY_MS);
        return reply;
      },
      async read(address, { deadline, after }) {
        let found = await atOwner(address, 'read', () => stateOf(address));
        while (after !== undefined && historyOf(address).length <= after && timeline.monotonic() < deadline) {
          await pause(Math.min(LATENCY_MS, deadline - timeline.monotonic()));
          const mine = owners.get(shardOf(address)) === node();
          if (mine || timeline.monotonic() >= deadline)
            found = await atOwner(address, 'read again', () => stateOf(address));
        }
        return found;
      },
      readAt: (address, version) => atOwner(address, 'readAt', () => stateOf(address, version)),
      history: (address) => atOwner(address, 'history', () => [...historyOf(address)]),
    };
  }

  function start(): MovingNode {
    const calls = net.node();
    const open = new Set<number>();
    const served = new Map<number, Following>();
    const asked: string[] = [];
    const errors: string[] = [];
    let sent = 0;
    const local = coreOf(() => node, open, asked);
    const counted = {
      ask: (shard: number, body: unknown, timeoutMs: number): Promise<unknown> => {
        sent += 1;
        return calls.ask(shard, body, timeoutMs);
      },
    };
    const log = pino({ level: 'silent' });
    log.error = (entry: object) => void errors.push(String((entry as { err?: Error }).err?.message));
    const parts = { local, clock: timeline, random, logger: log };
    const node: MovingNode = {
      calls,
      asked,
      errors,
      sent: () => sent,
      slowMs: 0,
      fails: undefined,
      shop: createRemoteShop({ ...parts, shardOf, serves: (shard) => open.has(shard), calls: counted }),
      open(shard) {
        owners.set(shard, node);
        open.add(shard);
        served.get(shard)?.stop();
        served.set(shard, serveShard({ ...parts, shard, calls, mayServe: () => open.has(shard) }));
      },
      close(shard, { listening = false } = {}) {
        open.delete(shard);
        if (owners.get(shard) === node) owners.delete(shard);
        if (!listening) served.get(shard)?.stop();
      },
    };
    return node;
  }

  return { start, owners, historyOf };
}

/** Of a question or an answer. */
export const MAX_BYTES = 256 * 1024;
const NO_FAULTS: CallFaults = { heartbeatsLost: 0, callsLost: 0, longestDelayMs: 2 };

/** Three nodes; no shard is open yet. */
export function buildMovingShop({ seed = 1, shards = 1, faults = NO_FAULTS } = {}) {
  const timeline = createTimeline();
  const random = seededRandom(seed);
  const net = createSimulatedNet({ timeline, random, faults, maxBytes: MAX_BYTES });
  const moving = createMovingShop({ timeline, random, net, shards });
  const [a, b, c] = [moving.start(), moving.start(), moving.start()];
  const at = (ms: number): number => timeline.monotonic() + ms;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => timeline.delay(ms, resolve));
  return { timeline, random, moving, a, b, c, at, pause };
}

export function counter(id: string): Address {
  return { type: 'counter', id };
}

export function addOne(id: string, to: Address, deadline: number): AskRequest {
  return { to, id, message: { type: 'add' }, deadline };
}
