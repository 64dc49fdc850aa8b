/** The simulated vendor as several nodes talk to it: one ledger, whoever asks, whoever dies. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentGatewayRequest } from '../../../actors/gateways.ts';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import type { BrokerConnection } from '../../../transport/nats/connection.ts';
import { createDocuments } from '../../../transport/nats/documents.ts';
import type { Broker } from '../../../transport/nats/server/broker.ts';
import { openSharedLedger, vendorStream } from '../../../transport/nats/vendor/sharedLedger.ts';
import { createSimulatedBank } from '../../../transport/payment/bank.ts';
import { createSimulatorBooks } from '../../../transport/payment/books.ts';
import { createEntryLedger, createMemoryEntries, type LedgerEntries } from '../../../transport/payment/entryLedger.ts';
import type { SimulatorLedger } from '../../../transport/payment/ledger.ts';
import { createPaymentSimulator } from '../../../transport/payment/simulator.ts';
import { withBroker, withBrokers } from '../../support/broker.ts';
import { withNodes } from '../../support/nodesAtBroker.ts';
import { usd } from '../../support/paymentRequests.ts';
import { T0 } from '../../support/spec.ts';

const SECRET = 'the same on all nodes';
const CLUSTER = 'shop';
const clock = createVirtualClock(T0);

/** All that one node does with the vendor. */
function vendorOf(ledger: SimulatorLedger) {
  const simulator = createPaymentSimulator({ clock, ledger, secret: SECRET });
  const perform = (request: PaymentGatewayRequest) => simulator.perform(request, new AbortController().signal);
  return {
    perform,
    bank: createSimulatedBank(ledger, clock),
    books: createSimulatorBooks(ledger, clock.now),
    authorize: (orderId: string, token = 'tok_success') =>
      perform({ type: 'GatewayAuthorize', key: `${orderId}/authorize-1`, orderId, amount: usd(5_000), token }),
    capture: (orderId: string, name = 'capture-1', amount = 5_000) =>
      perform({
        type: 'GatewayCapture',
        key: `${orderId}/${name}`,
        authorizationId: `auth_${orderId}/authorize-1`,
        amount: usd(amount),
      }),
    enquire: (orderId: string, name: string) => perform({ type: 'GatewayEnquire', key: `${orderId}/${name}` }),
  };
}

type Vendor = ReturnType<typeof vendorOf>;

async function openVendor(node: BrokerConnection, entries = createMemoryEntries(), replicas = 1): Promise<Vendor> {
  return vendorOf(await openSharedLedger({ link: node, cluster: CLUSTER, replicas, entries }));
}

type Two = {
  readonly one: Vendor;
  readonly other: Vendor;
  readonly node: BrokerConnection;
  readonly otherNode: BrokerConnection;
  readonly broker: Broker;
};

const twoNodes = (use: (two: Two) => Promise<void>) => () =>
  withBroker((broker) =>
    withNodes(broker.url, 2, async ([node, otherNode]) => {
      if (node === undefined || otherNode === undefined) throw new Error('no connection');
      const [one, other] = await Promise.all([openVendor(node), openVendor(otherNode)]);
      await use({ one, other, node, otherNode, broker });
    }),
  );

const shared = suite('shared ledger');

shared(
  'the same key on two nodes at once is one operation, with one answer',
  twoNodes(async ({ one, other }) => {
    for (let round = 1; round <= 25; round++) {
      const order = `ord_${round}`;
      const all = [one, other, one, other];
      const authorized = await Promise.all(all.map((vendor) => vendor.authorize(order)));
      for (const outcome of authorized) assert.equal(outcome, authorized[0]);
      const captured = await Promise.all(all.map((vendor) => vendor.capture(order)));
      for (const outcome of captured) assert.equal(outcome, captured[0]);
      const operations = (await one.books.account(order))?.operations.map(({ kind, state }) => `${kind} ${state}`);
      assert.equal(operations, ['authorize closed', 'capture done']);
    }
  }),
);

shared(
  'different captures at once never take more than was authorized',
  twoNodes(async ({ one, other }) => {
    for (let round = 1; round <= 10; round++) {
      const order = `ord_${round}`;
      await one.authorize(order);
      const captures = [1, 2, 3, 4].map((n) => (n % 2 ? one : other).capture(order, `capture-${n}`, 2_000));
      const outcomes = (await Promise.all(captures)).map(({ outcome }) => outcome).sort();
      assert.equal(outcomes, ['captured', 'captured', 'failed', 'failed']);
    }
  }),
);

