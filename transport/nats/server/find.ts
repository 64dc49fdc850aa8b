/**
 * Finds a nats-server that is new enough, and fetches one where the machine has none: what `NATS_SERVER` names, else the
 * path, else a cache folder, which is filled once.
 */
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { isAtLeast, OLDEST_REPLICATED_BROKER, parseVersion, type Version, versionText } from '../version.ts';
import { BROKER_SOURCES, RELEASE, type Release } from './fetch.ts';
import { type Environment, run } from './run.ts';

const PROGRAM = 'nats-server';
/** Debian puts servers where the path of ordinary users doesn't look. */
const SYSTEM_FOLDERS: readonly string[] = ['/usr/local/sbin', '/usr/sbin'];
const VERSION_TIMEOUT_MS = 10_000;
const STAGING = '.fetching-';
/** What a process that died left behind; nobody fetches that long. */
const STAGING_MAX_AGE_MS = 3_600_000;

export type FoundBroker = {
  /** Absolute. */
  readonly program: string;
  readonly version: Version;
};

export type BrokerSearch = {
  /** `NATS_SERVER`, `PATH`, `XDG_CACHE_HOME` and `HOME` count; that of this process without it. */
  readonly env?: Environment;
  /** Looked through after the path. */
  readonly systemFolders?: readonly string[];
  /** The one to fetch where there is no package. */
  readonly release?: Release;
  /** Called before something is fetched, which takes seconds. */
  readonly onFetch?: (source: string) => void;
};

/** There is no usable nats-server here, and none could be fetched. The message says what was tried and what to do. */
export class NoBrokerProgram extends Error {
  override readonly name = 'NoBrokerProgram';
  readonly retryable = false;
  readonly tried: readonly string[];

  constructor(reason: string, tried: readonly string[]) {
    const rows = tried.map((line) => `\n  ${line}`).join('');
    const remedy = `Install nats-server ${versionText(OLDEST_REPLICATED_BROKER)} or newer, or name one in NATS_SERVER.`;
    super(`${reason}${rows}\n${remedy}`);
    this.tried = tried;
  }
}

/** @throws NoBrokerProgram */
export async function findBroker(search: BrokerSearch = {}): Promise<FoundBroker> {
  const env = search.env ?? process.env;
  const named = env['NATS_SERVER'];
  if (named !== undefined && named !== '') {
    const result = await tryProgram(named, env);
    // Whoever names one wants that one: another in its place would be a surprise.
    if (typeof result === 'string') throw new NoBrokerProgram('NATS_SERVER names no usable nats-server:', [result]);
    return result;
  }
  const tried: string[] = [];
  const cache = cacheFolder(env);
  for (const program of [...programsOnPath(env, search.systemFolders ?? SYSTEM_FOLDERS), join(cache, PROGRAM)]) {
    const result = await tryProgram(program, env);
    if (typeof result !== 'string') return result;
    tried.push(result);
  }
  return fetchBroker(cache, env, search, tried);
}

function cacheFolder(env: Environment): string {
  const home = env['HOME'] || homedir();
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'holdfast');
}

function programsOnPath(env: Environment, systemFolders: readonly string[]): readonly string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...folders, ...systemFolders])].map((folder) => resolve(folder, PROGRAM)).filter(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The program, or why it can't be used. */
async function tryProgram(program: string, env: Environment): Promise<FoundBroker | string> {
  try {
    const version = parseVersion(await run(program, ['--version'], { env, timeoutMs: VERSION_TIMEOUT_MS }));
    if (version === undefined) return `${program}: says no version`;
    if (isAtLeast(version, OLDEST_REPLICATED_BROKER)) return { program, version };
    return `${program}: ${versionText(version)} is older than ${versionText(OLDEST_REPLICATED_BROKER)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Several processes may do this at once: each fetches aside and renames, and any of their results is right. */
async function fetchBroker(
  cache: string,
  env: Environment,
  { release = RELEASE, onFetch }: BrokerSearch,
  tried: readonly string[],
): Promise<FoundBroker> {
  const failures = [...tried];
  mkdirSync(cache, { recursive: true });
  removeLeftovers(cache);
  for (const source of BROKER_SOURCES) {
    onFetch?.(source.name);
    const staging = mkdtempSync(join(cache, STAGING));
    try {
      const fetched = await source.fetch({ staging, env, release });
      const result = await tryProgram(fetched, env);
      if (typeof result === 'string') throw new Error(result);
      const program = join(cache, PROGRAM);
      renameSync(fetched, program);
      return { ...result, program };
    } catch (error) {
      failures.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }
  throw new NoBrokerProgram('no usable nats-server on this machine, and none could be fetched:', failures);
}

function removeLeftovers(cache: string): void {
  for (const name of readdirSync(cache).filter((each) => each.startsWith(STAGING))) {
    const folder = join(cache, name);
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > STAGING_MAX_AGE_MS) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
