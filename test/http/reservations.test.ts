/** What becomes of reservations in a running shop: they end after 30 minutes, and what is asked of ended ones changes nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InventoryCommand, stockAddress } from '../../actors/inventoryItem.ts';
import { sagaAddress } from '../../actors/orderSaga/messages.ts';
import { MINUTE, openShop, type Shopkeeper } from '../support/shopkeeper.ts';

const reservations = suite('http reservations');
const opened: Shopkeeper[] = [];
const item = stockAddress('GOLD', 'wh-east');

/** A dear order waits for its review, with its stock reserved and nothing committed. */
async function reviewed(): Promise<{ keeper: Shopkeeper; id: string; reservationId: string }> {
  const keeper = await openShop({ seed: false });
  opened.push(keeper);
  await keeper.sell('GOLD', 60_000, { 'wh-east': 5 });
  const id = await keeper.place([{ sku: 'GOLD', quantity: 1 }]);
  assert.is((await keeper.order(id)).awaiting, 'review');
  return { keeper, id, reservationId: `${id}/1.1` };
}

reservations.after.each(async () => {
  for (const keeper of opened.splice(0)) await keeper.close();
});

const free = { available: 5, reserved: 0, committed: 0, picked: 0, shipped: 0 };

reservations('a reservation is for sale again after 30 minutes, not a moment before', async () => {
  const { keeper } = await reviewed();
  await keeper.pass(30 * MINUTE - 1);
  assert.equal(await keeper.stock('GOLD'), { ...free, available: 4, reserved: 1 });
  await keeper.pass(1);
  assert.equal(await keeper.stock('GOLD'), free);
});

const versions = async (keeper: Shopkeeper) =>
  (await keeper.shop.shop.history(item)).map(({ version, events }) => ({ version, events: events.length }));

for (const [name, minutes, reservation] of [
  ['that has expired', 30, '1.1'],
  ['that nobody knows', 0, '9.9'],
] as const) {
  reservations(`commit, pick and ship of one ${name} are answered, recorded and change nothing`, async () => {
    const { keeper, id } = await reviewed();
    await keeper.pass(minutes * MINUTE);
    const reservationId = `${id}/${reservation}`;
    const saga = sagaAddress(id);
    const commands: InventoryCommand[] = [
      { type: 'CommitReservation', reservationId, saga },
      { type: 'PickReservation', reservationId },
      { type: 'ShipReservation', reservationId },
      { type: 'ExpireReservation', reservationId },
    ];
    const [stock, order, before] = [await keeper.stock('GOLD'), await keeper.order(id), await versions(keeper)];
    for (const command of commands) assert.is((await keeper.deliver(item, command, saga)).kind, 'done', command.type);
    assert.equal(await keeper.stock('GOLD'), stock);
    assert.equal(await keeper.order(id), order);
    const recorded = (await versions(keeper)).slice(before.length);
    const last = before.at(-1)?.version;
    assert.equal(
      recorded,
      Array.from(commands, () => ({ version: last, events: 0 })),
    );
  });
}

reservations('a release leaves a tombstone: the reservation that it overtook is refused when it comes', async () => {
  const { keeper, id } = await reviewed();
  const [reservationId, saga] = [`${id}/7.7`, sagaAddress(id)];
  await keeper.deliver(item, { type: 'ReleaseReservation', reservationId, saga }, saga);
  await keeper.deliver(item, { type: 'ReserveStock', reservationId, quantity: 1, saga }, saga);
  assert.equal(await keeper.stock('GOLD'), { ...free, available: 4, reserved: 1 });
  await keeper.pass(31 * MINUTE);
  assert.equal(await keeper.stock('GOLD'), free);
});

reservations('what has expired is reserved anew when the order goes on, and committed for good', async () => {
  const { keeper, id } = await reviewed();
  await keeper.pass(31 * MINUTE);
  await keeper.operator('POST', `/v1/admin/sagas/${id}/release`, { why: 'Known customer.' });
  await keeper.pass(0);
  assert.is((await keeper.order(id)).status, 'fulfilling');
  await keeper.pass(31 * MINUTE);
  assert.equal(await keeper.stock('GOLD'), { ...free, available: 4, committed: 1 });
});

reservations.run();
