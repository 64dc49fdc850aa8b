/** What a storm's reports say, and which faults the command line takes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ChaosOptions, readOptions, UsageError } from './options.ts';
import { page } from './page.ts';
import type { Blow, Storm } from './storm.ts';
import { type StormFacts, stormText } from './stormReport.ts';
import { summarise } from './summary.ts';
import { secondsOf } from './timeline.ts';

const reports = suite('chaos reports');

const felt = { requests: 40, p50Ms: 20, p99Ms: 900, errors: { ECONNRESET: 2 } };
const kill = (gapMs: number, slowestMs: number): Blow => ({
  ...felt,
  faults: [{ name: 'kill', target: 'node-2' }],
  from: 3_000,
  until: 9_000,
  gapMs,
  slowestMs,
  takeovers: 5,
});
const both: Blow = {
  ...kill(100, 200),
  faults: [
    { name: 'pause', target: 'node-1' },
    { name: 'broker-restart', target: 'broker' },
  ],
};

function storm(changes: Partial<Storm> = {}): Storm {
  return {
    seed: 7,
    startedAt: '2026-01-02T03:04:05.678Z',
    tookMs: 60_000,
    blows: [kill(3_000, 4_000), kill(1_000, 2_000), both],
    whole: { ...felt, gapMs: 3_000, slowestMs: 4_000 },
    orders: 12,
    seconds: [{ answered: 5, failed: 2, p50Ms: 10, slowestMs: 40 }],
    violations: [],
    logs: new Map(),
    ...changes,
  };
}

const facts: StormFacts = { command: 'npm run chaos', machine: 'a machine', commit: 'abc', leftOut: ['no prlimit'] };

reports('faults are counted by kind, and those that came together apart from the others', () => {
  const { injected, kinds, verdict } = summarise(storm());
  assert.equal(injected, { kill: 2, pause: 1, 'broker-restart': 1 });
  assert.equal(kinds, [
    {
      kind: 'kill',
      times: 2,
      gapMs: { p50: 1_000, p99: 3_000, max: 3_000 },
      slowestMs: { p50: 2_000, p99: 4_000, max: 4_000 },
      failedTries: 4,
    },
    {
      kind: 'two at once',
      times: 1,
      gapMs: { p50: 100, p99: 100, max: 100 },
      slowestMs: { p50: 200, p99: 200, max: 200 },
      failedTries: 2,
    },
  ]);
  assert.is(verdict, 'no violation');
});

reports('the text says what was hurt, what failed, what was left out and what was violated', () => {
  const calm = stormText(storm(), facts);
  for (const part of [/no violation/, /seed 7/, /12 orders/, /1000 \/ 3000 \/ 3000/, /2 × ECONNRESET/, /no prlimit/]) {
    assert.match(calm, part);
  }
  const torn = stormText(storm({ violations: ['ord_1 is lost'] }), facts);
  assert.match(torn, /1 VIOLATIONS:\n {2}- ord_1 is lost/);
});

reports('the page has all of it in one file, and nothing in it can be taken for markup', () => {
  const html = page(storm({ violations: ['<script>alert(1)</script> & more'] }), facts);
  assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt; &amp; more/);
  for (const never of ['<script', '<link', 'http://', 'https://', 'url(', '@import', 'NaN', 'undefined']) {
    assert.not.ok(html.includes(never), never);
  }
  for (const part of ['<svg', 'kill, 6.0 s, gap 3000 ms', 'pause (node-1) and broker-restart (broker)', 'no prlimit']) {
    assert.ok(html.includes(part), part);
  }
});

reports('each second has what was answered and what failed in it', () => {
  const requests = [
    { kind: 'order', from: 1_100, until: 1_200, tries: 1 },
    { kind: 'look', from: 1_100, until: 3_300, tries: 2 },
  ];
  const attempts = [
    { node: 'node-1', from: 1_100, until: 3_000, outcome: 'ECONNRESET' },
    { node: 'node-2', from: 3_000, until: 3_300, outcome: 'ok' },
  ];
  const none = { answered: 0, failed: 0, p50Ms: 0, slowestMs: 0 };
  assert.equal(secondsOf({ requests, attempts }, 1_000), [
    { answered: 1, failed: 0, p50Ms: 100, slowestMs: 100 },
    none,
    { answered: 1, failed: 1, p50Ms: 2_200, slowestMs: 2_200 },
  ]);
});

function read(line: string): ChaosOptions {
  const options = readOptions(line.split(' ').filter((word) => word !== ''));
  if (options === 'help') throw new Error('help was not asked for');
  return options;
}

reports('without options it storms for two minutes with all faults that one broker allows', () => {
  const options = read('');
  assert.is(options.mode === 'storm' && options.forMs, 120_000);
  assert.ok(options.faults.includes('broker-rewind') && !options.faults.includes('broker-kill'));
  assert.ok(options.leftOut.includes('broker-kill needs --brokers 3'));
  assert.ok(read('--minutes 5 --brokers 3').faults.includes('broker-kill'));
});

reports('faults can be chosen and repeated', () => {
  const options = read('--faults kill,term --times 10');
  assert.equal(options.faults, ['kill', 'term']);
  assert.is(options.mode === 'campaigns' && options.times, 10);
  assert.is(options.pains.pauseMs, 30_000);
});

reports('what makes no sense is refused', () => {
  for (const line of [
    '--times 2 --minutes 2',
    '--faults flood',
    '--faults broker-kill',
    '--faults broker-rewind --brokers 3',
    '--brokers 2',
    '--minutes 0',
    '--seed x',
    '--unknown',
  ]) {
    assert.throws(
      () => read(line),
      (error: unknown) => error instanceof UsageError,
      line,
    );
  }
});

reports.run();
