import { execFile } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

/** Far more than it takes on a slow machine. */
const PATIENCE_MS = 120_000;

/** What the command prints. @throws Error when it finds something */
const simulate = (...options: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const command = ['--import', 'tsx', 'test/simulation/main.ts', ...options];
    execFile(process.execPath, command, { timeout: PATIENCE_MS }, (error, stdout) => {
      if (error) reject(new Error(`${error.message}\n${stdout}`));
      else resolve(stdout);
    });
  });

const runOf = (printed: string): string => /run ([0-9a-f]{64})/.exec(printed)?.[1] ?? `no run in: ${printed}`;

const simulating = suite('simulate');

simulating('a seed is a run: another process has the same one, to the byte, and another seed another one', async () => {
  const first = runOf(await simulate('--seed', '1', '--minutes', '0.2'));
  const again = runOf(await simulate('--seed', '1', '--minutes', '0.2'));
  const other = runOf(await simulate('--seed', '2', '--minutes', '0.2'));
  assert.is(again, first);
  assert.is.not(other, first);
});

simulating.run();
