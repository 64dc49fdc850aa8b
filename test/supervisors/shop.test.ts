/** What callers of the node see: reads that wait for a version. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ShardStore } from '../../actors/kernel/ports.ts';
import { createRealClock } from '../../supervisors/clock.ts';
import { createShopCore, Unavailable } from '../../supervisors/shop.ts';
import { createGatedLog } from '../support/gatedLog.ts';
import { startRuntime } from '../support/runtime.ts';
import { type WalletState, wallet, wallets } from '../support/wallets.ts';

const shop = suite('shop');

const DEADLINE_MS = 5_000;
const deposit = { type: 'Deposit', amount: 1 } as never;

shop('a read that waits for a version hears of one that was stored with what it saw', async () => {
  const gate = createGatedLog();
  gate.close();
  const runtime = startRuntime({ deciders: wallets, shards: 1, wrapLog: gate.wrap });
  const clock = createRealClock();
  const core = createShopCore({ node: runtime.node, store: runtime.store, clock, deciders: wallets });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const send = (id: string, to: string) => runtime.send({ id, to: wallet(to), message: deposit });
  // The first record is under way, so that what follows goes into the next one together.
  const first = send('first', 'b');
  while (gate.held === 0) await turn();
  const older = send('older', 'a');
  await turn();
  const deadline = clock.monotonic() + DEADLINE_MS;
  const seen = core.read<WalletState>(wallet('a'), { deadline, after: 1 });
  const newer = send('newer', 'a');
  for (let turns = 0; turns < 5; turns++) await turn();
  gate.open();
  await Promise.all([first, older, newer]);
  assert.equal((await seen)?.version, 2);
  assert.ok(clock.monotonic() < deadline, 'without waiting for the deadline');
  await runtime.close();
});

shop(
  'what an actor remembers of an earlier version is what the store says of it, and waits until it is durable',
  async () => {
    const gate = createGatedLog();
    const runtime = startRuntime({ deciders: wallets, shards: 1, wrapLog: gate.wrap });
    const clock = createRealClock();
    const { store } = runtime;
    const told: string[] = [];
    const watched: ShardStore = {
      ...store,
      history(key) {
        told.push(key);
        return store.history(key);
      },
    };
    const core = createShopCore({ node: runtime.node, store: watched, clock, deciders: wallets });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const send = (n: number) => runtime.send({ id: `deposit-${n}`, to: wallet('a'), message: deposit });
    for (let n = 1; n < 12; n++) await send(n);
    gate.close();
    const last = send(12);
    while (gate.held === 0) await turn();
    let early = false;
    const reading = core.readAt<WalletState>(wallet('a'), 11).then((found) => {
      early = gate.held > 0;
      return found;
    });
    for (let turns = 0; turns < 20; turns++) await turn();
    gate.open();
    await last;
    const remembered = [await reading, await core.readAt<WalletState>(wallet('a'), 12)];
    assert.not(early, 'not before what the actor had decided by then is durable');
    assert.equal(told, [], 'the store was not asked');
    assert.equal(
      remembered.map((found) => [found?.version, found?.state.balance]),
      [
        [11, 11],
        [12, 12],
      ],
    );
    const oldest = await core.readAt<WalletState>(wallet('a'), 1);
    assert.equal([oldest?.version, oldest?.state.balance], [1, 1]);
    assert.equal(told, ['a/wallet'], 'an actor does not remember everything');
    assert.is(await core.readAt<WalletState>(wallet('nobody'), 1), undefined);
    await runtime.close();
  },
);

shop('a version that is not there yet is answered with the newest before it', async () => {
  const runtime = startRuntime({ deciders: wallets, shards: 1 });
  const core = createShopCore({
    node: runtime.node,
    store: runtime.store,
    clock: createRealClock(),
    deciders: wallets,
  });
  await runtime.send({ id: 'only', to: wallet('a'), message: deposit });
  assert.is((await core.readAt<WalletState>(wallet('a'), 7))?.version, 1);
  await runtime.close();
});

shop('whoever looks back while the disk is full is asked to come again', async () => {
  const runtime = startRuntime({ deciders: wallets, shards: 1 });
  await runtime.send({ id: 'first', to: wallet('a'), message: deposit });
  const full = (): never => {
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  };
  const store: ShardStore = { ...runtime.store, history: full };
  const core = createShopCore({ node: runtime.node, store, clock: createRealClock(), deciders: wallets });
  for (const looking of [core.history(wallet('a')), core.readAt(wallet('a'), 0)]) {
    const error = await looking.then(
      () => undefined,
      (refusal: unknown) => refusal,
    );
    assert.instance(error, Unavailable);
    assert.is(error instanceof Unavailable && error.moved, false);
  }
  await runtime.close();
});

shop.run();
