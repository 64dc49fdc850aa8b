/** Case 22 (first half) across crashes: two carts in two shards, the process dying before each record of a merge. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CartCommand, type CartState, cartDecider } from '../../actors/cart.ts';
import { cartAddress } from '../../actors/ids.ts';
import { money } from '../../actors/kernel/money.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { startRuntime, type TestRuntime } from '../support/runtime.ts';

const crashes = suite('cart merge, crash by crash');

const [guests, customers] = [cartAddress('cart_G'), cartAddress('cart_D')];
const deciders = { cart: cartDecider as unknown as AnyDecider };
const product = { sku: 'A', name: 'Tea', price: money(1_000, 'USD'), status: 'active', available: 9 } as const;
const add = (customerId: string): CartCommand => ({ type: 'AddItem', customerId, sku: 'A', quantity: 2, product });
const merge: CartCommand = { type: 'MergeCart', customerId: 'cus_1', from: 'cart_G' };
/** More than a merge needs. */
const RECORDS = 8;

/** Lets `records` through and keeps the rest from the disk, as a process does that is about to die. */
function fragileLog() {
  let left = Number.POSITIVE_INFINITY;
  let stopped = false;
  return {
    die: (records: number) => {
      left = records;
    },
    recover: () => {
      left = Number.POSITIVE_INFINITY;
    },
    get stopped() {
      return stopped;
    },
    wrap: ((log) => ({
      append: (record) => {
        left -= 1;
        if (left >= 0) return log.append(record);
        stopped = true;
        return new Promise(() => undefined);
      },
    })) satisfies NonNullable<Parameters<typeof startRuntime>[0]['wrapLog']>,
  };
}

async function lines(shop: TestRuntime, address: typeof guests): Promise<number> {
  const state = await shop.state<CartState>(address);
  return state && state.status !== 'none' ? state.lines.reduce((sum, { quantity }) => sum + quantity, 0) : 0;
}

async function rest(shop: TestRuntime): Promise<void> {
  const deadline = performance.now() + 10_000;
  const merged = async () =>
    (await shop.state<CartState>(guests))?.status === 'merged' && (await lines(shop, customers)) > 2;
  while (!(await merged()) && performance.now() < deadline) await shop.node.settled(100);
}

crashes('case 22: whichever record of a merge is the last one, the lines are taken over once', async () => {
  let died = 0;
  for (let records = 0; records < RECORDS; records++) {
    const log = fragileLog();
    let shop = startRuntime({ deciders, wrapLog: log.wrap });
    try {
      assert.is.not(shop.node.shardFor(guests), shop.node.shardFor(customers), 'two shards');
      await shop.ask(guests, { type: 'CreateCart', customerId: 'gst_1', guest: true } as CartCommand);
      await shop.ask(guests, add('gst_1'));
      await shop.ask(customers, { type: 'CreateCart', customerId: 'cus_1', guest: false } as CartCommand);
      await shop.ask(customers, add('cus_1'));
      await shop.node.settled(5_000);
      log.die(records);
      void shop.send({ id: 'merge', to: customers, message: merge });
      await shop.node.settled(50);
      if (log.stopped) died += 1;
      log.recover();
      shop = await shop.crash();
      // The client repeats, the same request and from another tab.
      await Promise.all([shop.ask(customers, merge, 'merge'), shop.ask(customers, merge, 'other tab')]);
      await rest(shop);
      assert.equal([await lines(shop, guests), await lines(shop, customers)], [2, 4], `after ${records} records`);
      await shop.ask(customers, merge, 'much later');
      await shop.node.settled(5_000);
      assert.is(await lines(shop, customers), 4);
    } finally {
      log.recover();
      await shop.close();
    }
  }
  assert.ok(died >= 3, `the merge was cut off after its first ${died} records`);
});

crashes.run();
