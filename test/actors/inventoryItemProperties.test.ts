/** Any sequence of commands, late, repeated or reordered, keeps I5 and I8; replay from zero gives the same state (I9). */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InventoryCommand, inventoryDecider } from '../../actors/inventoryItem.ts';
import { tableValues } from '../../actors/kernel/table.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { assertReplays, play } from '../support/play.ts';
import { T0 } from '../support/spec.ts';
import { checkedInventory, ITEM, receive, release, saga } from '../support/stock.ts';

const SEED = 20_261_121;
const RUNS = { seed: SEED, numRuns: 400 };
const policy = { ...defaultPolicy, stock: { ...defaultPolicy.stock, tombstones: 4 } };

const reservationId = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8');
const quantity = fc.integer({ min: -1, max: 8 });
const pieces = fc.integer({ min: 1, max: 8 });
/** Of those that come in, and of the third and the fifth message. */
const transferId = fc.constantFrom('t1', 't2', 't3', 't4', 't5', 'message-3', 'message-5');
const command: fc.Arbitrary<InventoryCommand> = fc.oneof(
  fc.record({ type: fc.constant('ReserveStock' as const), reservationId, quantity, saga: fc.constant(saga) }),
  fc.record({ type: fc.constant('CommitReservation' as const), reservationId, saga: fc.constant(saga) }),
  fc.record({ type: fc.constant('ReleaseReservation' as const), reservationId, saga: fc.constant(saga) }),
  fc.record({ type: fc.constant('PickReservation' as const), reservationId }),
  fc.record({ type: fc.constant('ShipReservation' as const), reservationId }),
  fc.record({ type: fc.constant('ExpireReservation' as const), reservationId }),
  fc.record({ type: fc.constant('ReceiveStock' as const), quantity }),
  fc.record({ type: fc.constant('AdjustStock' as const), delta: quantity, reason: fc.constant('count') }),
  fc.record({
    type: fc.constant('RestockReturned' as const),
    quantity,
    quarantined: fc.nat(3),
    returnId: fc.constantFrom('a', 'b'),
  }),
  fc.record({ type: fc.constant('TransferStock' as const), to: fc.constant('wh-west'), quantity }),
  fc.record({
    type: fc.constant('ReceiveTransfer' as const),
    transferId,
    from: fc.constant('wh-west'),
    quantity: pieces,
  }),
  fc.record({ type: fc.constant('ConfirmTransfer' as const), transferId }),
  fc.record({ type: fc.constant('QuarantineStock' as const), quantity, reason: fc.constant('wet') }),
  fc.record({ type: fc.constant('ReleaseQuarantine' as const), quantity }),
);
/** Each of these is meant every time that it comes under another id. */
const COUNTED: readonly string[] = [
  'ReceiveStock',
  'AdjustStock',
  'TransferStock',
  'QuarantineStock',
  'ReleaseQuarantine',
];
const steps = fc.array(fc.tuple(command, fc.integer({ min: 0, max: 20 * 60_000 })), { maxLength: 60 }).map((list) => {
  let at = T0;
  return list.map(([command, pause]) => {
    at += pause;
    return { at, command };
  });
});

const properties = suite('inventoryItem: properties');

properties('I5, I9 - no oversell and no leak after any event; replay gives the same state', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const played = play(checkedInventory, ITEM, [receive(10), ...sequence], policy);
      assertReplays(inventoryDecider, ITEM, played);
      const live = tableValues(played.state.reservations);
      const sum = (status: string) =>
        live.filter((r) => r.status === status).reduce((total, { quantity: pieces }) => total + pieces, 0);
      const { reserved, committed, picked } = played.state;
      assert.equal([sum('held'), sum('committed'), sum('picked')], [reserved, committed, picked]);
      assert.ok(tableValues(played.state.ended.values).length <= 4);
      assert.ok(tableValues(played.state.restocked.values).length <= 4);
      assert.ok(tableValues(played.state.arrived.values).length <= 4);
      assert.is(
        tableValues(played.state.departed).reduce((total, pieces) => total + pieces, 0),
        played.state.inTransit,
      );
    }),
    RUNS,
  );
});

properties('a decision changes at most one reservation once: the same command again changes nothing', () => {
  fc.assert(
    fc.property(steps, command, (sequence, last) => {
      fc.pre(!COUNTED.includes(last.type));
      const at = T0 + 100 * 60 * 60_000;
      const once = play(checkedInventory, ITEM, [receive(10), ...sequence, { at, command: last }]);
      const twice = play(checkedInventory, ITEM, [receive(10), ...sequence, { at, command: last }, last]);
      assert.equal(twice.state, once.state);
    }),
    RUNS,
  );
});

properties('I8 - every held reservation has a pending timer, and releasing all gives all back', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const played = play(checkedInventory, ITEM, [receive(10), ...sequence], policy);
      const pending = new Set<string>();
      for (const timer of played.timers) {
        if ('set' in timer) pending.add(timer.set);
        else pending.delete(timer.clear);
      }
      const held = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8'];
      for (const bucket of Object.values(played.state.reservations)) {
        for (const [id, { status }] of Object.entries(bucket)) {
          assert.is(status !== 'held' || pending.has(`expire:${id}`), true, id);
        }
      }
      const { state } = play(checkedInventory, ITEM, [receive(10), ...sequence, ...held.map(release)], policy);
      assert.equal([state.reserved, state.committed, state.picked], [0, 0, 0]);
    }),
    RUNS,
  );
});

properties.run();
