/** One small history, and the means to make it wrong: for the tests of what the checker finds. */
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkHistory } from './check.ts';
import type { Exchange, History } from './exchange.ts';
import { idOf, look, order, type Play, receive, STAFF, startPlay, timeline } from './play.ts';

export const TWO = [{ sku: 'A', quantity: 2 }];
export const BOTH = [...TWO, { sku: 'B', quantity: 1 }];

export type Scene = Play & { readonly id: string; readonly other: string };

/** Stock, an order of ada's and one of bob's, each looked at. */
export function scene(): Scene {
  const play = startPlay();
  play.tell(STAFF, receive('A', 10, 's1'));
  play.tell(STAFF, receive('B', 5, 's2'), 'answered', 'n2');
  const id = idOf(play.tell('ada', order('ada', 'k1', BOTH)));
  const other = idOf(play.tell('bob', order('bob', 'k1', TWO), 'answered', 'n2'));
  play.tell('ada', look(id));
  play.shop.settle();
  play.tell('ada', look(id), 'answered', 'n2');
  play.tell('ada', timeline(id));
  play.tell('bob', look(other));
  return { ...play, id, other };
}

export const end = ({ end: finish }: Play): Promise<History> => finish(['A', 'B'], ['ada', 'bob']);

export const finals = (history: History) => (exchange: Exchange) => exchange.from >= (history.settledAt ?? 0);

/** The history with some answers made wrong. */
export function forged(
  history: History,
  which: (exchange: Exchange) => boolean,
  forge: (exchange: Exchange) => Partial<Exchange> | undefined,
): History {
  let hits = 0;
  const exchanges = history.exchanges.flatMap((exchange) => {
    if (!which(exchange)) return [exchange];
    hits += 1;
    const change = forge(exchange);
    return change ? [{ ...exchange, ...change }] : [];
  });
  assert.ok(hits > 0, 'nothing was forged');
  return { ...history, exchanges };
}

export const reads = (ask: { readonly path: string }, node?: string) => (exchange: Exchange) =>
  exchange.method === 'GET' && exchange.path === ask.path && (node === undefined || exchange.node === node);
export const last = (history: History, which: (exchange: Exchange) => boolean) => {
  const found = history.exchanges.findLast(which);
  return (exchange: Exchange) => exchange === found;
};
export const edited = (edit: (body: Body) => void) => (exchange: Exchange) => {
  const body = JSON.parse(exchange.text) as Body;
  edit(body);
  return { text: JSON.stringify(body) };
};
// biome-ignore lint/suspicious/noExplicitAny: any answer, made wrong
type Body = any;

export type Bad = readonly [
  code: string,
  what: string,
  forge: (history: History, scene: Scene) => History,
  play?: (scene: Scene) => void,
];

export const unknown = () => ({ status: 404, text: '{"code":"order.unknown"}' });
export const onlyFinal = (history: History, ask: { readonly path: string }, edit: (body: Body) => void): History =>
  forged(history, (each) => finals(history)(each) && reads(ask)(each), edited(edit));

/** Each is right before it is made wrong, and found afterwards. */
export function findsEach(check: Test, bad: readonly Bad[]): void {
  for (const [code, what, forge, play] of bad) {
    check(`finds ${what} (${code})`, async () => {
      const staged = scene();
      play?.(staged);
      const history = await end(staged);
      assert.equal(checkHistory(history).violations, [], 'the history was right before it was made wrong');
      const found = checkHistory(forge(history, staged)).violations;
      assert.ok(
        found.some((violation) => violation.code === code),
        JSON.stringify(found, null, 1),
      );
    });
  }
}
