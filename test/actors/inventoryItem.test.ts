import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InventoryCommand, inventoryDecider, stockAddress, stockFigures } from '../../actors/inventoryItem.ts';
import { recentGet } from '../../actors/kernel/recent.ts';
import { tableValues } from '../../actors/kernel/table.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { assertReplays, messagesTo, play } from '../support/play.ts';
import { specification, T0 } from '../support/spec.ts';
import {
  checkedInventory,
  commit,
  expire,
  ITEM,
  pick,
  receive,
  release,
  reserve,
  saga,
  ship,
} from '../support/stock.ts';

const MINUTE = 60_000;
const EXPIRES = T0 + 30 * MINUTE;
const item = specification(checkedInventory, { id: ITEM });
const after = (...commands: InventoryCommand[]) => item.from(play(checkedInventory, ITEM, commands).state);
const figures = (available: number, rest = {}) => ({
  available,
  reserved: 0,
  committed: 0,
  picked: 0,
  received: available,
  shipped: 0,
  adjusted: 0,
  quarantined: 0,
  transferredIn: 0,
  transferredOut: 0,
  inTransit: 0,
  backordered: 0,
  ...rest,
});
const answers = (...messages: object[]) => messages.map((message) => ({ to: saga, message }));
const keep = 1_000;

const reserving = suite('inventoryItem: reserve');

reserving('reserve - takes from available, answers and sets the 30 minute timer', () => {
  const { state, sent, timers } = after(receive(5))
    .when(reserve('r1', 2))
    .then({ type: 'StockReserved', v: 1, reservationId: 'r1', quantity: 2, sagaId: 'ord_1', expiresAt: EXPIRES });
  assert.is(state.available, 3);
  assert.is(state.reserved, 2);
  assert.equal(sent, answers({ type: 'StockReserved', reservationId: 'r1', expiresAt: EXPIRES }));
  assert.equal(timers, [
    { set: 'expire:r1', at: EXPIRES, message: { type: 'ExpireReservation', reservationId: 'r1' } },
  ]);
});

reserving('reserve - refuses more than is available and says how much there is', () => {
  const { sent, state } = after(receive(5))
    .when(reserve('r1', 6))
    .then({ type: 'ReservationRejected', v: 1, reservationId: 'r1', quantity: 6, available: 5, keep });
  assert.equal(sent, answers({ type: 'StockRefused', reservationId: 'r1', available: 5 }));
  assert.is(state.available, 5);
});

reserving('reserve - takes the last piece', () => {
  const { state } = after(receive(5)).when(reserve('r1', 5)).sends('StockReserved');
  assert.is(state.available, 0);
});

for (const quantity of [0, -1, 1.5, Number.NaN, 1_000_001]) {
  reserving(`reserve - refuses ${quantity} pieces`, () => {
    after(receive(1_000_000), receive(1_000_000)).when(reserve('r1', quantity)).sends('StockRefused');
  });
}

reserving('reserve - a repeat of a held one gets the same answer and takes nothing', () => {
  const { sent } = after(receive(5), reserve('r1', 2))
    .when(reserve('r1', 2), { now: T0 + MINUTE })
    .then();
  assert.equal(sent, answers({ type: 'StockReserved', reservationId: 'r1', expiresAt: EXPIRES }));
});

reserving('reserve - a repeat of a refused one stays refused even when there is stock now', () => {
  after(reserve('r1', 2), receive(5)).when(reserve('r1', 2)).then().sends('StockRefused');
});

reserving('case 13: check-then-act oversell - 1,000 buyers, 10 pieces, exactly 10 reservations', () => {
  const buyers = Array.from({ length: 1_000 }, (_, index) => reserve(`r${index}`));
  const { sent, state } = play(checkedInventory, ITEM, [receive(10), ...buyers]);
  assert.is(sent.filter(({ message }) => message.type === 'StockReserved').length, 10);
  assert.is(sent.filter(({ message }) => message.type === 'StockRefused').length, 990);
  assert.is(state.available, 0);
  assert.is(state.reserved, 10);
});

reserving.run();

const committing = suite('inventoryItem: commit');

committing('commit - makes a held one hard and clears its timer', () => {
  const { timers, sent, state } = after(receive(5), reserve('r1', 2))
    .when(commit('r1'))
    .then({ type: 'ReservationCommitted', v: 1, reservationId: 'r1', quantity: 2 });
  assert.equal(timers, [{ clear: 'expire:r1' }]);
  assert.equal(sent, answers({ type: 'StockCommitted', reservationId: 'r1' }));
  assert.equal([state.reserved, state.committed], [0, 2]);
});

