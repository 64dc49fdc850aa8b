/** What staff moves: between warehouses, into quarantine and out of it; and what it expects. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type InventoryCommand,
  type InventoryState,
  inventoryDecider,
  stockAddress,
  stockFigures,
} from '../../actors/inventoryItem.ts';
import type { Send } from '../../actors/kernel/decider.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { play } from '../support/play.ts';
import { specification, T0 } from '../support/spec.ts';
import {
  assertI5,
  checkedInventory,
  expectDelivery,
  ITEM,
  quarantine,
  receive,
  reserve,
  transferOut,
} from '../support/stock.ts';

const DAY = 24 * 60 * 60_000;
const item = specification(checkedInventory, { id: ITEM });
/** Each in a step of its own: a command may have a member that a step has. */
const after = (...commands: InventoryCommand[]) =>
  item.from(
    play(
      checkedInventory,
      ITEM,
      commands.map((command) => ({ at: T0, command })),
    ).state,
  );
const types = (events: readonly { type: string }[]) => events.map(({ type }) => type);

const transfers = suite('stock: transfers');

transfers('transfer - the pieces leave in the decision that sends them, and are in transit', () => {
  const outcome = after(receive(20)).when(transferOut(4), { messageId: 'req_7' });
  outcome.then({ type: 'StockTransferredOut', v: 1, transferId: 'req_7', to: 'wh-west', quantity: 4 });
  const message = { type: 'ReceiveTransfer', transferId: 'req_7', from: 'wh-east', quantity: 4 };
  assert.equal(outcome.sent, [{ to: stockAddress('SKU-1', 'wh-west'), message }]);
  const { available, adjusted, transferredOut, inTransit } = outcome.state;
  assert.equal([available, adjusted, transferredOut, inTransit], [16, -4, 4, 4]);
  assert.equal(outcome.accepted.reply, stockFigures(outcome.state));
});

transfers('transfer - comes in once, and says so as often as it comes', () => {
  const command = { type: 'ReceiveTransfer', transferId: 't', from: 'wh-west', quantity: 4 } as const;
  const confirmed = [{ to: stockAddress('SKU-1', 'wh-west'), message: { type: 'ConfirmTransfer', transferId: 't' } }];
  const once = after(receive(20)).when(command);
  once.then({ type: 'StockTransferredIn', v: 1, transferId: 't', from: 'wh-west', quantity: 4, keep: 1_000 });
  assert.equal(once.sent, confirmed);
  const { available, adjusted, transferredIn, received } = once.state;
  assert.equal([available, adjusted, transferredIn, received], [24, 4, 4, 20]);
  const twice = item.from(once.state).when(command).then();
  assert.equal(twice.sent, confirmed);
});

transfers('transfer - is no longer in transit once it is confirmed, which counts once', () => {
  const confirm = { type: 'ConfirmTransfer', transferId: 'req_7' } as const;
  const sent = after(receive(20)).when(transferOut(4), { messageId: 'req_7' }).state;
  const once = item
    .from(sent)
    .when(confirm)
    .then({ type: 'StockTransferConfirmed', v: 1, transferId: 'req_7', quantity: 4 });
  assert.equal([once.state.inTransit, once.state.transferredOut, once.state.available], [0, 4, 16]);
  item.from(once.state).when(confirm).nothing();
  after(receive(20)).when(confirm).nothing();
});

transfers('transfer - only what is available, and only elsewhere', () => {
  const { rejection } = after(receive(5), reserve('r1', 2)).when(transferOut(4)).rejects('stock.insufficient');
  assert.is(rejection?.status, 422);
  after(receive(5)).when(transferOut(5)).thenTypes('StockTransferredOut');
  after(receive(5)).when(transferOut(1, 'wh-east')).rejects('stock.same-warehouse');
  for (const quantity of [0, -1, 0.5, 1_000_001, Number.NaN]) {
    after(receive(5)).when(transferOut(quantity)).rejects('stock.quantity-invalid');
  }
});

transfers.run();

const quarantines = suite('stock: quarantine');

