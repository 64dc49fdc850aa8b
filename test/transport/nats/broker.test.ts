/** Brokers of our own: real processes, killed, paused and started again. */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Broker, BrokerNotStarted, startBroker } from '../../../transport/nats/server/broker.ts';
import { temporaryFolder } from '../../support/broker.ts';

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

broker.run();
