/** The moments between a decision and its record, and between a message and its acknowledgement: nothing slips through. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Settled } from '../../actors/kernel/ports.ts';
import { MAX_MAILBOX } from '../../supervisors/actors.ts';
import { createGatedLog } from '../support/gatedLog.ts';
import { startRuntime, type TestRuntime } from '../support/runtime.ts';
import { type WalletCommand, type WalletState, wallet, wallets } from '../support/wallets.ts';

const delivery = suite('delivery');

const SNAPSHOT_EVERY = 64;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const opened: { shop: TestRuntime; log: ReturnType<typeof createGatedLog> }[] = [];

/** One shard, so that all go through one log. */
function open() {
  const log = createGatedLog();
  const shop = startRuntime({ deciders: wallets, shards: 1, wrapLog: log.wrap });
  opened.push({ shop, log });
  return { shop, log };
}
delivery.after.each(async () => {
  for (const { shop, log } of opened.splice(0)) {
    log.open();
    await shop.close();
  }
});

function send(shop: TestRuntime, to: string, message: WalletCommand, id: string): Promise<Settled> {
  return shop.send({ id, to: wallet(to), message });
}
const deposit = (shop: TestRuntime, to: string, id: string) => send(shop, to, { type: 'Deposit', amount: 1 }, id);

async function balance(shop: TestRuntime, id: string): Promise<number> {
  return (await shop.state<WalletState>(wallet(id)))?.balance ?? 0;
}

const idsOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);
const outbox = (shop: TestRuntime): unknown => shop.db.prepare('SELECT count(*) FROM outbox').pluck().get();

delivery('an actor killed before its commits are stored goes on from its newest decision', async () => {
  const { shop, log } = open();
  log.close();
  const before = [deposit(shop, 'a', 'first'), deposit(shop, 'a', 'second')];
  while (log.held === 0) await turn();
  assert.is(shop.node.shardFor(wallet('a'))?.kill(wallet('a')), true);
  const after = [deposit(shop, 'a', 'third'), deposit(shop, 'a', 'first')];
  await turn();
  log.open();
  const results = await Promise.all([...before, ...after]);
  assert.equal([...new Set(results.map(({ kind }) => kind))], ['done']);
  assert.is(await balance(shop, 'a'), 3);
});

delivery('an actor whose commits are not stored yet is not let go, or it would answer too early', async () => {
  const { shop, log } = open();
  log.close();
  const pending = deposit(shop, 'a', 'first');
  while (log.held === 0) await turn();
  shop.node.shardFor(wallet('a'))?.passivate({ keep: 0, before: Number.POSITIVE_INFINITY, soon: 0 });
  let read: number | undefined;
  const reading = balance(shop, 'a').then((found) => {
    read = found;
  });
  for (let turns = 0; turns < 50; turns++) await turn();
  assert.is(read, undefined);
  log.open();
  await Promise.all([pending, reading]);
  assert.is(read, 1);
  shop.node.shardFor(wallet('a'))?.passivate({ keep: 0, before: Number.POSITIVE_INFINITY, soon: 0 });
  assert.is(shop.node.liveActors, 0);
});

delivery('a repeat that comes while the snapshot of its answer is being stored is still a repeat', async () => {
  const { shop, log } = open();
  await Promise.all(idsOf('early', SNAPSHOT_EVERY - 1).map((id) => deposit(shop, 'a', id)));
  log.close();
  const ids = idsOf('late', 10);
  const first = ids.map((id) => deposit(shop, 'a', id));
  while (log.held === 0) await turn();
  const repeats = [...ids, 'early-0', 'early-62'].map((id) => deposit(shop, 'a', id));
  for (let turns = 0; turns < 20; turns++) await turn();
  log.open();
  const results = await Promise.all([...first, ...repeats]);
  assert.equal([...new Set(results.map(({ kind }) => kind))], ['done']);
  assert.ok(shop.store.load('a/wallet', 1).snapshot, 'a snapshot was taken');
  const again = await Promise.all(ids.map((id) => deposit(shop, 'a', id)));
  assert.ok(again.every((result) => result.kind === 'done' && result.reply?.replayed === true));
  assert.is(await balance(shop, 'a'), SNAPSHOT_EVERY - 1 + ids.length);
});

delivery('a message within the shard that is answered in a later record is taken out of the outbox', async () => {
  const { shop } = open();
  await deposit(shop, 'a', 'rich');
  // So much waits at b that a's record can't wait for its answer.
  const crowd = idsOf('crowd', 500).map((id) => deposit(shop, 'b', id));
  await send(shop, 'a', { type: 'Pay', to: 'b', amount: 1 }, 'pay');
  assert.is(outbox(shop), 1, 'it is on its way');
  await Promise.all(crowd);
  assert.is(await shop.node.settled(5_000), true);
  assert.is(await balance(shop, 'b'), 501);
  assert.is(outbox(shop), 0);
});

delivery('a message within the shard that finds a full mailbox comes again', async () => {
  const { shop } = open();
  const payers = idsOf('payer', 8);
  await Promise.all(payers.map((id) => deposit(shop, id, id)));
  const crowd = idsOf('crowd', MAX_MAILBOX + 100).map((id) => deposit(shop, 'b', id));
  const pays = payers.map((id) => send(shop, id, { type: 'Pay', to: 'b', amount: 1 }, `pay-${id}`));
  const taken = (await Promise.all(crowd)).filter(({ kind }) => kind === 'done').length;
  assert.is(taken, MAX_MAILBOX);
  assert.ok((await Promise.all(pays)).every(({ kind }) => kind === 'done'));
  // They come when there is room again, after a real pause.
  const deadline = performance.now() + 10_000;
  while ((await balance(shop, 'b')) < taken + payers.length && performance.now() < deadline) await turn();
  assert.is(await balance(shop, 'b'), taken + payers.length);
  assert.is(await shop.node.settled(5_000), true);
});

delivery.run();
