/**
 * `npm test`: every `*.test.ts` below `test/` in a process of its own, two at a time, each with a deadline. Prints what
 * failed and ends with `N passed, N failed`. Arguments narrow the files: `npm test -- storage runtime`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PARALLEL = 2;
/** Longer than orders may take to settle after a fault: six minutes (test/history). */
const FILE_DEADLINE_MS = 480_000;

type Result = { file: string; passed: number; failed: number; seconds: number; output: string };

const wanted = process.argv.slice(2);
const files = globSync('test/**/*.test.ts')
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
/** Each line a route that some test has seen to succeed. */
const routeLog = join(mkdtempSync(join(tmpdir(), 'holdfast-routes-')), 'seen');
writeFileSync(routeLog, '');
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function runFile(file: string): Promise<Result> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--import', 'tsx', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'test', FORCE_COLOR: '0', ROUTE_LOG: routeLog },
    });
    running.add(child);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const deadline = setTimeout(() => {
      output += `\nno end after ${FILE_DEADLINE_MS / 1000} s: killed`;
      child.kill('SIGKILL');
    }, FILE_DEADLINE_MS);
    child.on('close', (code) => {
      clearTimeout(deadline);
      running.delete(child);
      resolve(judge(file, output, code, (performance.now() - started) / 1000));
    });
  });
}

function judge(file: string, output: string, code: number | null, seconds: number): Result {
  const count = (label: string): number => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
  const total = count('Total');
  const passed = count('Passed');
  // A file that ran nothing, left tests out or ended badly has failed, whatever it says.
  const clean = code === 0 && total > 0 && count('Skipped') === 0;
  return { file, passed, failed: total - passed || (clean ? 0 : 1), seconds, output };
}

/** A route that no test has called with success is a claim that nobody has checked. */
async function routesNotSeen(): Promise<string[]> {
  const { everyRoute, nameOf } = await import('./support/conformance.ts');
  const seen = new Set(readFileSync(routeLog, 'utf8').split('\n'));
  return everyRoute.map(nameOf).filter((route) => !seen.has(route));
}

const results: Result[] = [];
const queue = [...files];
async function worker(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const result = await runFile(file);
    results.push(result);
    const mark = result.failed === 0 ? 'ok  ' : 'FAIL';
    console.log(`${mark} ${file}  ${result.passed} passed, ${result.failed} failed  ${result.seconds.toFixed(1)} s`);
    if (result.failed > 0) console.log(result.output);
  }
}
await Promise.all(Array.from({ length: PARALLEL }, worker));
const untried = wanted.length === 0 ? await routesNotSeen() : [];
rmSync(dirname(routeLog), { recursive: true, force: true });
for (const route of untried) console.log(`FAIL no test has seen this route succeed: ${route}`);
const sum = (pick: (result: Result) => number): number => results.reduce((total, result) => total + pick(result), 0);
const failed = sum((result) => result.failed) + untried.length + (files.length === 0 ? 1 : 0);
console.log(`${sum((result) => result.passed)} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