for (const [name, ...history] of [
  ['committed', reserve('r1'), commit('r1')],
  ['picked', reserve('r1'), commit('r1'), pick('r1')],
  ['shipped', reserve('r1'), commit('r1'), ship('r1')],
] as const) {
  committing(`commit - again of a ${name} one is answered the same and changes nothing`, () => {
    const { sent } = after(receive(5), ...history)
      .when(commit('r1'))
      .then();
    assert.equal(sent, answers({ type: 'StockCommitted', reservationId: 'r1' }));
  });
}

for (const [reason, ...history] of [
  ['unknown'],
  ['unknown', reserve('r1', 99)],
  ['released', reserve('r1'), release('r1')],
  ['released', release('r1')],
] as const) {
  committing(`commit - too late (${history.map(({ type }) => type).join(', ') || 'no history'}): ${reason}`, () => {
    const { sent } = after(receive(5), ...history)
      .when(commit('r1'))
      .then();
    assert.equal(sent, answers({ type: 'StockCommitRefused', reservationId: 'r1', reason }));
  });
}

committing('commit - of an expired one is refused', () => {
  const steps = [receive(5), reserve('r1'), { at: EXPIRES, command: expire('r1') }];
  const { sent } = item
    .from(play(checkedInventory, ITEM, steps).state)
    .when(commit('r1'))
    .then();
  assert.equal(sent, answers({ type: 'StockCommitRefused', reservationId: 'r1', reason: 'expired' }));
});

committing.run();

const ending = suite('inventoryItem: release and expire');

for (const [from, ...history] of [
  ['held', reserve('r1', 2)],
  ['committed', reserve('r1', 2), commit('r1')],
  ['picked', reserve('r1', 2), commit('r1'), pick('r1')],
] as const) {
  ending(`release - gives a ${from} one back`, () => {
    const { state, sent } = after(receive(5), ...history)
      .when(release('r1'))
      .then({ type: 'ReservationReleased', v: 1, reservationId: 'r1', quantity: 2, from, keep });
    assert.equal(sent, answers({ type: 'StockReleased', reservationId: 'r1' }));
    assert.equal(stockFigures(state), figures(5));
  });
}

ending('release - of a held one clears its timer', () => {
  assert.equal(after(receive(5), reserve('r1')).when(release('r1')).timers, [{ clear: 'expire:r1' }]);
});

ending('case 16: compensation twice adds stock once', () => {
  const { state, sent } = play(checkedInventory, ITEM, [
    receive(5),
    reserve('r1', 2),
    commit('r1'),
    release('r1'),
    release('r1'),
  ]);
  assert.is(state.available, 5);
  assert.equal(messagesTo(sent, 'order-saga').slice(-2), [
    { type: 'StockReleased', reservationId: 'r1' },
    { type: 'StockReleased', reservationId: 'r1' },
  ]);
});

ending('release - of what has left the house is answered and changes nothing', () => {
  const { state } = after(receive(5), reserve('r1', 2), commit('r1'), ship('r1'))
    .when(release('r1'))
    .then()
    .sends('StockReleased');
  assert.equal([state.available, state.shipped], [3, 2]);
});

ending('release - that overtakes its reserve leaves a tombstone that refuses it', () => {
  const { state } = after(receive(5))
    .when(release('r1'))
    .then({ type: 'ReservationPrevented', v: 1, reservationId: 'r1', keep })
    .sends('StockReleased');
  item.from(state).when(reserve('r1')).then().sends('StockRefused');
});

ending('expire - gives a held one back after 30 minutes and tells the saga', () => {
  const { sent, state } = after(receive(5), reserve('r1', 2))
    .when(expire('r1'), { now: EXPIRES })
    .then({ type: 'ReservationExpired', v: 1, reservationId: 'r1', quantity: 2, keep });
  assert.equal(sent, answers({ type: 'StockExpired', reservationId: 'r1' }));
  assert.is(state.available, 5);
  item.from(state).when(reserve('r1')).then().sends('StockRefused');
});

ending('expire - not before its time: a node with a slow clock sets the timer again', () => {
  const { timers } = after(receive(5), reserve('r1', 2))
    .when(expire('r1'), { now: EXPIRES - 1 })
    .nothing();
  assert.equal(timers, [
    { set: 'expire:r1', at: EXPIRES, message: { type: 'ExpireReservation', reservationId: 'r1' } },
  ]);
});

