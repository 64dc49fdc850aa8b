/** Which orders a person looks at: each rule with its figure, and what the saga makes of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rulesMatched } from '../../actors/orderSaga/review.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import type { OrderDraft, ReviewFacts } from '../../actors/shared.ts';
import { draft, line, ohio, releaseHold, SagaRun, says, start } from '../support/orders.ts';

const review = suite('review');

/** The shipping of 5.99 is in the total. */
const worth = (total: number, more: Partial<OrderDraft> = {}) => draft([line('mug', 1, total - 599)], more);
const facts = (more: Partial<ReviewFacts> = {}): ReviewFacts => ({ firstOrder: false, ordersFromAddress: 1, ...more });
const off = (rules: Partial<Policy['review']>): Policy => ({
  ...defaultPolicy,
  review: { ...defaultPolicy.review, ...rules },
});

review('a total above 500.00', () => {
  assert.equal(rulesMatched(worth(50_000), defaultPolicy), []);
  assert.equal(rulesMatched(worth(50_001), defaultPolicy), ['total']);
  assert.equal(rulesMatched(worth(90_000), off({ totalAbove: null })), []);
});

review('a first order above 200.00', () => {
  const first = { facts: facts({ firstOrder: true }) };
  assert.equal(rulesMatched(worth(20_000, first), defaultPolicy), []);
  assert.equal(rulesMatched(worth(20_001, first), defaultPolicy), ['first-order']);
  assert.equal(rulesMatched(worth(20_001, { facts: facts() }), defaultPolicy), []);
  assert.equal(rulesMatched(worth(20_001, first), off({ firstOrderAbove: null })), []);
});

review('more than 10 orders from one network address within an hour', () => {
  const from = (ordersFromAddress: number) => worth(1_000, { facts: facts({ ordersFromAddress }) });
  assert.equal(rulesMatched(from(10), defaultPolicy), []);
  assert.equal(rulesMatched(from(11), defaultPolicy), ['network-address']);
  assert.equal(rulesMatched(from(0), off({ ordersPerAddress: 0 })), [], 'an address that tells nothing');
  assert.equal(rulesMatched(from(99), off({ ordersPerAddress: null })), []);
});

review('a billing address in another country', () => {
  const billed = (country: string) => worth(1_000, { billingAddress: { ...ohio, country } });
  assert.equal(rulesMatched(billed('US'), defaultPolicy), []);
  assert.equal(rulesMatched(billed('CA'), defaultPolicy), ['country']);
  assert.equal(rulesMatched(billed('CA'), off({ countryMismatch: false })), []);
  assert.equal(rulesMatched(worth(1_000), defaultPolicy), [], 'none given');
});

const suspicious = worth(60_000, {
  facts: facts({ firstOrder: true, ordersFromAddress: 11 }),
  billingAddress: { ...ohio, country: 'CA' },
});

review('a hold names each rule that matched, once the order is known to be payable', () => {
  const run = new SagaRun([start(suspicious), says.reserved('1.1')]);
  run.when(says.authorized()).thenTypes('StepSucceeded', 'SagaHeld').sends('HoldOrder');
  const hold = run.news.at(-1);
  const reason = hold?.type === 'HoldOrder' ? hold.reason : '';
  for (const words of ['total is above', 'first order', 'same network address', 'another country']) {
    assert.match(reason, words);
  }
  assert.is(run.count('CommitReservation'), 0);
  run.when(releaseHold).sends('ReleaseOrder', 'CommitReservation');
});

review('only the rules that matched are named', () => {
  const run = new SagaRun([start(worth(60_000)), says.reserved('1.1'), says.authorized()]);
  const hold = run.news.at(-1);
  assert.is(hold?.type === 'HoldOrder' && hold.reason, 'The total is above the limit for a review.');
});

review('was decided when the order was placed: figures that change meanwhile change nothing', () => {
  const held = new SagaRun([start(suspicious), says.reserved('1.1')]);
  const lenient = off({ totalAbove: null, firstOrderAbove: null, ordersPerAddress: null, countryMismatch: false });
  const later = new SagaRun([], lenient);
  later.state = held.state;
  later.when(says.authorized()).thenTypes('StepSucceeded', 'SagaHeld');
  const free = new SagaRun([start(suspicious), says.reserved('1.1'), says.authorized()], lenient);
  assert.is(free.saga.phase.status, 'committing');
});

review('a released order is not reviewed again when it starts anew', () => {
  const run = new SagaRun([start(suspicious), says.reserved('1.1'), says.authorized(), releaseHold]);
  run.does(says.committed('1.1'), says.captureFailed(), says.released('1.1'), says.voided());
  run.does({ type: 'ProvidePaymentMethod', by: 'customer:cus_1', token: 'tok_other' });
  run.does(says.reserved('1.2'));
  run.when(says.authorized(2)).sends('CommitReservation');
});

review('who orders, and from where, is not in the saga’s events', () => {
  const run = new SagaRun([start(suspicious)]);
  const apart = run.events.map((event) => ({ ...event, personal: null }));
  assert.equal([...JSON.stringify(apart).matchAll(/"review":\[[^\]]*\]/g)].length, 1);
  assert.not.match(JSON.stringify(apart), /Main Street|"country"\s*:/);
});

review.run();
