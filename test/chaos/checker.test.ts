/** A checker that finds nothing wrong is worth what it finds in histories that are known to be wrong. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findViolations, type NodeSeen, type SeenOrder, type SeenStock } from './checker.ts';
import { createHistory, type History, type PlacedOrder } from './history.ts';
import { felt, quantile } from './measure.ts';

const checker = suite('chaos checker');

const placed: PlacedOrder = {
  customer: 'ada',
  key: 'key-1',
  lines: [{ sku: 'A', quantity: 2 }],
  body: {},
  orderId: 'ord_1',
  answer: '{"id":"ord_1"}',
  node: 'node-1',
};
const order: SeenOrder = { id: 'ord_1', status: 'fulfilling', version: 7, total: 100, captured: 100, refunded: 0 };
const row: SeenStock = {
  sku: 'A',
  warehouse: 'wh-east',
  available: 12,
  reserved: 0,
  committed: 2,
  picked: 0,
  shipped: 0,
  received: 15,
  adjusted: -1,
};
const START = { received: new Map([['A', 10]]) };

/** One order of two, five pieces more received, one counted away. */
function history(changes: Partial<History> = {}): History {
  const stock = [
    { sku: 'A', kind: 'receive', pieces: 5 },
    { sku: 'A', kind: 'adjust', pieces: -1 },
  ] as const;
  return { ...createHistory(), placed: [placed], stock: [...stock], ...changes };
}

function node(changes: Partial<NodeSeen> = {}): NodeSeen {
  return {
    node: 'node-1',
    orders: new Map([['ord_1', order]]),
    repeats: new Map([['key-1', placed.answer]]),
    lists: new Map([['ada', ['ord_1']]]),
    stock: [row],
    complaints: [],
    ...changes,
  };
}

const withOrder = (changes: Partial<SeenOrder>): NodeSeen =>
  node({ orders: new Map([['ord_1', { ...order, ...changes }]]) });
const withRow = (changes: Partial<SeenStock>): NodeSeen => node({ stock: [{ ...row, ...changes }] });
const sold = { available: 14, committed: 0 };

checker('a history that is right has no violation', () => {
  const other = node({ node: 'node-2' });
  assert.equal(findViolations(history(), START, [node(), other]), []);
  const ended = { ...withOrder({ status: 'cancelled', refunded: 100 }), stock: [{ ...row, ...sold }] };
  assert.equal(findViolations(history({ cancelled: new Set(['ord_1']) }), START, [ended]), []);
});

type Bad = readonly [what: string, history: History, seen: readonly NodeSeen[], found: RegExp];

const sighting = { client: 'ada', of: 'ord_1', node: 'node-2' };
const bad: readonly Bad[] = [
  ['an order that a node does not have', history(), [node(), node({ orders: new Map() })], /is lost/],
  ['another answer to the same key', history(), [node({ repeats: new Map([['key-1', '{}']]) })], /repeated/],
  ['no answer to the same key', history(), [node({ repeats: new Map() })], /no answer/],
  [
    'one order for two keys',
    history({ placed: [placed, { ...placed, key: 'key-2' }] }),
    [node()],
    /key-1 and to key-2/,
  ],
  ['more captured than ordered', history(), [withOrder({ captured: 200, refunded: 100 })], /200 captured of 100/],
  ['more given back than captured', history(), [withOrder({ refunded: 150 })], /150 given back/],
  ['a fulfilled order that is not paid', history(), [withOrder({ captured: 0 })], /0 kept of 100/],
  ['an ended order whose money is kept', history(), [withOrder({ status: 'out-of-stock' })], /100 kept/],
  ['an order that nobody goes on with', history(), [withOrder({ status: 'placed' })], /placed at node-1 still/],
  ['a cancellation that is forgotten', history({ cancelled: new Set(['ord_1']) }), [node()], /cancellation/],
  [
    'a version that goes back',
    history({ sightings: [4, 3].map((version) => ({ ...sighting, version })) }),
    [node()],
    /version 3/,
  ],
  ['an order that is not in the list', history(), [node({ lists: new Map([['ada', []]]) })], /not in ada's list/],
  ['an order twice in the list', history(), [node({ lists: new Map([['ada', ['ord_1', 'ord_1']]]) })], /twice/],
  ["an order that is nobody's", history(), [node({ lists: new Map([['ada', ['ord_1', 'ord_2']]]) })], /nobody's/],
  ['a leak of stock', history(), [withRow({ available: 11 })], /held of 15 received/],
  ['stock below zero', history(), [withRow({ available: -1, picked: 13 })], /below zero/],
  ['a reservation that stays', history(), [withRow({ available: 11, reserved: 1 })], /reserved for nobody/],
  [
    'pieces received twice',
    history(),
    [withRow({ available: 17, received: 20 })],
    /20 received, clients were told of 15/,
  ],
  ['an adjustment that is lost', history(), [withRow({ available: 13, adjusted: 0 })], /0 adjusted/],
  [
    'pieces that nobody bought',
    history(),
    [withRow({ available: 11, committed: 3 })],
    /3 sold, clients were told of 2/,
  ],
  ['more sold than there was', history(), [withRow({ available: -6, committed: 20 })], /oversold/],
  ['nodes that disagree', history(), [node(), { ...withOrder({ version: 6 }), node: 'node-2' }], /disagree/],
  ["a complaint of the shop's own", history(), [node({ complaints: ['critical x'] })], /critical x/],
  ['a strange answer', history({ surprises: ['an order was answered 500'] }), [node()], /answered 500/],
  ['nobody to ask', history(), [], /no node/],
];

for (const [what, told, seen, found] of bad) {
  checker(`finds ${what}`, () => {
    const violations = findViolations(told, START, seen);
    assert.ok(
      violations.some((text) => found.test(text)),
      violations.join('\n') || 'nothing was found',
    );
  });
}

checker('the gap is the longest time without an answered order, up to both ends', () => {
  const at = (until: number, kind = 'order') => ({ kind, from: until - 2, until, tries: 1 });
  const requests = [at(10), at(40), at(60, 'look'), at(90)];
  const attempts = [{ node: 'node-1', from: 30, until: 35, outcome: 'ECONNREFUSED' }];
  const measured = felt({ ...createHistory(), requests, attempts }, 0, 100);
  assert.is(measured.gapMs, 50);
  assert.is(measured.requests, 4);
  assert.equal(measured.errors, { ECONNREFUSED: 1 });
  assert.is(felt({ ...createHistory(), requests }, 0, 200).gapMs, 110);
  assert.is(felt({ ...createHistory(), requests }, 10, 60).requests, 2, 'a request belongs to when it was answered');
});

checker('a quantile is of the nearest rank', () => {
  const values = [5, 1, 4, 2, 3];
  assert.is(quantile(values, 0.5), 3);
  assert.is(quantile(values, 0.99), 5);
  assert.is(quantile([], 0.5), 0);
});

checker.run();
