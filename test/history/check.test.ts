/** A checker that finds nothing wrong is worth what it finds in histories that are known to be wrong. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkHistory } from './check.ts';
import type { Exchange, History } from './exchange.ts';
import {
  adjust,
  cancel,
  idOf,
  list,
  look,
  order,
  type Play,
  receive,
  STAFF,
  startPlay,
  stock,
  timeline,
} from './play.ts';

const check = suite('history checker');
const TWO = [{ sku: 'A', quantity: 2 }];
const BOTH = [...TWO, { sku: 'B', quantity: 1 }];

type Scene = Play & { readonly id: string; readonly other: string };

/** Stock, an order of ada's and one of bob's, each looked at. */
function scene(): Scene {
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

const end = ({ end: finish }: Play): Promise<History> => finish(['A', 'B'], ['ada', 'bob']);

type Good = readonly [what: string, play: (scene: Scene) => void];

const good: readonly Good[] = [
  ['nothing but answers', () => {}],
  ['an order without an answer that was placed', ({ tell }) => tell('ada', order('ada', 'k2', TWO), 'lost')],
  ['an order without an answer that was not placed', ({ tell }) => tell('ada', order('ada', 'k2', TWO), 'undone')],
  ['an order under way at the end', ({ tell }) => tell('ada', order('ada', 'k2', TWO), 'open')],
  [
    'an order without an answer, asked for again',
    ({ tell }) => {
      tell('ada', order('ada', 'k2', TWO), 'lost');
      tell('ada', order('ada', 'k2', TWO), 'refused', 'n2');
      tell('ada', order('ada', 'k2', TWO), 'answered', 'n2');
    },
  ],
  ['a refused order', ({ tell }) => tell('ada', order('ada', 'k2', [{ sku: 'A', quantity: 0 }]))],
  ['an order that runs out of stock', ({ tell }) => tell('ada', order('ada', 'k2', [{ sku: 'A', quantity: 99 }]))],
  ['a cancellation', ({ tell, id }) => tell('ada', cancel(id, 'c1'))],
  ['a cancellation without an answer', ({ tell, id }) => tell('ada', cancel(id, 'c1'), 'lost')],
  ['a cancellation that did not happen', ({ tell, id }) => tell('ada', cancel(id, 'c1'), 'undone')],
  ['pieces that came in without an answer', ({ tell }) => tell(STAFF, receive('A', 3, 's3'), 'lost')],
  ['pieces that did not come in', ({ tell }) => tell(STAFF, receive('A', 3, 's3'), 'undone')],
  ['a correction without an answer', ({ tell }) => tell(STAFF, adjust('A', -1, 's3'), 'lost')],
  ['a look at what belongs to somebody else', ({ tell, other }) => tell('ada', look(other))],
  ['a list before anything was ordered', ({ tell }) => tell('eve', list())],
];

for (const [what, play] of good) {
  check(`accepts ${what}`, async () => {
    const staged = scene();
    play(staged);
    const { violations, covered } = checkHistory(await end(staged));
    assert.equal(violations, []);
    assert.ok(covered.orders >= 2 && covered.reads > 4 && covered.lists >= 4 && covered.stockReads >= 4);
  });
}

const finals = (history: History) => (exchange: Exchange) => exchange.from >= (history.settledAt ?? 0);

/** The history with some answers made wrong. */
function forged(
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

const reads = (ask: { readonly path: string }, node?: string) => (exchange: Exchange) =>
  exchange.method === 'GET' && exchange.path === ask.path && (node === undefined || exchange.node === node);
const last = (history: History, which: (exchange: Exchange) => boolean) => {
  const found = history.exchanges.findLast(which);
  return (exchange: Exchange) => exchange === found;
};
const edited = (edit: (body: Body) => void) => (exchange: Exchange) => {
  const body = JSON.parse(exchange.text) as Body;
  edit(body);
  return { text: JSON.stringify(body) };
};
// biome-ignore lint/suspicious/noExplicitAny: any answer, made wrong
type Body = any;

type Bad = readonly [
  code: string,
  what: string,
  forge: (history: History, scene: Scene) => History,
  play?: (scene: Scene) => void,
];

const unknown = () => ({ status: 404, text: '{"code":"order.unknown"}' });
const onlyFinal = (history: History, ask: { readonly path: string }, edit: (body: Body) => void): History =>
  forged(history, (each) => finals(history)(each) && reads(ask)(each), edited(edit));

const bad: readonly Bad[] = [
  [
    'order.lost',
    'an order that is gone for good',
    (h, { id }) => forged(h, (each) => finals(h)(each) && reads(look(id))(each), unknown),
  ],
  [
    'order.stale',
    'an order that is not found for a while',
    (h, { id }) => forged(h, last(h, reads(look(id), 'n1')), unknown),
  ],
  ['order.never-read', 'an order that nobody looked for', (h, { id }) => forged(h, reads(look(id)), () => undefined)],
  [
    'order.half',
    'an order without one of its lines',
    (h, { id }) => onlyFinal(h, look(id), (body) => body.lines.pop()),
  ],
  [
    'order.duplicated',
    'one order for two requests',
    (h) => ({ ...h, exchanges: h.exchanges.map((each) => (each.key === 'k2' ? { ...each, text: firstOf(h) } : each)) }),
    ({ tell }) => tell('ada', order('ada', 'k2', BOTH)),
  ],
  [
    'order.duplicated',
    'two orders for one request',
    (h, { id }) =>
      forged(
        h,
        last(h, ({ client, path, method }) => client === 'ada' && method === 'POST' && path === '/v1/orders'),
        edited((body) => {
          body.id = `${id}twin`;
        }),
      ),
  ],
  ['order.duplicated', 'an order twice in a list', (h) => onlyFinal(h, list(), (body) => body.data.push(body.data[0]))],
  [
    'order.list-forgets',
    'a list that forgets',
    (h) =>
      forged(
        h,
        last(h, reads(list(), 'n2')),
        edited((body) => body.data.pop()),
      ),
  ],
  [
    'order.unlisted',
    'an order that is in no list',
    (h) =>
      forged(
        h,
        reads(list()),
        edited((body) => body.data.pop()),
      ),
  ],
  [
    'order.invented',
    'an order that nobody asked for',
    (h) =>
      forged(
        h,
        reads(list()),
        edited((body) => body.data.push({ id: 'ord_new' })),
      ),
  ],
  [
    'order.invented',
    'two orders of one request without an answer',
    (h) =>
      forged(
        h,
        reads(list()),
        edited((body) => body.data.push({ id: 'ord_new' })),
      ),
    ({ tell }) => tell('ada', order('ada', 'k2', TWO), 'lost'),
  ],
  [
    'order.invented',
    'an order of a request that was refused',
    (h) =>
      forged(
        h,
        ({ key, method }) => key === 'k2' && method === 'POST',
        () => ({ status: 422, text: '{"code":"order.quantity"}' }),
      ),
    ({ tell }) => tell('ada', order('ada', 'k2', TWO), 'lost'),
  ],
  [
    'order.stuck',
    'an order that nobody goes on with',
    (h, { id }) => onlyFinal(h, look(id), (body) => Object.assign(body, { status: 'placed', version: 9 })),
  ],
  [
    'order.not-cancelled',
    'a cancellation that is forgotten',
    (h, { id }) =>
      onlyFinal(h, look(id), (body) =>
        Object.assign(body, {
          status: 'fulfilling',
          version: 9,
          payment: { ...body.payment, refunded: { amount: 0 } },
        }),
      ),
    ({ tell, id }) => tell('ada', cancel(id, 'c1')),
  ],
  [
    'money.overcharged',
    'more captured than ordered',
    (h, { id }) =>
      onlyFinal(h, look(id), (body) => {
        body.payment.captured.amount = 900;
      }),
  ],
  [
    'money.over-refunded',
    'more given back than captured',
    (h, { id }) =>
      onlyFinal(h, look(id), (body) => {
        body.payment.refunded.amount = 301;
      }),
  ],
  [
    'money.not-kept',
    'goods for nothing',
    (h, { id }) =>
      onlyFinal(h, look(id), (body) => {
        body.payment.captured.amount = 0;
      }),
  ],
  [
    'money.kept',
    'money for nothing',
    (h, { id }) =>
      onlyFinal(h, look(id), (body) => {
        body.payment.refunded.amount = 0;
      }),
    ({ tell, id }) => tell('ada', cancel(id, 'c1')),
  ],
  [
    'money.captured-twice',
    'two captures',
    (h, { id }) => onlyFinal(h, timeline(id), (body) => body.data.push({ type: 'payment.captured' })),
  ],
  [
    'money.back',
    'money that was captured before',
    (h, { id }) =>
      onlyFinal(h, look(id), (body) => {
        body.version = 9;
        body.payment.captured.amount = 0;
      }),
  ],
  [
    'stock.not-conserved',
    'a leak of stock',
    (h) => onlyFinal(h, stock('A'), ({ warehouses: [row] }) => row.available--),
  ],
  [
    'stock.negative',
    'stock below zero',
    (h) => onlyFinal(h, stock('A'), ({ warehouses: [row] }) => Object.assign(row, { available: -1, picked: 7 })),
  ],
  [
    'stock.reserved',
    'a reservation that stays',
    (h) => onlyFinal(h, stock('A'), ({ warehouses: [row] }) => Object.assign(row, { available: 5, reserved: 1 })),
  ],
  [
    'stock.miscounted',
    'pieces that came in twice',
    (h) => onlyFinal(h, stock('A'), ({ warehouses: [row] }) => Object.assign(row, { available: 16, received: 20 })),
  ],
  [
    'stock.miscounted',
    'a part of what came in without an answer',
    (h) => onlyFinal(h, stock('A'), ({ warehouses: [row] }) => Object.assign(row, { available: 8, received: 12 })),
    ({ tell }) => tell(STAFF, receive('A', 3, 's3'), 'lost'),
  ],
  [
    'stock.miscounted',
    'a correction that is lost',
    (h) => onlyFinal(h, stock('A'), ({ warehouses: [row] }) => Object.assign(row, { available: 6, adjusted: 0 })),
    ({ tell }) => tell(STAFF, adjust('A', -1, 's3')),
  ],
  [
    'stock.missold',
    'pieces sold that nobody bought',
    (h) => onlyFinal(h, stock('A'), ({ warehouses: [row] }) => Object.assign(row, { available: 5, committed: 5 })),
  ],
  [
    'answer.differs',
    'another answer to the same request',
    (h, { id }) =>
      forged(
        h,
        last(h, ({ method, client }) => method === 'POST' && client === 'ada'),
        edited((body) => {
          body.extra = id;
        }),
      ),
  ],
  [
    'answer.forgotten',
    'a refusal of what was acknowledged',
    (h) =>
      forged(
        h,
        last(h, ({ method, client }) => method === 'POST' && client === 'ada'),
        () => ({ status: 409, text: '{}' }),
      ),
  ],
  [
    'answer.key-reused',
    'a key that answers another request',
    (h) =>
      forged(
        h,
        last(h, ({ method, client }) => method === 'POST' && client === 'ada'),
        () => ({ body: { lines: TWO } }),
      ),
  ],
  [
    'answer.failure',
    'a failure of the shop itself',
    (h, { id }) => forged(h, last(h, reads(look(id))), () => ({ status: 500, text: '{}' })),
  ],
  [
    'answer.unreadable',
    'half an answer',
    (h, { id }) => forged(h, last(h, reads(look(id))), ({ text }) => ({ text: text.slice(0, 20) })),
  ],
  [
    'shop.complains',
    "a complaint of the shop's own",
    (h) =>
      forged(
        h,
        ({ path }) => path.startsWith('/v1/admin/check'),
        edited((body) => body.findings.push({ level: 'critical', code: 'x' })),
      ),
  ],
  [
    'shop.complains',
    "a difference to the vendor's books",
    (h) =>
      forged(
        h,
        ({ path }) => path.startsWith('/v1/admin/payments'),
        edited((body) => body.data.push({ code: 'captured-twice' })),
      ),
  ],
  [
    'version.two-contents',
    'two contents of one version',
    (h, { id }) =>
      forged(
        h,
        last(h, reads(look(id), 'n2')),
        edited((body) => {
          body.address.line1 = 'elsewhere';
        }),
      ),
  ],
  [
    'status.back',
    'an order that comes back',
    (h, { id }) => onlyFinal(h, look(id), (body) => Object.assign(body, { status: 'on-hold', version: 9 })),
    ({ tell, id }) => tell('ada', cancel(id, 'c1')),
  ],
  [
    'read.back',
    'a client that sees less than before',
    (h, { id }) => forged(h, last(h, reads(look(id))), () => ({ text: h.exchanges.find(reads(look(id)))?.text ?? '' })),
  ],
  [
    'read.stale',
    'a client that sees less than another one',
    (h, { id }) =>
      forged(h, last(h, reads(look(id))), () => ({
        client: STAFF,
        text: h.exchanges.find(reads(look(id)))?.text ?? '',
      })),
  ],
  [
    'read.back',
    'stock that has come in and is gone again',
    (h) =>
      forged(
        h,
        last(h, reads(stock('B'))),
        edited(({ warehouses: [row] }) => Object.assign(row, { received: 4, available: row.available - 1 })),
      ),
  ],
  [
    'read.stale',
    'a cart that lacks what was put into it',
    (h) => ({ ...h, exchanges: [...h.exchanges, ...cart(4, 3)] }),
  ],
  [
    'version.two-contents',
    'a cart that is two things at once',
    (h) => ({ ...h, exchanges: [...h.exchanges, ...cart(4, 4)] }),
  ],
  [
    'read.disagree',
    'nodes that disagree in the end',
    (h, { id }) =>
      forged(
        h,
        last(h, reads(look(id), 'n2')),
        edited((body) => {
          body.version += 1;
        }),
      ),
  ],
  [
    'timeline.parted',
    'two histories of one order',
    (h, { id }) =>
      forged(
        h,
        last(h, reads(timeline(id))),
        edited((body) => {
          body.data[0].title = 'Another one';
        }),
      ),
  ],
  [
    'timeline.stale',
    'a history that gets shorter',
    (h, { id }) =>
      forged(
        h,
        last(h, reads(timeline(id))),
        edited((body) => body.data.pop()),
      ),
  ],
  [
    'version.shared',
    'two writes of one version',
    (h) =>
      forged(
        h,
        ({ key }) => key === 's3',
        edited((body) => {
          body.version = 1;
        }),
      ),
    ({ tell }) => tell(STAFF, receive('A', 1, 's3')),
  ],
  [
    'write.stale',
    'a write below one that was answered before',
    (h) =>
      forged(
        h,
        ({ key }) => key === 's3',
        edited((body) => {
          body.version = 0;
        }),
      ),
    ({ tell }) => tell(STAFF, receive('A', 1, 's3')),
  ],
  [
    'data.foreign',
    "somebody else's order",
    (h, { other }) => forged(h, last(h, reads(look(other))), () => ({ client: 'ada' })),
  ],
  [
    'data.foreign',
    "somebody else's address in an own order",
    (h, { id }) =>
      forged(h, last(h, reads(look(id))), ({ text }) => ({
        text: text.replace('zq616461qz', 'zq616461qz zq626f62qz'),
      })),
  ],
  [
    'data.foreign',
    "somebody else's order in a list",
    (h, { other }) =>
      forged(
        h,
        last(h, (each) => each.client === 'ada' && reads(list())(each)),
        edited((body) => body.data.push({ id: other })),
      ),
  ],
  [
    'data.mixed',
    'an order without what its client wrote',
    (h, { id }) => forged(h, last(h, reads(look(id))), ({ text }) => ({ text: text.replace('zq616461qz', '') })),
  ],
];

/** A line is put into a cart, then the cart is looked at without it; with the versions that they name. */
function cart(put: number, seen: number): readonly Exchange[] {
  const body = (version: number, lines: readonly object[]) =>
    JSON.stringify({ id: 'cart_1', status: 'active', version, lines });
  const at = { client: STAFF, node: 'n1', status: 200 };
  const path = '/v1/carts/cart_1';
  return [
    { ...at, method: 'POST', path: `${path}/lines`, key: 'p1', from: 1, until: 2, text: body(put, TWO) },
    { ...at, client: 'other', method: 'GET', path, from: 3, until: 4, text: body(seen, []) },
  ];
}

/** The answer to ada's first order. */
const firstOf = ({ exchanges }: History): string => exchanges.find(({ client }) => client === 'ada')?.text ?? '';

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

check('finds a history that tells nothing', () => {
  const { violations } = checkHistory({ exchanges: [], staff: new Set(), start: [] });
  assert.equal(
    violations.map(({ code }) => code),
    ['history.empty'],
  );
});

check('finds a refusal that nobody counts on', async () => {
  const staged = scene();
  staged.tell('ada', look(staged.other));
  const history = await end(staged);
  const codes = (refusals: readonly string[]) => checkHistory(history, { refusals }).violations.map(({ code }) => code);
  assert.equal(codes(['order.unknown']), []);
  assert.equal(codes([]), ['answer.surprise']);
});

check.run();
