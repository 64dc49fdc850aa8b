/** Histories of a shop that makes no mistake, for the checker's own tests: with lost answers, repeats and things under way. */
import { type Answer, type Ask, createRecorder, type History, markerOf, NO_ANSWER } from './exchange.ts';
import type { Line } from './facts.ts';
import { createModelShop, type ModelShop, WAREHOUSE } from './modelShop.ts';
import { observe } from './observe.ts';

export const STAFF = 'staff';

/** What becomes of a try: `lost` has happened, `undone` hasn't, and no answer comes; `open` is under way at the end. */
export type Fate = 'answered' | 'lost' | 'undone' | 'refused' | 'open';

export type Play = {
  readonly shop: ModelShop;
  tell(client: string, ask: Ask, fate?: Fate, node?: string): Answer;
  /** With what the observer reads at both nodes once all has settled. */
  end(skus: readonly string[], clients: readonly string[]): Promise<History>;
  /** Without. */
  history(): History;
  begin(client: string, node: string, ask: Ask): (answer: Answer) => void;
};

/** Time is the number of things that have happened. */
export function startPlay(): Play {
  let now = 0;
  const recorder = createRecorder({ now: () => ++now, staff: [STAFF] });
  const shop = createModelShop();
  return {
    shop,
    begin: recorder.begin,
    tell(client, ask, fate = 'answered', node = 'n1') {
      const answered = recorder.begin(client, node, ask);
      if (fate === 'refused') answered({ status: 503, text: '{"code":"overloaded"}' });
      if (fate === 'undone') answered(NO_ANSWER);
      if (fate === 'refused' || fate === 'undone') return NO_ANSWER;
      const answer = shop.ask(client, ask);
      if (fate !== 'open') answered(fate === 'answered' ? answer : NO_ANSWER);
      return answer;
    },
    history: recorder.history,
    async end(skus, clients) {
      shop.settle();
      const send = async (client: string, _node: string, ask: Ask): Promise<Answer> => shop.ask(client, ask);
      const who = { recorder, send, nodes: ['n1', 'n2'], clients, staff: STAFF, skus };
      return observe({ ...who, now: () => now, pause: async () => {} });
    },
  };
}

export const order = (client: string, key: string, lines: readonly Line[]): Ask => ({
  method: 'POST',
  path: '/v1/orders',
  key,
  body: { lines, address: { name: markerOf(client) } },
});
export const look = (id: string): Ask => ({ method: 'GET', path: `/v1/orders/${id}` });
export const timeline = (id: string): Ask => ({ method: 'GET', path: `/v1/orders/${id}/timeline` });
export const list = (): Ask => ({ method: 'GET', path: '/v1/orders?limit=100' });
export const stock = (sku: string): Ask => ({ method: 'GET', path: `/v1/admin/stock/${sku}` });
export const cancel = (id: string, key: string): Ask => ({
  method: 'POST',
  path: `/v1/orders/${id}/cancel`,
  key,
  body: { reason: 'Changed my mind.' },
});
export const receive = (sku: string, quantity: number, key: string): Ask => ({
  method: 'POST',
  path: `/v1/admin/stock/${sku}/receive`,
  key,
  body: { warehouse: WAREHOUSE, quantity },
});
export const adjust = (sku: string, delta: number, key: string): Ask => ({
  method: 'POST',
  path: `/v1/admin/stock/${sku}/adjust`,
  key,
  body: { warehouse: WAREHOUSE, delta, reason: 'Counted again.' },
});
export const idOf = ({ text }: Answer): string => (JSON.parse(text) as { readonly id: string }).id;
