import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PaymentGatewayOutcome, PaymentGatewayRequest } from '../../../actors/gateways.ts';
import { money } from '../../../actors/kernel/money.ts';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import { createSimulatedBank } from '../../../transport/payment/bank.ts';
import { createEntryLedger, createMemoryEntries, type LedgerEntries } from '../../../transport/payment/entryLedger.ts';
import { amountsOf, type LedgerEntry } from '../../../transport/payment/ledger.ts';
import { createPaymentSimulator } from '../../../transport/payment/simulator.ts';
import { settle } from '../../support/eventLoop.ts';
import { paymentRequests, usd } from '../../support/paymentRequests.ts';
import { T0 } from '../../support/spec.ts';
import { paymentGatewayCommands } from '../paymentGatewayCommands.ts';
import { paymentGatewayContract } from '../paymentGatewayContract.ts';

const DAY = 24 * 60 * 60 * 1_000;

let lastKey = 0;
paymentGatewayContract('simulator', () => ({
  adapter: createPaymentSimulator({ clock: createVirtualClock(T0) }),
  tokens: { success: 'tok_success', declined: 'tok_decline', requiresAction: 'tok_requires_action' },
  newKey: () => `ord_contract/key-${++lastKey}`,
}));

paymentGatewayCommands(
  'simulator',
  () => ({ adapter: createPaymentSimulator({ clock: createVirtualClock(T0) }), order: 'ord_commands' }),
  300,
);

function setUp(token: string, entries: LedgerEntries = createMemoryEntries()) {
  const clock = createVirtualClock(T0);
  const ledger = createEntryLedger(entries);
  const simulator = createPaymentSimulator({ clock, ledger });
  const { signal } = new AbortController();
  return {
    ...paymentRequests(token),
    clock,
    entries,
    ledger,
    simulator,
    perform: (request: PaymentGatewayRequest) => simulator.perform(request, signal),
    outcome: async (request: PaymentGatewayRequest) => (await simulator.perform(request, signal)).outcome,
    errorName: (request: PaymentGatewayRequest) =>
      simulator.perform(request, signal).then(
        ({ outcome }) => outcome,
        (error: Error) => error.name,
      ),
    /** Asks, and gives up waiting: true when there was no answer. */
    async hangs(request: PaymentGatewayRequest): Promise<boolean> {
      const controller = new AbortController();
      const gaveUp = new Error('gave up');
      const answer = simulator.perform(request, controller.signal).catch((error: unknown) => error);
      await clock.advance(60_000, settle);
      controller.abort(gaveUp);
      return (await answer) === gaveUp;
    },
  };
}

const test = suite('payment simulator');

test('tok_success - authorizes for seven days', async () => {
  const { perform, authorize } = setUp('tok_success');
  assert.equal(await perform(authorize), { outcome: 'authorized', authorizationId: 'auth_a', expiresAt: T0 + 7 * DAY });
});

test('tok_decline, tok_insufficient_funds and unknown tokens - declined with a reason', async () => {
  for (const [token, reason] of [
    ['tok_decline', 'card declined'],
    ['tok_insufficient_funds', 'insufficient funds'],
    ['tok_nonsense', 'invalid token'],
    ['constructor', 'invalid token'],
  ] as const) {
    const { perform, authorize, capture, outcome } = setUp(token);
    assert.equal(await perform(authorize), { outcome: 'declined', reason });
    assert.is(await outcome(capture()), 'failed', 'nothing to capture');
  }
});

test('tok_timeout - never answers, however often, and never happened', async () => {
  const { hangs, perform, authorize, enquire } = setUp('tok_timeout');
  assert.ok(await hangs(authorize));
  assert.ok(await hangs(authorize));
  assert.equal(await perform(enquire('a')), { outcome: 'not-found' });
});

test('tok_late_success - never answers, but proves authorized when asked for, and can be captured', async () => {
  const { hangs, perform, outcome, authorize, enquire, capture } = setUp('tok_late_success');
  assert.ok(await hangs(authorize));
  const proved = await perform(enquire('a'));
  assert.is(proved.outcome, 'authorized');
  assert.equal(await perform(authorize), proved, 'the repeat under the same key finds it too');
  assert.is(await outcome(capture()), 'captured');
});

test('tok_flaky - is unavailable twice, then works, and stays so', async () => {
  const { errorName, authorize, enquire } = setUp('tok_flaky');
  assert.is(await errorName(authorize), 'GatewayUnavailable');
  assert.is(await errorName(enquire('a')), 'not-found');
  assert.is(await errorName(authorize), 'GatewayUnavailable');
  assert.is(await errorName(authorize), 'authorized');
  assert.is(await errorName(authorize), 'authorized');
});

