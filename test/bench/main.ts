/**
 * `npm run bench`: how many orders a node takes, how fast it answers, what an order costs, and how soon it is back after a
 * kill; on a fresh store and on one with many orders. Markdown on stdout and bench-results/latest.json; progress on stderr.
 */
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../support/client.ts';
import { type Buyers, createBuyers } from './buyers.ts';
import { createShop, type Shop } from './catalog.ts';
import { type ClusterRun, measureCluster, PROFILED } from './cluster.ts';
import { expressClosed, expressOpen, outcomeOf } from './express.ts';
import { type Filled, fillStore } from './fill.ts';
import { createHttp, type Http } from './http.ts';
import type { Window } from './load.ts';
import { describeMachine } from './machine.ts';
import { type BenchOptions, readOptions, type Scenario, USAGE, UsageError } from './options.ts';
import { summarizeProfile } from './profile.ts';
import { recovery } from './recovery.ts';
import { type Filling, type LoadRun, markdown, type RecoveryRun } from './report.ts';
import { databaseBytes, removeFolder, startBenchServer, stopServer } from './server.ts';
import { storefront } from './storefront.ts';
import { createProbe, type Probe } from './usage.ts';

const RESULTS = 'bench-results';
const WARM_UP_MS = 3_000;
/** On the filled store the loads run for this share of the time. */
const STORED_SHARE = 0.4;
/** Of the open loop: enough that a stall of the server isn't hidden by waiting for a connection. */
const MAX_CONNECTIONS = 1_024;

type Stage = { readonly stored: number; readonly measureMs: number; folderFor(name: string): string };
type Loaded = Pick<LoadRun, 'load' | 'orders' | 'outcome' | 'steps'>;
type LoadScenario = {
  readonly name: string;
  readonly scenario: Scenario;
  run(http: Http, buyers: Buyers, window: Window, probe: Probe): Promise<Loaded>;
};

mkdirSync(RESULTS, { recursive: true });
const work = mkdtempSync(join(RESULTS, 'work-'));
process.on('exit', () => removeFolder(work));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await bench(options);
} catch (error) {
  process.stderr.write(
    `${error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.stack : error}\n`,
  );
  process.exit(1);
}

