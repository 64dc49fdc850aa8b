/** Many at once, over real HTTP: nothing is sold twice and nothing is ordered twice. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkShop } from '../support/check.ts';
import { ADDRESS, expressOrder } from '../support/client.ts';
import { startShop } from '../support/shop.ts';

const concurrency = suite('concurrency');

const LIMITED = 'HF-LIMITED-10';

concurrency('case 13: check-then-act oversell: 1,000 buyers, 10 pieces, exactly 10 orders', async () => {
  const shop = await startShop();
  const [token, staff] = await Promise.all([shop.guest(), shop.staff()]);
  const buy = (buyer: number) =>
    shop.call('POST', '/v1/orders', {
      token,
      key: `buyer-${buyer}`,
      body: expressOrder([{ sku: LIMITED, quantity: 1 }]),
      headers: { prefer: 'wait=10' },
    });
  const accepted: Awaited<ReturnType<typeof buy>>[] = [];
  let undecided = Array.from({ length: 1_000 }, (_, buyer) => buyer);
  for (let round = 1; undecided.length > 0; round++) {
    const answers = await Promise.all(undecided.map(buy));
    // Whoever wasn't admitted was told to come back, and does so as soon as the others are answered.
    undecided = undecided.filter((_, index) => answers[index]?.status !== 202);
    for (const answer of answers) {
      if (answer.status === 202) accepted.push(answer);
      else assert.ok(answer.status === 503 && answer.headers.get('retry-after'), JSON.stringify(answer.body));
    }
    assert.ok(undecided.length < answers.length, `nobody was admitted in round ${round}`);
  }
  assert.is(accepted.length, 1_000);
  assert.is(new Set(accepted.map(({ body }) => body.id)).size, 1_000, 'an order each');
  const ended = (status: string) => status !== 'placed' && status !== 'confirmed';
  const orders = await Promise.all(
    accepted.map(({ body }) => shop.until(`/v1/orders/${body.id}`, token, (order) => ended(order.status))),
  );
  const won = orders.filter(({ status }) => status === 'fulfilling');
  assert.is(won.length, 10);
  assert.is(orders.filter(({ status }) => status === 'out-of-stock').length, 990);
  for (const order of orders) {
    const kept = order.payment.captured.amount - order.payment.refunded.amount;
    assert.is(kept, order.status === 'fulfilling' ? order.totals.total.amount : 0);
  }
  const { body } = await shop.call('GET', `/v1/admin/stock/${LIMITED}`, { token: staff });
  const sum = (name: string) =>
    body.warehouses.reduce((total: number, row: Record<string, number>) => total + (row[name] ?? 0), 0);
  assert.equal([sum('available'), sum('reserved'), sum('committed')], [0, 0, 10]);
  assert.equal((await checkShop(shop, staff)).serious, []);
  await shop.close();
});

concurrency('complete pressed from 50 connections at once: one order, one answer', async () => {
  const shop = await startShop();
  const token = await shop.guest();
  const cart = (await shop.call('POST', '/v1/carts', { token })).body;
  await shop.call('POST', `/v1/carts/${cart.id}/lines`, { token, body: { sku: 'TEA-GREEN-50', quantity: 2 } });
  const checkout = (await shop.call('POST', `/v1/carts/${cart.id}/checkout`, { token })).body;
  const steps = `/v1/checkouts/${checkout.id}`;
  await shop.call('PUT', `${steps}/address`, { token, body: ADDRESS });
  await shop.call('PUT', `${steps}/shipping-method`, { token, body: { method: 'express' } });
  await shop.call('PUT', `${steps}/payment`, { token, body: { token: 'tok_success' } });
  // Half press the same button (one key), half are other tabs (keys of their own).
  const presses = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      shop.call('POST', `${steps}/complete`, { token, key: index % 2 ? 'button' : `tab-${index}`, body: {} }),
    ),
  );
  assert.equal([...new Set(presses.map(({ status }) => status))], [202]);
  assert.is(new Set(presses.map(({ body }) => JSON.stringify(body))).size, 1);
  const list = await shop.until('/v1/orders', token, (page) => page.data.length > 0);
  assert.is(list.data.length, 1);
  await shop.until(`/v1/orders/${list.data[0].id}`, token, (order) => order.status === 'fulfilling');
  await shop.close();
});

concurrency('case 21: the same key sent 30 times at once is one order; with another body it is refused', async () => {
  const shop = await startShop();
  const token = await shop.guest();
  const body = expressOrder([{ sku: 'TEA-BLACK-50', quantity: 1 }]);
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => shop.call('POST', '/v1/orders', { token, key: 'once', body })),
  );
  assert.equal([...new Set(answers.map(({ status }) => status))], [202]);
  assert.is(new Set(answers.map((answer) => JSON.stringify(answer.body))).size, 1);
  assert.is(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true').length, 29);
  const other = expressOrder([{ sku: 'TEA-BLACK-50', quantity: 2 }]);
  const refused = await shop.call('POST', '/v1/orders', { token, key: 'once', body: other });
  assert.is(refused.status, 409);
  assert.is(refused.body.code, 'idempotency.key-reused');
  await shop.close();
});

concurrency('a key stands for one request, however its path is written', async () => {
  const shop = await startShop();
  const token = await shop.guest();
  const body = expressOrder([{ sku: 'TEA-BLACK-50', quantity: 1 }]);
  const placed = [];
  for (const path of ['/v1/orders', '/v1/orders/', '/V1/Orders']) {
    placed.push(await shop.call('POST', path, { token, key: 'spelled', body }));
  }
  const [first] = placed;
  assert.equal([...new Set(placed.map((answer) => answer.body.id))], [first?.body.id]);
  const cancel = (path: string) => shop.call('POST', path, { token, key: 'undo', body: { reason: 'by mistake' } });
  const id = first?.body.id as string;
  const cancelled = await cancel(`/v1/orders/${id}/cancel`);
  const again = await cancel(`/v1/orders/${id.replace('_', '%5F')}/cancel/`);
  assert.equal([cancelled.status, again.status], [202, 202]);
  assert.equal(
    [cancelled, again].map(({ headers }) => headers.get('idempotent-replayed')),
    [null, 'true'],
  );
  await shop.close();
});

concurrency.run();
