/** Orders, money and stock that are not as clients were told. */
import { suite } from 'uvu';
import type { History } from './exchange.ts';
import { adjust, cancel, list, look, order, receive, STAFF, stock, timeline } from './play.ts';
import { type Bad, BOTH, edited, finals, findsEach, forged, last, onlyFinal, reads, TWO, unknown } from './scene.ts';

const books = suite('history checker: wrong books');

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
];

/** The answer to ada's first order. */
const firstOf = ({ exchanges }: History): string => exchanges.find(({ client }) => client === 'ada')?.text ?? '';

findsEach(books, bad);

books.run();
