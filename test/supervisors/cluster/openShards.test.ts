/** What a shard that is open here appends, and when. */
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Claim, Fenced, type MayAppend } from '../../../actors/kernel/clusterPorts.ts';
import { AppendRefused, type EncodedRecord, type ShardLog } from '../../../actors/kernel/ports.ts';
import { createRealClock } from '../../../supervisors/clock.ts';
import {
  createOpenShards,
  type OpenShardsOptions,
  type ShardRunners,
} from '../../../supervisors/cluster/openShards.ts';
import { createSeededIds } from '../../../supervisors/ids.ts';
import { createTelemetry } from '../../../supervisors/telemetry.ts';
import { failureOf, recordOf } from '../../transport/sharedLogContract.ts';

const open = suite('open shards');

const EPOCH = 1;

/** One open shard whose owner may append once `may` says so. */
function openShard(may: MayAppend) {
  const done: string[] = [];
  const clock = createRealClock();
  const claim = {
    epoch: EPOCH,
    async append(_: EncodedRecord, asked: MayAppend) {
      await asked();
      return done.push('appended');
    },
  } as unknown as Claim;
  let log: ShardLog | undefined;
  const shards = createOpenShards({
    copy: { catchUp() {}, makeRoom() {}, answered: () => 0, own: () => done.push('brought') },
    inbox: { read: () => ({ stop() {} }) },
    calls: { serve: () => ({ stop() {} }) },
    clock,
    ids: createSeededIds(1, clock.now),
    telemetry: createTelemetry(),
    logger: pino({ level: 'silent' }),
  } as unknown as OpenShardsOptions);
  shards.open(0, claim, {
    node: { open: (_: number, how: { readonly log: ShardLog }) => (log = how.log) },
    ownership: { mayServe: () => true, mayAppend: may, lost: (shard: number) => done.push(`lost ${shard}`) },
    tapped: (right: ShardLog) => right,
  } as unknown as ShardRunners);
  return { done, append: () => (log as ShardLog).append(recordOf(claim, 1)) };
}

open('a record is appended at once where nothing is in doubt', async () => {
  const { done, append } = openShard(() => undefined);
  await append();
  assert.equal(done, ['appended', 'brought']);
});

open('nothing is appended before the owner may', async () => {
  let allow: () => void = () => assert.unreachable();
  const { done, append } = openShard(() => new Promise((resolve) => (allow = resolve)));
  const appending = append();
  await new Promise(setImmediate);
  assert.equal(done, []);
  allow();
  await appending;
  assert.equal(done, ['appended', 'brought']);
});

open('an owner who may not any more appends nothing, and its shard is lost', async () => {
  const { done, append } = openShard(() => Promise.reject(new Fenced('another has it', 'superseded')));
  assert.instance(await failureOf(append()), AppendRefused);
  assert.equal(done, ['lost 0']);
});

open.run();
