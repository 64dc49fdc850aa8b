import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CarrierGatewayRequest } from '../../../actors/gateways.ts';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import { createCarrierGateway } from '../../../transport/carrier/gateway.ts';
import { createCarrierSimulator } from '../../../transport/carrier/simulator.ts';
import { settle } from '../../support/eventLoop.ts';
import { T0 } from '../../support/spec.ts';

function buyLabel(key: string, postalCode = '07102', method = 'standard'): CarrierGatewayRequest {
  return {
    type: 'CarrierBuyLabel',
    key,
    shipmentId: 'shp_1',
    warehouse: 'wh-east',
    method,
    address: { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode, country: 'US' },
  };
}

function setUp() {
  const clock = createVirtualClock(T0);
  const silent = () => undefined;
  const changes: string[] = [];
  const gateway = createCarrierGateway(createCarrierSimulator(), {
    clock,
    random: () => 0.5,
    telemetry: { breakerChanged: (name, state) => changes.push(`${name} ${state}`) },
    log: { info: silent, warn: silent, error: silent },
  });
  return {
    clock,
    changes,
    call: (message: CarrierGatewayRequest) =>
      gateway.call({ id: 'm', to: { type: 'gateway', id: 'carrier' }, message }, new AbortController().signal),
  };
}

const answer = (key: string, result: object, operation = 'CarrierBuyLabel') => ({
  type: 'CarrierGatewayResult',
  operation,
  key,
  result,
});

const test = suite('carrier simulator');

test('sells a label that derives from the key alone', async () => {
  const expected = answer('k1', {
    outcome: 'label',
    labelId: 'lbl_6ab9f1eb8f7d3388f4f9d586',
    carrier: 'Simulated Ground',
    trackingNumber: 'SIM17757299694084034034',
  });
  assert.equal(await setUp().call(buyLabel('k1')), expected);
  assert.equal(await setUp().call(buyLabel('k1')), expected, 'also in another process');
});

test('sells another label for another key', async () => {
  const { call } = setUp();
  const [first, second] = [JSON.stringify(await call(buyLabel('k1'))), JSON.stringify(await call(buyLabel('k2')))];
  const tracking = /"trackingNumber":"(SIM\d{20})"/;
  const label = /"labelId":"(lbl_[0-9a-f]{24})"/;
  assert.ok(tracking.exec(first)?.[1]);
  assert.ok(label.exec(first)?.[1]);
  assert.is.not(tracking.exec(first)?.[1], tracking.exec(second)?.[1]);
  assert.is.not(label.exec(first)?.[1], label.exec(second)?.[1]);
});

test('sends overnight parcels by air', async () => {
  assert.match(JSON.stringify(await setUp().call(buyLabel('k1', '07102', 'overnight'))), '"Simulated Air"');
});

test('traces a parcel, under one number per key', async () => {
  const tracing = (key: string): CarrierGatewayRequest => ({ type: 'CarrierTraceParcel', key, trackingNumber: 'SIM1' });
  const first = await setUp().call(tracing('t1'));
  assert.match(JSON.stringify(first), /"operation":"CarrierTraceParcel".*"traceId":"trc_[0-9a-f]{24}"/);
  assert.equal(await setUp().call(tracing('t1')), first);
  assert.not.equal(await setUp().call(tracing('t2')), first);
});

test('00003: refuses the first key for ever, and sells under the next', async () => {
  const { call } = setUp();
  const refused = answer('k/label', { outcome: 'failed', reason: 'no capacity today' });
  for (const _ of [1, 2]) assert.equal(await call(buyLabel('k/label', '00003')), refused);
  assert.match(JSON.stringify(await call(buyLabel('k/label.2', '00003'))), '"outcome":"label"');
});

test('voids its labels, however often, and no others', async () => {
  const { call } = setUp();
  const voiding = (labelId: string): CarrierGatewayRequest => ({ type: 'CarrierVoidLabel', key: 'v', labelId });
  const voided = answer('v', { outcome: 'voided' }, 'CarrierVoidLabel');
  assert.equal(await call(voiding('lbl_1')), voided);
  assert.equal(await call(voiding('lbl_1')), voided);
  assert.equal(
    await call(voiding('other')),
    answer('v', { outcome: 'failed', reason: 'no such label' }, 'CarrierVoidLabel'),
  );
});

test('postal code 00000 - is not served', async () => {
  const { call } = setUp();
  assert.equal(await call(buyLabel('k1', '00000')), answer('k1', { outcome: 'failed', reason: 'address not served' }));
});

test('postal code 00001 - unavailable after two retries', async () => {
  const { call, clock } = setUp();
  const asked = call(buyLabel('k1', '00001'));
  await clock.advance(1_125, settle);
  assert.equal(await asked, answer('k1', { outcome: 'unavailable', reason: 'carrier is down' }));
});

test('postal code 00002 - no answer within the time-out: unknown', async () => {
  const { call, clock } = setUp();
  const asked = call(buyLabel('k1', '00002'));
  await clock.advance(15_000, settle);
  assert.equal(await asked, answer('k1', { outcome: 'unknown', reason: 'no answer within 15000 ms' }));
});

test('three failures of five calls in 60 s open the breaker for 120 s', async () => {
  const { call, clock, changes } = setUp();
  await call(buyLabel('k1'));
  await call(buyLabel('k2'));
  await clock.advance(50_000, settle);
  const failing = call(buyLabel('k3', '00001'));
  await clock.advance(2_000, settle);
  await failing;
  assert.equal(changes, ['carrier open']);
  await clock.advance(117_000, settle);
  await call(buyLabel('k4'));
  assert.equal(changes, ['carrier open']);
  await clock.advance(3_000, settle);
  await call(buyLabel('k4'));
  assert.equal(changes, ['carrier open', 'carrier half-open', 'carrier closed']);
});

const step = fc.record({
  key: fc.nat(6),
  /** Of the label or parcel that the request is about. */
  of: fc.nat(6),
  type: fc.constantFrom('buy', 'buy', 'void', 'trace'),
  /** Served, never served, and served from the second try on. */
  postalCode: fc.constantFrom('07102', '00000', '00003'),
  another: fc.boolean(),
});

test('any sequence of requests, also to another process, does what the model says', async () => {
  const holds = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const processes = [createCarrierSimulator(), createCarrierSimulator()] as const;
    const { signal } = new AbortController();
    const labels = new Map<number, string>();
    const traces = new Map<number, string>();
    for (const { key, of, type, postalCode, another } of steps) {
      const request: CarrierGatewayRequest =
        type === 'buy'
          ? buyLabel(`k${key}`, postalCode)
          : type === 'void'
            ? { type: 'CarrierVoidLabel', key: `k${key}`, labelId: labels.get(of) ?? 'none' }
            : { type: 'CarrierTraceParcel', key: `k${key}`, trackingNumber: `SIM${of}` };
      const result = await processes[another ? 1 : 0].perform(request, signal);
      if (type === 'void') assert.is(result.outcome, labels.has(of) ? 'voided' : 'failed');
      else if (type === 'buy' && postalCode !== '07102') assert.is(result.outcome, 'failed');
      else {
        const told = type === 'buy' ? labels : traces;
        const id = 'labelId' in result ? result.labelId : 'traceId' in result ? result.traceId : result.outcome;
        assert.is(id, told.get(key) ?? id, 'the same key is the same operation');
        told.set(key, id);
        assert.is(new Set(told.values()).size, told.size, 'another key is another one');
      }
    }
  });
  await fc.assert(holds, { seed: 20_261_121, numRuns: 200 });
});

test.run();
