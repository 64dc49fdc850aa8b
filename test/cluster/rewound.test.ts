/** A broker that is set back to older data: what the nodes hold is brought back into the logs. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../support/broker.ts';
import { checkShop } from '../support/check.ts';
import { expressOrder } from '../support/client.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/clusterNodes.ts';

const rewound = suite<{ at: TestCluster; saved: string }>('cluster: a broker that lost the end of the logs');

rewound.before.each(async (context) => {
  context.saved = mkdtempSync(join(tmpdir(), 'holdfast-rewound-'));
  context.at = await startCluster();
});
rewound.after.each(async ({ at, saved }) => {
  await at.close();
  rmSync(saved, { recursive: true, force: true });
});

const STREAMS = 'jetstream';
const body = expressOrder([{ sku: 'TEA-GREEN-50', quantity: 1 }]);

async function order(node: ClusterNode, token: string, key: string): Promise<string> {
  const placed = await node.call('POST', '/v1/orders', { token, key, body });
  assert.is(placed.status, 202, JSON.stringify(placed.body));
  return placed.body.id;
}

const isOver = ({ status }: { status: string }): boolean => status === 'fulfilling';

const said = ({ log }: ClusterNode, text: string): boolean => JSON.stringify(log).includes(text);

/** While the broker is away the nodes hold everything that it acknowledged. */
async function setBack({ broker }: TestCluster, saved: string): Promise<void> {
  await broker.kill();
  rmSync(join(broker.folder, STREAMS), { recursive: true });
  cpSync(join(saved, STREAMS), join(broker.folder, STREAMS), { recursive: true });
  await broker.restart();
}

async function save({ broker }: TestCluster, saved: string): Promise<void> {
  await broker.stop();
  cpSync(join(broker.folder, STREAMS), join(saved, STREAMS), { recursive: true });
  await broker.restart();
}

rewound(
  'orders that the broker lost are brought back by the nodes that hold them, and the shop goes on',
  async (context) => {
    const { at, saved } = context;
    const [one, two] = at.nodes;
    if (!one || !two) throw new Error('two nodes were started');
    const [token, staff] = await Promise.all([one.guest(), one.staff()]);
    const before = await order(one, token, 'before');
    await one.until(`/v1/orders/${before}`, token, isOver);
    await save(at, saved);
    await at.settled();
    const lost: string[] = [];
    for (let number = 0; number < 6; number++) {
      lost.push(await order(number % 2 === 0 ? one : two, token, `lost-${number}`));
    }
    for (const id of lost) await one.until(`/v1/orders/${id}`, token, isOver);
    await setBack(at, saved);
    await until('it is brought back', () => [one, two].some((node) => said(node, 'brought back from the copy')));
    await at.settled();
    for (const node of [one, two]) {
      for (const id of [before, ...lost]) {
        const shown = await node.call('GET', `/v1/orders/${id}`, { token });
        assert.is(shown.body.status, 'fulfilling', `${id} on ${node.name}`);
      }
      assert.is(await order(node, token, 'lost-3'), lost[3], 'the same request gets the same answer');
    }
    const later = await order(two, token, 'later');
    await one.until(`/v1/orders/${later}`, token, isOver);
    const three = await at.start({ name: 'node-3' });
    await at.settled();
    const seen = await three.call('GET', `/v1/orders/${lost[5]}`, { token });
    assert.is(seen.body.status, 'fulfilling', 'a node that reads the logs from their beginning sees the same');
    // The simulated vendor kept its books at the same broker: what it forgot is a vendor's failure, and is reported as that.
    const { serious } = await checkShop(three, staff);
    assert.equal(
      serious.filter(({ code }) => !code.startsWith('payment.')),
      [],
    );
  },
);

rewound(
  'a node whose copy is of another past says so, and neither it nor the log is changed',
  async ({ at, saved }) => {
    const [one, two] = at.nodes;
    if (!one || !two) throw new Error('two nodes were started');
    const token = await one.guest();
    await save(at, saved);
    await at.settled();
    const lost = await order(one, token, 'lost');
    await one.until(`/v1/orders/${lost}`, token, isOver);
    await one.close();
    await two.close();
    await setBack(at, saved);
    const three = await at.start({ name: 'node-3' });
    await at.settled();
    const others: string[] = [];
    for (let number = 0; number < 8; number++) others.push(await order(three, token, `other-${number}`));
    for (const id of others) await three.until(`/v1/orders/${id}`, token, isOver);
    const back = await at.start({ name: 'node-1', folder: one.folder });
    await until('it says what can be done', () => said(back, 'start this node with an empty DATA_DIR'));
    for (const id of others) {
      const shown = await three.call('GET', `/v1/orders/${id}`, { token });
      assert.is(shown.body.status, 'fulfilling');
    }
    const gone = await three.call('GET', `/v1/orders/${lost}`, { token });
    assert.is(gone.status, 404);
  },
);

rewound.run();
