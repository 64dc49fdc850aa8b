/** The command `npm run simulate`, as far as it fits into everybody's tests. */
import { execFile } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

/** Far more than it takes on a slow machine. */
const PATIENCE_MS = 300_000;
const SEEDS = 20;

type Ended = { readonly code: number; readonly printed: string };

const simulate = (...options: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const command = ['--import', 'tsx', 'test/simulation/main.ts', ...options];
    execFile(process.execPath, command, { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      resolve({ code: error ? 1 : 0, printed: `${stdout}${stderr}` });
    });
  });

const runOf = ({ printed }: Ended): string => /run ([0-9a-f]{64})/.exec(printed)?.[1] ?? `no run in: ${printed}`;

const simulating = suite('simulate');

simulating('a seed is a run: another process has the same one, to the byte, and another seed another one', async () => {
  const first = runOf(await simulate('--seed', '1', '--minutes', '0.3'));
  const again = runOf(await simulate('--seed', '1', '--minutes', '0.3'));
  const other = runOf(await simulate('--seed', '2', '--minutes', '0.3'));
  assert.is(again, first);
  assert.is.not(other, first);
});

simulating('whatever goes wrong, nothing that was acknowledged is lost, and all ends once it is mended', async () => {
  const { code, printed } = await simulate('--seeds', `1..${SEEDS}`, '--minutes', '0.7', '--actions', '40');
  assert.is(code, 0, printed);
  assert.match(printed, `${SEEDS} seeds, 0 of them failed`);
});

simulating(
  'a broker that loses its end again while logs are read anew costs nothing that was acknowledged',
  async () => {
    const { code, printed } = await simulate('--seed', '1178', '--minutes', '0.7', '--actions', '40', '--no-shrink');
    assert.is(code, 0, printed);
  },
);

simulating('a seed that fails is shrunk and says how to see it again', async () => {
  const options = ['--seed', '3', '--minutes', '0.5', '--defect', 'reply-before-durable'];
  const { code, printed } = await simulate(...options);
  assert.is(code, 1, printed);
  assert.match(printed, /VIOLATED I1: \S+ was (sent|acknowledged) before it was durable/);
  const again = /npm run simulate -- (.+) --trace/.exec(printed)?.[1]?.split(' ');
  assert.ok(again, printed);
  const replayed = await simulate(...again, '--no-shrink');
  assert.match(replayed.printed, /VIOLATED I1: \S+ was (sent|acknowledged) before it was durable/);
});

simulating('an unknown fault or defect is refused by name', async () => {
  const { code, printed } = await simulate('--without', 'boredom');
  assert.is(code, 1);
  assert.match(printed, '--without boredom: it is one of network');
});

simulating.run();
