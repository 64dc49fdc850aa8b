/** A node that is alone, from its start to its end; the node itself is played by the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ShardLog } from '../../actors/kernel/ports.ts';
import { openDataFolder } from '../../storage/dataFolder.ts';
import { configuredPolicy, readConfig } from '../../supervisors/config.ts';
import { createEmbeddedHome } from '../../supervisors/embeddedHome.ts';
import { openGround } from '../../supervisors/home.ts';
import type { Node } from '../../supervisors/node.ts';
import { commit, record } from '../storage/shardLogContract.ts';

const test = suite('embedded home');

function open(folder: string) {
  const config = readConfig({ NODE_ENV: 'test', DATA_DIR: folder, SHARDS: '1' });
  const lines: Readonly<Record<string, unknown>>[] = [];
  const logger: Logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const ground = openGround(config, logger, configuredPolicy(config), openDataFolder(folder, 1));
  const home = createEmbeddedHome(ground);
  const node = { open() {}, async stop() {}, ready: true } satisfies Partial<Node>;
  let log: ShardLog = { append: async () => assert.unreachable('not opened') };
  const asked = new Proxy({} as never, { get: () => undefined });
  const running = home.run(node as unknown as Node, asked, (whole) => {
    log = whole;
    return whole;
  });
  const close = () => {
    ground.entries.close();
    ground.db.close();
  };
  return { db: ground.db, reader: home.reader, log, running, lines, close };
}

test('a node whose disk is full to its end stops in order, and makes up for it at its next start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-home-'));
  const first = open(folder);
  first.db.exec("CREATE TRIGGER full BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'full'); END");
  await first.log.append(record([commit('a/1', 1, { timers: [{ set: 'ring', at: 7, message: { type: 'Ring' } }] })]));
  await first.running.stop(0);
  assert.ok(first.lines.some(({ msg, err }) => String(msg).includes('before the end') && err !== undefined));
  first.db.exec('DROP TRIGGER full');
  first.close();

  const second = open(folder);
  assert.is(second.reader.prepare('SELECT count(*) FROM timers').pluck().get(), 1);
  await second.running.stop(0);
  second.close();
  rmSync(folder, { recursive: true, force: true });
});

test.run();
