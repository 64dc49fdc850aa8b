/** Whatever a shop that makes no mistake is asked, it is not accused; one answer made wrong, and it is. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkHistory } from './check.ts';
import { type Answer, type Ask, type Exchange, type History, NO_ANSWER } from './exchange.ts';
import { isAcknowledged } from './facts.ts';
import { adjust, cancel, type Fate, list, look, order, receive, STAFF, startPlay, stock, timeline } from './play.ts';

const properties = suite('history checker: properties');

const CLIENTS = ['ada', 'bob', 'eve'] as const;
const SKUS = ['A', 'B', 'C'] as const;
const RUNS = 150;

type Kind =
  | 'order'
  | 'repeat'
  | 'look'
  | 'peek'
  | 'timeline'
  | 'list'
  | 'cancel'
  | 'receive'
  | 'adjust'
  | 'stock'
  | 'settle';

/** A request that begins, happens and is answered at moments of its own. */
type Move = {
  readonly kind: Kind;
  readonly client: (typeof CLIENTS)[number];
  readonly sku: (typeof SKUS)[number];
  readonly quantity: number;
  /** Which of those that there are. */
  readonly pick: number;
  readonly fate: Fate;
  readonly node: string;
  readonly begins: number;
  readonly takes: number;
  readonly answers: number;
};

const kinds: readonly Kind[] = [
  'repeat',
  'look',
  'peek',
  'timeline',
  'list',
  'cancel',
  'receive',
  'adjust',
  'stock',
  'settle',
];
const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constant('order' as const) },
    { weight: 7, arbitrary: fc.constantFrom(...kinds) },
  ),
  client: fc.constantFrom(...CLIENTS),
  sku: fc.constantFrom(...SKUS),
  quantity: fc.integer({ min: 0, max: 6 }),
  pick: fc.nat(20),
  fate: fc.oneof(
    { weight: 6, arbitrary: fc.constant('answered' as const) },
    { weight: 3, arbitrary: fc.constantFrom<Fate>('lost', 'undone', 'refused', 'open') },
  ),
  node: fc.constantFrom('n1', 'n2'),
  begins: fc.nat(60),
  takes: fc.nat(8),
  answers: fc.nat(8),
});

type Asked = { readonly client: string; readonly ask: Ask };

/** All of them at once, each at its moments; then the observer reads the outcome. */
async function played(moves: readonly Move[]): Promise<History> {
  const play = startPlay();
  const { shop } = play;
  const asked: Asked[] = [];
  const moments = moves.flatMap((each, index) => {
    let asking: Asked | undefined;
    let answered: ((answer: Answer) => void) | undefined;
    let answer = NO_ANSWER;
    const { begins, takes, answers, fate, node, kind } = each;
    return [
      {
        at: begins,
        run() {
          asking = askOf(each, index, asked, shop.orders);
          if (!asking) return;
          asked.push(asking);
          answered = play.begin(asking.client, node, asking.ask);
        },
      },
      {
        at: begins + takes,
        run() {
          if (kind === 'settle') shop.settle();
          if (asking && fate !== 'undone' && fate !== 'refused') answer = shop.ask(asking.client, asking.ask);
        },
      },
      {
        at: begins + takes + answers,
        run() {
          if (fate === 'answered') answered?.(answer);
          else if (fate === 'refused') answered?.({ status: 503, text: '{}' });
          else if (fate !== 'open') answered?.(NO_ANSWER);
        },
      },
    ];
  });
  for (const { run } of moments.toSorted((a, b) => a.at - b.at)) run();
  return play.end(SKUS, CLIENTS);
}

function askOf(
  { kind, client, sku, quantity, pick }: Move,
  index: number,
  asked: readonly Asked[],
  orders: readonly { readonly id: string; readonly owner: string }[],
): Asked | undefined {
  const key = `k${index}`;
  const one = <Item>(items: readonly Item[]): Item | undefined => items[pick % Math.max(1, items.length)];
  const id = one(orders.filter(({ owner }) => (owner === client) === (kind !== 'peek')))?.id;
  switch (kind) {
    case 'order': {
      const lines = [
        { sku, quantity },
        { sku: SKUS[pick % SKUS.length] ?? sku, quantity: 1 },
      ];
      return { client, ask: order(client, key, lines) };
    }
    case 'repeat':
      return one(asked.filter(({ ask }) => ask.method === 'POST'));
    case 'look':
    case 'peek':
      return id === undefined ? undefined : { client, ask: look(id) };
    case 'timeline':
      return id === undefined ? undefined : { client, ask: timeline(id) };
    case 'cancel':
      return id === undefined ? undefined : { client, ask: cancel(id, key) };
    case 'list':
      return { client, ask: list() };
    case 'receive':
      return { client: STAFF, ask: receive(sku, quantity + 1, key) };
    case 'adjust':
      return { client: STAFF, ask: adjust(sku, -quantity, key) };
    case 'stock':
      return { client: STAFF, ask: stock(sku) };
    case 'settle':
      return undefined;
  }
}

const histories = fc.array(move, { minLength: 1, maxLength: 60 });

properties('a shop that makes no mistake is never accused', async () => {
  const told = fc.asyncProperty(histories, async (moves) => {
    assert.equal(checkHistory(await played(moves)).violations, []);
  });
  await fc.assert(told, { numRuns: RUNS });
});