shared(
  'what one node did every other one knows: outcomes, books in order, pages',
  twoNodes(async ({ one, other }) => {
    const orders = Array.from({ length: 450 }, (_, number) => `ord_${String(number).padStart(3, '0')}`);
    await Promise.all(orders.toReversed().map((order) => one.authorize(order)));
    assert.is((await other.enquire('ord_000', 'authorize-1')).outcome, 'authorized');
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = await other.books.accounts({ limit: 200, ...(after !== undefined && { after }) });
      seen.push(...page.map(({ orderId }) => orderId));
      if (page.length < 200) break;
    }
    assert.equal(seen, orders);
    await one.capture('ord_200');
    const operations = (await other.books.account('ord_200'))?.operations.map(({ kind }) => kind);
    assert.equal(operations, ['authorize', 'capture'], 'the copy catches up');
    assert.is(await other.books.account('ord_2'), undefined);
  }),
);

shared(
  "the bank's page, disputes and their news work on whichever node is asked",
  twoNodes(async ({ one, other }) => {
    const asked = await one.authorize('ord_1', 'tok_requires_action');
    const reference = asked.outcome === 'requires-action' ? (asked.url.split('/').at(-1) ?? '') : '';
    assert.is((await other.bank.find(reference))?.status, 'waiting');
    const decisions = await Promise.all([one.bank.decide(reference, true), other.bank.decide(reference, false)]);
    assert.is(decisions[0]?.status, decisions[1]?.status, 'the first word counts on both');
    await one.authorize('ord_2');
    await one.capture('ord_2');
    const disputes = await Promise.all(
      [one, other].map(({ bank }) => bank.dispute('ord_2', { id: 'dp_1', reason: 'fraudulent' })),
    );
    assert.equal(disputes[0], disputes[1]);
    assert.is((await other.bank.resolve('dp_1', 'lost'))?.status, 'lost');
    assert.is((await one.bank.resolve('dp_1', 'won'))?.status, 'lost');
    const told = await other.bank.untold(10);
    assert.equal(told.map(({ orderId }) => orderId).sort(), ['ord_1', 'ord_2', 'ord_2']);
    assert.equal(await one.bank.untold(10), told, 'until somebody has taken them, all nodes have them to tell');
    for (const news of told) await one.bank.taken(news);
    assert.equal(await other.bank.untold(10), []);
    assert.equal(await one.bank.untold(10), []);
  }),
);

shared(
  'news that were told and taken between two looks are not told again',
  twoNodes(async ({ one, other }) => {
    await one.authorize('ord_1');
    await one.capture('ord_1');
    await one.bank.dispute('ord_1', { id: 'dp_1', reason: 'fraudulent' });
    assert.is((await other.bank.untold(10)).length, 1);
    for (const news of await one.bank.untold(10)) await one.bank.taken(news);
    await one.bank.resolve('dp_1', 'won');
    const told = await other.bank.untold(10);
    assert.equal(
      told.map(({ message }) => message.type === 'PaymentDisputeNews' && message.stage),
      ['won'],
    );
  }),
);

shared(
  'once an operation was said never to have happened, no late attempt of it can happen',
  twoNodes(async ({ one, node }) => {
    await one.authorize('ord_1');
    const documents = createDocuments(node, vendorStream(CLUSTER));
    const subject = `${CLUSTER}.vendor.order.ord_1`;
    const late = await documents.read(subject);
    assert.is((await one.enquire('ord_1', 'capture-1')).outcome, 'not-found');
    assert.is(await documents.write(subject, late.value, late.revision), 'overtaken');
  }),
);

shared(
  'a call under way while the broker stands still happens once',
  twoNodes(async ({ one, other, broker }) => {
    await one.authorize('ord_1');
    broker.pause();
    const calls = [one, other].map((vendor) =>
      vendor.capture('ord_1').then(
        ({ outcome }) => outcome,
        (error: Error) => error.name,
      ),
    );
    await Promise.race([...calls, new Promise((resolve) => setTimeout(resolve, 1_500))]);
    broker.resume();
    for (const outcome of await Promise.all(calls)) {
      assert.ok(['captured', 'GatewayTimeout', 'GatewayUnavailable'].includes(outcome), outcome);
    }
    assert.is((await untilAnswered(() => one.capture('ord_1'))).outcome, 'captured');
    const operations = (await one.books.account('ord_1'))?.operations.map(({ kind, state }) => `${kind} ${state}`);
    assert.equal(operations, ['authorize closed', 'capture done']);
  }),
);

shared(
  'a broker that is gone is an unavailable vendor: surely nothing was executed',
  twoNodes(async ({ one, broker }) => {
    await broker.kill();
    const error = await one.authorize('ord_1').catch((caught: Error) => caught);
    assert.is(error instanceof Error && error.name, 'GatewayUnavailable');
    await broker.restart();
    assert.is((await untilAnswered(() => one.enquire('ord_1', 'authorize-1'))).outcome, 'not-found');
    assert.is((await untilAnswered(() => one.authorize('ord_1'))).outcome, 'authorized');
  }),
);

