/** Nodes that talk to each other in memory: late, lost and cut off by a seed and on command. */
import {
  type Answering,
  CallFailed,
  CallTimedOut,
  type Following,
  type Heartbeat,
  NobodyServes,
  type NodeCalls,
} from '../../actors/kernel/clusterPorts.ts';
import type { Timeline } from './timeline.ts';

/** Shares in [0, 1]. */
export type CallFaults = {
  /** Of heartbeats, for each hearer. */
  readonly heartbeatsLost: number;
  /** Of questions and of answers: the asker waits in vain. */
  readonly callsLost: number;
  readonly longestDelayMs: number;
};

const NO_CALL_FAULTS: CallFaults = { heartbeatsLost: 0, callsLost: 0, longestDelayMs: 1 };

export type SimulatedNetOptions = {
  readonly timeline: Timeline;
  readonly random: () => number;
  readonly faults?: CallFaults;
  readonly maxServedAtOnce?: number;
  readonly maxBytes?: number;
};

export type SimulatedNode = NodeCalls & {
  /** Neither hears nor says anything until `join`; its own clock goes on. */
  cut(): void;
  join(): void;
};

export type SimulatedNet = { node(): SimulatedNode };

type Peer = { connected: boolean; lastContact: number; serving: number };
type Server = { readonly peer: Peer; readonly answer: Answering };
type Hearer = { readonly peer: Peer; readonly on: (heartbeat: Heartbeat) => void };

export function createSimulatedNet(options: SimulatedNetOptions): SimulatedNet {
  const { timeline, random, faults = NO_CALL_FAULTS, maxServedAtOnce = 1_024, maxBytes = 1024 * 1024 } = options;
  const servers = new Map<string, Set<Server>>();
  const hearers = new Set<Hearer>();
  const later = (task: () => void): void => {
    timeline.delay(random() * faults.longestDelayMs, task);
  };

  function serve(peer: Peer, subject: string, answer: Answering): Following {
    const server = { peer, answer };
    const all = servers.get(subject) ?? new Set();
    servers.set(subject, all.add(server));
    return { stop: () => void all.delete(server) };
  }

  function ask(peer: Peer, subject: string, body: unknown, timeoutMs: number): Promise<unknown> {
    const text = toJson(body);
    return new Promise((resolve, reject) => {
      if (text.length > maxBytes) return reject(new CallFailed('the call is too large'));
      if (!peer.connected) return reject(new CallFailed('no connection to the broker', { retryable: true }));
      const reached = [...(servers.get(subject) ?? [])].filter((server) => server.peer.connected);
      if (reached.length === 0) return later(() => reject(new NobodyServes(`nobody serves ${subject}`)));
      const cancel = timeline.delay(timeoutMs, () => reject(new CallTimedOut(`no answer in ${timeoutMs} ms`)));
      const settle = (act: () => void): void => {
        if (random() < faults.callsLost) return;
        later(() => {
          if (!peer.connected) return;
          cancel();
          act();
        });
      };
      for (const { peer: server, answer } of reached) {
        if (random() < faults.callsLost) continue;
        later(() => {
          if (!server.connected) return;
          void answered(server, answer, text, timeoutMs).then(
            (json) => settle(() => resolve(fromJson(json))),
            (error) => settle(() => reject(error)),
          );
        });
      }
    });
  }

  async function answered(server: Peer, answer: Answering, text: string, withinMs: number): Promise<string> {
    if (server.serving >= maxServedAtOnce) throw new CallFailed('busy', { retryable: true });
    server.serving += 1;
    let inTime = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      inTime = timeline.delay(withinMs, () => reject(new CallFailed('nobody waits any more', { retryable: true })));
    });
    try {
      const json = toJson(await Promise.race([answer(fromJson(text), withinMs), late]));
      if (json.length > maxBytes) throw new Error('the answer is too large');
      return json;
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const retryable = error instanceof Error && 'retryable' in error && error.retryable === true;
      throw new CallFailed(`${name}: ${message}`, { retryable });
    } finally {
      inTime();
      server.serving -= 1;
    }
  }

  return {
    node() {
      const peer: Peer = { connected: true, lastContact: timeline.monotonic(), serving: 0 };
      return {
        announce(heartbeat) {
          if (!peer.connected) return;
          const json = toJson(heartbeat);
          for (const hearer of hearers) {
            if (random() < faults.heartbeatsLost) continue;
            later(() => {
              if (hearer.peer.connected && hearers.has(hearer)) hearer.on(fromJson(json) as Heartbeat);
            });
          }
        },
        heard(on) {
          const hearer = { peer, on };
          hearers.add(hearer);
          return { stop: () => void hearers.delete(hearer) };
        },
        serve: (shard, answer) => serve(peer, `shard ${shard}`, answer),
        ask: (shard, body, timeoutMs) => ask(peer, `shard ${shard}`, body, timeoutMs),
        serveNode: (node, answer) => serve(peer, `node ${usable(node)}`, answer),
        askNode: async (node, body, timeoutMs) => ask(peer, `node ${usable(node)}`, body, timeoutMs),
        get lastContact() {
          if (peer.connected) peer.lastContact = timeline.monotonic();
          return peer.lastContact;
        },
        cut() {
          peer.lastContact = timeline.monotonic();
          peer.connected = false;
        },
        join() {
          peer.connected = true;
        },
      };
    },
  };
}

function usable(node: string): string {
  if (node === '') throw new Error('a node needs a name');
  return node;
}

function toJson(value: unknown): string {
  return JSON.stringify({ value });
}

function fromJson(text: string): unknown {
  return (JSON.parse(text) as { readonly value?: unknown }).value;
}