test('tok_unavailable - is never executed', async () => {
  const { errorName, authorize, enquire } = setUp('tok_unavailable');
  for (let n = 0; n < 5; n++) assert.is(await errorName(authorize), 'GatewayUnavailable');
  assert.is(await errorName(enquire('a')), 'not-found');
});

test('tok_requires_action - is authorized once the customer acted, valid from then on', async () => {
  const { ledger, clock, perform, outcome, authorize, enquire, capture } = setUp('tok_requires_action');
  const asked = await perform(authorize);
  assert.equal(await perform(authorize), asked, 'asked again it is the same page');
  const reference = asked.outcome === 'requires-action' ? asked.url.replace('/v1/simulator/bank/', '') : '';
  assert.match(reference, /^[\w-]{24}$/);
  assert.is(await outcome(capture()), 'failed');
  await clock.advance(DAY, settle);
  assert.is((await createSimulatedBank(ledger, clock).decide(reference, true))?.status, 'approved');
  assert.equal(await perform(enquire('a')), {
    outcome: 'authorized',
    authorizationId: 'auth_a',
    expiresAt: T0 + 8 * DAY,
  });
  assert.is(await outcome(capture('c2')), 'captured');
});

test('tok_capture_fails - is authorized, its capture fails and it can be voided', async () => {
  const { perform, outcome, authorize, capture, voiding } = setUp('tok_capture_fails');
  assert.is(await outcome(authorize), 'authorized');
  assert.equal(await perform(capture()), { outcome: 'failed', reason: 'capture refused' });
  assert.is(await outcome(voiding()), 'voided');
});

test('tok_capture_timeout - its capture never answers, but proves captured and can be refunded', async () => {
  const { hangs, outcome, authorize, capture, enquire, refund } = setUp('tok_capture_timeout');
  assert.is(await outcome(authorize), 'authorized');
  assert.ok(await hangs(capture()));
  assert.is(await outcome(enquire('c')), 'captured');
  assert.is(await outcome(capture()), 'captured', 'the repeat under the same key finds it too');
  assert.is(await outcome(refund()), 'refunded');
});

test('tok_void_fails - its void fails', async () => {
  const { outcome, authorize, voiding } = setUp('tok_void_fails');
  assert.is(await outcome(authorize), 'authorized');
  assert.is(await outcome(voiding()), 'failed');
});

test('tok_refund_fails - its refunds always fail', async () => {
  const { outcome, authorize, capture, refund } = setUp('tok_refund_fails');
  await outcome(authorize);
  assert.is(await outcome(capture()), 'captured');
  for (const key of ['r1', 'r2', 'r3', 'r4']) assert.is(await outcome(refund(key)), 'failed');
});

test('tok_refund_flaky - its first two refunds fail, each key keeps its outcome', async () => {
  const { outcome, authorize, capture, refund } = setUp('tok_refund_flaky');
  await outcome(authorize);
  await outcome(capture());
  const outcomes: string[] = [];
  for (const key of ['r1', 'r2', 'r2', 'r3', 'r1', 'r3']) outcomes.push(await outcome(refund(key)));
  assert.equal(outcomes, ['failed', 'failed', 'failed', 'refunded', 'failed', 'refunded']);
});

test('an authorization can be captured until the last millisecond of its seven days', async () => {
  for (const [elapsedMs, expected] of [
    [7 * DAY - 1, 'captured'],
    [7 * DAY, 'failed'],
  ] as const) {
    const { clock, outcome, authorize, capture, voiding } = setUp('tok_success');
    await outcome(authorize);
    await clock.advance(elapsedMs, settle);
    assert.is(await outcome(capture()), expected);
    assert.is(await outcome(voiding()), expected === 'failed' ? 'voided' : 'failed');
  }
});

test('several captures stay within the authorization, voiding releases the rest', async () => {
  const { perform, outcome, authorize, capture, voiding } = setUp('tok_success');
  await outcome(authorize);
  assert.is(await outcome(capture('c1', 2_000)), 'captured');
  assert.equal(await perform(capture('c2', 3_001)), { outcome: 'failed', reason: 'more than was authorized' });
  assert.is(await outcome(capture('c3', 1_000)), 'captured');
  assert.is(await outcome(voiding()), 'voided');
  assert.equal(await perform(capture('c4', 1_000)), { outcome: 'failed', reason: 'already voided' });
});

test('amounts that are not positive or of another currency are refused', async () => {
  const { perform, outcome, authorize, capture, refund } = setUp('tok_success');
  await outcome(authorize);
  const wrong: PaymentGatewayOutcome = { outcome: 'failed', reason: 'wrong amount' };
  assert.equal(await perform(capture('c0', 0)), wrong);
  assert.equal(await perform({ ...capture('c-eur'), amount: money(100, 'EUR') }), wrong);
  await outcome(capture());
  assert.equal(await perform(refund('r0', -1)), wrong);
  const free = setUp('tok_success');
  assert.equal(await free.perform({ ...free.authorize, amount: usd(0) }), wrong);
});

