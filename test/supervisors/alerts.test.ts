import { Registry } from 'prom-client';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addressKey } from '../../actors/kernel/address.ts';
import type { Versioned } from '../../actors/kernel/decider.ts';
import { AppendRefused, type EncodedRecord } from '../../actors/kernel/ports.ts';
import { shipmentAddress } from '../../actors/shipment.ts';
import { createAlerts } from '../../supervisors/alerts.ts';

const key = addressKey(shipmentAddress('shp_1_1'));

function recordOf(...events: readonly Versioned[]): EncodedRecord {
  const commit = { key, seq: 1, version: 1, cause: 'm', at: 0, events, sends: [], timers: [] };
  const record = { schema: 1, shard: 0, epoch: 0, n: 1, prevHash: '', at: 0, inboxOffset: 0, acked: [] } as const;
  return { record: { ...record, commits: [commit] }, bodies: [], hash: '', bytes: 0, snapshots: [] };
}

function setUp(append: () => Promise<void>) {
  const registry = new Registry();
  const lines: object[] = [];
  const log = createAlerts({ registry, logger: { warn: (fields) => void lines.push(fields) } })({ append });
  return { log, lines, metrics: () => registry.metrics() };
}

const alerts = suite('alerts');

alerts('a durable event that somebody should look at is logged and counted, by kind', async () => {
  const { log, lines, metrics } = setUp(async () => {});
  await log.append(recordOf({ type: 'ShipmentGhost', v: 1 }, { type: 'ShipmentPicked', v: 1 }));
  await log.append(recordOf({ type: 'ShipmentGhost', v: 1 }, { type: 'LowStockReached', v: 1 }));
  assert.equal(lines, [
    { alert: 'shipment.ghost', actor: key },
    { alert: 'shipment.ghost', actor: key },
    { alert: 'stock.low', actor: key },
  ]);
  const text = await metrics();
  assert.match(text, 'holdfast_alerts_total{alert="shipment.ghost"} 2');
  assert.match(text, 'holdfast_alerts_total{alert="stock.low"} 1');
});

alerts('an order that waits for an operator is one; one that waits for its review or its customer is not', async () => {
  const { log, lines } = setUp(async () => {});
  const held = (awaiting: string) => ({ type: 'SagaHeld', v: 1, awaiting, reason: '' });
  await log.append(recordOf(...['review', 'payment', 'payment-method', 'operator'].map(held)));
  assert.equal(lines, [{ alert: 'saga.held', actor: key }]);
});

alerts('what the log refused never happened: nobody hears of it', async () => {
  const { log, lines, metrics } = setUp(async () => {
    throw new AppendRefused('disk full');
  });
  const outcome = await log.append(recordOf({ type: 'ShipmentGhost', v: 1 })).catch((error: unknown) => error);
  assert.instance(outcome, AppendRefused);
  assert.equal(lines, []);
  assert.not.match(await metrics(), 'shipment.ghost');
});

alerts.run();
