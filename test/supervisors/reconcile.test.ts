import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentBooks, VendorAccount } from '../../actors/gateways.ts';
import { addressKey } from '../../actors/kernel/address.ts';
import { paymentAddress, paymentDecider } from '../../actors/payment.ts';
import { shop } from '../../actors/shop.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { createReconcile } from '../../supervisors/reconcile.ts';
import { capture, captured, usd } from '../support/payment.ts';
import { play } from '../support/play.ts';

const deciders = shop as unknown as Readonly<Record<string, AnyDecider>>;
const eventsOf = (steps: Parameters<typeof play>[2]) => play(paymentDecider as never, 'ord_1', steps as never).events;

function held(orderId: string): VendorAccount {
  const key = `${orderId}/authorize-1`;
  return { orderId, operations: [{ kind: 'authorize', key, amount: usd(1_000), state: 'held' }] };
}

type World = { ours: Record<string, readonly unknown[]>; vendors: VendorAccount[]; looks: number };

/** The shop has these payments, the vendor these accounts; `onRecheck` is what arrives before the second look. */
function setUp(given: Partial<World>, onRecheck: (world: World) => void = () => {}) {
  const world: World = { ours: {}, vendors: [], looks: 0, ...given };
  const byId = (one: string, other: string) => (one < other ? -1 : 1);
  const books: PaymentBooks = {
    accounts: async ({ after = '', limit }) =>
      world.vendors
        .filter(({ orderId }) => orderId > after)
        .sort((one, other) => byId(one.orderId, other.orderId))
        .slice(0, limit),
    account: async (orderId) => {
      world.looks += 1;
      return world.vendors.find((account) => account.orderId === orderId);
    },
  };
  const reconcile = createReconcile({
    books,
    aggregateIds: (_type, { after = '', limit }) =>
      Object.keys(world.ours)
        .filter((id) => id > after)
        .sort(byId)
        .slice(0, limit),
    store: {
      load: (key) => {
        const id = Object.keys(world.ours).find((orderId) => addressKey(paymentAddress(orderId)) === key) ?? '';
        const events = (world.ours[id] ?? []) as { type: string; v: number }[];
        return { commits: [{ seq: 1, version: 1, cause: 'm', at: 0, events, timers: [] }] };
      },
    },
    deciders,
    clock: {
      delay(_ms, task) {
        onRecheck(world);
        task();
        return () => {};
      },
    },
  });
  return { world, reconcile };
}

const reconciling = suite('reconcile');

reconciling('orders that only one side knows are compared, in pages, each once', async () => {
  const { reconcile } = setUp({
    ours: { ord_b: eventsOf(captured), ord_d: [], ord_e: [], ord_f: [] },
    vendors: ['ord_a', 'ord_c', 'ord_g', 'ord_h'].map(held),
  });
  const found: string[] = [];
  let examined = 0;
  let pages = 0;
  for (let after: string | undefined; ; pages++) {
    const page = await reconcile({ limit: 2, ...(after !== undefined && { after }) });
    assert.ok(page.examined <= 2);
    found.push(...page.findings.map(({ orderId, code }) => `${orderId} ${code}`));
    examined += page.examined;
    if (page.next === null) break;
    after = page.next;
  }
  assert.is(examined, 8);
  assert.ok(pages >= 3);
  assert.equal(found, [
    'ord_a authorization-unknown',
    'ord_b capture-missing',
    'ord_c authorization-unknown',
    'ord_g authorization-unknown',
    'ord_h authorization-unknown',
  ]);
});

reconciling('what was only on its way is not reported', async () => {
  const { reconcile, world } = setUp({ ours: {}, vendors: [held('ord_1')] }, ({ ours }) => {
    ours['ord_1'] = eventsOf(captured.slice(0, 2));
  });
  assert.equal((await reconcile({ limit: 10 })).findings, []);
  assert.is(world.looks, 2);
});

reconciling('a difference that only the second look shows may be on its way as well', async () => {
  const { reconcile } = setUp({ ours: {}, vendors: [held('ord_1')] }, ({ ours }) => {
    ours['ord_1'] = eventsOf(captured);
  });
  const { findings } = await reconcile({ limit: 10 });
  assert.equal(findings, []);
});

reconciling('without a difference nobody waits for a second look', async () => {
  const { reconcile } = setUp({ ours: { ord_1: [] } }, () => assert.unreachable('it waits'));
  assert.equal(await reconcile({ limit: 10 }), { findings: [], examined: 1, next: null });
});

reconciling("a vendor's books that can't be read are no agreement", async () => {
  const { world, reconcile } = setUp({ ours: { ord_1: eventsOf([...captured.slice(0, 2), capture()]) } });
  world.vendors = new Proxy([], {
    get: () => {
      throw new Error('no connection');
    },
  });
  const outcome = await reconcile({ limit: 10 }).catch((error: Error) => error.message);
  assert.is(outcome, 'no connection');
});

reconciling.run();
