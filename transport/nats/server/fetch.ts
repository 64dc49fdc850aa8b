/**
 * Where a nats-server comes from when the machine has none: Debian's package, the project's own release, Homebrew. None
 * of them needs root, and none touches the machine's own package database (Homebrew keeps one per user).
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Version, versionText } from '../version.ts';
import { type Environment, run } from './run.ts';

const PACKAGE = 'nats-server';
/** A suite that has a good one (2.10.27); its program runs on Debian 12, and on what else is as new as that. */
const DEBIAN_SUITE = 'trixie';
const DEBIAN_MIRROR = 'http://deb.debian.org/debian';
const DEBIAN_KEYRINGS: readonly string[] = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

/** A release of nats-server as the project publishes it. */
export type Release = {
  /** Where its releases lie. */
  readonly url: string;
  readonly version: Version;
  /** SHA-256 of the archives, by platform and cpu as their names have them: nothing else is unpacked. */
  readonly sums: Readonly<Record<string, string>>;
};

/** The sums are those of the project's own container images, which exist for Linux; elsewhere Homebrew is the way. */
export const RELEASE: Release = {
  url: 'https://github.com/nats-io/nats-server/releases/download',
  version: [2, 10, 29],
  sums: {
    'linux-amd64': 'e314da74a83a1d3876db8814c27eb990fe729640fd6452025b441bcede8390da',
    'linux-arm64': 'da4b27942ecfb4c5f0c54553d2e7f470ddda9d7581cfe8131b351a0e223ed401',
    'linux-arm7': 'a59e7336a32ef78b0ca8bc3e6707a5770461d3f45c4c2f96cfef263f26eaefd5',
  },
};
const CPUS: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm7' };

const COMMAND_TIMEOUT_MS = 20_000;
const DOWNLOAD_TIMEOUT_MS = 120_000;
const BREW_TIMEOUT_MS = 600_000;

export type FetchContext = {
  /** An empty folder for all that comes up on the way. */
  readonly staging: string;
  readonly env: Environment;
  readonly release: Release;
};

export type BrokerSource = {
  readonly name: string;
  /**
   * Resolves with the path of a nats-server inside `staging`, not tried yet.
   * @throws Error whose message says what was missing
   */
  fetch(context: FetchContext): Promise<string>;
};

export const BROKER_SOURCES: readonly BrokerSource[] = [
  { name: `Debian's package (${DEBIAN_SUITE})`, fetch: fetchFromDebian },
  { name: "the project's release", fetch: fetchRelease },
  { name: 'Homebrew', fetch: fetchFromBrew },
];

async function fetchFromDebian(context: FetchContext): Promise<string> {
  const mirror = await ownMirror(context.env);
  try {
    return await fetchFromMirror(mirror ?? DEBIAN_MIRROR, context);
  } catch (error) {
    // A mirror inside a company may have this machine's own suite only.
    if (mirror === undefined) throw error;
    return fetchFromMirror(DEBIAN_MIRROR, context);
  }
}

async function fetchFromMirror(mirror: string, { staging, env }: FetchContext): Promise<string> {
  const keyring = DEBIAN_KEYRINGS.find((file) => existsSync(file));
  const options = keyring === undefined ? '' : `[signed-by=${keyring}] `;
  const list = join(staging, 'sources.list');
  writeFileSync(list, `deb ${options}${mirror} ${DEBIAN_SUITE} main\n`);
  for (const folder of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(staging, folder), { recursive: true });
  }
  const aside = [
    ...['-o', `Dir::Etc::sourcelist=${list}`, '-o', 'Dir::Etc::sourceparts=/dev/null'],
    ...['-o', `Dir::State::lists=${join(staging, 'lists')}`, '-o', `Dir::Cache=${join(staging, 'cache')}`],
    ...['-o', 'Acquire::Languages=none', '-q'],
  ];
  const limits = { env, timeoutMs: DOWNLOAD_TIMEOUT_MS, folder: staging };
  await run('apt-get', [...aside, 'update'], limits);
  await run('apt-get', [...aside, 'download', PACKAGE], limits);
  const files = await readdir(staging);
  const file = files.find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new Error('apt-get: downloaded no package');
  await run('dpkg', ['-x', join(staging, file), join(staging, 'package')], { env, timeoutMs: COMMAND_TIMEOUT_MS });
  return join(staging, 'package/usr/sbin', PACKAGE);
}

/** The mirror that this machine's own packages come from, which may be the only one it reaches. */
async function ownMirror(env: Environment): Promise<string | undefined> {
  const format = '$(ORIGIN)|$(LABEL)|$(REPO_URI)';
  const options = { env, timeoutMs: COMMAND_TIMEOUT_MS };
  const targets = await run('apt-get', ['indextargets', '--format', format], options).catch(() => '');
  const rows = targets.split('\n').map((line) => line.trim().split('|'));
  const own = rows.find(([origin, label]) => origin === 'Debian' && label === 'Debian');
  // Without downloaded lists apt knows the addresses only.
  const named = rows.find(([, , uri]) => uri !== undefined && /\/debian\/?$/.test(uri));
  return (own ?? named)?.[2];
}

async function fetchRelease({ staging, env, release }: FetchContext): Promise<string> {
  const machine = `${process.platform}-${CPUS[process.arch] ?? process.arch}`;
  const sum = release.sums[machine];
  if (sum === undefined) throw new Error(`none that is known for ${machine}`);
  const version = `v${versionText(release.version)}`;
  const name = `nats-server-${version}-${machine}`;
  const url = `${release.url}/${version}/${name}.tar.gz`;
  const archive = await download(url);
  const found = createHash('sha256').update(archive).digest('hex');
  if (found !== sum) throw new Error(`${url}: its SHA-256 is ${found}, not ${sum}`);
  const file = join(staging, 'release.tar.gz');
  writeFileSync(file, archive);
  await run('tar', ['-xzf', file, '-C', staging], { env, timeoutMs: COMMAND_TIMEOUT_MS });
  return join(staging, name, PACKAGE);
}

async function download(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
    if (!response.ok) throw new Error(String(response.status));
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Error(`${url}: ${error instanceof Error ? causeText(error) : String(error)}`, { cause: error });
  }
}

/** Of a failed `fetch` only the cause says something. */
const causeText = (error: Error): string => (error.cause instanceof Error ? error.cause.message : error.message);

async function fetchFromBrew({ staging, env }: FetchContext): Promise<string> {
  await run('brew', ['install', '--quiet', PACKAGE], { env, timeoutMs: BREW_TIMEOUT_MS });
  const prefix = (await run('brew', ['--prefix', PACKAGE], { env, timeoutMs: COMMAND_TIMEOUT_MS })).trim();
  const copy = join(staging, PACKAGE);
  copyFileSync(join(prefix, 'bin', PACKAGE), copy);
  return copy;
}
