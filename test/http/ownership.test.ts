/** Whose something is: that of the token, whatever else a request says. */
import { decodeJwt } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expressOrder } from '../support/client.ts';
import { openShop } from '../support/shopkeeper.ts';

const ownership = suite('ownership');

const mugs = [{ sku: 'MUG', quantity: 1 }];

ownership('case 11: customer id is never taken from query or body', async () => {
  const keeper = await openShop({ seed: false });
  try {
    await keeper.sell('MUG', 1_000, { 'wh-east': 5 });
    const id = await keeper.place(mugs);
    const { sub } = decodeJwt(keeper.token);
    const token = await keeper.shop.guest();
    const list = async (who: string) => (await keeper.shop.call('GET', '/v1/orders', { token: who })).body.data;
    for (const member of ['customerId', 'customer', 'sub', 'principal']) {
      const named = { [member]: sub };
      for (const [path, body, code] of [
        ['/v1/carts', named, 'request.invalid'],
        ['/v1/orders', { ...expressOrder(mugs), ...named }, 'request.invalid'],
        ['/v1/orders/draft', { lines: mugs, ...named }, 'request.invalid'],
        [`/v1/orders/${id}/cancel`, named, 'request.invalid'],
        [`/v1/orders/${id}/cancel`, {}, 'order.unknown'],
      ] as const) {
        const answer = await keeper.shop.call('POST', path, { token, key: `${path}-${member}`, body });
        assert.is(answer.body.code, code, `POST ${path} ${JSON.stringify(body)}`);
      }
      const asked = await keeper.shop.call('GET', `/v1/orders?${member}=${sub}`, { token });
      assert.is(asked.status, 400, member);
    }
    assert.equal(await list(token), []);
    assert.equal(
      (await list(keeper.token)).map((row: { id: string }) => row.id),
      [id],
    );
    assert.is((await keeper.order(id)).status, 'fulfilling');
  } finally {
    await keeper.close();
  }
});

ownership.run();