ending('expire - never takes a committed one', () => {
  after(receive(5), reserve('r1'), commit('r1')).when(expire('r1'), { now: EXPIRES }).nothing();
});

ending.run();

const leaving = suite('inventoryItem: pick and ship');

leaving('pick - moves committed pieces', () => {
  const { state } = after(receive(5), reserve('r1', 2), commit('r1'))
    .when(pick('r1'))
    .then({ type: 'StockPicked', v: 1, reservationId: 'r1', quantity: 2 });
  assert.equal([state.committed, state.picked], [0, 2]);
});

leaving('ship - without a pick does both at once', () => {
  const { state } = after(receive(5), reserve('r1', 2), commit('r1'))
    .when(ship('r1'))
    .thenTypes('StockPicked', 'StockShipped');
  assert.equal([state.committed, state.picked, state.shipped, state.available], [0, 0, 2, 3]);
});

leaving('ship - of a held one is a fact: commit and pick are implied and its timer is cleared', () => {
  const { timers } = after(receive(5), reserve('r1'))
    .when(ship('r1'))
    .thenTypes('ReservationCommitted', 'StockPicked', 'StockShipped');
  assert.equal(timers, [{ clear: 'expire:r1' }]);
});

for (const [name, command, ...history] of [
  ['picking twice', pick('r1'), reserve('r1'), commit('r1'), pick('r1')],
  ['shipping twice', ship('r1'), reserve('r1'), commit('r1'), ship('r1')],
  ['picking what is shipped', pick('r1'), reserve('r1'), commit('r1'), ship('r1')],
  ['shipping what is released', ship('r1'), reserve('r1'), release('r1')],
  ['picking the unknown', pick('r1')],
] as const) {
  leaving(`${name} changes nothing`, () => {
    after(receive(5), ...history)
      .when(command)
      .nothing();
  });
}

leaving.run();

const counting = suite('inventoryItem: receive, restock, adjust');

for (const quantity of [1, 1_000_000]) {
  counting(`receive - ${quantity} pieces, replying with the figures`, () => {
    const outcome = item.given().when({ type: 'ReceiveStock', quantity, reference: 'PO-7' });
    outcome.then({ type: 'StockReceived', v: 1, quantity, reference: 'PO-7' });
    assert.equal(outcome.accepted.reply, figures(quantity));
  });
}

for (const quantity of [0, -1, 1_000_001, 0.5, Number.NaN]) {
  counting(`receive, restock - refuse ${quantity} pieces`, () => {
    item.given().when(receive(quantity)).rejects('stock.quantity-invalid');
    item.given().when({ type: 'RestockReturned', quantity, returnId: 'ret_1' }).rejects('stock.quantity-invalid');
  });
}

counting('adjust - down to zero, replying with the figures', () => {
  const outcome = after(receive(5)).when({ type: 'AdjustStock', delta: -5, reason: 'broken' });
  outcome.then({ type: 'StockAdjusted', v: 1, delta: -5, reason: 'broken' });
  assert.equal(outcome.accepted.reply, figures(0, { received: 5, adjusted: -5 }));
});

counting('adjust - is refused below zero: what is reserved is not there to be adjusted', () => {
  const { rejection } = after(receive(5), reserve('r1', 2))
    .when({ type: 'AdjustStock', delta: -4, reason: 'broken' })
    .rejects('stock.adjustment-negative');
  assert.is(rejection?.status, 422);
});

for (const delta of [0, 0.5, 1_000_001, Number.NaN]) {
  counting(`adjust - refuses ${delta}`, () => {
    after(receive(5)).when({ type: 'AdjustStock', delta, reason: 'count' }).rejects('stock.quantity-invalid');
  });
}

counting('restock - what is to be looked at first goes into quarantine, without being for sale for a moment', () => {
  const command = { type: 'RestockReturned', quantity: 3, quarantined: 2, returnId: 'ret_1' } as const;
  const { state } = after(receive(10)).when(command).then({
    type: 'StockRestocked',
    v: 1,
    quantity: 3,
    quarantined: 2,
    returnId: 'ret_1',
    keep,
  });
  assert.equal([state.available, state.quarantined, state.received], [11, 2, 13]);
  for (const quarantined of [4, -1, 0.5]) {
    item
      .given()
      .when({ ...command, quarantined })
      .rejects('stock.quantity-invalid');
  }
});

