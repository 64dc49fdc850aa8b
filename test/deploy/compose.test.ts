/** The compose example and the image, held against what the code reads and does; nothing here can run them. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NODE_PATIENCE_S } from '../../http/cluster/keeper.ts';
import { STOP_PATIENCE_MS as LAUNCHER_PATIENCE_MS } from '../../http/cluster/launcher.ts';
import { EDGE_STOP_MS } from '../../http/edge.ts';
import { systemRoutes } from '../../http/routes/system.ts';
import { DRAIN_PATIENCE_MS } from '../../supervisors/cluster/clusterHome.ts';
import { type Config, readConfig } from '../../supervisors/config.ts';
import { STOP_PATIENCE_MS } from '../../supervisors/holdfast.ts';
import { isAtLeast, OLDEST_REPLICATED_BROKER, parseVersion } from '../../transport/nats/version.ts';
import { durationMs, filledIn, type Node, node, readCompose } from '../support/deployed.ts';

const examples = suite('deploy compose');

const compose = readCompose();
const services = Object.entries(compose.at('services').value as Record<string, unknown>);
const named = (prefix: string): readonly (readonly [string, Node])[] =>
  services.filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name, node(value)]);
const NODES = named('node-');
const BROKERS = named('nats-');
const SECRETS = { AUTH_SECRET: 'x'.repeat(32), OPERATOR_PASSWORD: 'correct horse' };

/** What the image sets, and then what the service does. */
function environmentOf(service: Node): Record<string, string> {
  const image = /^ENV (.*)$/m.exec(dockerfile)?.[1] ?? '';
  const given = Object.entries(service.at('environment').value as Record<string, string>);
  return {
    ...Object.fromEntries(image.split(' ').map((pair) => pair.split('=') as [string, string])),
    ...Object.fromEntries(given.map(([name, value]) => [name, filledIn(value, SECRETS)])),
  };
}

const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');

examples('each setting is one that a node reads, and its value is taken', () => {
  assert.is(NODES.length, 3);
  for (const [name, service] of NODES) {
    const environment = environmentOf(service);
    const config: Config & Readonly<Record<string, unknown>> = readConfig(environment);
    for (const setting of Object.keys(environment)) assert.ok(config[setting] !== undefined, `${name}: ${setting}`);
    assert.is(config.NODE_NAME, name);
    assert.is(config.NODE_ENV, 'production');
  }
});

examples('secrets come from outside and are asked for', () => {
  for (const [, service] of NODES) {
    for (const secret of Object.keys(SECRETS)) {
      assert.match(service.at('environment', secret).value as string, new RegExp(`^\\$\\{${secret}:\\?.+\\}$`));
    }
  }
  assert.not.match(dockerfile, /^(ENV|ARG) .*(SECRET|PASSWORD|CREDS)/m);
});

examples('nodes know all brokers, by the names and the port that those have; as many as keep each log', () => {
  for (const [, service] of NODES) {
    const { NATS_URL, REPLICAS } = readConfig(environmentOf(service));
    assert.is(NATS_URL, BROKERS.map(([name]) => `nats://${name}:4222`).join(','));
    assert.is(REPLICAS, BROKERS.length);
    assert.equal(
      Object.keys(service.at('depends_on').value as object),
      BROKERS.map(([name]) => name),
    );
  }
  for (const [name, service] of BROKERS) {
    assert.is(service.at('environment', 'SERVER_NAME').value, name);
    const version = parseVersion(String(service.at('image').value));
    assert.ok(version !== undefined && isAtLeast(version, OLDEST_REPLICATED_BROKER), `${name}: ${version}`);
  }
});

examples('every container has a volume of its own, and every volume is declared', () => {
  const used = [...NODES, ...BROKERS].map(([name, service]) => {
    const own = service
      .at('volumes')
      .list()
      .map(({ value }) => String(value))
      .filter((text) => text.endsWith(':/data'));
    assert.equal(own, [`${name}:/data`]);
    return name;
  });
  assert.equal(used.toSorted(), Object.keys(compose.at('volumes').value as object).toSorted());
});

/** The command's arguments; a colon in the wrong place makes YAML read a table where a text was meant. */
function healthCheck(service: Node): readonly string[] {
  const parts = service
    .at('healthcheck', 'test')
    .list()
    .map(({ value }) => value);
  for (const part of parts) assert.type(part, 'string');
  return parts.map(String);
}

examples('a node is asked for what it answers, on the port it listens on; each has another one outside', () => {
  const paths = systemRoutes.map(({ path }) => path);
  const outside = NODES.map(([, service]) => {
    const asked = new URL(/'(http:[^']+)'/.exec(healthCheck(service).at(-1) ?? '')?.[1] ?? '');
    const { PORT, HOST } = readConfig(environmentOf(service));
    assert.is(asked.port, String(PORT));
    assert.ok(paths.includes(asked.pathname), asked.pathname);
    assert.is(HOST, '0.0.0.0');
    const [, published, port] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(String(service.at('ports', 0).value)) ?? [];
    assert.is(port, String(PORT));
    return published;
  });
  assert.is(new Set(outside).size, NODES.length);
  for (const [, service] of BROKERS) assert.is(healthCheck(service).at(-1), 'http://127.0.0.1:8222/healthz');
});

examples('the health check ends with 0 when the node is ready, with 1 when it is not or not there', async () => {
  let status = 200;
  const server = createServer((_request, response) => void response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const [, , ...command] = healthCheck(NODES[0]?.[1] ?? node(undefined)).map((part) =>
    part.replace(':3000', `:${port}`),
  );
  const run = async (): Promise<unknown> =>
    promisify(execFile)(process.execPath, command).then(
      () => 0,
      (error: { readonly code: unknown }) => error.code,
    );
  assert.is(await run(), 0);
  status = 503;
  assert.is(await run(), 1);
  await new Promise((resolve) => server.close(resolve));
  assert.is(await run(), 1);
});

examples('whoever stops a node waits longer than it takes to drain', () => {
  const longestMs = DRAIN_PATIENCE_MS + EDGE_STOP_MS + STOP_PATIENCE_MS;
  for (const [name, service] of NODES) assert.ok(durationMs(service.at('stop_grace_period').value) > longestMs, name);
  assert.ok(LAUNCHER_PATIENCE_MS > longestMs);
  assert.ok(NODE_PATIENCE_S * 1_000 > longestMs);
});

examples('the image runs what npm start runs, as nobody special, with all that this needs', () => {
  const { scripts, engines } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: { start: string };
    engines: { node: string };
  };
  const command = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
  assert.is(`exec ${command.join(' ')}`, scripts.start);
  assert.match(dockerfile, /^USER node$/m);
  const runtime = Number(/^FROM node:(\d+)-slim$/m.exec(dockerfile)?.[1]);
  assert.ok(runtime >= Number(/\d+/.exec(engines.node)?.[0]));
  const copied = [...dockerfile.matchAll(/^COPY (\w\S*(?: \w\S*)*) \.\//gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );
  for (const source of copied) assert.ok(existsSync(source), source);
  for (const folder of ['actors', 'storage', 'transport', 'supervisors', 'http'])
    assert.ok(copied.includes(folder), folder);
  const admitted = readFileSync('deploy/Dockerfile.dockerignore', 'utf8').match(/^!\S+$/gm) ?? [];
  assert.equal(admitted.map((line) => line.slice(1)).toSorted(), [...new Set(copied)].toSorted());
});

examples.run();
