/** The runtime over real SQLite: what is acknowledged survives, what is repeated happens once, what crashes is alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AppendRefused, type Gateway } from '../../actors/kernel/ports.ts';
import { createVirtualClock } from '../../supervisors/clock.ts';
import { restore } from '../../supervisors/memory.ts';
import { startRuntime, type TestRuntime } from '../support/runtime.ts';
import { type WalletEvent, type WalletState, wallet, walletDecider, wallets } from '../support/wallets.ts';

const runtime = suite('runtime');

const T0 = Date.UTC(2026, 0, 1);

/** Lets the event loop turn once. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function balances(shop: TestRuntime, ids: readonly string[]): Promise<number[]> {
  const states = await Promise.all(ids.map((id) => shop.state<WalletState>(wallet(id))));
  return states.map((state) => state?.balance ?? 0);
}

runtime('answers a command with its decision and version', async () => {
  const shop = startRuntime({ deciders: wallets });
  assert.equal(await shop.ask(wallet('a'), { type: 'Deposit', amount: 10 } as never), {
    ok: true,
    version: 1,
    value: { balance: 10 },
  });
  const poor = await shop.ask(wallet('a'), { type: 'Pay', to: 'b', amount: 11 } as never);
  assert.is(poor.ok, false);
  assert.is(poor.version, 1);
  await shop.close();
});

runtime('a repeated request changes state once and gets the first answer, also after a crash (I4)', async () => {
  let shop = startRuntime({ deciders: wallets });
  const deposit = { type: 'Deposit', amount: 5 } as never;
  const first = await shop.ask(wallet('a'), deposit, 'key-1', { fingerprint: 'f' });
  const again = await shop.ask(wallet('a'), deposit, 'key-1', { fingerprint: 'f' });
  assert.equal(again, { ...first, replayed: true });
  shop = await shop.crash();
  assert.equal(await shop.ask(wallet('a'), deposit, 'key-1', { fingerprint: 'f' }), { ...first, replayed: true });
  const other = await shop.ask(wallet('a'), deposit, 'key-1', { fingerprint: 'g' });
  assert.is(other.ok === false && other.rejection.code, 'idempotency.key-reused');
  assert.equal(await balances(shop, ['a']), [5]);
  await shop.close();
});

runtime('a refusal under a key is the first answer for ever, without a key it is decided anew', async () => {
  const shop = startRuntime({ deciders: wallets });
  const pay = { type: 'Pay', to: 'b', amount: 5 } as never;
  assert.is((await shop.ask(wallet('a'), pay, 'keyed', { fingerprint: 'f' })).ok, false);
  assert.is((await shop.ask(wallet('a'), pay, 'unkeyed')).ok, false);
  await shop.ask(wallet('a'), { type: 'Deposit', amount: 5 } as never);
  assert.is((await shop.ask(wallet('a'), pay, 'keyed', { fingerprint: 'f' })).ok, false);
  assert.is((await shop.ask(wallet('a'), pay, 'unkeyed')).ok, true);
  await shop.close();
});

runtime('a repeat is recognised at any moment, also while a snapshot is on its way', async () => {
  const shop = startRuntime({ deciders: wallets });
  const send = (id: number) => shop.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never, `d${id}`);
  // Each message again a little and a lot later: around every 64th a snapshot moves answers from memory to the store.
  for (let id = 0; id < 400; id += 5) {
    const now = [0, 1, 2, 3, 4].map((more) => id + more);
    await Promise.all([...now, ...now, ...now.map((at) => Math.max(0, at - 63))].map(send));
  }
  assert.equal(await balances(shop, ['a']), [400]);
  await shop.close();
});

runtime('a precondition that failed under a key is the first answer for ever', async () => {
  const shop = startRuntime({ deciders: wallets });
  const deposit = { type: 'Deposit', amount: 1 } as never;
  const early = { fingerprint: 'f', expectedVersion: 1 };
  assert.is((await shop.ask(wallet('a'), deposit, 'key', early)).ok, false);
  await shop.ask(wallet('a'), deposit);
  const again = await shop.ask(wallet('a'), deposit, 'key', early);
  assert.is(again.ok === false && again.rejection.code, 'precondition.version-mismatch');
  assert.equal(await balances(shop, ['a']), [1]);
  await shop.close();
});

runtime('refuses a change of another version than expected', async () => {
  const shop = startRuntime({ deciders: wallets });
  await shop.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never);
  const stale = await shop.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never, 'm', { expectedVersion: 0 });
  assert.is(stale.ok === false && stale.rejection.code, 'precondition.version-mismatch');
  // What is refused anyway says nothing about the version.
  const pay = { type: 'Pay', to: 'b', amount: 5 } as never;
  const refused = await shop.ask(wallet('a'), pay, 'p', { expectedVersion: 0 });
  assert.is(refused.ok === false && refused.rejection.code, 'wallet.poor');
  assert.is(
    (await shop.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never, 'n', { expectedVersion: 1 })).ok,
    true,
  );
  await shop.close();
});

runtime('delivers messages within a shard and across shards once', async () => {
  const shop = startRuntime({ deciders: wallets, shards: 8 });
  const ids = Array.from({ length: 12 }, (_, index) => `w${index >> 1}.${index & 1}`);
  await Promise.all(ids.map((id) => shop.ask(wallet(id), { type: 'Deposit', amount: 100 } as never)));
  const payments = Array.from({ length: 300 }, (_, index) => {
    const to = ids[(index * 7 + 1) % ids.length] ?? '';
    return shop.ask(wallet(ids[index % ids.length] ?? ''), { type: 'Pay', to, amount: 1 } as never);
  });
  await Promise.all(payments);
  assert.is(await shop.node.settled(5_000), true);
  const total = (await balances(shop, ids)).reduce((a, b) => a + b, 0);
  assert.is(total, 1_200);
  await shop.close();
});

runtime('messages that were sent but not delivered before a crash arrive afterwards, once', async () => {
  let shop = startRuntime({ deciders: wallets, shards: 8 });
  const ids = Array.from({ length: 10 }, (_, index) => `w${index}`);
  await Promise.all(ids.map((id) => shop.ask(wallet(id), { type: 'Deposit', amount: 50 } as never)));
  for (let round = 0; round < 5; round++) {
    const pending = ids.map((id, index) =>
      shop.send({
        id: `pay-${round}-${id}`,
        to: wallet(id),
        message: { type: 'Pay', to: ids[(index + 3) % ids.length], amount: 2 } as never,
      }),
    );
    // The first answers are durable, their messages are on the way: now everything stops.
    await Promise.race(pending);
    shop = await shop.crash();
  }
  assert.is(await shop.node.settled(5_000), true);
  assert.is(
    (await balances(shop, ids)).reduce((a, b) => a + b, 0),
    500,
  );
  const pending = shop.db.prepare('SELECT count(*) AS n FROM outbox').get() as { n: number };
  await shop.close();
  assert.ok(pending.n <= 50);
});

runtime('a killed actor is respawned and what waited for it is delivered', async () => {
  const shop = startRuntime({ deciders: wallets });
  const deposits = Array.from({ length: 50 }, () => shop.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never));
  assert.is(shop.node.shardFor(wallet('a'))?.kill(wallet('a')), true);
  await Promise.all(deposits);
  assert.equal(await balances(shop, ['a']), [50]);
  await shop.close();
});

runtime('a decider that throws fails its own request; its actor and the others go on', async () => {
  const shop = startRuntime({ deciders: wallets });
  await shop.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never);
  const [bomb, other] = await Promise.all([
    shop.send({ id: 'bomb', to: wallet('a'), message: { type: 'Explode' } }),
    shop.ask(wallet('b'), { type: 'Deposit', amount: 2 } as never),
  ]);
  assert.is(bomb.kind, 'failed');
  assert.is(other.ok, true);
  assert.is((await shop.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never)).ok, true);
  assert.equal(await balances(shop, ['a', 'b']), [2, 2]);
  await shop.close();
});

runtime('a poisoned message becomes a dead letter with its reason and stops nobody (I12)', async () => {
  let shop = startRuntime({ deciders: wallets });
  await shop.ask(wallet('a'), { type: 'SendBomb', to: 'b' } as never);
  await shop.ask(wallet('b'), { type: 'Deposit', amount: 3 } as never);
  assert.is(await shop.node.settled(5_000), true);
  const [letter] = shop.letters.page({ limit: 10 });
  assert.is(letter?.key, 'b/wallet');
  assert.is(letter?.reason, 'Error: boom');
  assert.is(letter?.attempts, 3);
  assert.is(letter?.envelope.message.type, 'Explode');
  shop = await shop.crash();
  assert.is(await shop.node.settled(5_000), true);
  assert.is(shop.letters.page({ limit: 10 }).length, 1, 'it is not tried again after a restart');
  assert.equal(await balances(shop, ['b']), [3]);
  await shop.close();
});

runtime('an actor that crashes again and again is quarantined alone', async () => {
  const shop = startRuntime({ deciders: wallets });
  for (let bomb = 0; bomb < 5; bomb++)
    await shop.send({ id: `b${bomb}`, to: wallet('a'), message: { type: 'Explode' } });
  const refused = await shop.send({ id: 'x', to: wallet('a'), message: { type: 'Deposit', amount: 1 } as never });
  assert.is(refused.kind, 'unavailable');
  assert.match(refused.kind === 'unavailable' ? refused.reason : '', /quarantine/);
  assert.is((await shop.ask(wallet('b'), { type: 'Deposit', amount: 1 } as never)).ok, true);
  await shop.close();
});

runtime('mailboxes are bounded: beyond the limit a message is refused and nothing happened', async () => {
  const shop = startRuntime({ deciders: wallets });
  const results = await Promise.all(
    Array.from({ length: 1_500 }, (_, index) =>
      shop.send({ id: `d${index}`, to: wallet('a'), message: { type: 'Deposit', amount: 1 } as never }),
    ),
  );
  const done = results.filter(({ kind }) => kind === 'done').length;
  const refused = results.filter(({ kind }) => kind === 'unavailable').length;
  assert.is(done + refused, 1_500);
  assert.ok(refused > 0);
  assert.equal(await balances(shop, ['a']), [done]);
  await shop.close();
});

runtime('a request whose deadline passed while it waited changes nothing', async () => {
  const shop = startRuntime({ deciders: wallets });
  const late = await shop.send({
    id: 'late',
    to: wallet('a'),
    message: { type: 'Deposit', amount: 1 } as never,
    deadline: performance.now() - 1,
  });
  assert.is(late.kind, 'unavailable');
  assert.equal(await balances(shop, ['a']), [0]);
  await shop.close();
});

runtime('timers fire once at their time, survive a restart, and a cleared one is a no-op', async () => {
  const clock = createVirtualClock(T0);
  let shop = startRuntime({ deciders: wallets, clock });
  const settle = async () => {
    assert.is(await shop.node.settled(5_000), true);
  };
  await shop.ask(wallet('a'), { type: 'PayLater', at: T0 + 60_000, amount: 7 } as never);
  await shop.ask(wallet('b'), { type: 'PayLater', at: T0 + 60_000, amount: 7 } as never);
  await shop.ask(wallet('b'), { type: 'Forget' } as never);
  await shop.ask(wallet('c'), { type: 'PayLater', at: T0 + 60_000, amount: 7 } as never);
  await shop.ask(wallet('c'), { type: 'PayLater', at: T0 + 90_000, amount: 1 } as never);
  await clock.advance(59_999, settle);
  assert.equal(await balances(shop, ['a', 'b', 'c']), [0, 0, 0]);
  shop = await shop.crash();
  await clock.advance(1, settle);
  assert.equal(await balances(shop, ['a', 'b', 'c']), [7, 0, 0]);
  await clock.advance(24 * 3_600_000, settle);
  assert.equal(await balances(shop, ['a', 'b', 'c']), [7, 0, 1]);
  assert.is(shop.store.nextTimer(0), undefined);
  await shop.close();
});

runtime('a gateway result arrives as a message, once, also when the call is made again after a crash', async () => {
  let calls = 0;
  let hang = true;
  const bank: Gateway = {
    name: 'bank',
    call: async (_envelope, signal) => {
      calls += 1;
      if (hang) await new Promise((_, refuse) => signal.addEventListener('abort', () => refuse(new Error('aborted'))));
      return { type: 'Answer', amount: 9 } as never;
    },
  };
  let shop = startRuntime({ deciders: wallets, gateways: [bank] });
  await shop.ask(wallet('a'), { type: 'CallOut' } as never);
  while (calls === 0) await turn();
  hang = false;
  shop = await shop.crash();
  while ((await balances(shop, ['a']))[0] !== 9) await turn();
  assert.is(calls, 2);
  assert.is(await shop.node.settled(5_000), true);
  assert.equal(await balances(shop, ['a']), [9]);
  await shop.close();
});

runtime('a gateway call whose result is durable is not made again when a crash took its acknowledgement', async () => {
  let calls = 0;
  const bank: Gateway = {
    name: 'bank',
    call: async () => {
      calls += 1;
      return { type: 'Answer', amount: calls } as never;
    },
  };
  let shop = startRuntime({ deciders: wallets, gateways: [bank] });
  await shop.ask(wallet('a'), { type: 'CallOut' } as never);
  while ((await balances(shop, ['a']))[0] !== 1) await turn();
  const unacknowledged = (): number => shop.db.prepare('SELECT count(*) FROM outbox').pluck().get() as number;
  assert.is(unacknowledged(), 1, 'the crash comes before the acknowledgement is stored');
  shop = await shop.crash();
  assert.is(await shop.node.settled(5_000), true);
  assert.is(calls, 1);
  assert.equal(await balances(shop, ['a']), [1]);
  while (unacknowledged() > 0) await turn();
  await shop.close();
});

runtime('of idle actors those go last whose partition has a timer soon: they are at work', async () => {
  const shop = startRuntime({ deciders: wallets, shards: 1 });
  const now = Date.now();
  const ids = ['a.1', 'a.2', 'far', 'c', 'd'];
  for (const id of ids) await shop.ask(wallet(id), { type: 'Deposit', amount: 10 } as never);
  await shop.ask(wallet('a.2'), { type: 'PayLater', at: now + 60_000, amount: 1 } as never);
  await shop.ask(wallet('far'), { type: 'PayLater', at: now + 3_600_000, amount: 1 } as never);
  const shard = shop.node.shardFor(wallet('c'));
  const stay = (): string[] => ids.filter((id) => shard?.mailbox(wallet(id)) !== undefined);
  shard?.passivate({ keep: 3, before: 0, soon: now + 300_000 });
  assert.equal(stay(), ['a.1', 'a.2', 'far'], 'of the others, those that were left alone for longest are gone');
  shard?.passivate({ keep: 1, before: 0, soon: now + 300_000 });
  assert.equal(stay(), ['a.2']);
  await shop.close();
});

runtime('idle actors are let go and come back with their state; the number of live ones is bounded', async () => {
  const shop = startRuntime({ deciders: wallets, maxLiveActors: 40, shards: 2 });
  const ids = Array.from({ length: 400 }, (_, index) => `w${index}`);
  await Promise.all(ids.map((id) => shop.ask(wallet(id), { type: 'Deposit', amount: 2 } as never)));
  const deadline = performance.now() + 10_000;
  while (shop.node.liveActors > 40 && performance.now() < deadline) await turn();
  assert.ok(shop.node.liveActors <= 40, `${shop.node.liveActors} actors are live`);
  assert.is(
    (await balances(shop, ids)).reduce((a, b) => a + b, 0),
    800,
  );
  await shop.close();
});

runtime('a refused append acknowledges nothing; the shard starts again from the store', async () => {
  let refuse = false;
  const shop = startRuntime({
    deciders: wallets,
    wrapLog: (log) => ({
      append: (record) => (refuse ? Promise.reject(new AppendRefused('disk full')) : log.append(record)),
    }),
  });
  await shop.ask(wallet('a'), { type: 'Deposit', amount: 10 } as never);
  refuse = true;
  const pay = { id: 'pay', to: wallet('a'), message: { type: 'Pay', to: 'b', amount: 4 } as never };
  assert.is((await shop.send(pay)).kind, 'unavailable');
  refuse = false;
  let result = await shop.send(pay);
  while (result.kind === 'unavailable') {
    await turn();
    result = await shop.send(pay);
  }
  assert.is(result.kind, 'done');
  assert.is(await shop.node.settled(5_000), true);
  assert.equal(await balances(shop, ['a', 'b']), [6, 4]);
  await shop.close();
});

runtime('case 10: an optimistic conflict never discards a message', async () => {
  let appends = 0;
  const shop = startRuntime({
    deciders: wallets,
    // Every seventh append finds that somebody else was faster, as a log with compare-and-append says it.
    wrapLog: (log) => ({
      append: (record) =>
        ++appends % 7 === 0 ? Promise.reject(new AppendRefused('wrong last sequence')) : log.append(record),
    }),
  });
  const persist = async (
    id: string,
    to: string,
    message: { type: string; [member: string]: unknown },
  ): Promise<void> => {
    while ((await shop.send({ id, to: wallet(to), message })).kind !== 'done') await turn();
  };
  const ids = Array.from({ length: 8 }, (_, index) => `w${index}`);
  await Promise.all(ids.map((id) => persist(`deposit-${id}`, id, { type: 'Deposit', amount: 10 })));
  for (let round = 0; round < 5; round++) {
    const pay = (id: string, index: number) =>
      persist(`pay-${round}-${id}`, id, { type: 'Pay', to: ids[(index + 3) % ids.length], amount: 1 });
    await Promise.all(ids.map(pay));
  }
  assert.is(await shop.node.settled(10_000), true);
  assert.ok(appends > 14);
  assert.equal(
    await balances(shop, ids),
    ids.map(() => 10),
  );
  await shop.close();
});

runtime('replay from zero gives the same state as snapshots and as memory (I9)', async () => {
  let shop = startRuntime({ deciders: wallets });
  for (let round = 0; round < 150; round++) await shop.ask(wallet('a'), { type: 'Deposit', amount: round } as never);
  const live = await shop.state<WalletState>(wallet('a'));
  const stored = shop.store.load('a/wallet', 1);
  assert.ok((stored.snapshot?.seq ?? 0) >= 64, 'a snapshot was taken');
  assert.ok(stored.commits.length <= 64, 'loading replays a bounded number of commits');
  const replayed = [...shop.store.history('a/wallet')]
    .flatMap(({ events }) => events)
    .reduce((state, event) => walletDecider.evolve(state, event as never), walletDecider.initial('a'));
  assert.is(JSON.stringify(replayed), JSON.stringify(live));
  assert.is(JSON.stringify(restore(wallets['wallet'] as never, 'a', stored, []).state), JSON.stringify(live));
  shop = await shop.crash();
  assert.is(JSON.stringify(await shop.state<WalletState>(wallet('a'))), JSON.stringify(live));
  assert.is((await shop.ask(wallet('a'), { type: 'Deposit', amount: 3 } as never, 'request-3')).replayed, true);
  await shop.close();
});

runtime('a snapshot of another state version is not used: the history gives the new state', async () => {
  const before = startRuntime({ deciders: wallets });
  for (let round = 0; round < 100; round++) await before.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never);
  assert.ok(before.store.load('a/wallet', 1).snapshot);
  await before.leave();
  // The next release counts the events, which no old state did.
  const counting = {
    ...walletDecider,
    stateVersion: 2,
    initial: () => ({ balance: 0, log: [], events: 0 }),
    evolve: (state: WalletState & { events: number }, event: WalletEvent) => ({
      ...walletDecider.evolve(state, event),
      events: state.events + 1,
    }),
  };
  const after = startRuntime({ deciders: { wallet: counting as never }, folder: before.folder });
  assert.is((await after.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never, 'request-3')).replayed, true);
  for (let round = 0; round < 100; round++) {
    await after.ask(wallet('a'), { type: 'Deposit', amount: 1 } as never, `later-${round}`);
  }
  const state = await after.state<WalletState & { events: number }>(wallet('a'));
  assert.equal([state?.balance, state?.events], [200, 200]);
  assert.is(after.store.load('a/wallet', 2).snapshot?.stateVersion, 2);
  await after.close();
});

runtime('the records of a shard are linked by their hashes without a gap', async () => {
  const shop = startRuntime({ deciders: wallets, shards: 1 });
  for (let round = 0; round < 5; round++) await shop.ask(wallet(`w${round}`), { type: 'Deposit', amount: 1 } as never);
  const records = shop.db.prepare('SELECT n, prev_hash, hash FROM records ORDER BY n').all() as {
    n: number;
    prev_hash: string;
    hash: string;
  }[];
  assert.ok(records.length >= 1);
  records.forEach((record, index) => {
    assert.is(record.n, index + 1);
    assert.is(record.prev_hash, records[index - 1]?.hash ?? '0'.repeat(64));
  });
  await shop.close();
});

runtime.run();