async function bench(options: BenchOptions): Promise<void> {
  const machine = describeMachine(work);
  progress('a shop of 200 products …');
  const template = join(work, 'template');
  const shop = await createShop(template);
  const loads: LoadRun[] = [];
  const recoveries: RecoveryRun[] = [];
  const fresh: Stage = { stored: 0, measureMs: options.seconds * 1_000, folderFor: (name) => copyOf(template, name) };
  await measure(fresh, shop, options, loads, recoveries);
  const cluster = options.only.has('cluster') ? await clustered(copyOf(template, 'alone'), shop, options) : undefined;
  let filling: Filling | undefined;
  if (options.stored > 0) {
    filling = await fill(template, shop, options.stored);
    const measureMs = Math.max(1, Math.round(options.seconds * STORED_SHARE)) * 1_000;
    const filled: Stage = { stored: options.stored, measureMs, folderFor: () => template };
    await measure(filled, shop, options, loads, recoveries);
  }
  const report = {
    machine,
    options: { ...options, only: [...options.only] },
    ...(filling && { filling }),
    loads,
    recoveries,
    ...(cluster && { cluster }),
  };
  writeFileSync(join(RESULTS, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(markdown(report));
}

async function measure(
  stage: Stage,
  shop: Shop,
  options: BenchOptions,
  loads: LoadRun[],
  recoveries: RecoveryRun[],
): Promise<void> {
  for (const scenario of loadScenarios(options)) {
    if (options.only.has(scenario.scenario)) loads.push(await runLoad(stage, shop, scenario, options.profile));
  }
  if (options.only.has('recovery')) {
    progress(`recovery, ${stage.stored} stored …`);
    recoveries.push({
      stored: stage.stored,
      ...(await recovery(stage.folderFor('recovery'), shop.skus, options.inFlight)),
    });
  }
}

function clustered(alone: string, { skus }: Shop, { inFlight, seconds, profile }: BenchOptions): Promise<ClusterRun> {
  const folder = join(work, 'cluster');
  const window = { warmUpMs: WARM_UP_MS, measureMs: seconds * 1_000 };
  const profileFolder = (name: string): string | undefined =>
    profile ? join(RESULTS, `profile-cluster-${name}`) : undefined;
  for (const name of PROFILED) removeFolder(join(RESULTS, `profile-cluster-${name}`));
  return measureCluster({ folder, alone, skus, inFlight, window, profileFolder, progress });
}

function loadScenarios({ inFlight, rate }: BenchOptions): readonly LoadScenario[] {
  return [
    {
      name: `express, ${inFlight} in flight, until captured`,
      scenario: 'express',
      async run(http, buyers, window, probe) {
        const { load, placed } = await expressClosed(http, buyers, inFlight, window, probe);
        return { load, orders: placed.length };
      },
    },
    {
      name: `express, ${rate}/s, until 202`,
      scenario: 'open',
      async run(http, buyers, window, probe) {
        const { load, placed } = await expressOpen(buyers, rate, window, probe);
        return { load, orders: placed.length, outcome: await outcomeOf(http, placed) };
      },
    },
    {
      name: `storefront, ${inFlight} in flight, until captured`,
      scenario: 'storefront',
      run: (http, buyers, window, probe) => storefront(http, buyers, inFlight, window, probe),
    },
  ];
}

async function runLoad(stage: Stage, { skus }: Shop, scenario: LoadScenario, profiled: boolean): Promise<LoadRun> {
  const { name } = scenario;
  progress(`${name}, ${stage.stored} stored …`);
  const folder = stage.folderFor(scenario.scenario);
  const before = databaseBytes(folder);
  const profileFolder = profiled ? join(RESULTS, `profile-${scenario.scenario}-${stage.stored}`) : undefined;
  if (profileFolder !== undefined) removeFolder(profileFolder);
  const server = await startBenchServer(folder, profileFolder);
  const http = createHttp(server.url, MAX_CONNECTIONS);
  const buyers = await createBuyers(http, skus);
  const window = { warmUpMs: WARM_UP_MS, measureMs: stage.measureMs };
  const loaded = await scenario.run(http, buyers, window, createProbe(http, server.pid));
  http.close();
  await stopServer(server);
  return {
    name,
    stored: stage.stored,
    ...loaded,
    databaseBytes: databaseBytes(folder) - before,
    ...(profileFolder !== undefined && { profile: summarizeProfile(profileFolder) }),
  };
}

/** Fills the closed store and looks at some of its new orders through the public interface. */
async function fill(folder: string, shop: Shop, orders: number): Promise<Filling> {
  const started = performance.now();
  const before = databaseBytes(folder);
  const filled = await fillStore(folder, shop.delivered, orders, (done) => {
    if (done % 50_000 === 0 || done === orders) progress(`${done} of ${orders} orders stored …`);
  });
  const seconds = (performance.now() - started) / 1_000;
  await lookAt(folder, filled);
  const { commitsPerOrder } = filled;
  return { orders, seconds, commitsPerOrder, databaseBytes: databaseBytes(folder) - before };
}

async function lookAt(folder: string, { orderIds }: Filled): Promise<void> {
  const server = await startBenchServer(folder);
  const client = createClient(server.url);
  const token = await client.staff();
  for (const orderId of orderIds) {
    const { status, body } = await client.call('GET', `/v1/orders/${orderId}`, { token });
    if (status !== 200 || body.id !== orderId || body.status !== 'delivered' || body.payment.status !== 'captured') {
      throw new Error(`the stored order ${orderId} is not as it should be: ${status} ${JSON.stringify(body)}`);
    }
  }
  await stopServer(server);
}

function copyOf(template: string, name: string): string {
  const folder = join(work, name);
  cpSync(template, folder, { recursive: true });
  return folder;
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
