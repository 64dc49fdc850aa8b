import { getEventListeners } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paymentGateway } from '../../actors/gateways.ts';
import type { Typed } from '../../actors/kernel/decider.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { createVirtualClock } from '../../supervisors/clock.ts';
import {
  createResilientGateway,
  type GatewayFigures,
  type GatewayLog,
  type GatewayRequest,
  GatewayTimeout,
  GatewayUnavailable,
  hang,
} from '../../transport/gateway.ts';
import { settle } from '../support/eventLoop.ts';
import { T0 } from '../support/spec.ts';

const figures: GatewayFigures = {
  timeoutMs: 30_000,
  retries: 3,
  backoffMs: 200,
  breaker: { failures: 3, windowMs: 30_000, failureShare: 0.1, minCalls: 5, openMs: 60_000, slowMs: 2_000 },
};

type Answer = { readonly outcome: 'done'; readonly nth: number };
type Ask = GatewayRequest & { readonly type: 'Ask' };

/** A gateway over an adapter whose nth attempt does what `script` says; time passes only by `wait`. */
function setUp(script: (nth: number, signal: AbortSignal) => Promise<void>) {
  const clock = createVirtualClock(T0);
  let pendingTimers = 0;
  const countingClock: Clock = {
    ...clock,
    schedule(at, task) {
      pendingTimers += 1;
      const cancel = clock.schedule(at, task);
      return () => {
        pendingTimers -= 1;
        cancel();
      };
    },
  };
  const told: string[] = [];
  const logged: string[] = [];
  const note = (level: string) => (_fields: object, text: string) => {
    logged.push(`${level}: ${text}`);
  };
  const log: GatewayLog = { info: note('info'), warn: note('warn'), error: note('error') };
  const attempts: { readonly key: string; readonly at: number }[] = [];
  const stopping = new AbortController();
  const gateway = createResilientGateway<Ask, Answer>({
    name: 'vendor',
    contract: { operations: { Ask: true }, resultType: 'VendorResult' },
    adapter: {
      async perform({ key }, signal) {
        const nth = attempts.push({ key, at: clock.now() - T0 });
        await script(nth, signal);
        return { outcome: 'done', nth };
      },
    },
    clock: countingClock,
    random: () => 0.5,
    telemetry: { breakerChanged: (name, state) => told.push(`${name} ${state}`) },
    log,
    figures,
  });
  const send = (message: Typed) => gateway.call({ id: 'payment/p#1.0', to: paymentGateway, message }, stopping.signal);
  return {
    told,
    logged,
    attempts,
    send,
    ask(key = 'k1') {
      const message = { type: 'Ask', key };
      return send(message);
    },
    leftBehind: () => pendingTimers + getEventListeners(stopping.signal, 'abort').length,
    stop: () => stopping.abort(new Error('stopping')),
    wait: (ms: number) => clock.advance(ms, settle),
  };
}

const result = (outcome: object, key = 'k1') => ({ type: 'VendorResult', operation: 'Ask', key, result: outcome });
const busy = () => Promise.reject(new GatewayUnavailable('busy'));
const work = () => Promise.resolve();

const test = suite('gateway');

test('answers with the outcome, the operation and the key', async () => {
  const { ask } = setUp(work);
  assert.equal(await ask('k7'), result({ outcome: 'done', nth: 1 }, 'k7'));
});

test('repeats what surely was not executed, with the same key, after growing pauses with jitter', async () => {
  const { ask, wait, attempts } = setUp((nth) => (nth < 4 ? busy() : work()));
  const answer = ask();
  await wait(10_000);
  assert.equal(await answer, result({ outcome: 'done', nth: 4 }));
  assert.equal(
    attempts,
    [0, 150, 450, 1_050].map((at) => ({ key: 'k1', at })),
  );
});

test('gives up as unavailable when the retries are used up, without a last pause', async () => {
  const { ask, wait, attempts } = setUp(busy);
  const answer = ask();
  await wait(1_050);
  assert.equal(await answer, result({ outcome: 'unavailable', reason: 'busy' }));
  assert.is(attempts.length, 4);
});

test('a call without an answer is cut off at the time-out: unknown, not repeated', async () => {
  let cutOff = false;
  const { ask, wait, attempts } = setUp((_nth, signal) => {
    signal.addEventListener('abort', () => {
      cutOff = true;
    });
    return hang(signal);
  });
  let answered = false;
  const answer = ask().finally(() => {
    answered = true;
  });
  await wait(29_999);
  assert.not(answered);
  await wait(1);
  assert.equal(await answer, result({ outcome: 'unknown', reason: 'no answer within 30000 ms' }));
  assert.ok(cutOff, 'the adapter is told to stop');
  assert.is(attempts.length, 1);
});

test('the time-out also ends an adapter that does not listen', async () => {
  const { ask, wait } = setUp(() => new Promise(() => undefined));
  const answer = ask();
  await wait(30_000);
  assert.equal(await answer, result({ outcome: 'unknown', reason: 'no answer within 30000 ms' }));
});

