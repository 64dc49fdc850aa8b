import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { networkAddressDecider } from '../../actors/networkAddress.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { specification, T0 } from '../support/spec.ts';

const source = suite('network address');
const spec = specification(networkAddressDecider, { id: 'hash' });
const HOUR = 60 * 60_000;

const noted = (orderId: string, at = T0) => ({ type: 'OrderFromNoted', v: 1, orderId, at, since: at - HOUR }) as const;
const note = (orderId: string) => ({ type: 'NoteOrderFrom', orderId }) as const;

source('counts the orders of the last hour, this one included', () => {
  const first = spec.given().when(note('ord_1')).then(noted('ord_1'));
  assert.equal(first.accepted.reply, { orders: 1 });
  const second = spec.given(noted('ord_1')).when(note('ord_2'), { now: T0 + HOUR - 1 });
  assert.equal(second.accepted.reply, { orders: 2 });
  const later = spec.given(noted('ord_1')).when(note('ord_2'), { now: T0 + HOUR });
  assert.equal(later.accepted.reply, { orders: 1 });
  assert.equal(later.state.orders, [{ orderId: 'ord_2', at: T0 + HOUR }], 'what is older is forgotten');
});

source('counts an order once, however often it is asked', () => {
  const again = spec
    .given(noted('ord_1'), noted('ord_2'))
    .when(note('ord_1'), { now: T0 + 1 })
    .nothing();
  assert.equal(again.accepted.reply, { orders: 2 });
});

source('remembers a bounded number, the newest', () => {
  const many = Array.from({ length: 1_200 }, (_, number) => noted(`ord_${number}`));
  const { state } = spec.given(...many);
  assert.is(state.orders.length, 1_000);
  assert.is(state.orders.at(-1)?.orderId, 'ord_1199');
  const next = spec.from(state).when(note('ord_next'));
  assert.equal([next.accepted.reply, next.state.orders.length], [{ orders: 1_000 }, 1_000]);
});

source('the window is the policy’s', () => {
  const policy = { ...defaultPolicy, review: { ...defaultPolicy.review, addressWindowMs: 1_000 } };
  const outcome = spec.given(noted('ord_1')).when(note('ord_2'), { now: T0 + 1_000, policy });
  outcome.then({ type: 'OrderFromNoted', v: 1, orderId: 'ord_2', at: T0 + 1_000, since: T0 });
  assert.equal(outcome.accepted.reply, { orders: 1 });
});

source('each address is a shard key of its own', () => {
  assert.is(networkAddressDecider.partitionKey('hash'), 'hash');
});

source.run();
