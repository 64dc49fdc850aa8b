/** Questions, answers and heartbeats between the processes of a simulated cluster. */
import {
  type Answering,
  CallFailed,
  CallTimedOut,
  type Following,
  type Heartbeat,
  NobodyServes,
  type NodeCalls,
} from '../../../actors/kernel/clusterPorts.ts';
import type { Line } from './line.ts';

type Server = { readonly line: Line; readonly answer: Answering };
type Hearer = { readonly line: Line; readonly on: (heartbeat: Heartbeat) => void };

/** What the broker passes on, stored nowhere. */
export class Exchange {
  readonly hearers = new Set<Hearer>();
  readonly #servers = new Map<string, Set<Server>>();
  /** Share of heartbeats that a hearer doesn't get, in [0, 1]. */
  heartbeatsLost = 0;

  serve(subject: string, server: Server): Following {
    const all = this.#servers.get(subject) ?? new Set();
    this.#servers.set(subject, all.add(server));
    return { stop: () => void all.delete(server) };
  }

  servers(subject: string): readonly Server[] {
    return [...(this.#servers.get(subject) ?? [])].filter(({ line }) => line.up);
  }
}

export type CallTotals = {
  readonly asked: number;
  readonly askFailures: number;
  readonly served: number;
  readonly serveFailures: number;
};

export type SimulatedCalls = NodeCalls & { totals(): CallTotals };

type Told = { readonly json: string } | { readonly failed: string; readonly retryable: boolean };

export function callsOf(exchange: Exchange, line: Line): SimulatedCalls {
  const { network } = line;

  function ask(subject: string, body: unknown, timeoutMs: number): Promise<unknown> {
    const text = JSON.stringify({ body });
    network.world.note(`${line.process.name} asks ${subject} ${text}`);
    return new Promise((resolve, reject) => {
      if (!line.up) return reject(new CallFailed('no connection to the broker', { retryable: true }));
      const late = setTimeout(() => reject(new CallTimedOut(`no answer in ${timeoutMs} ms`)), timeoutMs);
      const told = (answer: Told): void => {
        clearTimeout(late);
        network.world.note(
          `${line.process.name} is told by ${subject}: ${'json' in answer ? answer.json : answer.failed}`,
        );
        if ('json' in answer) resolve(JSON.parse(answer.json).body);
        else reject(new CallFailed(answer.failed, { retryable: answer.retryable }));
      };
      line.out(() => {
        const servers = exchange.servers(subject);
        if (servers.length === 0) line.back(() => reject(new NobodyServes(`nobody serves ${subject}`)));
        for (const server of servers) {
          server.line.back(() => {
            void answered(server, text, timeoutMs).then((answer) => {
              server.line.out(() => line.back(() => told(answer)));
            });
          });
        }
      });
    });
  }

  async function answered({ answer }: Server, text: string, withinMs: number): Promise<Told> {
    try {
      return { json: JSON.stringify({ body: await answer(JSON.parse(text).body, withinMs) }) };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const retryable = error instanceof Error && 'retryable' in error && error.retryable === true;
      return { failed: `${name}: ${message}`, retryable };
    }
  }

  return {
    announce(heartbeat) {
      const text = JSON.stringify(heartbeat);
      line.out(() => {
        for (const hearer of exchange.hearers) {
          if (!network.happens(exchange.heartbeatsLost)) hearer.line.back(() => hearer.on(JSON.parse(text)));
        }
      });
    },
    heard(on) {
      const hearer = { line, on };
      exchange.hearers.add(hearer);
      return { stop: () => void exchange.hearers.delete(hearer) };
    },
    serve: (shard, answer) => exchange.serve(`shard ${shard}`, { line, answer }),
    ask: (shard, body, timeoutMs) => ask(`shard ${shard}`, body, timeoutMs),
    serveNode: (node, answer) => exchange.serve(`node ${node}`, { line, answer }),
    askNode: (node, body, timeoutMs) => ask(`node ${node}`, body, timeoutMs),
    get lastContact() {
      return line.lastContact;
    },
    totals: () => ({ asked: 0, askFailures: 0, served: 0, serveFailures: 0 }),
  };
}
