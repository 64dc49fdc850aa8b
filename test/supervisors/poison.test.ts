/** What one aggregate, one message or one vendor can't do: hold up the others (I12). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Address } from '../../actors/kernel/address.ts';
import { AppendRefused, type Gateway } from '../../actors/kernel/ports.ts';
import { createVirtualClock } from '../../supervisors/clock.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { startRuntime, type TestRuntime } from '../support/runtime.ts';
import { type WalletEvent, type WalletState, wallet, walletDecider, wallets } from '../support/wallets.ts';

const poison = suite('poison');

const DEADLINE_MS = 10_000;

async function until(holds: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(what());
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const balance = async (shop: TestRuntime, id: string): Promise<number> =>
  (await shop.state<WalletState>(wallet(id)))?.balance ?? 0;

/** Has a version of the code that can't read what an older one stored. */
const forgetful: Readonly<Record<string, AnyDecider>> = {
  wallet: {
    ...walletDecider,
    evolve(state: WalletState, event: WalletEvent) {
      if (event.amount === 13) throw new Error('an event nobody knows any more');
      return walletDecider.evolve(state, event);
    },
  } as unknown as AnyDecider,
};

async function withUnreadable(
  prepare: (shop: TestRuntime) => Promise<void>,
  [before, after]: readonly Gateway[] = [],
): Promise<TestRuntime> {
  const shop = startRuntime({ deciders: wallets, shards: 1, ...(before && { gateways: [before] }) });
  await shop.ask(wallet('bad'), { type: 'Deposit', amount: 13 } as never);
  await shop.ask(wallet('rich'), { type: 'Deposit', amount: 100 } as never);
  await prepare(shop);
  const { folder } = shop;
  await shop.leave();
  return startRuntime({ deciders: forgetful, shards: 1, folder, ...(after && { gateways: [after] }) });
}

poison('an aggregate that can not be loaded fails its own requests and stops nobody who sends to it', async () => {
  const shop = await withUnreadable(async () => {});
  const receivers = ['bad', 'bad.1', 'fine', 'fine.1', 'other', 'other.1'];
  for (const to of receivers) await shop.ask(wallet('rich'), { type: 'Pay', to, amount: 1 } as never, `pay-${to}`);
  for (const to of receivers.slice(1))
    await until(
      async () => (await balance(shop, to)) === 1,
      () => `${to} got nothing`,
    );
  const own = await shop.send({ id: 'own', to: wallet('bad'), message: { type: 'Deposit', amount: 1 } as never });
  assert.is(own.kind, 'failed');
  await shop.leave();
});

poison('a node starts although a message in its outbox goes to such an aggregate', async () => {
  const shop = await withUnreadable(async (before) => {
    await before.ask(wallet('rich'), { type: 'Pay', to: 'bad', amount: 1 } as never);
  });
  assert.is((await shop.ask(wallet('rich'), { type: 'Deposit', amount: 1 } as never)).ok, true);
  await shop.leave();
});

poison('a node starts although such an aggregate waits for a vendor, and asks the vendor for the others', async () => {
  const asked: string[] = [];
  const silent: Gateway = { name: 'bank', call: () => new Promise(() => {}) };
  const bank: Gateway = {
    name: 'bank',
    call: async ({ id }) => {
      asked.push(id);
      return { type: 'Answer', amount: 7 } as never;
    },
  };
  const shop = await withUnreadable(
    async (before) => {
      for (const id of ['bad', 'rich']) await before.ask(wallet(id), { type: 'CallOut' } as never);
    },
    [silent, bank],
  );
  await until(
    async () => (await balance(shop, 'rich')) === 107,
    () => 'the other never got its answer',
  );
  await shop.leave();
});

/** Sets as many timers as it is told; one kind of them crashes it. */
const alarms = {
  type: 'alarms',
  partitionKey: () => 'one',
  initial: () => ({ rung: 0 }),
  evolve: (state: { rung: number }) => ({ rung: state.rung + 1 }),
  decide(_state: unknown, command: { type: string; at: number; count: number; message: string }) {
    if (command.type === 'Bug') throw new Error('a bug');
    if (command.type === 'Ring') return { events: [{ type: 'Rung', v: 1 }] };
    const timers = Array.from({ length: command.count }, (_, index) => ({
      set: `alarm-${index}`,
      at: command.at,
      message: { type: command.message },
    }));
    return { events: [], timers, reply: 'set' };
  },
} as unknown as AnyDecider;
const alarm = (id: string): Address => ({ type: 'alarms', id });

poison('the due timers of a quarantined actor do not hold up the timers of others', async () => {
  const clock = createVirtualClock(1_000_000);
  const shop = startRuntime({ deciders: { alarms }, shards: 1, clock });
  await shop.ask(alarm('bad'), { type: 'Set', count: 200, at: 1_001_000, message: 'Bug' } as never);
  await shop.ask(alarm('good'), { type: 'Set', count: 1, at: 1_001_001, message: 'Ring' } as never);
  await clock.advance(2_000, async () => {});
  const rung = async () => (await shop.state<{ rung: number }>(alarm('good')))?.rung === 1;
  await until(rung, () => 'the timer never fired');
  await shop.leave();
});

