/**
 * `npm run check`: looks for what should not be in the store of DATA_DIR. While a node runs on it, the node is asked;
 * otherwise the file is opened for reading. Ends with 1 if something is critical or needs somebody, 2 if it could not look.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Finding } from '../actors/checks/finding.ts';
import { shop as deciders } from '../actors/shop.ts';
import { StoreInUse } from '../storage/database.ts';
import { AUTH_SECRET_FILE, developmentSecret, STORE_FILE } from '../storage/dataFolder.ts';
import type { CheckReport } from '../supervisors/checker/checker.ts';
import { openStoppedStore } from '../supervisors/checker/stopped.ts';
import { type Config, ConfigError, readConfig } from '../supervisors/config.ts';
import type { AnyDecider } from '../supervisors/memory.ts';
import { createTokens } from './auth.ts';

type Part = Pick<CheckReport, 'findings' | 'covered'>;

/** Findings kept for the report; of more the last ones. */
const MAX_FINDINGS = 10_000;
const TOKEN_SECONDS = 60;
const BUSY_PAUSE_MS = 2_000;
const BUSY_TRIES = 30;
const EXIT = { fine: 0, findings: 1, failed: 2 } as const;

const USAGE = `npm run check -- [--deep] [--json]
  --deep   the whole log, every message and every snapshot, not only the newest
  --json   one JSON object instead of text
`;

/** Reads the arguments and the environment; returns the exit code. */
async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: { deep: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    const report = await collect(partsOf(readConfig(process.env), values.deep));
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
    return report.findings.some(({ level }) => level !== 'info') ? EXIT.findings : EXIT.fine;
  } catch (error) {
    const wrongUse = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    const expected = wrongUse || error instanceof CheckFailed || error instanceof ConfigError;
    process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : error}\n`);
    if (wrongUse) process.stderr.write(USAGE);
    return EXIT.failed;
  }
}

class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

async function* partsOf(config: Config, deep: boolean): AsyncGenerator<Part> {
  const path = join(config.DATA_DIR, STORE_FILE);
  if (!existsSync(path)) throw new CheckFailed(`There is no store in ${config.DATA_DIR}: set DATA_DIR.`);
  let store: ReturnType<typeof openStoppedStore>;
  try {
    store = openStoppedStore(config.DATA_DIR, deciders as unknown as Readonly<Record<string, AnyDecider>>);
  } catch (error) {
    if (!(error instanceof StoreInUse))
      throw new CheckFailed(`${path}: ${error instanceof Error ? error.message : error}`);
    yield* askNode(config, deep);
    return;
  }
  try {
    for (let from: CheckReport['next']; ; ) {
      const report: CheckReport = await store.check({ deep, ...(from && { from }) });
      yield report;
      if (report.next === undefined) return;
      from = report.next;
    }
  } finally {
    store.close();
  }
}

type Answered = Part & { readonly page: { readonly next: string | null } };

async function* askNode(config: Config, deep: boolean): AsyncGenerator<Part> {
  const host = ['0.0.0.0', '::'].includes(config.HOST) ? '127.0.0.1' : config.HOST;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${config.PORT}/v1/admin/check?deep=${deep}`;
  const tokens = createTokens({ secret: secretOf(config) });
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Answered = await askPage(cursor === '' ? url : `${url}&cursor=${cursor}`, tokens);
    yield page;
    cursor = page.page.next;
  }
}

async function askPage(url: string, tokens: ReturnType<typeof createTokens>): Promise<Answered> {
  for (let tries = 1; ; tries++) {
    const staff = { sub: 'npm-run-check', role: 'staff', scopes: ['cluster'] } as const;
    const { token } = await tokens.issue(staff, TOKEN_SECONDS);
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } }).catch((error: unknown) => {
      throw new CheckFailed(`A node has the store, but nobody answers at ${url}: set HOST and PORT as it has them.`, {
        cause: error,
      });
    });
    if (answer.ok) return (await answer.json()) as Answered;
    if (answer.status === 401)
      throw new CheckFailed('The node does not know this AUTH_SECRET: set it as the node has it.');
    if (answer.status !== 503 || tries === BUSY_TRIES) {
      throw new CheckFailed(`The node answered ${answer.status}: ${await answer.text()}`);
    }
    await pause(BUSY_PAUSE_MS);
  }
}

function secretOf({ AUTH_SECRET, DATA_DIR }: Config): string {
  if (AUTH_SECRET !== undefined) return AUTH_SECRET;
  if (existsSync(join(DATA_DIR, AUTH_SECRET_FILE))) return developmentSecret(DATA_DIR);
  throw new CheckFailed('A node has the store; to ask it, set AUTH_SECRET as the node has it.');
}

type Report = Part & { readonly truncated: boolean };

async function collect(parts: AsyncIterable<Part>): Promise<Report> {
  const covered: Record<string, number> = {};
  let findings: Finding[] = [];
  let truncated = false;
  for await (const part of parts) {
    for (const [what, count] of Object.entries(part.covered)) covered[what] = (covered[what] ?? 0) + count;
    findings.push(...part.findings);
    truncated ||= findings.length > MAX_FINDINGS;
    findings = findings.slice(-MAX_FINDINGS);
  }
  return { findings, covered, truncated };
}

function textOf({ findings, covered, truncated }: Report): string {
  const looked = Object.entries(covered).map(([what, count]) => `${count} ${what}`);
  const counts = (['critical', 'warning', 'info'] as const).map(
    (level) => `${findings.filter((each) => each.level === level).length} ${level}`,
  );
  const lines = findings.map(
    ({ level, code, text, ids }) => `${level.toUpperCase().padEnd(8)} ${code}  ${text}\n         ${ids.join('  ')}`,
  );
  if (truncated) lines.push(`There were more; these are the last ${MAX_FINDINGS}.`);
  return `${[...lines, `Looked at ${looked.join(', ')}.`, `Found ${counts.join(', ')}.`].join('\n')}\n`;
}

process.exitCode = await main();
