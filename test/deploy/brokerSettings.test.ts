/** The brokers' configuration in the examples: read by a real nats-server, and started to see what it makes of it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findBroker } from '../../transport/nats/server/find.ts';
import { MAX_PAYLOAD_BYTES } from '../../transport/nats/server/settings.ts';
import { readCompose, readKubernetes } from '../support/deployed.ts';

type Context = { folder: string };
const settings = suite<Context>('deploy broker settings');
settings.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'holdfast-deploy-'));
});
settings.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const kubernetesText = (): string => {
  const map = readKubernetes().find((each) => each.at('kind').value === 'ConfigMap');
  return String(map?.at('data', 'nats.conf').value);
};
const TEXTS: readonly (readonly [where: string, text: string])[] = [
  ['compose', readFileSync('deploy/nats.conf', 'utf8')],
  ['kubernetes', kubernetesText()],
];

/** What `nats-server -t` says of it. */
async function tried(folder: string, text: string): Promise<string> {
  const file = join(folder, 'nats.conf');
  writeFileSync(file, text);
  const { program } = await findBroker();
  const env = { ...process.env, SERVER_NAME: 'nats-0' };
  const { stdout, stderr } = await promisify(execFile)(program, ['-t', '-c', file], { env });
  return `${stdout}${stderr}`;
}

for (const [where, text] of TEXTS) {
  settings(`${where} - nats-server takes every line`, async ({ folder }) => {
    assert.match(await tried(folder, text), 'configuration file');
  });

  settings(`${where} - every write is synced, and records may be as big as where we start brokers`, () => {
    assert.match(text, /^jetstream \{[^}]*^ *sync_interval: always$[^}]*^\}/m);
    assert.is(Number(/^max_payload: (\d+)$/m.exec(text)?.[1]), MAX_PAYLOAD_BYTES);
    assert.match(text, /^ *store_dir: \/data$/m);
  });
}

settings('a setting that nats-server does not know is refused', async ({ folder }) => {
  const wrong = TEXTS[0]?.[1].replace('sync_interval: always', 'sync_interval_always: true') ?? '';
  const said = await tried(folder, wrong).catch((error: Error) => error.message);
  assert.match(said, 'sync_interval_always');
});

settings('each broker knows the way to the others', () => {
  const routes = TEXTS.map(([, text]) => /routes: \[(.*)\]/.exec(text)?.[1]?.split(', '));
  const services = Object.keys(readCompose().at('services').value as object).filter((name) => name.startsWith('nats-'));
  assert.equal(
    routes[0],
    services.map((name) => `nats://${name}:6222`),
  );
  assert.equal(
    routes[1],
    [0, 1, 2].map((index) => `nats://nats-${index}.nats:6222`),
  );
});

settings.run();
