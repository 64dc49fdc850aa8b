/**
 * `npm run check`: looks for what should not be in the store of DATA_DIR. While a node runs on it, the node is asked;
 * otherwise the file is opened for reading. Ends with 1 if something is critical or needs somebody, 2 if it could not look.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding } from '../actors/checks/finding.ts';
import { shop as deciders } from '../actors/shop.ts';
import { StoreInUse } from '../storage/database.ts';
import { STORE_FILE } from '../storage/dataFolder.ts';
import type { CheckReport } from '../supervisors/checker/checker.ts';
import { openStoppedStore } from '../supervisors/checker/stopped.ts';
import { type Config, ConfigError, readConfig } from '../supervisors/config.ts';
import type { AnyDecider } from '../supervisors/memory.ts';
import { createNodeClient, NodeRefused } from './nodeClient.ts';

type Part = Pick<CheckReport, 'findings' | 'covered'>;

/** Findings kept for the report; of more the last ones. */
const MAX_FINDINGS = 10_000;
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
    const expected = wrongUse || [CheckFailed, NodeRefused, ConfigError].some((type) => error instanceof type);
    process.stderr.write(`${expected ? (error as Error).message : error instanceof Error ? error.stack : error}\n`);
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
  const node = createNodeClient(config, 'npm-run-check');
  const path = `/v1/admin/check?deep=${deep}`;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Answered = await node.call('GET', cursor === '' ? path : `${path}&cursor=${cursor}`);
    yield page;
    cursor = page.page.next;
  }
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