quarantines('quarantine - takes available pieces out of sale and keeps count of them', () => {
  const outcome = after(receive(20)).when(quarantine(4));
  outcome.then({ type: 'StockQuarantined', v: 1, quantity: 4, reason: 'wet' });
  const { available, adjusted, quarantined } = outcome.state;
  assert.equal([available, adjusted, quarantined], [16, -4, 4]);
  assert.equal(outcome.accepted.reply, stockFigures(outcome.state));
  item.from(outcome.state).when(reserve('r1', 17)).sends('StockRefused');
});

quarantines('quarantine - is released in parts, never more than is in it', () => {
  const release = (quantity: number) => ({ type: 'ReleaseQuarantine', quantity }) as const;
  const { state } = after(receive(20), quarantine(4)).when({ ...release(3), reason: 'dry' });
  assert.equal([state.available, state.adjusted, state.quarantined], [19, -1, 1]);
  const { rejection } = item.from(state).when(release(2)).rejects('stock.quarantine-insufficient');
  assert.is(rejection?.status, 422);
  item.from(state).when(release(1)).then({ type: 'QuarantineReleased', v: 1, quantity: 1 });
  item.from(state).when(release(0)).rejects('stock.quantity-invalid');
});

quarantines('quarantine - what is reserved is not there to be taken', () => {
  after(receive(5), reserve('r1', 3)).when(quarantine(3)).rejects('stock.insufficient');
  after(receive(5)).when(quarantine(0)).rejects('stock.quantity-invalid');
});

quarantines.run();

const expecting = suite('stock: expected deliveries');

expecting('expected - the newest word counts, saying it again changes nothing, it can be taken back', () => {
  const said = after(expectDelivery(50, T0 + DAY)).when(expectDelivery(30, T0 + 2 * DAY));
  said.then({ type: 'DeliveryExpected', v: 1, quantity: 30, at: T0 + 2 * DAY });
  assert.equal(said.state.expected, { quantity: 30, at: T0 + 2 * DAY });
  item
    .from(said.state)
    .when(expectDelivery(30, T0 + 2 * DAY))
    .then();
  const cleared = item.from(said.state).when({ type: 'ClearExpected' }).thenTypes('ExpectationCleared');
  assert.is(cleared.state.expected, null);
  item.from(cleared.state).when({ type: 'ClearExpected' }).then();
});

expecting('expected - a time that is over, no time and no pieces are refused', () => {
  for (const at of [T0, T0 - 1, Number.NaN, 1.5]) {
    item.given().when(expectDelivery(1, at)).rejects('stock.expected-in-past');
  }
  item
    .given()
    .when(expectDelivery(0, T0 + 1))
    .rejects('stock.quantity-invalid');
});

expecting('expected - what is received counts against it, a transfer or a return does not', () => {
  const expected = (...commands: InventoryCommand[]) => after(expectDelivery(30, T0 + DAY), ...commands).state.expected;
  assert.equal(expected(receive(10)), { quantity: 20, at: T0 + DAY });
  assert.is(expected(receive(10), receive(20)), null);
  assert.is(expected(receive(31)), null);
  const transfer = { type: 'ReceiveTransfer', transferId: 't', from: 'wh-west', quantity: 5 } as const;
  const back = { type: 'RestockReturned', quantity: 5, returnId: 'ret_1' } as const;
  assert.equal(expected(transfer, back), { quantity: 30, at: T0 + DAY });
});

expecting.run();

const alerts = suite('stock: low stock, whatever moves the pieces');

