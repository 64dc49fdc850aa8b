/** Which nats-server is taken, in what order, and how one is fetched: with programs that only pretend, in folders of the test. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RELEASE, type Release } from '../../../transport/nats/server/fetch.ts';
import { type BrokerSearch, findBroker, NoBrokerProgram } from '../../../transport/nats/server/find.ts';
import { temporaryFolder } from '../../support/broker.ts';

type Machine = { folder: string; search: BrokerSearch };

const find = suite<Machine>('find', { folder: '', search: {} });

/** A machine without anything on its path, and with nothing to reach. */
find.before.each((context) => {
  context.folder = temporaryFolder();
  context.search = {
    env: {
      PATH: [join(context.folder, 'first'), join(context.folder, 'second')].join(':'),
      XDG_CACHE_HOME: context.folder,
    },
    systemFolders: [join(context.folder, 'system')],
    release: { ...RELEASE, url: 'http://127.0.0.1:1' },
  };
});

find.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** Only the fake programs are on the path, so the real ones that they use themselves are named here. */
const REAL_PATH = 'PATH=/usr/bin:/bin';

function program(file: string, lines: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${lines}\n`);
  chmodSync(file, 0o755);
  return file;
}

const server = (file: string, version: string): string => program(file, `echo 'nats-server: v${version}'`);

/** An apt-get with a package whose program says `says`, but not from the mirror `without`; and a dpkg that unpacks it. */
function debian(folder: string, says: string, targets = '', without = 'nobody'): void {
  program(
    join(folder, 'first/apt-get'),
    `${REAL_PATH}
for word; do case $word in
  indextargets) echo '${targets}' ;;
  Dir::Etc::sourcelist=*) 
    cat "\${word#*=}" >> ${join(folder, 'lists-seen')}
    if grep -q ${without} "\${word#*=}"; then exit 100; fi ;;
  download) echo package > nats-server_2.10.27_amd64.deb; echo fetched >> ${join(folder, 'fetches')} ;;
esac; done`,
  );
  program(
    join(folder, 'first/dpkg'),
    `${REAL_PATH}
mkdir -p "$3/usr/sbin"
printf '%s\\n' '#!/bin/sh' "${says}" > "$3/usr/sbin/nats-server"
chmod 755 "$3/usr/sbin/nats-server"`,
  );
}

const readText = (file: string): string => readFileSync(file, 'utf8');

const SAYS_VERSION = 'echo nats-server: v2.10.27';

/** What is left of fetching. */
const leftovers = (folder: string): readonly string[] =>
  readdirSync(join(folder, 'holdfast')).filter((name) => name !== 'nats-server');

async function refusal(search: BrokerSearch): Promise<NoBrokerProgram> {
  const error = await findBroker(search).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof NoBrokerProgram)) throw new Error(`expected a refusal, not ${error}`);
  return error;
}

find('takes what NATS_SERVER names, whatever is on the path', async ({ folder, search }) => {
  server(join(folder, 'first/nats-server'), '2.11.0');
  const named = server(join(folder, 'named'), '2.10.22');
  const found = await findBroker({ ...search, env: { ...search.env, NATS_SERVER: named } });
  assert.equal(found, { program: named, version: [2, 10, 22] });
});

find('takes nothing in place of a NATS_SERVER that is missing, broken or too old', async ({ folder, search }) => {
  server(join(folder, 'first/nats-server'), '2.11.0');
  for (const [named, reason] of [
    [join(folder, 'nowhere'), 'not on this machine'],
    [program(join(folder, 'broken'), 'echo "cannot load"; exit 3'), 'broken'],
    [program(join(folder, 'silent'), ''), 'says no version'],
    [server(join(folder, 'old'), '2.10.21'), '2.10.21 is older than 2.10.22'],
  ] as const) {
    const error = await refusal({ ...search, env: { ...search.env, NATS_SERVER: named } });
    assert.match(error.message, 'NATS_SERVER names no usable nats-server');
    assert.match(error.message, reason);
  }
});

find('passes over what is broken or too old on the path', async ({ folder, search }) => {
  program(join(folder, 'first/nats-server'), 'exit 1');
  server(join(folder, 'second/nats-server'), '2.9.10');
  const good = server(join(folder, 'system/nats-server'), '2.10.27');
  assert.is((await findBroker(search)).program, good);
});

find('prefers the path to the system folders, and those to the cache', async ({ folder, search }) => {
  const cached = server(join(folder, 'holdfast/nats-server'), '2.12.0');
  assert.is((await findBroker(search)).program, cached);
  const system = server(join(folder, 'system/nats-server'), '2.11.0');
  assert.is((await findBroker(search)).program, system);
  const onPath = server(join(folder, 'second/nats-server'), '2.10.27');
  assert.is((await findBroker(search)).program, onPath);
});

find("fetches Debian's package once, from the mirror that the machine uses", async ({ folder, search }) => {
  debian(folder, SAYS_VERSION, 'Debian|Debian|http://mirror.example/debian/');
  const fetches: string[] = [];
  const found = await findBroker({ ...search, onFetch: (source) => fetches.push(source) });
  assert.equal(found, { program: join(folder, 'holdfast/nats-server'), version: [2, 10, 27] });
  assert.is(fetches.length, 1);
  assert.match(fetches[0] ?? '', 'Debian');
  assert.match(readText(join(folder, 'lists-seen')), 'http://mirror.example/debian/ trixie main');
  assert.equal(leftovers(folder), []);
  await findBroker({ ...search, onFetch: (source) => fetches.push(source) });
  assert.is(fetches.length, 1);
});

find('takes the known mirror when the own one has no such package', async ({ folder, search }) => {
  debian(folder, SAYS_VERSION, 'Debian|Debian|http://mirror.example/debian/', 'mirror.example');
  assert.equal((await findBroker(search)).version, [2, 10, 27]);
});

/** Offers a release whose program says `says`, and knows its sum. */
async function withRelease<T>(folder: string, says: string, use: (release: Release) => Promise<T>): Promise<T> {
  program(join(folder, 'first/tar'), `${REAL_PATH} exec tar "$@"`);
  const machines = [...Object.keys(RELEASE.sums), 'darwin-arm64', 'darwin-amd64'];
  const archives = new Map(machines.map((machine) => [machine, archiveOf(folder, machine, says)]));
  const server = createServer((request, response) => {
    const machine = /^\/v2\.10\.29\/nats-server-v2\.10\.29-([\w-]+)\.tar\.gz$/.exec(request.url ?? '')?.[1];
    const archive = archives.get(machine ?? '');
    response.writeHead(archive === undefined ? 404 : 200).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const sums = Object.fromEntries(
    [...archives].map(([machine, archive]) => [machine, createHash('sha256').update(archive).digest('hex')]),
  );
  try {
    return await use({ ...RELEASE, url: `http://127.0.0.1:${port}`, sums });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function archiveOf(folder: string, machine: string, says: string): Buffer {
  const name = `nats-server-v2.10.29-${machine}`;
  program(join(folder, 'release', name, 'nats-server'), says);
  return spawnSync('tar', ['-czf', '-', '-C', join(folder, 'release'), name]).stdout;
}

