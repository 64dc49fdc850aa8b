import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LogUnanswered, type SharedLog } from '../../../actors/kernel/clusterPorts.ts';
import type { Clock } from '../../../actors/kernel/ports.ts';
import { newestRecord } from '../../../supervisors/cluster/newestRecord.ts';
import { type SimulatedLogs, simulateLogs, simulateTime } from '../../support/simulatedLog.ts';
import { failureOf, recordOf } from '../../transport/sharedLogContract.ts';

const newest = suite('newest record');

type World = { readonly logs: SimulatedLogs; readonly log: SharedLog; readonly clock: Pick<Clock, 'delay'> };

async function within(run: (world: World) => Promise<void>): Promise<void> {
  const times = simulateTime();
  const logs = simulateLogs({ shards: 1, times, random: () => 0 });
  await times.until(run({ logs, log: logs.node(), clock: times }));
}

newest('is found behind more claims and releases than a look takes in', async () => {
  await within(async ({ log, clock }) => {
    const first = await log.claim(0, 'a');
    for (let n = 1; n <= 3; n++) await first.append(recordOf(first, n));
    for (let turn = 0; turn < 60; turn++) await (await log.claim(0, 'b')).release();
    const { n, end, begin } = await newestRecord(log, 0, clock);
    assert.equal([n, end, begin], [3, 124, 1]);
  });
});

newest('is none in an empty log', async () => {
  await within(async ({ log, clock }) => assert.is((await newestRecord(log, 0, clock)).n, 0));
});

for (const [what, lost, left] of [
  ['its end', 1, 2],
  ['all it had', 4, 0],
] as const) {
  newest(`is not waited for where the log has lost ${what} since its end was asked for`, async () => {
    await within(async ({ logs, log, clock }) => {
      const claim = await log.claim(0, 'a');
      for (let n = 1; n <= 3; n++) await claim.append(recordOf(claim, n));
      const forgetful: SharedLog = {
        ...log,
        async end(shard) {
          const end = await log.end(shard);
          logs.loseTail(0, lost);
          return end;
        },
      };
      assert.instance(await failureOf(newestRecord(forgetful, 0, clock)), LogUnanswered);
      assert.is((await newestRecord(log, 0, clock)).n, left);
    });
  });
}

newest.run();