for (const [name, down, up] of [
  ['a transfer', transferOut(3), { type: 'ReceiveTransfer', transferId: 't', from: 'wh-west', quantity: 3 }],
  ['the quarantine', quarantine(3), { type: 'ReleaseQuarantine', quantity: 3 }],
  ['a reservation', reserve('r1', 3), receive(3)],
  [
    'an adjustment',
    { type: 'AdjustStock', delta: -3, reason: 'count' },
    { type: 'AdjustStock', delta: 3, reason: 'x' },
  ],
] as const) {
  alerts(`${name} crosses 10 downwards: one alert; armed again by what comes back`, () => {
    const low = after(receive(12)).when(down);
    assert.equal(low.accepted.events.at(-1), { type: 'LowStockReached', v: 1, available: 9, threshold: 10 });
    assert.equal(types(item.from(low.state).when(reserve('r2', 1)).accepted.events), ['StockReserved']);
    const armed = item.from(low.state).when(up);
    assert.equal(armed.accepted.events.at(-1), { type: 'LowStockEnded', v: 1, available: 12, threshold: 10 });
    assert.is(item.from(armed.state).when(quarantine(2)).accepted.events.at(-1)?.type, 'LowStockReached');
  });
}

alerts.run();

// two warehouses

const EAST = 'SKU-1@wh-east';
const WEST = 'SKU-1@wh-west';

/** Two items and the messages between them, which may come late, in any order and more than once. */
class TwoWarehouses {
  readonly states: Record<string, InventoryState> = {};
  #underWay: { readonly id: string; readonly send: Send }[] = [];
  readonly #delivered: Send[] = [];
  #messages = 0;

  state(id: string): InventoryState {
    return this.states[id] ?? inventoryDecider.initial(id);
  }

  handle(id: string, command: InventoryCommand): void {
    const context = { now: T0, id: `message-${++this.#messages}`, policy: defaultPolicy };
    const decision = inventoryDecider.decide(this.state(id), command, context);
    if (decision.rejection) return;
    this.states[id] = decision.events.reduce(inventoryDecider.evolve, this.state(id));
    for (const send of decision.sends ?? []) {
      if (send.to.type === 'stock') this.#underWay.push({ id: `${this.#messages}`, send });
    }
    this.check();
  }

  deliver(n: number, again: boolean): boolean {
    const next = this.#underWay[n % Math.max(1, this.#underWay.length)];
    if (next === undefined) return false;
    if (!again) this.#underWay = this.#underWay.filter((other) => other !== next);
    this.#delivered.push(next.send);
    this.handle(next.send.to.id, next.send.message as InventoryCommand);
    return true;
  }

  repeat(n: number): void {
    const send = this.#delivered[n % Math.max(1, this.#delivered.length)];
    if (send) this.handle(send.to.id, send.message as InventoryCommand);
  }

  sum(name: keyof ReturnType<typeof stockFigures>): number {
    return stockFigures(this.state(EAST))[name] + stockFigures(this.state(WEST))[name];
  }

  check(): void {
    for (const id of [EAST, WEST]) assertI5(this.state(id));
    const missing = this.sum('transferredOut') - this.sum('transferredIn');
    assert.ok(missing >= 0, 'more came in than went out');
    assert.ok(missing <= this.sum('inTransit'), 'pieces are lost on the way');
  }
}

const where = fc.constantFrom(EAST, WEST);
const quantity = fc.integer({ min: 1, max: 9 });
const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('transfer' as const), where, quantity }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), n: fc.nat(9), again: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), n: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('quarantine' as const), where, quantity }) },
);

const both = suite('stock: two warehouses');

both('I5 - transfers under way, late, repeated and reordered, lose no piece and make none', () => {
  let moved = 0;
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const world = new TwoWarehouses();
      world.handle(EAST, receive(20));
      world.handle(WEST, receive(5));
      for (const step of actions) {
        if (step.do === 'transfer') {
          world.handle(step.where, transferOut(step.quantity, step.where === EAST ? 'wh-west' : 'wh-east'));
        } else if (step.do === 'quarantine') world.handle(step.where, quarantine(step.quantity));
        else if (step.do === 'deliver') world.deliver(step.n, step.again);
        else world.repeat(step.n);
      }
      while (world.deliver(0, false));
      assert.is(world.sum('inTransit'), 0);
      assert.is(world.sum('available') + world.sum('quarantined'), 25);
      moved += world.sum('transferredIn');
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
  assert.ok(moved > 1_000, 'pieces moved');
});

both.run();
