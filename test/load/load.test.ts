/** `npm run load` in small: a real node under load, killed and started again, judged by what its clients were told. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readOptions } from './options.ts';
import { markdown } from './report.ts';
import { runLoad } from './run.ts';

const load = suite('load');

load('a node under load and after a crash says nothing that is not so', async () => {
  const run = await runLoad({ nodes: 0, clients: 24, roundMs: 2_000, thinkMs: 0, seed: 1 }, () => {});
  const [round] = run.rounds;
  assert.equal(round?.verdict.violations, []);
  const { orders = 0, reads = 0, lists = 0, timelines = 0, stockReads = 0 } = round?.verdict.covered ?? {};
  assert.ok(orders >= 24 && reads >= orders && timelines >= orders, JSON.stringify(round?.verdict.covered));
  assert.ok(lists >= 24 && stockReads >= 41, JSON.stringify(round?.verdict.covered));
  assert.equal(
    run.levels.filter(({ promised }) => promised === 'all').map(({ measured }) => measured),
    ['0 lost'],
  );
  assert.match(markdown([run]), `${orders} orders in`);
});

load('the options say what is wrong with them', () => {
  const [alone, cluster] = readOptions([]);
  assert.equal(alone, { clients: 1_000, roundMs: 20_000, thinkMs: 0, seed: 1, nodes: 0 });
  assert.equal(cluster, { ...(typeof alone === 'object' && alone), nodes: 3 });
  const soak = { clients: 100, roundMs: 60_000, thinkMs: 1_000, seed: 1, soakMs: 600_000, nodes: 3 };
  assert.equal(readOptions(['--minutes', '10', '--nodes', '3']), [soak]);
  assert.throws(() => readOptions(['--clients', 'many']), /--clients must be a whole number from 1, not many/);
  assert.throws(() => readOptions(['--faster']), /--faster/);
});

load.run();