counting('restock - what comes back counts as received, once per return', () => {
  const command = { type: 'RestockReturned', quantity: 2, returnId: 'ret_1' } as const;
  const once = after(receive(5), reserve('r1', 2), commit('r1'), ship('r1')).when(command);
  once.then({ type: 'StockRestocked', v: 1, quantity: 2, returnId: 'ret_1', keep });
  assert.equal(once.accepted.reply, figures(5, { received: 7, shipped: 2 }));
  const twice = item.from(once.state).when(command).then();
  assert.equal(twice.accepted.reply, figures(5, { received: 7, shipped: 2 }));
});

counting.run();

const alerting = suite('inventoryItem: low stock');

alerting('one alert on the downward crossing of 10', () => {
  const { state } = after(receive(12)).when(reserve('r1', 2)).thenTypes('StockReserved', 'LowStockReached');
  const { events } = item.from(state).when(reserve('r2', 3)).accepted;
  assert.equal(
    events.map(({ type }) => type),
    ['StockReserved'],
  );
});

alerting('no alert above the threshold, nor for an item that never had more', () => {
  after(receive(12)).when(reserve('r1', 1)).thenTypes('StockReserved');
  after(receive(10)).when(reserve('r1', 1)).thenTypes('StockReserved');
});

alerting('an adjustment crosses, too', () => {
  after(receive(12))
    .when({ type: 'AdjustStock', delta: -3, reason: 'count' })
    .then(
      { type: 'StockAdjusted', v: 1, delta: -3, reason: 'count' },
      { type: 'LowStockReached', v: 1, available: 9, threshold: 10 },
    );
});

alerting('a released reservation does not arm it again, receiving does', () => {
  const low = play(checkedInventory, ITEM, [receive(12), reserve('r1', 5), release('r1')]).state;
  item.from(low).when(reserve('r2', 5)).thenTypes('StockReserved');
  const armed = item.from(low).when(receive(1)).thenTypes('StockReceived', 'LowStockEnded').state;
  item.from(armed).when(reserve('r2', 5)).thenTypes('StockReserved', 'LowStockReached');
});

for (const command of [
  { type: 'RestockReturned', quantity: 5, returnId: 'ret_1' },
  { type: 'AdjustStock', delta: 5, reason: 'found' },
] as const) {
  alerting(`${command.type} above the threshold arms it again`, () => {
    const { events } = after(receive(12), reserve('r1', 5)).when(command).accepted;
    assert.equal(events.at(-1), { type: 'LowStockEnded', v: 1, available: 12, threshold: 10 });
  });
}

alerting.run();

const bounded = suite('inventoryItem: memory');

bounded('only the newest 1,000 ended reservations are remembered', () => {
  const commands = Array.from({ length: 1_500 }, (_, index) => [reserve(`r${index}`), release(`r${index}`)]).flat();
  const played = play(checkedInventory, ITEM, [receive(5), ...commands]);
  assert.is(tableValues(played.state.ended.values).length, 1_000);
  assert.is(tableValues(played.state.ended.ids).length, 1_000);
  assert.is(recentGet(played.state.ended, 'r499'), undefined);
  assert.is(recentGet(played.state.ended, 'r500'), 'released');
  assertReplays(inventoryDecider, ITEM, played);
});

bounded('a lowered limit is reached step by step', () => {
  const small = { ...defaultPolicy, stock: { ...defaultPolicy.stock, tombstones: 3 } };
  const many = play(
    checkedInventory,
    ITEM,
    Array.from({ length: 8 }, (_, index) => release(`r${index}`)),
  ).state;
  const sizes = ['a', 'b', 'c', 'd', 'e', 'f'].reduce<{ state: typeof many; sizes: number[] }>(
    (now, id) => {
      const { state } = item.from(now.state).when(release(id), { policy: small });
      return { state, sizes: [...now.sizes, tableValues(state.ended.values).length] };
    },
    { state: many, sizes: [] },
  ).sizes;
  assert.equal(sizes, [7, 6, 5, 4, 3, 3]);
});

bounded.run();

const addressing = suite('inventoryItem: address');

addressing('an item is addressed by SKU and warehouse, and lives in the shard of its SKU', () => {
  const { id, type } = stockAddress('A@B', 'wh-1');
  assert.equal([type, inventoryDecider.type], ['stock', 'stock']);
  assert.is(inventoryDecider.partitionKey(id), 'A@B');
  const { sku, warehouse } = inventoryDecider.initial(id);
  assert.equal([sku, warehouse], ['A@B', 'wh-1']);
  assert.is(inventoryDecider.partitionKey('no-warehouse'), 'no-warehouse');
});

addressing.run();
