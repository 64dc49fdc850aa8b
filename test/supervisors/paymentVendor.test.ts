/** The simulated vendor of several nodes: news reach the payment from whichever node, a vendor out of reach is no bug. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Envelope } from '../../actors/kernel/message.ts';
import type { Settled } from '../../actors/kernel/ports.ts';
import { createVirtualClock } from '../../supervisors/clock.ts';
import { createPaymentVendor } from '../../supervisors/paymentVendor.ts';
import { openSharedLedger } from '../../transport/nats/vendor/sharedLedger.ts';
import { createMemoryEntries } from '../../transport/payment/entryLedger.ts';
import { until, withBroker } from '../support/broker.ts';
import { withNodes } from '../support/nodesAtBroker.ts';
import { paymentRequests } from '../support/paymentRequests.ts';
import { T0 } from '../support/spec.ts';

const vendors = suite('a vendor of several nodes');
const ORDER = 'ord_1';
const AUTHORIZE = `${ORDER}/authorize-1`;

type Answering = (envelope: Envelope) => Settled;
const done: Settled = { kind: 'done' };
const unavailable: Settled = { kind: 'unavailable', reason: 'no owner', retryAfterMs: 1 };

/** Two nodes at one broker; what each brings to the payments, and how the payments answer it. */
async function withVendors(answer: Answering, use: (two: Awaited<ReturnType<typeof open>>[]) => Promise<void>) {
  await withBroker((broker) =>
    withNodes(broker.url, 2, async (nodes) => {
      const two = await Promise.all(nodes.map((link, number) => open(link, number === 0 ? answer : () => done)));
      try {
        await use(two.map((vendor) => ({ ...vendor, kill: broker.kill })));
      } finally {
        for (const { news } of two) news.close();
      }
    }),
  );
}

async function open(link: Parameters<typeof openSharedLedger>[0]['link'], answer: Answering) {
  const brought: Envelope[] = [];
  const delays: (() => void)[] = [];
  const clock = {
    ...createVirtualClock(T0),
    delay(_ms: number, task: () => void) {
      delays.push(task);
      return () => {};
    },
  };
  const ledger = await openSharedLedger({ link, cluster: 'shop', replicas: 1, entries: createMemoryEntries() });
  const logger = { warn: () => {} };
  const vendor = createPaymentVendor({ ledger, clock, secret: 'the same', logger, isShared: true });
  const opened = vendor.open({
    deliver(envelope, settle) {
      brought.push(envelope);
      settle(answer(envelope));
    },
  });
  return { ...vendor, ...opened, brought, passTime: () => delays.pop()?.(), kill: async () => {} };
}

const requests = paymentRequests('tok_success');
const { signal } = new AbortController();

async function disputed({ adapter, simulation }: Awaited<ReturnType<typeof open>>): Promise<void> {
  await adapter.perform({ ...requests.authorize, key: AUTHORIZE }, signal);
  await adapter.perform({ ...requests.capture(`${ORDER}/capture-1`), authorizationId: `auth_${AUTHORIZE}` }, signal);
  assert.ok(await simulation.dispute(ORDER, { id: 'dp_1', reason: 'fraudulent' }));
}

vendors('news reach the payment from the node that was asked, once', () =>
  withVendors(
    () => done,
    async ([one, other]) => {
      if (!one || !other) throw new Error('no nodes');
      await disputed(one);
      assert.equal(
        one.brought.map(({ id, to }) => [id, to.id]),
        [['~news/dp_1/opened', ORDER]],
      );
      assert.is((await other.simulation.resolve('dp_1', 'lost'))?.status, 'lost');
      assert.equal(
        other.brought.map(({ id }) => id),
        ['~news/dp_1/lost'],
      );
    },
  ),
);

vendors('what a node could not bring, another one brings by itself, under the same id', () =>
  withVendors(
    () => unavailable,
    async ([one, other]) => {
      if (!one || !other) throw new Error('no nodes');
      await other.news.tell();
      await disputed(one);
      one.news.close();
      other.passTime();
      await until('the other node looked', () => other.brought.length > 0);
      assert.equal(
        other.brought.map(({ id }) => id),
        one.brought.map(({ id }) => id),
      );
    },
  ),
);

vendors('out of reach, people are told to try again', () =>
  withVendors(
    () => done,
    async ([one]) => {
      if (!one) throw new Error('no node');
      await disputed(one);
      await one.kill();
      const asking = [
        one.simulation.find('dp_1'),
        one.simulation.resolve('dp_1', 'won'),
        one.books.account(ORDER),
        one.books.accounts({ limit: 1 }),
      ];
      for (const each of asking) {
        const error = await each.catch((caught: Error) => caught);
        assert.is(error instanceof Error && error.name, 'Unavailable');
      }
    },
  ),
);

vendors.run();
