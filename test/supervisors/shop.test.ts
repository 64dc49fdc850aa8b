/** What callers of the node see: reads that wait for a version. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRealClock } from '../../supervisors/clock.ts';
import { createShopCore } from '../../supervisors/shop.ts';
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

shop.run();
