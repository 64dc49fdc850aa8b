/** Brokers of our own: real processes, killed, paused and started again. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Broker, BrokerNotStarted, startBroker } from '../../../transport/nats/server/broker.ts';
import { startBrokers } from '../../../transport/nats/server/brokers.ts';
import { freePorts } from '../../../transport/nats/server/ports.ts';
import { membersOf } from '../../../transport/nats/server/probes.ts';
import { spawnBroker } from '../../../transport/nats/server/process.ts';
import { temporaryFolder, until, withBrokers } from '../../support/broker.ts';

const broker = suite<{ folder: string; brokers: Broker[] }>('broker', { folder: '', brokers: [] });

broker.before.each((context) => {
  context.folder = temporaryFolder();
  context.brokers = [];
});

broker.after.each(async ({ folder, brokers }) => {
  await Promise.all(brokers.map((each) => each.kill()));
  rmSync(folder, { recursive: true, force: true });
});

const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function varz(each: Broker): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${each.monitorPort}/varz`);
  return (await response.json()) as Record<string, unknown>;
}

broker('takes connections once it is started, with the settings that we need', async ({ folder, brokers }) => {
  const started = await startBroker({ folder, name: 'one' });
  brokers.push(started);
  const facts = await varz(started);
  assert.is(facts['server_name'], 'one');
  assert.is(facts['max_payload'], 8 * 1024 * 1024);
  assert.is(facts['port'], started.port);
  const { config } = facts['jetstream'] as { config: Record<string, unknown> };
  assert.is(config['sync_always'], true);
});

broker('ends when it is stopped, also while it is paused', async ({ folder, brokers }) => {
  const started = await startBroker({ folder });
  brokers.push(started);
  started.pause();
  await started.stop();
  assert.not.ok(runs(started.pid));
  await started.stop();
});

broker('comes back on the same port with another process', async ({ folder, brokers }) => {
  const started = await startBroker({ folder });
  brokers.push(started);
  const { pid, url } = started;
  await started.kill();
  assert.is(await started.ended, 'SIGKILL');
  await started.restart();
  assert.is(started.url, url);
  assert.is.not(started.pid, pid);
  assert.is((await varz(started))['port'], started.port);
});

broker('is out of reach of Ctrl-C in its own group only', async ({ folder, brokers }) => {
  const leadsGroup = ({ pid }: Broker): boolean => runs(-pid);
  const within = await startBroker({ folder: join(folder, 'within') });
  brokers.push(within);
  assert.not.ok(leadsGroup(within));
  const apart = await startBroker({ folder: join(folder, 'apart'), ownGroup: true });
  brokers.push(apart);
  assert.ok(leadsGroup(apart));
});

broker('says its last words when it does not start', async ({ folder }) => {
  try {
    await startBroker({ folder, settings: 'no_such_setting: 1' });
    assert.unreachable('started with nonsense');
  } catch (error) {
    assert.instance(error, BrokerNotStarted);
    assert.match(String(error), 'no_such_setting');
  }
});

broker('is not mistaken for another server on its port', async ({ folder }) => {
  const other = createServer((socket) => socket.end('INFO {"server_name":"somebody else"}\r\n'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await startBroker({ folder, port });
    assert.unreachable('started on a port that is taken');
  } catch (error) {
    assert.instance(error, BrokerNotStarted);
    assert.match(String(error), 'address already in use');
  } finally {
    other.close();
  }
});

broker('says that its program can not be run', async ({ folder }) => {
  const program = { program: join(folder, 'nowhere'), version: [2, 10, 27] as const };
  try {
    await startBroker({ folder, program });
    assert.unreachable('started without a program');
  } catch (error) {
    assert.instance(error, BrokerNotStarted);
    assert.match(String(error), 'ENOENT');
  }
});

broker('is killed when it does not listen to SIGTERM', async ({ folder }) => {
  const program = join(folder, 'deaf');
  writeFileSync(program, "#!/bin/sh\ntrap '' TERM\necho ready\nexec sleep 300\n");
  chmodSync(program, 0o755);
  const log = join(folder, 'log');
  const running = spawnBroker({ program, configuration: 'none', log, ownGroup: false, patienceMs: 50 });
  await until('it has begun', () => readFileSync(log, 'utf8').includes('ready'));
  await running.stop();
  assert.is(await running.ended, 'SIGKILL');
});

broker('listens on ports that no outgoing connection takes', async () => {
  const ports = await freePorts(200);
  assert.is(new Set(ports).size, 200);
  assert.ok(ports.every((port) => port >= 10_000 && port < 32_000));
});

const leaderOf = async (each: Broker): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${each.monitorPort}/jsz`);
  const { meta_cluster: group } = (await response.json()) as { meta_cluster?: { leader?: string } };
  return group?.leader ?? '';
};

broker('of a group takes over when the leader is killed, and the killed one comes back', async () => {
  await withBrokers(3, async (brokers) => {
    const [first] = brokers.all;
    if (first === undefined) throw new Error('no brokers');
    const leader = await leaderOf(first);
    const killed = brokers.all.find(({ name }) => name === leader);
    const others = brokers.all.filter((each) => each !== killed);
    if (killed === undefined) throw new Error(`no broker is called ${leader}`);
    await killed.kill();
    await until('the others have another leader', async () => {
      const seen = await Promise.all(others.map(leaderOf));
      return new Set(seen).size === 1 && others.some(({ name }) => name === seen[0]);
    });
    await killed.restart();
    await brokers.healthy();
    assert.is(await leaderOf(killed), await leaderOf(others[0] ?? killed));
  });
});

broker('of a group keeps its place while it is paused', async () => {
  await withBrokers(3, async (brokers) => {
    const [first, second] = brokers.all;
    if (first === undefined || second === undefined) throw new Error('no brokers');
    first.pause();
    await until('the others have a leader', async () => !['', first.name].includes(await leaderOf(second)));
    first.resume();
    await brokers.healthy();
    assert.is(await leaderOf(first), await leaderOf(second));
  });
});

broker('makes one group of all new brokers that are started together', async ({ folder }) => {
  // In some of a hundred starts nats-server leaves one out: this is seen to be mended by many runs, not by one.
  for (const round of ['first', 'second', 'third']) {
    const brokers = await startBrokers(3, { folder: join(folder, round), name: round });
    const known = await Promise.all(brokers.all.map((each) => membersOf(each.monitorPort)));
    assert.equal(
      known.flat().sort(),
      [`${round}-1`, `${round}-2`, `${round}-3`],
      'the leader knows them, and one leads',
    );
    await brokers.stop();
  }
});

broker('leaves none of a group behind when it can not start', async ({ folder }) => {
  try {
    await startBrokers(3, { folder, settings: 'no_such_setting: 1' });
    assert.unreachable('started with nonsense');
  } catch (error) {
    assert.instance(error, BrokerNotStarted);
  }
});

broker('ends all of a group when the group is stopped', async ({ folder }) => {
  const brokers = await startBrokers(3, { folder });
  const pids = brokers.all.map(({ pid }) => pid);
  assert.ok(pids.every(runs));
  await brokers.stop();
  assert.not.ok(pids.some(runs));
});

broker.run();
