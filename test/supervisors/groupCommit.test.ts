/** When a record is closed: it grows while actors are busy, unless somebody outside waits for what is in it. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EncodedRecord } from '../../actors/kernel/ports.ts';
import { createGroupCommit } from '../../supervisors/groupCommit.ts';
import { commit } from '../storage/shardLogContract.ts';

const grouping = suite('group commit');

/** Actors that never come to rest, and a log that takes what it is given at once. */
function busyShard(maxCommits = Number.POSITIVE_INFINITY) {
  const records: EncodedRecord[] = [];
  const group = createGroupCommit({
    shard: 0,
    log: { append: async (record) => void records.push(record) },
    head: undefined,
    clock: {
      now: () => 0,
      monotonic: () => 0,
      schedule: () => () => undefined,
      delay: () => () => undefined,
      sleep: () => Promise.resolve(),
    },
    busy: () => true,
    snapshotsAt: () => [],
    onDurable: () => undefined,
    maxCommits: () => maxCommits,
    onRefused: (error) => {
      throw error;
    },
  });
  let seq = 0;
  const add = (isAwaited: boolean) => group.add(commit('1/a', ++seq), () => undefined, isAwaited);
  const stored = () => records.map(({ record }) => record.commits.length);
  return { group, add, stored };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn();
}

grouping('a record grows for some turns while the shard is busy, and not for ever', async () => {
  const { add, stored } = busyShard();
  add(false);
  await turns(3);
  add(false);
  assert.equal(stored(), []);
  await turns(30);
  assert.equal(stored(), [2]);
});

grouping('a record that somebody outside waits for is stored in the same turn', async () => {
  const { add, stored } = busyShard();
  add(false);
  add(true);
  await turns(1);
  assert.equal(stored(), [2]);
  add(false);
  await turns(3);
  assert.equal(stored(), [2], 'the next one may grow again');
});

grouping('what is awaited and did not fit into a record comes with the next one', async () => {
  const { add, stored } = busyShard(1);
  add(false);
  add(true);
  await turns(4);
  assert.equal(stored(), [1, 1]);
});

grouping('whoever reads what is not stored yet is not kept waiting either', async () => {
  const { group, add, stored } = busyShard();
  const ticket = add(false);
  let told = false;
  group.afterDurable(ticket, () => (told = true), { kind: 'done' });
  await turns(3);
  assert.equal(stored(), [1]);
  assert.ok(told);
});

grouping.run();
