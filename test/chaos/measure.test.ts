/** What clients felt. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { felt, quantile } from './measure.ts';

const measures = suite('chaos measures');

measures('the gap is the longest time without an answered order, up to both ends', () => {
  const at = (until: number, kind = 'order') => ({ kind, from: until - 2, until, tries: 1 });
  const requests = [at(10), at(40), at(60, 'look'), at(90)];
  const attempts = [{ node: 'node-1', from: 30, until: 35, outcome: 'ECONNREFUSED' }];
  const measured = felt({ requests, attempts }, 0, 100);
  assert.is(measured.gapMs, 50);
  assert.is(measured.requests, 4);
  assert.equal(measured.errors, { ECONNREFUSED: 1 });
  assert.is(felt({ attempts, requests }, 0, 200).gapMs, 110);
  assert.is(felt({ attempts, requests }, 10, 60).requests, 2, 'a request belongs to when it was answered');
});

measures('a quantile is of the nearest rank', () => {
  const values = [5, 1, 4, 2, 3];
  assert.is(quantile(values, 0.5), 3);
  assert.is(quantile(values, 0.99), 5);
  assert.is(quantile([], 0.5), 0);
});

measures.run();
