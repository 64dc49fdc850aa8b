/** The edge in front of a shop that answers only what a test gives it: for what happens before and around the shop. */
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { defaultPolicy } from '../../actors/policy.ts';
import { createEdge, type Edge, type EdgeConfig } from '../../http/edge.ts';
import type { Shop } from '../../http/shop.ts';
import { createRealClock } from '../../supervisors/clock.ts';
import { createIds } from '../../supervisors/ids.ts';

const SECRET = 'a secret of the tests, long enough';

export type EdgeUnderTest = Edge & {
  readonly url: string;
  readonly lines: Record<string, unknown>[];
  readonly registry: Registry;
};

export async function startEdge(shop: Partial<Shop> = {}, config: Partial<EdgeConfig> = {}): Promise<EdgeUnderTest> {
  const lines: Record<string, unknown>[] = [];
  const registry = new Registry();
  const clock = createRealClock();
  const edge = createEdge({
    shop: strict({
      clock,
      health: () => ({ live: true, ready: true, detail: {} }),
      upToDate: async () => undefined,
      ...shop,
    }),
    policy: defaultPolicy,
    ids: createIds(() => clock.now()),
    logger: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    registry,
    secrets: { ids: SECRET, auth: SECRET },
    config: { host: '127.0.0.1', port: 0, passwordCost: { logN: 4, r: 8, p: 1 }, ...config },
  });
  const { url } = await edge.start();
  return { ...edge, url, lines, registry };
}

const OPTIONAL: ReadonlySet<string | symbol> = new Set(['advanceClock', 'kill', 'paymentSimulation']);

/** Whatever the test didn't give must not be asked for; optional members are absent. */
function strict(given: Partial<Shop>): Shop {
  return new Proxy(given, {
    get(target, name) {
      if (name in target || OPTIONAL.has(name)) return Reflect.get(target, name);
      throw new Error(`the edge asked the shop for ${String(name)}`);
    },
  }) as Shop;
}

export async function guestToken(edge: Edge, sub = 'gst_1'): Promise<string> {
  return (await edge.services.tokens.issue({ sub, role: 'guest', scopes: [] })).token;
}

export async function staffToken(edge: Edge, ...scopes: string[]): Promise<string> {
  return (await edge.services.tokens.issue({ sub: 'cus_staff', role: 'staff', scopes })).token;
}

/** A promise that the test settles. */
export function gate<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
