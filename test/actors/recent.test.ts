import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyRecent, type Recent, recentAdd, recentGet } from '../../actors/kernel/recent.ts';

const remember = (ids: readonly string[], limit: number) =>
  ids.reduce<Recent<string>>((recent, id) => recentAdd(recent, id, `value of ${id}`, limit), emptyRecent);
const known = (recent: Recent<string>, ids: readonly string[]) =>
  ids.filter((id) => recentGet(recent, id) !== undefined);

const recent = suite('recent');

recent('remembers the newest, forgets the oldest', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  assert.equal(known(remember(ids, 3), ids), ['c', 'd', 'e']);
  assert.is(recentGet(remember(ids, 3), 'd'), 'value of d');
  assert.equal(known(remember(ids, 0), ids), []);
});

recent('an id that is remembered keeps its place and its value', () => {
  const three = remember(['a', 'b', 'c'], 3);
  assert.is(recentAdd(three, 'a', 'another', 3), three);
  assert.equal(known(recentAdd(three, 'd', 'new', 3), ['a', 'b', 'c', 'd']), ['b', 'c', 'd']);
});

recent('never changes what it was', () => {
  const before = remember(['a', 'b', 'c'], 3);
  const frozen = JSON.stringify(before);
  recentAdd(before, 'd', 'new', 1);
  assert.is(JSON.stringify(before), frozen);
});

recent.run();