/** The connection comes back in its own time. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 30_000; ; ) {
    try {
      return await ask();
    } catch (error) {
      const passing = error instanceof Error && error.name.startsWith('Gateway');
      if (!passing || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

shared('the death of the broker that leads the books loses no operation and makes none twice', () =>
  withBrokers(3, (brokers) =>
    withNodes(brokers.url, 2, async (nodes) => {
      const [first] = nodes;
      if (first === undefined) throw new Error('no connection');
      const both = await Promise.all(nodes.map((node) => openVendor(node, createMemoryEntries(), 3)));
      const orders = Array.from({ length: 12 }, (_, number) => `ord_${number}`);
      const { cluster } = await first.manager.streams.info(vendorStream(CLUSTER));
      const leader = brokers.all.find(({ name }) => name === cluster?.leader);
      const done: string[] = [];
      for (const order of orders) {
        const steps = both.map(async (vendor) => {
          await untilAnswered(() => vendor.authorize(order));
          return untilAnswered(() => vendor.capture(order));
        });
        if (order === 'ord_4') await leader?.kill();
        const outcomes = await Promise.all(steps);
        assert.equal(outcomes[0], outcomes[1]);
        done.push(`${order} ${outcomes[0]?.outcome}`);
      }
      assert.ok(leader !== undefined);
      assert.equal(
        done,
        orders.map((order) => `${order} captured`),
      );
      const accounts = await untilAnswered(async () => both[1]?.books.accounts({ limit: 100 }));
      assert.is(accounts?.length, orders.length);
      for (const { operations } of accounts ?? []) {
        assert.equal(
          operations.map(({ kind, state }) => `${kind} ${state}`),
          ['authorize closed', 'capture done'],
        );
      }
    }),
  ),
);

shared(
  'a vendor that one node had alone is brought along whole, once',
  twoNodes(async ({ node, otherNode, one }) => {
    const own: LedgerEntries = createMemoryEntries();
    const alone = vendorOf(createEntryLedger(own));
    for (let number = 1; number <= 300; number++) await alone.authorize(`ord_own${number}`);
    await alone.capture('ord_own1');
    await alone.bank.dispute('ord_own1', { id: 'dp_1', reason: 'fraudulent' });
    const asked = await alone.authorize('ord_asked', 'tok_requires_action');
    const before = await alone.books.accounts({ limit: 1_000 });
    const brought = await openVendor(node, own);
    assert.equal(await brought.books.accounts({ limit: 1_000 }), before);
    assert.equal(await one.authorize('ord_asked', 'tok_requires_action'), asked);
    assert.is((await one.bank.resolve('dp_1', 'won'))?.orderId, 'ord_own1');
    for (const news of await one.bank.untold(10)) await one.bank.taken(news);
    assert.equal(await (await openVendor(otherNode, own)).bank.untold(10), [], 'not again with the next start');
  }),
);

shared(
  'a copy of a stream that was made anew begins anew',
  twoNodes(async ({ node, otherNode, one }) => {
    const entries = createMemoryEntries();
    const copying = await openVendor(otherNode, entries);
    for (const order of ['ord_1', 'ord_2']) await one.authorize(order);
    assert.is((await copying.books.accounts({ limit: 10 })).length, 2);
    await node.manager.streams.delete(vendorStream(CLUSTER));
    const error = await copying.authorize('ord_1').catch((caught: Error) => caught);
    assert.match(error instanceof Error ? error.message : '', 'it was deleted');
    const anew = await openVendor(node);
    for (const order of ['ord_3', 'ord_4', 'ord_5']) await anew.authorize(order);
    const accounts = await (await openVendor(otherNode, entries)).books.accounts({ limit: 10 });
    assert.equal(
      accounts.map(({ orderId }) => orderId),
      ['ord_3', 'ord_4', 'ord_5'],
    );
  }),
);

shared(
  'orders may have any name',
  twoNodes(async ({ one, other }) => {
    const names = ['ord_é', 'ord.*', 'ord_>', 'ord 1', ' ', 'ord_=2e', 'ord_.'];
    await Promise.all(names.map((name) => one.authorize(name)));
    for (const name of names) assert.is((await other.enquire(name, 'authorize-1')).outcome, 'authorized');
    assert.is((await other.books.accounts({ limit: 10 })).length, names.length);
    assert.is(await other.bank.find('any.thing > *'), undefined);
  }),
);

shared.run();
