/** Who waits for stock gets it first come, first served, exactly once, and is not overtaken. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InventoryCommand, type InventoryEvent, inventoryDecider } from '../../actors/inventoryItem.ts';
import { defaultPolicy } from '../../actors/policy.ts';
import { assertReplays, messagesTo, play } from '../support/play.ts';
import { specification, T0 } from '../support/spec.ts';
import {
  checkedInventory,
  commit,
  expectDelivery,
  expire,
  ITEM,
  receive,
  release,
  reserve,
  saga,
  transferOut,
} from '../support/stock.ts';

const DAY = 24 * 60 * 60_000;
const AT = T0 + 3 * DAY;
const HELD_UNTIL = T0 + 30 * DAY;
const item = specification(checkedInventory, { id: ITEM });
const atStart = (commands: readonly InventoryCommand[]) => commands.map((command) => ({ at: T0, command }));
const after = (...commands: InventoryCommand[]) => item.from(play(checkedInventory, ITEM, atStart(commands)).state);
const wait = (reservationId: string, quantity = 1): InventoryCommand => ({
  type: 'ReserveStock',
  reservationId,
  quantity,
  saga,
  wait: true,
});
const answers = (...messages: object[]) => messages.map((message) => ({ to: saga, message }));
const reserved = (reservationId: string) => ({ type: 'StockReserved', reservationId, expiresAt: HELD_UNTIL }) as const;

const registering = suite('backorders: registering');

registering('without an expected delivery nobody waits, and a refusal promises nothing', () => {
  const { sent } = after(receive(2)).when(wait('r1', 3)).thenTypes('ReservationRejected');
  assert.equal(sent, answers({ type: 'StockRefused', reservationId: 'r1', available: 2 }));
});

registering('with one expected a refusal says what can be promised, and when', () => {
  const { sent } = after(receive(2), expectDelivery(5, AT)).when(reserve('r1', 3)).thenTypes('ReservationRejected');
  const expected = { quantity: 7, at: AT };
  assert.equal(sent, answers({ type: 'StockRefused', reservationId: 'r1', available: 2, expected }));
});

registering('who is ready to wait is registered and told when; asked again, the same', () => {
  const outcome = after(receive(2), expectDelivery(5, AT)).when(wait('r1', 3));
  outcome.then({
    type: 'BackorderRegistered',
    v: 1,
    reservationId: 'r1',
    quantity: 3,
    sagaId: 'ord_1',
    expectedAt: AT,
  });
  const deferred = answers({ type: 'StockBackordered', reservationId: 'r1', expectedAt: AT });
  assert.equal(outcome.sent, deferred);
  assert.equal([outcome.state.available, outcome.state.backordered], [2, 3]);
  assert.equal(item.from(outcome.state).when(wait('r1', 3)).then().sent, deferred);
});

registering('what is there is reserved at once, and kept as long as a backorder', () => {
  const { sent } = after(receive(3), expectDelivery(5, AT)).when(wait('r1', 3)).thenTypes('StockReserved');
  assert.equal(sent, answers(reserved('r1')));
});

registering('no more is promised than is expected', () => {
  const full = after(expectDelivery(5, AT), wait('r1', 3), wait('r2', 2));
  const { sent } = full.when(wait('r3', 1)).thenTypes('ReservationRejected');
  assert.equal(sent, answers({ type: 'StockRefused', reservationId: 'r3', available: 0 }));
  const two = { reservationId: 'r3', available: 0, expected: { quantity: 2, at: AT } };
  const partly = after(expectDelivery(5, AT), wait('r1', 3)).when(wait('r3', 3));
  assert.equal(partly.sent, answers({ type: 'StockRefused', ...two }));
});

registering('a queue has an end: beyond it nothing is promised, here or for elsewhere, until somebody has left', () => {
  const policy = { ...defaultPolicy, backorder: { ...defaultPolicy.backorder, maxWaiting: 2 } };
  const small = specification(checkedInventory, { id: ITEM, policy });
  const full = small.from(play(checkedInventory, ITEM, atStart([expectDelivery(9, AT), wait('r1'), wait('r2')])).state);
  const refused = answers({ type: 'StockRefused', reservationId: 'r3', available: 0 });
  for (const late of [wait('r3'), elsewhere('r3')]) {
    assert.equal(full.when(late).thenTypes('ReservationRejected').sent, refused);
  }
  const { state } = full.when(release('r1'));
  small.from(state).when(wait('r4')).thenTypes('BackorderRegistered');
  assert.is(defaultPolicy.backorder.maxWaiting, 1_000);
});

/** Another warehouse promises it. */
const elsewhere = (reservationId: string, pieces = 1) => ({ ...wait(reservationId, pieces), promisedAt: AT + DAY });