test('the time-out counts the retries too', async () => {
  const { ask, wait, attempts } = setUp((nth, signal) => (nth === 1 ? busy() : hang(signal)));
  const answer = ask();
  await wait(30_000);
  assert.equal(await answer, result({ outcome: 'unknown', reason: 'no answer within 30000 ms' }));
  assert.is(attempts.length, 2);
});

test("the vendor's own time-out is unknown too and not repeated", async () => {
  const { ask, attempts } = setUp(() => Promise.reject(new GatewayTimeout('504')));
  assert.equal(await ask(), result({ outcome: 'unknown', reason: '504' }));
  assert.is(attempts.length, 1);
});

test('a bug of the adapter is logged as an error; the outcome is unknown, the details stay inside', async () => {
  for (const bug of [new TypeError('secret detail'), new Error('secret detail')]) {
    const { ask, attempts, logged } = setUp(() => Promise.reject(bug));
    assert.equal(await ask(), result({ outcome: 'unknown', reason: 'unexpected error' }));
    assert.is(attempts.length, 1);
    assert.equal(logged, ['error: gateway adapter failed unexpectedly']);
  }
});

test('an adapter that throws before it returns a promise is handled alike', async () => {
  const { ask } = setUp(() => {
    throw new Error('secret detail');
  });
  assert.equal(await ask(), result({ outcome: 'unknown', reason: 'unexpected error' }));
});

test('interrupted while a call is under way: unknown', async () => {
  const { ask, stop, logged } = setUp((_nth, signal) => hang(signal));
  const answer = ask();
  await settle();
  stop();
  assert.equal(await answer, result({ outcome: 'unknown', reason: 'interrupted' }));
  assert.equal(logged, ['warn: gateway outcome unknown']);
});

test('interrupted between two attempts: still surely not executed', async () => {
  const { ask, stop, attempts } = setUp(busy);
  const answer = ask();
  await settle();
  stop();
  assert.equal(await answer, result({ outcome: 'unavailable', reason: 'busy' }));
  assert.is(attempts.length, 1);
});

test('a vendor that refuses is logged for each call, an open breaker only when it opens', async () => {
  const { ask, wait, logged } = setUp(busy);
  for (let call = 1; call <= 3; call++) {
    const answer = ask();
    await wait(2_000);
    await answer;
  }
  assert.equal(logged, ['warn: gateway outcome unavailable', 'warn: circuit breaker changed']);
});

test('does not start a call once the node is stopping', async () => {
  const { ask, stop, attempts } = setUp(work);
  stop();
  assert.equal(await ask(), result({ outcome: 'unavailable', reason: 'stopping' }));
  assert.is(attempts.length, 0);
});

test('an open breaker answers at once, and its changes are told and logged', async () => {
  let down = true;
  const { ask, wait, attempts, told, logged } = setUp((nth) => (nth > 2 && down ? busy() : work()));
  await ask();
  await ask();
  const failing = ask();
  await wait(1_050);
  assert.equal(await failing, result({ outcome: 'unavailable', reason: 'circuit breaker is open' }));
  assert.is(attempts.length, 5, 'the third failure of five calls opens it');

  assert.equal(await ask(), result({ outcome: 'unavailable', reason: 'circuit breaker is open' }));
  assert.is(attempts.length, 5);

  down = false;
  await wait(60_000);
  assert.equal(await ask(), result({ outcome: 'done', nth: 6 }));
  assert.equal(told, ['vendor open', 'vendor half-open', 'vendor closed']);
  assert.equal(
    logged.filter((line) => line.includes('breaker')),
    ['warn: circuit breaker changed', 'warn: circuit breaker changed', 'info: circuit breaker changed'],
  );
});

test('time-outs count for the breaker', async () => {
  const { ask, wait, told } = setUp((_nth, signal) => hang(signal));
  const answers = Promise.all(Array.from({ length: 5 }, () => ask()));
  await wait(30_000);
  await answers;
  assert.equal(told, ['vendor open']);
});

test('leaves neither a timer nor a listener behind', async () => {
  let isBusy = true;
  const { ask, leftBehind } = setUp((_nth, signal) => (isBusy ? hang(signal) : work()));
  void ask();
  await settle();
  assert.is(leftBehind(), 2, 'a time-out and a listener while the call is under way');
  isBusy = false;
  await ask();
  assert.is(leftBehind(), 2);
});

test('what it does not understand is failed, not thrown', async () => {
  const { send, logged } = setUp(work);
  for (const message of [{ type: 'Sing', key: 'k1' }, { type: 'toString', key: 'k1' }, { type: 'Ask' }]) {
    assert.equal(await send(message), {
      type: 'VendorResult',
      operation: message.type,
      key: '',
      result: { outcome: 'failed', reason: `vendor does not do ${message.type}` },
    });
  }
  assert.is(logged.length, 3);
});

test.run();