test('a key of one authorization is refused at another and as another operation', async () => {
  const { outcome, perform, authorize, capture, voiding } = setUp('tok_success');
  await outcome(authorize);
  await outcome({ ...authorize, key: 'b' });
  await outcome(capture());
  const reused: PaymentGatewayOutcome = { outcome: 'failed', reason: 'key already used for another request' };
  assert.equal(await perform({ type: 'GatewayVoid', key: 'c', authorizationId: 'auth_b' }), reused);
  assert.equal(await perform(voiding('c')), reused);
  assert.equal(await perform(voiding('b')), reused);
  assert.equal(await perform({ ...authorize, key: 'c' }), reused);
});

test('what is asked in the name of another order is refused', async () => {
  const { perform, authorize, capture, refund } = setUp('tok_success');
  const unknown: PaymentGatewayOutcome = { outcome: 'failed', reason: 'no such authorization or capture' };
  await perform(authorize);
  assert.equal(await perform({ ...capture(), key: 'ord_2/c' }), unknown);
  await perform(capture());
  assert.equal(await perform({ ...refund(), key: 'ord_2/r' }), unknown);
});

test('remembers in its ledger: a new process gives the same outcomes', async () => {
  for (const token of ['tok_success', 'tok_decline', 'tok_late_success', 'tok_requires_action']) {
    const before = setUp(token);
    await before.hangs(before.authorize);
    const entries: LedgerEntry[] = JSON.parse(JSON.stringify([...before.entries.all()]));
    const restored = createMemoryEntries();
    for (const entry of entries) restored.put(entry);
    const after = setUp(token, restored);
    assert.equal(await after.perform(after.authorize), await before.perform(before.authorize));
    assert.equal(await after.perform(after.enquire('a')), await before.perform(before.enquire('a')));
  }
});

test('remembers how often a flaky vendor was unavailable', async () => {
  const before = setUp('tok_flaky');
  await before.errorName(before.authorize);
  const after = setUp('tok_flaky', before.entries);
  assert.is(await after.errorName(after.authorize), 'GatewayUnavailable');
  assert.is(await after.errorName(after.authorize), 'authorized');
});

test('dying before the ledger is written leaves an operation that never happened', async () => {
  const { entries, outcome, authorize, capture, enquire } = setUp('tok_success');
  await outcome(authorize);
  const dying: LedgerEntries = {
    ...entries,
    put() {
      throw new Error('killed');
    },
  };
  const killed = setUp('tok_success', dying);
  assert.is(await killed.errorName(capture()), 'Error');
  assert.is(await outcome(enquire('c')), 'not-found');
  assert.is(await outcome(capture()), 'captured');
  assert.is(await outcome(enquire('c')), 'captured');
});

test('the ledger knows what came of an authorization', async () => {
  const { entries, outcome, authorize, capture, refund, voiding } = setUp('tok_success');
  await outcome(authorize);
  await outcome(capture('c', 2_000));
  await outcome(capture('c2', 1_000));
  await outcome(refund('r', 500));
  await outcome({ type: 'GatewayRefund', key: 'r2', captureId: 'cap_c2', amount: usd(300) });
  await outcome(refund('r3', 5_000));
  const entry = () => {
    const found = entries.get('a');
    if (found?.kind !== 'authorization') throw new Error('no authorization');
    return found;
  };
  assert.equal(amountsOf(entry()), { captured: usd(3_000), refunded: usd(800), lost: usd(0), voided: false });
  assert.equal(amountsOf(entry(), 'cap_c').refunded, usd(500));
  await outcome(voiding());
  assert.ok(amountsOf(entry()).voided);
  assert.equal([...entries.all()].map(({ key }) => key).sort(), ['a', 'c', 'c2', 'r', 'r2', 'r3', 'v']);
});

test('takes its latency in business time, and stops when told to', async () => {
  const clock = createVirtualClock(T0);
  const entries = createMemoryEntries();
  const simulator = createPaymentSimulator({ clock, ledger: createEntryLedger(entries), latencyMs: 100 });
  const { authorize } = paymentRequests('tok_success');
  let answeredAt = 0;
  void simulator.perform(authorize, new AbortController().signal).then(() => {
    answeredAt = clock.now();
  });
  await clock.advance(99, settle);
  assert.is(entries.get('a'), undefined);
  await clock.advance(1, settle);
  assert.is(answeredAt, T0 + 100);

  const controller = new AbortController();
  const stopped = simulator
    .perform({ ...authorize, key: 'b' }, controller.signal)
    .catch((error: Error) => error.message);
  controller.abort(new Error('stop'));
  assert.is(await stopped, 'stop');
  assert.is(entries.get('b'), undefined);
});

test.run();
