/** While the store can't be written, nothing is lost and nothing ends the process; afterwards the shop goes on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AppendRefused, type Settled, type ShardLog } from '../../actors/kernel/ports.ts';
import { eventually } from '../support/eventually.ts';
import { createGatedLog } from '../support/gatedLog.ts';
import { startRuntime, type TestRuntime } from '../support/runtime.ts';
import { type WalletCommand, type WalletState, wallet, wallets } from '../support/wallets.ts';

const trouble = suite('store in trouble');

const opened: TestRuntime[] = [];
trouble.after.each(async () => {
  for (const shop of opened.splice(0)) await shop.close();
});

function open(wrapLog: (log: ShardLog) => ShardLog) {
  const shop = startRuntime({ deciders: wallets, shards: 1, wrapLog });
  opened.push(shop);
  return shop;
}

/** Whoever looks something up has the tables written first: that fails as on a full disk, until there is room. */
function fillDisk(shop: TestRuntime) {
  const disk = { isFull: true, refused: 0 };
  shop.db.function('take_room', { directOnly: false }, () => {
    if (!disk.isFull) return 0;
    disk.refused += 1;
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  });
  shop.db.exec('CREATE TRIGGER full BEFORE INSERT ON meta BEGIN SELECT take_room(); END');
  return disk;
}

const deposited: WalletCommand = { type: 'Deposit', amount: 1 };
const deposit = (shop: TestRuntime, id: string): Promise<Settled> =>
  shop.send({ id, to: wallet('a'), message: deposited });
const balance = async (shop: TestRuntime) => (await shop.state<WalletState>(wallet('a')))?.balance;

trouble('a shard whose record was refused recovers as soon as its store can be read', async () => {
  let refuses = false;
  const shop = open((log) => ({
    append: (record) => (refuses ? Promise.reject(new AppendRefused('no room')) : log.append(record)),
  }));
  await deposit(shop, 'first');
  const disk = fillDisk(shop);
  // What a shard starts from: reading it fails too.
  shop.db.exec('ALTER TABLE heads RENAME TO kept; CREATE VIEW heads AS SELECT * FROM kept WHERE take_room() = 0');
  refuses = true;
  assert.is((await deposit(shop, 'second')).kind, 'unavailable');
  await eventually('the store was tried again and again', () => disk.refused >= 3);
  assert.is(shop.node.ready, false);
  disk.isFull = false;
  shop.db.exec('DROP VIEW heads; ALTER TABLE kept RENAME TO heads');
  refuses = false;
  await eventually('the shard is back', () => shop.node.ready);
  assert.is((await deposit(shop, 'second')).kind, 'done');
  assert.is(await balance(shop), 2);
});

trouble('a timer that is due fires as soon as the timers can be read', async () => {
  const shop = open((log) => log);
  const disk = fillDisk(shop);
  const later: WalletCommand = { type: 'PayLater', at: Date.now() + 10, amount: 7 };
  await shop.ask(wallet('a'), later);
  await eventually('the store was tried again and again', () => disk.refused >= 3);
  disk.isFull = false;
  await eventually('the timer has fired', async () => (await balance(shop)) === 7);
});

trouble('a shard that is closed while its log gives no answer is closed when the node stops', async () => {
  const gate = createGatedLog();
  const shop = startRuntime({ deciders: wallets, shards: 1, wrapLog: gate.wrap });
  gate.close();
  const pending = deposit(shop, 'first');
  await eventually('the record is on its way', () => gate.held > 0);
  let isClosed = false;
  void shop.node.close(0, { flush: true }).then(() => {
    isClosed = true;
  });
  opened.push(shop);
  await shop.node.stop(0);
  const result = await pending;
  assert.is(result.kind === 'unavailable' && result.moved, true);
  await eventually('the shard is closed', () => isClosed);
});

trouble('a record that is refused while its shard is handed over sends whoever waits to the next owner', async () => {
  let refuse: (error: Error) => void = () => assert.unreachable('nothing was appended');
  const shop = open(() => ({
    append: () =>
      new Promise((_, reject) => {
        refuse = reject;
      }),
  }));
  const pending = deposit(shop, 'first');
  const appended = refuse;
  await eventually('the record is on its way', () => refuse !== appended);
  const closed = shop.node.close(0, { flush: true });
  refuse(new AppendRefused('somebody else has the shard'));
  const result = await pending;
  assert.is(result.kind === 'unavailable' && result.moved, true);
  await closed;
});

trouble.run();
