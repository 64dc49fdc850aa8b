import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { firstVersion, stateAt } from '../../http/calls.ts';
import type { Call } from '../../http/route.ts';
import type { Shop } from '../../http/shop.ts';

const calls = suite('http calls');
const address = { type: 'counter', id: 'c1' };
const at = (version: number) => ({ state: version, version });

/** An aggregate whose state is its version; each read that waits finds the next of `newest`. */
function callOn(...newest: (number | undefined)[]) {
  const seen: number[] = [];
  const reads: (number | undefined)[] = [];
  const shop: Pick<Shop, 'read' | 'readAt'> = {
    read: async <State>(_: unknown, { after }: { after?: number }) => {
      reads.push(after);
      const version = newest.length > 1 ? newest.shift() : newest[0];
      return (version === undefined ? undefined : at(version)) as { state: State; version: number } | undefined;
    },
    readAt: async <State>(_: unknown, version: number) => {
      seen.push(version);
      return at(version) as { state: State; version: number };
    },
  };
  return { call: { shop, deadline: 1_000 } as unknown as Call, seen, reads };
}

calls('the first version that fits is found however many came after it', async () => {
  for (const newest of [5, 6, 7, 50, 1_000]) {
    const { call, seen } = callOn(newest);
    const found = await firstVersion<number>(call, address, 1, (state) => state >= 5);
    assert.equal(found, at(5), `newest ${newest}`);
    assert.ok(seen.length <= 11, `${seen.length} looks back`);
  }
});

calls('the newest version needs no look back', async () => {
  const { call, seen } = callOn(1);
  assert.equal(await firstVersion<number>(call, address, 1, () => true), at(1));
  assert.equal(seen, []);
});

calls('waits for a version that fits, then takes the first of those that came at once', async () => {
  const { call, reads } = callOn(undefined, 2, 7);
  assert.is(await firstVersion<number>(call, address, 1, (state) => state >= 4), undefined, 'nothing in time');
  assert.equal(await firstVersion<number>(call, address, 1, (state) => state >= 4), at(4));
  assert.equal(reads, [0, 0, 2]);
});

calls('gives up when nothing newer came until the deadline', async () => {
  const { call } = callOn(2);
  assert.is(await firstVersion<number>(call, address, 1, (state) => state >= 4), undefined);
});

calls('an answer shows its own version, also when the aggregate has moved on', async () => {
  const answer = { version: 3, value: undefined, replayed: false };
  assert.is(await stateAt<number>(callOn(3).call, address, answer), 3);
  const { call, seen } = callOn(9);
  assert.is(await stateAt<number>(call, address, answer), 3);
  assert.equal(seen, [3]);
});

calls('a replayed answer is looked up as it was, without asking for the newest', async () => {
  const { call, seen, reads } = callOn(9);
  assert.is(await stateAt<number>(call, address, { version: 2, value: undefined, replayed: true }), 2);
  assert.equal([seen, reads], [[2], []]);
});

calls.run();
