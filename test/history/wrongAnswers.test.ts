/** Answers that contradict each other, come too late, or are somebody else's. */
import { suite } from 'uvu';
import type { Exchange } from './exchange.ts';
import { cancel, list, look, receive, STAFF, stock, timeline } from './play.ts';
import { type Bad, edited, findsEach, forged, last, onlyFinal, reads, TWO } from './scene.ts';

const answers = suite('history checker: wrong answers');

const bad: readonly Bad[] = [
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

findsEach(answers, bad);

answers.run();
