/** Clients of the simulated shop: they ask any node and, where it doesn't answer, ask another one the same again. */
import { createRecorder, NO_ANSWER, type Recorder } from '../../history/exchange.ts';
import type { Asked, Told } from '../nodes/edge.ts';
import type { SimulatedNode } from '../nodes/node.ts';
import type { World } from '../world/world.ts';

/** An answered request: between asking first and the answer it happened once. */
export type Exchange = Asked & {
  readonly client: string;
  readonly from: number;
  readonly until: number;
  readonly tries: number;
  readonly status: number;
  readonly text: string;
};

const RETRY_MS = 200;
const MAX_RETRY_MS = 2_000;
/** Who may see what belongs to others. */
const STAFF = ['staff', 'carrier'];

export class Clients {
  readonly #world: World;
  readonly #nodes: readonly SimulatedNode[];
  readonly #chance: () => number;
  /** Each try of each request. */
  readonly recorder: Recorder;
  /** Tries that went unanswered or were put off. */
  passing = 0;
  #keys = 0;

  constructor(world: World, nodes: readonly SimulatedNode[]) {
    this.#world = world;
    this.#nodes = nodes;
    this.#chance = world.chance('clients');
    this.recorder = createRecorder({ now: () => world.now, staff: STAFF });
  }

  key(): string {
    return `key-${++this.#keys}`;
  }

  /** Asks until somebody answers something that isn't "later". To be called outside of the nodes. */
  async insist(client: string, asked: Asked): Promise<Exchange> {
    const from = this.#world.now;
    for (let tries = 1; ; tries++) {
      const node = this.#nodes[Math.floor(this.#chance() * this.#nodes.length)] as SimulatedNode;
      const answered = this.recorder.begin(client, node.name, asked);
      const told = await node.ask(asked);
      answered(told ?? NO_ANSWER);
      this.#world.note(
        `${client} ${asked.method} ${asked.path} at ${node.name}: ${told?.status ?? '-'} ${told?.text ?? ''}`,
      );
      if (told && !isPassing(told)) {
        const { status, text } = told;
        const exchange = { ...asked, client, from, until: this.#world.now, tries, status, text };
        if (status === 500) this.#world.violated(`${asked.method} ${asked.path} at ${node.name} was answered 500`);
        return exchange;
      }
      this.passing += 1;
      await this.#world.pause(Math.min(MAX_RETRY_MS, RETRY_MS * tries) * (0.5 + this.#chance()));
    }
  }
}

const isPassing = ({ status }: Told): boolean => status === 503 || status === 429 || status === 504;

/** @throws Error when the answer is no success */
export function bodyOf<Body>({ status, text, method, path }: Exchange): Body {
  if (status >= 300) throw new Error(`${method} ${path} was answered ${status}: ${text}`);
  return JSON.parse(text) as Body;
}
