/** The address check: what the simulated service says, and that it always answers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PostalAddress } from '../../../actors/shared.ts';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import { type AddressAdapter, createAddressCheck } from '../../../transport/address/gateway.ts';
import { createAddressSimulator } from '../../../transport/address/simulator.ts';
import { hang } from '../../../transport/gateway.ts';
import { settle } from '../../support/eventLoop.ts';
import { T0 } from '../../support/spec.ts';

const HOUR = 3_600_000;
const at = (line1: string): PostalAddress => ({
  name: 'Ada',
  line1,
  city: 'Newark',
  postalCode: '07102',
  country: 'US',
});

type SetUp = { readonly adapter?: AddressAdapter; readonly delay?: (ms: number, task: () => void) => () => void };

function setUp({ adapter, delay }: SetUp = {}) {
  const virtual = createVirtualClock(T0);
  const clock = { ...virtual, ...(delay && { delay }) };
  const log: string[] = [];
  const note = (fields: object, text: string) => log.push(`${text} ${JSON.stringify(fields)}`);
  const changes: string[] = [];
  const asked: string[] = [];
  const simulator = adapter ?? createAddressSimulator(clock);
  const check = createAddressCheck(
    {
      perform(request, signal) {
        asked.push(request.address.line1);
        return simulator.perform(request, signal);
      },
    },
    {
      clock,
      random: () => 0.5,
      telemetry: { breakerChanged: (name, state) => changes.push(`${name} ${state}`) },
      log: { info: note, warn: note, error: note },
    },
  );
  return { check, clock: virtual, changes, asked, log };
}

const test = suite('address check');

test('says what the service says', async () => {
  const { check } = setUp();
  assert.equal(await check(at('1 Main St')), { status: 'deliverable' });
  assert.equal(await check(at('1 Nowhere Lane')), { status: 'undeliverable', reason: 'there is no such address' });
  assert.equal(await check(at('2 Typo Avnue')), { status: 'corrected', suggestion: at('2 Typo Avenue') });
});

test('no answer within 5 s: unchecked', async () => {
  const { check, clock } = setUp();
  let verdict: unknown;
  const checking = check(at('3 Silent Street')).then((answer) => {
    verdict = answer;
  });
  await clock.advance(4_999, settle);
  assert.is(verdict, undefined);
  await clock.advance(1, settle);
  await checking;
  assert.equal(verdict, { status: 'unchecked', reason: 'no answer within 5000 ms' });
});

test('nobody waits longer than 5 real seconds where business time stands still', async () => {
  const real: [number, () => void][] = [];
  const { check } = setUp({
    delay(ms, task) {
      real.push([ms, task]);
      return () => undefined;
    },
  });
  const checking = check(at('3 Silent Street'));
  assert.equal(
    real.map(([ms]) => ms),
    [5_000],
  );
  real[0]?.[1]();
  assert.equal(await checking, { status: 'unchecked', reason: 'no answer in 5000 ms' });
});

test('a service that is down is asked twice more, then unchecked', async () => {
  const { check, clock, asked } = setUp();
  const checking = check(at('5 Broken Bridge'));
  await clock.advance(450, settle);
  assert.equal(await checking, { status: 'unchecked', reason: 'address service is down' });
  assert.is(asked.length, 3);
});

test('slow answers count as failures: three of five open the breaker for 120 s, then it isn’t asked', async () => {
  const { check, clock, changes, asked } = setUp();
  await check(at('1 Main St'));
  await check(at('2 Main St'));
  for (const city of ['A', 'B', 'C']) {
    const checking = check({ ...at('4 Slow Street'), city });
    await clock.advance(3_000, settle);
    assert.equal(await checking, { status: 'deliverable' }, 'slow, but an answer');
  }
  assert.equal(changes, ['address open']);
  assert.equal(await check(at('3 Main St')), { status: 'unchecked', reason: 'circuit breaker is open' });
  assert.is(asked.length, 5);
  await clock.advance(119_999, settle);
  assert.is((await check(at('3 Main St'))).status, 'unchecked');
  await clock.advance(1, settle);
  assert.equal(await check(at('3 Main St')), { status: 'deliverable' });
  assert.equal(changes, ['address open', 'address half-open', 'address closed']);
});

test('what was said is believed for an hour, also while the breaker is open; whose house it is does not matter', async () => {
  const { check, clock, asked } = setUp();
  await check(at('1 Nowhere Lane'));
  await clock.advance(HOUR - 1, settle);
  assert.is((await check({ ...at('1 Nowhere Lane'), name: 'Bob' })).status, 'undeliverable');
  assert.is(asked.length, 1);
  await clock.advance(2, settle);
  await check(at('1 Nowhere Lane'));
  assert.is(asked.length, 2);
  await check({ ...at('1 Nowhere Lane'), line2: 'Flat 2' });
  assert.is(asked.length, 3);
});

test('what could not be checked is asked again', async () => {
  const { check, clock, asked } = setUp();
  for (const times of [1, 2]) {
    const checking = check(at('3 Silent Street'));
    await clock.advance(5_000, settle);
    await checking;
    assert.is(asked.length, times);
  }
});

test('64 are checked at once, more go on unchecked', async () => {
  const { check, clock, asked } = setUp();
  const waiting = Array.from({ length: 64 }, (_, index) => check({ ...at('3 Silent Street'), city: `${index}` }));
  assert.equal(await check(at('1 Main St')), { status: 'unchecked', reason: 'too many checks at once' });
  assert.is(asked.length, 64);
  await clock.advance(5_000, settle);
  await Promise.all(waiting);
  assert.equal(await check(at('1 Main St')), { status: 'unchecked', reason: 'circuit breaker is open' });
  await clock.advance(120_000, settle);
  assert.is((await check(at('1 Main St'))).status, 'deliverable', 'there is room again');
});

test('a bug of the adapter is an answer too, and no address gets into the log', async () => {
  const adapter: AddressAdapter = { perform: () => Promise.reject(new Error('a bug')) };
  const { check, log } = setUp({ adapter });
  assert.equal(await check(at('1 Main St')), { status: 'unchecked', reason: 'unexpected error' });
  const { check: silent, clock, log: warnings } = setUp({ adapter: { perform: (_request, signal) => hang(signal) } });
  const checking = silent(at('1 Main St'), '00-trace');
  await clock.advance(5_000, settle);
  await checking;
  const lines = [...log, ...warnings].join('\n');
  assert.match(lines, /GatewayCheckAddress/);
  assert.match(lines, /00-trace/);
  assert.not.match(lines, /Main St|Ada/);
});

test.run();
