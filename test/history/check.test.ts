/** What the checker accepts, and what it makes of histories that tell little. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkHistory } from './check.ts';
import type { History } from './exchange.ts';
import { adjust, cancel, list, look, order, receive, STAFF } from './play.ts';
import { BOTH, end, type Scene, scene, TWO } from './scene.ts';

const check = suite('history checker');

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

check('what a checkout has shown is what it orders', async () => {
  const staged = scene();
  const asked = { method: 'POST', path: '/v1/checkouts/chk_1/complete', key: 'c1', body: { lines: BOTH } };
  staged.tell('ada', order('ada', 'k9', BOTH));
  const right = await end(staged);
  const through = (lines: readonly object[]): History => {
    const shown = JSON.stringify({ id: 'chk_1', status: 'open', version: 1, lines });
    const start = {
      ...asked,
      client: 'ada',
      node: 'n1',
      path: '/v1/carts/cart_1/checkout',
      key: 's',
      from: 0,
      until: 0,
    };
    const exchanges = right.exchanges.map((each) =>
      each.key === 'k9' ? { ...each, path: asked.path, key: asked.key, body: {} } : each,
    );
    return { ...right, exchanges: [{ ...start, status: 201, text: shown }, ...exchanges] };
  };
  assert.equal(checkHistory(through(BOTH)).violations, []);
  assert.ok(checkHistory(through(TWO)).violations.some(({ code }) => code === 'order.half'));
});

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
