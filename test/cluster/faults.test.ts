/** Three real nodes and their broker under load, hurt in each way once. The long version is `npm run chaos`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCampaign } from '../chaos/campaign.ts';
import { line } from '../chaos/report.ts';

const faults = suite('cluster faults');

const SEED = Number(process.env['CHAOS_SEED'] ?? 20261121);

faults('each fault once under load loses, doubles and tears nothing', async () => {
  const lines: string[] = [];
  const { orders, rounds, violations } = await runCampaign({
    nodes: 3,
    brokers: 1,
    faults: ['term', 'kill', 'pause', 'broker-restart', 'broker-outage', 'join'],
    pains: { awayMs: 3_500, pauseMs: 4_000, outageMs: 4_000 },
    customers: 4,
    patienceMs: 5_000,
    seed: SEED,
    calmMs: 500,
    progress: (round) => lines.push(line(round)),
  });
  assert.equal(violations, [], `seed ${SEED}\n${lines.join('\n')}`);
  assert.is(rounds.length, 6);
  assert.ok(orders > 0, 'somebody was served');
});

faults.run();