registering(
  'what another warehouse promises is registered without an expected delivery, for when that one promises',
  () => {
    const outcome = after(receive(2)).when(elsewhere('r1', 3)).thenTypes('BackorderRegistered');
    assert.equal(outcome.sent, answers({ type: 'StockBackordered', reservationId: 'r1', expectedAt: AT + DAY }));
    item.from(outcome.state).when(reserve('new', 1)).sends('StockRefused');
    item.from(outcome.state).when(receive(1)).sends('StockReserved');
    const gone = item.from(outcome.state).when(release('r1')).thenTypes('BackorderCleared').state;
    item.from(gone).when(elsewhere('r1', 3)).then().sends('StockRefused');
  },
);

registering(
  'what another warehouse promises takes nothing of what is promised here, but its place in the queue',
  () => {
    const both = after(expectDelivery(5, AT), elsewhere('r1', 3), wait('r2', 5));
    assert.is(both.when(wait('r3', 1)).sent[0]?.message.type, 'StockRefused', 'all is promised');
    assert.equal(both.when(receive(5)).sent, answers(reserved('r1')), 'first come, first served');
  },
);

registering('nonsense never waits', () => {
  for (const quantity of [0, -1, 0.5, Number.NaN]) {
    after(expectDelivery(5, AT)).when(wait('r1', quantity)).sends('StockRefused');
  }
});

registering.run();

const allocating = suite('backorders: allocating');
/** Two wait for three pieces each, the first having come first; two pieces lie there. */
const queue = [receive(2), expectDelivery(20, AT), wait('r1', 3), wait('r2', 3)] as const;

allocating('new orders do not overtake: pieces that are too few for the first are kept for it', () => {
  const { sent } = after(...queue).when(reserve('new', 1));
  const expected = { quantity: 16, at: AT };
  assert.equal(sent, answers({ type: 'StockRefused', reservationId: 'new', available: 0, expected }));
});

allocating('what comes goes to the first; the second waits until there is enough for it', () => {
  const first = after(...queue).when(receive(1));
  first.then(
    { type: 'StockReceived', v: 1, quantity: 1 },
    { type: 'BackorderCleared', v: 1, reservationId: 'r1', quantity: 3, outcome: 'allocated', keep: 1_000 },
    { type: 'StockReserved', v: 1, reservationId: 'r1', quantity: 3, sagaId: 'ord_1', expiresAt: HELD_UNTIL },
  );
  assert.equal(first.sent, answers(reserved('r1')));
  assert.equal(first.timers, [
    { set: 'expire:r1', at: HELD_UNTIL, message: { type: 'ExpireReservation', reservationId: 'r1' } },
  ]);
  assert.equal([first.state.available, first.state.reserved, first.state.backordered], [0, 3, 3]);
  item.from(first.state).when(receive(2)).thenTypes('StockReceived').sends();
});

allocating('the rest of a delivery is for sale', () => {
  const all = after(...queue).when(receive(10));
  assert.equal(all.sent, answers(reserved('r1'), reserved('r2')));
  assert.equal(all.accepted.reply && (all.accepted.reply as { available: number }).available, 6);
  item.from(all.state).when(reserve('new', 6)).sends('StockReserved');
});

