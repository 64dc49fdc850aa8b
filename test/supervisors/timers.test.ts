/** Timers that are overtaken: fired, but cleared or set anew before their message is handled. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createVirtualClock } from '../../supervisors/clock.ts';
import { startRuntime } from '../support/runtime.ts';
import { type WalletCommand, type WalletState, wallet, wallets } from '../support/wallets.ts';

const timers = suite('timers');

const T0 = Date.UTC(2026, 0, 1);
const DUE = T0 + 60_000;

/** A wallet whose timer of 7 fires at the very moment when `overtaking` waits in the mailbox before it. */
async function overtaken(overtaking: WalletCommand) {
  const clock = createVirtualClock(T0);
  const shop = startRuntime({ deciders: wallets, clock });
  const later: WalletCommand = { type: 'PayLater', at: DUE, amount: 7 };
  await shop.ask(wallet('a'), later);
  const first = shop.send({ id: 'overtaking', to: wallet('a'), message: overtaking });
  await clock.advance(DUE - T0, () => Promise.resolve());
  assert.ok(shop.node.backlog >= 2, 'both are waiting');
  assert.is((await first).kind, 'done');
  const settled = async () => {
    assert.is(await shop.node.settled(5_000), true);
  };
  await settled();
  const balance = async () => (await shop.state<WalletState>(wallet('a')))?.balance;
  return { shop, clock, settled, balance };
}

timers('one that was cleared meanwhile is a no-op', async () => {
  const { shop, clock, settled, balance } = await overtaken({ type: 'Forget' });
  assert.is(await balance(), 0);
  await clock.advance(3_600_000, settled);
  assert.is(await balance(), 0);
  await shop.close();
});

timers('one that was set anew meanwhile waits for its new time, with its new message', async () => {
  const { shop, clock, settled, balance } = await overtaken({ type: 'PayLater', at: DUE + 1_000, amount: 1 });
  assert.is(await balance(), 0);
  await clock.advance(1_000, settled);
  assert.is(await balance(), 1);
  await clock.advance(3_600_000, settled);
  assert.is(await balance(), 1);
  await shop.close();
});

timers('one that was not overtaken fires once, however often the clock is looked at', async () => {
  const { shop, clock, settled, balance } = await overtaken({ type: 'Deposit', amount: 100 });
  assert.is(await balance(), 107);
  for (let hours = 0; hours < 3; hours++) await clock.advance(3_600_000, settled);
  assert.is(await balance(), 107);
  await shop.close();
});

timers.run();