find('fetches the release where there is no package', async ({ folder, search }) => {
  await withRelease(folder, SAYS_VERSION, async (release) => {
    const found = await findBroker({ ...search, release });
    assert.is(found.program, join(folder, 'holdfast/nats-server'));
    assert.equal(leftovers(folder), []);
  });
});

find('unpacks no release but the one whose sum is known', async ({ folder, search }) => {
  await withRelease(folder, SAYS_VERSION, async (release) => {
    const others = Object.fromEntries(Object.keys(release.sums).map((machine) => [machine, 'another']));
    const error = await refusal({ ...search, release: { ...release, sums: others } });
    assert.match(error.message, 'its SHA-256 is');
    const unknown = await refusal({ ...search, release: { ...release, sums: {} } });
    assert.match(unknown.message, 'none that is known for');
  });
});

find('goes on to the release when the package does not run on this machine', async ({ folder, search }) => {
  debian(folder, 'exit 126');
  await withRelease(folder, 'echo nats-server: v2.10.29', async (release) => {
    assert.equal((await findBroker({ ...search, release })).version, [2, 10, 29]);
  });
});

find('fetches with Homebrew where there is nothing else', async ({ folder, search }) => {
  server(join(folder, 'brewed/bin/nats-server'), '2.12.1');
  program(join(folder, 'first/brew'), `[ "$1" = install ] || echo ${join(folder, 'brewed')}`);
  const found = await findBroker(search);
  assert.equal(found, { program: join(folder, 'holdfast/nats-server'), version: [2, 12, 1] });
});

find('replaces what is too old in the cache', async ({ folder, search }) => {
  server(join(folder, 'holdfast/nats-server'), '2.10.1');
  debian(folder, SAYS_VERSION);
  assert.equal((await findBroker(search)).version, [2, 10, 27]);
});

find('says all that it tried, and what to do', async ({ folder, search }) => {
  const old = server(join(folder, 'first/nats-server'), '2.9.25');
  debian(folder, 'exit 126');
  const error = await refusal(search);
  assert.is(error.retryable, false);
  for (const part of [
    `${old}: 2.9.25 is older`,
    "Debian's package",
    'http://127.0.0.1:1',
    'Homebrew: brew: not on this',
  ]) {
    assert.match(error.message, part);
  }
  assert.match(error.message, 'name one in NATS_SERVER');
  assert.not.ok(existsSync(join(folder, 'holdfast/nats-server')));
  assert.equal(leftovers(folder), []);
});

find('gives several that fetch at once a whole program each', async ({ folder, search }) => {
  debian(folder, SAYS_VERSION);
  const found = await Promise.all(Array.from({ length: 6 }, () => findBroker(search)));
  assert.ok(readText(join(folder, 'fetches')).split('\n').length > 2, 'they did not fetch at once');
  assert.equal([...new Set(found.map(({ program: path }) => path))], [join(folder, 'holdfast/nats-server')]);
  assert.equal(leftovers(folder), []);
});

find('clears up after a fetch that died, and leaves one under way alone', async ({ folder, search }) => {
  debian(folder, SAYS_VERSION);
  for (const name of ['.fetching-dead', '.fetching-young'])
    mkdirSync(join(folder, 'holdfast', name), { recursive: true });
  const longAgo = Date.now() / 1_000 - 2 * 3_600;
  utimesSync(join(folder, 'holdfast/.fetching-dead'), longAgo, longAgo);
  await findBroker(search);
  assert.equal(leftovers(folder), ['.fetching-young']);
});

find.run();