allocating('a small one behind a big one waits its turn', () => {
  const { state } = after(expectDelivery(20, AT), wait('big', 9), wait('small', 1)).when(receive(8));
  assert.equal([state.available, state.backordered], [8, 10]);
  item.from(state).when(receive(2)).sends('StockReserved', 'StockReserved');
});

for (const [name, command] of [
  ['a delivery', receive(1)],
  ['a return', { type: 'RestockReturned', quantity: 1, returnId: 'ret_1' }],
  ['a correction', { type: 'AdjustStock', delta: 1, reason: 'found' }],
  ['a transfer', { type: 'ReceiveTransfer', transferId: 't', from: 'wh-west', quantity: 1 }],
] as const) {
  allocating(`${name} serves who waits`, () => {
    const { events } = after(...queue).when(command).accepted;
    assert.equal(events.at(-1), { type: 'StockReserved', v: 1, ...reservedEvent('r1') });
  });
}

function reservedEvent(reservationId: string) {
  return { reservationId, quantity: 3, sagaId: 'ord_1', expiresAt: HELD_UNTIL } as const;
}

for (const [name, before, command] of [
  ['the quarantine', [receive(3), { type: 'QuarantineStock', quantity: 3, reason: 'wet' }], quarantineRelease(3)],
  ['a release', [receive(3), reserve('other', 3)], release('other')],
  ['the release of a committed one', [receive(3), reserve('other', 3), commit('other')], release('other')],
] as const) {
  allocating(`pieces that come back from ${name} serve who waits`, () => {
    const waiting = after(...before, expectDelivery(20, AT), wait('r1', 3));
    assert.equal(waiting.state.backordered, 3);
    const { events, sends = [] } = waiting.when(command).accepted;
    assert.equal(events.at(-1), { type: 'StockReserved', v: 1, ...reservedEvent('r1') });
    assert.equal(sends.at(-1), answers(reserved('r1'))[0]);
  });
}

function quarantineRelease(quantity: number): InventoryCommand {
  return { type: 'ReleaseQuarantine', quantity };
}

allocating('a reservation that expires serves who waits', () => {
  const now = T0 + 30 * 60_000;
  const { sent } = after(receive(3), reserve('other', 3), expectDelivery(20, AT), wait('r1', 3)).when(expire('other'), {
    now,
  });
  assert.equal(
    sent.map(({ message }) => message.type),
    ['StockExpired', 'StockReserved'],
  );
});

allocating('a head that gives up makes way for those behind it', () => {
  const { sent, state } = after(receive(2), expectDelivery(20, AT), wait('big', 9), wait('small', 2)).when(
    release('big'),
  );
  assert.equal(sent, answers({ type: 'StockReleased', reservationId: 'big' }, reserved('small')));
  assert.equal([state.backordered, state.reserved], [0, 2]);
});

allocating('who gave up is not registered again by a late message', () => {
  const { state } = after(...queue)
    .when(release('r1'))
    .then({ type: 'BackorderCleared', v: 1, reservationId: 'r1', quantity: 3, outcome: 'released', keep: 1_000 });
  item.from(state).when(wait('r1', 3)).then().sends('StockRefused');
  item.from(state).when(release('r1')).then().sends('StockReleased');
});

allocating('a delivery for more than 100 is dealt out in batches, and nobody overtakes between them', () => {
  const many = Array.from({ length: 150 }, (_, index) => wait(`r${index}`));
  const first = after(expectDelivery(200, AT), ...many).when(receive(200));
  assert.is(first.sent.length, 100);
  assert.is(first.state.available, 100);
  assert.equal(first.timers.at(-1), { set: 'allocate', at: T0, message: { type: 'AllocateBackorders' } });
  // Any message brings the next batch; the timer only makes sure that one comes.
  const [greedy] = item.from(first.state).when(reserve('greedy', 51)).sent;
  assert.is(greedy?.message.type, 'StockRefused');
  const second = item.from(first.state).when({ type: 'AllocateBackorders' });
  assert.is(second.sent.length, 50);
  assert.equal([second.state.available, second.state.backordered, second.timers.length], [50, 0, 50]);
  item.from(second.state).when({ type: 'AllocateBackorders' }).nothing();
});