type Wrong = {
  readonly what: string;
  readonly fits: (exchange: Exchange, history: History) => boolean;
  // biome-ignore lint/suspicious/noExplicitAny: any answer, made wrong
  readonly forge: (exchange: Exchange, body: any) => Partial<Exchange>;
};

const isLook = ({ method, path, status }: Exchange): boolean =>
  method === 'GET' && status === 200 && /^\/v1\/orders\/[^/?]+$/.test(path);
const isFinal = ({ from }: Exchange, { settledAt = 0 }: History): boolean => from >= settledAt;
const isAcknowledgedOrder = (id: string, { exchanges }: History): boolean =>
  exchanges.some(({ method, path, status, text }) => {
    return method === 'POST' && path === '/v1/orders' && status === 202 && JSON.parse(text).id === id;
  });
const rewritten = (body: unknown) => ({ text: JSON.stringify(body) });

const wrongs: readonly Wrong[] = [
  {
    what: 'an acknowledged order is not found',
    fits: (each, history) =>
      isFinal(each, history) && isLook(each) && isAcknowledgedOrder(JSON.parse(each.text).id, history),
    forge: () => ({ status: 404, text: '{}' }),
  },
  {
    what: 'an order is missing in a list',
    fits: (each, history) =>
      isFinal(each, history) && each.path.startsWith('/v1/orders?') && JSON.parse(each.text).data.length > 0,
    forge: (_each, body) => rewritten({ ...body, data: body.data.slice(1) }),
  },
  {
    what: 'an order has one piece more',
    fits: (each, history) => isLook(each) && isAcknowledgedOrder(JSON.parse(each.text).id, history),
    forge: (_each, body) => rewritten({ ...body, lines: [...body.lines, { sku: 'A', quantity: 1 }] }),
  },
  {
    what: 'an order is older at one node',
    fits: (each, history) => isFinal(each, history) && isLook(each),
    forge: (_each, body) => rewritten({ ...body, version: body.version - 1 }),
  },
  {
    what: 'an order was never begun',
    fits: (each, history) => isFinal(each, history) && isLook(each),
    forge: (_each, body) => rewritten({ ...body, status: 'placed' }),
  },
  {
    what: 'a cent too much was captured',
    fits: isLook,
    forge: (_each, { payment, totals, ...body }) =>
      rewritten({ ...body, totals, payment: { ...payment, captured: { amount: totals.total.amount + 1 } } }),
  },
  {
    what: 'a history lacks its newest entry',
    fits: (each, history) => isFinal(each, history) && each.node === 'n2' && each.path.endsWith('/timeline'),
    forge: (_each, body) => rewritten({ ...body, data: body.data.slice(0, -1) }),
  },
  {
    what: 'a piece has gone',
    fits: ({ path, status, text }) =>
      path.startsWith('/v1/admin/stock/') && status === 200 && 'warehouses' in JSON.parse(text),
    forge: (_each, { warehouses: [row], ...body }) =>
      rewritten({ ...body, warehouses: [{ ...row, available: row.available - 1 }] }),
  },
  {
    what: 'a thousand pieces came from nowhere',
    fits: (each, history) => isFinal(each, history) && /^\/v1\/admin\/stock\/[^/]+$/.test(each.path),
    forge: (_each, { warehouses: [row], ...body }) =>
      rewritten({
        ...body,
        warehouses: [{ ...row, available: row.available + 1_000, received: row.received + 1_000 }],
      }),
  },
  {
    what: 'a thousand pieces more are sold',
    fits: (each, history) => isFinal(each, history) && /^\/v1\/admin\/stock\/[^/]+$/.test(each.path),
    forge: (_each, { warehouses: [row], ...body }) => {
      const adjusted = row.adjusted + 1_000;
      return rewritten({ ...body, warehouses: [{ ...row, adjusted, committed: row.committed + 1_000 }] });
    },
  },
  {
    what: 'a repeated request has another answer',
    fits: (each, history) => isFinal(each, history) && each.method === 'POST' && isAcknowledged(each),
    forge: (_each, body) => rewritten({ ...body, more: true }),
  },
  {
    what: 'somebody else is shown an order',
    fits: (each, history) => isLook(each) && isAcknowledgedOrder(JSON.parse(each.text).id, history),
    forge: ({ client }) => ({ client: client === 'ada' ? 'bob' : 'ada' }),
  },
  { what: 'the shop fails', fits: () => true, forge: () => ({ status: 500, text: '{}' }) },
];

for (const { what, fits, forge } of wrongs) {
  properties(`a shop is accused when ${what}`, async () => {
    const judged = { forged: 0 };
    const told = fc.asyncProperty(histories, fc.nat(), async (moves, pick) => {
      const history = await played(moves);
      const fitting = history.exchanges.filter((each) => fits(each, history));
      const victim = fitting[pick % Math.max(1, fitting.length)];
      if (!victim) return;
      judged.forged += 1;
      const body: unknown = victim.text === '' ? null : JSON.parse(victim.text);
      const exchanges = history.exchanges.map((each) => (each === victim ? { ...each, ...forge(each, body) } : each));
      assert.ok(checkHistory({ ...history, exchanges }).violations.length > 0, 'nothing was found');
    });
    await fc.assert(told, { numRuns: RUNS / 5 });
    assert.ok(judged.forged > 5, `only ${judged.forged} histories were made wrong`);
  });
}

properties.run();