poison('a timer set to no time is a bug of its decider alone', async () => {
  const shop = startRuntime({ deciders: { alarms }, shards: 1 });
  const set = { type: 'Set', count: 1, at: Number.NaN, message: 'Ring' } as never;
  assert.is((await shop.send({ id: 'nan', to: alarm('bad'), message: set })).kind, 'failed');
  assert.is((await shop.ask(alarm('good'), { type: 'Ring' } as never)).ok, true);
  await shop.close();
});

poison('a commit that the store can never take becomes a dead letter; its shard goes on', async () => {
  let refused = 0;
  const shop = startRuntime({
    deciders: wallets,
    shards: 1,
    wrapLog: (log) => ({
      append(record) {
        // As a projection that can't bind what an event holds.
        const poisoned = record.record.commits.some(({ events }) =>
          events.some((event) => event['amount' as 'type'] === (666 as never)),
        );
        if (!poisoned) return log.append(record);
        refused += 1;
        return Promise.reject(new AppendRefused('it does not bind', { fault: 'record' }));
      },
    }),
  });
  await shop.ask(wallet('a'), { type: 'Deposit', amount: 1_000 } as never);
  const pay = { id: 'pay', to: wallet('a'), message: { type: 'Pay', to: 'b', amount: 5 } as never };
  // From within: somebody's message makes b record what nobody can store.
  const later = { type: 'PayLater', at: Date.now(), amount: 666 } as never;
  await shop.ask(wallet('b'), later);
  await until(
    () => shop.letters.page({ limit: 1 }).length === 1,
    () => `${refused} appends refused, no dead letter`,
  );
  let result = await shop.send(pay);
  await until(
    async () => {
      if (result.kind === 'unavailable') result = await shop.send(pay);
      return result.kind === 'done';
    },
    () => 'the shard is stuck',
  );
  await until(
    async () => (await balance(shop, 'b')) === 5,
    () => 'b got nothing',
  );
  assert.ok(refused <= 3, `${refused} appends refused`);
  await shop.close();
});

poison('a call that is under way is not made a second time when its shard starts again', async () => {
  let refuse = false;
  const answers: ((amount: number) => void)[] = [];
  const bank: Gateway = {
    name: 'bank',
    call: () => new Promise((resolve) => answers.push((amount) => resolve({ type: 'Answer', amount } as never))),
  };
  const shop = startRuntime({
    deciders: wallets,
    shards: 1,
    gateways: [bank],
    wrapLog: (log) => ({
      append: (record) => (refuse ? Promise.reject(new AppendRefused('disk full')) : log.append(record)),
    }),
  });
  await shop.ask(wallet('a'), { type: 'CallOut' } as never);
  await until(
    () => answers.length === 1,
    () => 'never called',
  );
  refuse = true;
  await shop.send({ id: 'x', to: wallet('b'), message: { type: 'Deposit', amount: 1 } as never });
  refuse = false;
  await until(
    () => shop.node.ready,
    () => 'never ready again',
  );
  assert.is((await shop.ask(wallet('b'), { type: 'Deposit', amount: 2 } as never)).ok, true);
  assert.is(answers.length, 1);
  answers[0]?.(9);
  await until(
    async () => (await balance(shop, 'a')) === 9,
    () => 'the result got lost',
  );
  await shop.close();
});

poison('calls that a vendor never answers do not hold up calls of another, nor messages', async () => {
  let fast = 0;
  const slow: Gateway = { name: 'slow', call: () => new Promise(() => {}) };
  const quick: Gateway = {
    name: 'quick',
    call: async () => {
      fast += 1;
      return { type: 'Answer' };
    },
  };
  const callers = {
    type: 'callers',
    partitionKey: () => 'one',
    initial: () => ({}),
    evolve: (state: unknown) => state,
    decide: (_state: unknown, command: { type: string; gateway: string }) =>
      command.type === 'Answer'
        ? { events: [] }
        : {
            events: [],
            sends: [{ to: { type: 'gateway', id: command.gateway }, message: { type: 'Do' } }],
            reply: 'asked',
          },
  } as unknown as AnyDecider;
  const shop = startRuntime({ deciders: { callers }, shards: 1, gateways: [slow, quick] });
  const call = (gateway: string, id: number) =>
    shop.ask({ type: 'callers', id: `c${id}` }, { type: 'Call', gateway } as never);
  await Promise.all(Array.from({ length: 1_000 }, (_, id) => call('slow', id)));
  await call('quick', 1_000);
  await until(
    () => fast === 1,
    () => 'the quick vendor was never called',
  );
  await shop.leave();
});

poison('ids that differ in one character are different actors', async () => {
  const shop = startRuntime({ deciders: wallets, shards: 1 });
  for (const id of ['x@east', 'x\u040east', 'x$0040east']) {
    assert.is((await shop.ask(wallet(id), { type: 'Deposit', amount: 1 } as never)).version, 1, id);
  }
  await shop.close();
});

poison.run();