allocating('an allocation that runs low is told', () => {
  const { events } = after(expectDelivery(20, AT), wait('r1', 15)).when(receive(20)).accepted;
  assert.equal(
    events.map(({ type }) => type),
    ['StockReceived', 'BackorderCleared', 'StockReserved', 'LowStockReached'],
  );
});

allocating('an expectation that is taken back leaves who waits in the queue and registers nobody else', () => {
  const { state } = after(...queue, { type: 'ClearExpected' });
  assert.is(state.backordered, 6);
  item.from(state).when(wait('r3')).sends('StockRefused');
  item.from(state).when(receive(4)).sends('StockReserved', 'StockReserved');
});

allocating.run();

// any sequence

const id = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9');
const quantity = fc.integer({ min: 1, max: 6 });
const command: fc.Arbitrary<InventoryCommand> = fc.oneof(
  fc.tuple(id, quantity).map(([reservationId, pieces]) => wait(reservationId, pieces)),
  fc.tuple(id, quantity).map(([reservationId, pieces]) => elsewhere(reservationId, pieces)),
  fc.tuple(id, quantity).map(([reservationId, pieces]) => reserve(`${reservationId}-now`, pieces)),
  id.map(release),
  id.map((reservationId) => release(`${reservationId}-now`)),
  id.map(commit),
  quantity.map(receive),
  fc.integer({ min: 1, max: 40 }).map((pieces) => expectDelivery(pieces, AT)),
  quantity.map((pieces) => transferOut(pieces)),
);

const properties = suite('backorders: properties');

properties('I5, I9 - served in the order of registration, each once, and nobody waits for what is there', () => {
  let allocated = 0;
  fc.assert(
    fc.property(fc.array(command, { minLength: 10, maxLength: 50, size: 'max' }), (commands) => {
      const played = play(checkedInventory, ITEM, atStart([receive(3), ...commands]));
      assertReplays(inventoryDecider, ITEM, played);
      const { backorders, backordered, available } = played.state;
      assert.is(
        backorders.reduce((sum, backorder) => sum + backorder.quantity, 0),
        backordered,
      );
      const [head] = backorders;
      assert.ok(head === undefined || head.quantity > available, 'the first waits for what is there');
      allocated += checkFirstComeFirstServed(played.events);
      const told = messagesTo(played.sent, 'order-saga');
      const served = told.flatMap((message) =>
        message.type === 'StockReserved' && 'reservationId' in message ? [message.reservationId] : [],
      );
      for (const { reservationId } of backorders) assert.not(served.includes(reservationId));
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
  assert.ok(allocated > 100, 'somebody is served');
});

/** While anybody waits, reservations are made for the oldest that waits, or for what those who wait leave. */
function checkFirstComeFirstServed(events: readonly InventoryEvent[]): number {
  const waiting: string[] = [];
  let served = 0;
  for (const event of events) {
    if (event.type === 'BackorderRegistered') waiting.push(event.reservationId);
    if (event.type !== 'BackorderCleared') continue;
    const place = waiting.indexOf(event.reservationId);
    assert.ok(place >= 0, 'cleared once');
    if (event.outcome === 'allocated') assert.is(place, 0);
    waiting.splice(place, 1);
    served += event.outcome === 'allocated' ? 1 : 0;
  }
  return served;
}

properties('whatever waits is served when enough has come', () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 10, maxLength: 50, size: 'max' }), (commands) => {
      const policy = { ...defaultPolicy, stock: { ...defaultPolicy.stock, tombstones: 4 } };
      const { state } = play(checkedInventory, ITEM, atStart([...commands, receive(1_000)]), policy);
      assert.equal([state.backordered, state.backorders], [0, []]);
    }),
    { seed: 20_261_121, numRuns: 200 },
  );
});

properties.run();
