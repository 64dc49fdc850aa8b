/**
 * Model test of an order's life: in a world where anything may be late, lost for a while, repeated or out of order, no
 * invariant breaks at any step, and when all has come to rest every order stands where somebody can see why.
 */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { liveShipments } from '../../actors/order/parcels.ts';
import type { Order } from '../../actors/order.ts';
import { stuckRefunds } from '../../actors/orderSaga/refunds.ts';
import { liveReservations } from '../../actors/orderSaga/routing.ts';
import { isBackordered, isConfirmed, type Saga, stuckSteps } from '../../actors/orderSaga/state.ts';
import { ORDERS, SagaWorld, SKUS, WAREHOUSES } from '../support/sagaWorld.ts';

/** What happens next; the numbers choose among what there is. */
const happenings = {
  deliver: (world: SagaWorld, n: number, m: number) => world.deliver(n, m),
  duplicate: (world: SagaWorld, n: number, m: number) => world.duplicate(n, m),
  repeat: (world: SagaWorld, n: number, m: number) => world.repeat(n, m),
  deliverAll: (world: SagaWorld) => world.deliverAll(),
  fire: (world: SagaWorld, n: number, m: number) => world.fire(n, m),
  webhooks: (world: SagaWorld, n: number) => world.webhooks(n),
  cancel: (world: SagaWorld, n: number) => world.cancel(n, 'customer'),
  cancelByStaff: (world: SagaWorld, n: number) => world.cancel(n, 'staff'),
  release: (world: SagaWorld, n: number) => world.operate(n, 'ReleaseHold'),
  cancelByOperator: (world: SagaWorld, n: number) => world.operate(n, 'CancelByOperator'),
  retry: (world: SagaWorld, n: number) => world.operate(n, 'RetrySaga'),
  refund: (world: SagaWorld, n: number, m: number) => world.refund(n, 1 + 50 * m),
  payAnew: (world: SagaWorld, n: number) => world.payAnew(n),
  pick: (world: SagaWorld, n: number) => world.report(n, 'picked'),
  handOver: (world: SagaWorld, n: number) => world.report(n, 'handed-to-carrier'),
  arrive: (world: SagaWorld, n: number) => world.report(n, 'delivered'),
  lose: (world: SagaWorld, n: number) => world.report(n, 'lost'),
  comeBack: (world: SagaWorld, n: number) => world.report(n, 'returned'),
  reship: (world: SagaWorld, n: number) => world.reship(n),
  supply: (world: SagaWorld, n: number, m: number) => world.supply(n, m),
  agreeToWait: (world: SagaWorld, n: number) => world.choose(n, 'wait'),
  refuseToWait: (world: SagaWorld, n: number) => world.choose(n, 'cancel'),
  book: (world: SagaWorld, n: number, m: number) => world.book(n, m),
  refundAll: (world: SagaWorld, n: number) => world.refund(n, null),
} as const;

const happening = fc.oneof(
  { weight: 60, arbitrary: fc.constant('deliver' as const) },
  { weight: 4, arbitrary: fc.constantFrom('duplicate' as const, 'repeat' as const) },
  { weight: 4, arbitrary: fc.constantFrom('fire' as const, 'webhooks' as const, 'payAnew' as const) },
  { weight: 2, arbitrary: fc.constantFrom('release' as const, 'retry' as const, 'pick' as const, 'handOver' as const) },
  { weight: 1, arbitrary: fc.constantFrom('cancel' as const, 'cancelByStaff' as const, 'cancelByOperator' as const) },
  { weight: 1, arbitrary: fc.constantFrom('arrive' as const, 'lose' as const, 'comeBack' as const) },
  { weight: 1, arbitrary: fc.constantFrom('reship' as const, 'book' as const, 'refund' as const) },
);
const story = fc.record({
  stock: fc.array(fc.nat(6), { minLength: 4, maxLength: 4 }),
  steps: fc.array(fc.tuple(happening, fc.nat(1_000), fc.nat(62)), { maxLength: 250, size: 'max' }),
});
type Story = typeof story extends fc.Arbitrary<infer Told> ? Told : never;

function live({ stock, steps }: Story): SagaWorld {
  const world = new SagaWorld();
  const shelves = SKUS.flatMap((sku) => WAREHOUSES.map((warehouse) => [sku, warehouse] as const));
  for (const [index, [sku, warehouse]] of shelves.entries()) world.receive(sku, warehouse, stock[index] ?? 0);
  world.place();
  for (const [what, n, m] of steps) happenings[what](world, n, m);
  return world;
}

/** Lets everything come to rest. What is stuck in front of the operator is retried, as the operator would. */
function rest(world: SagaWorld, expiring: boolean): void {
  world.settle(expiring);
  for (const [index, orderId] of ORDERS.entries()) {
    const saga = world.saga(orderId);
    if (saga !== undefined && stuckSteps(saga).length + stuckRefunds(saga).length > 0)
      world.operate(index, 'RetrySaga');
  }
  world.settle(expiring);
}

/** Orders with a line that came from more than one warehouse. */
let splits = 0;

const ENDED: readonly Order['status'][] = ['cancelled', 'out-of-stock', 'payment-failed'];

function checkAtRest(world: SagaWorld, orderId: string): void {
  const order = world.order(orderId);
  const saga = world.saga(orderId);
  const { status } = order;
  const books = world.books(orderId);
  const reservations = world.reservations(orderId);
  const queued = world.queued(orderId);
  const says = (what: string) =>
    `${orderId} ${status} ${JSON.stringify({ books, reservations, queued, saga }, null, 1)}: ${what}`;

  // I7
  const parcels = liveShipments(order.shipments);
  const gone =
    parcels.length > 0 && parcels.every((parcel) => parcel.status === 'lost' || parcel.status === 'returned');
  const refunded = order.payment.status === 'refunded';
  assert.not(gone && refunded && !ENDED.includes(status), says('never ends'));
  const visible = order.awaiting !== null || ENDED.includes(status) || saga?.phase.status === 'completed';
  assert.ok(visible, says('stands where nobody sees it'));
  assert.ok(!['cancelling', 'manual-review', 'refund-pending'].includes(status), says('is not at rest'));
  assert.is(saga === undefined ? 0 : stuckSteps(saga).length, 0, says('has something stuck'));

  // I6 and I8: what is not fulfilled holds neither money nor stock, what is has paid once and has its stock.
  if (saga !== undefined && isConfirmed(saga)) {
    const given = Object.values(saga.refunds).reduce((sum, { amount }) => sum + amount.amount, 0);
    assert.equal([books.captured, books.held], [order.totals.total.amount - given, 0], says('is paid'));
    const quantity = (entry: string) => Number(entry.split(' ')[1]);
    const kept = reservations.reduce((sum, entry) => sum + quantity(entry), 0);
    if (reservations.length > order.lines.length) splits++;
    assert.ok(kept <= order.lines.reduce((sum, line) => sum + line.quantity, 0), says('keeps more than it needs'));
    assert.ok(
      reservations.every((entry) => !entry.endsWith('held')),
      says('has its stock for good'),
    );
  } else if (saga?.phase.status === 'waiting' && saga.phase.awaiting === 'review') {
    assert.is(books.captured, 0, says('is not captured'));
  } else if (saga !== undefined && isBackordered(saga)) {
    assert.equal([books.captured, books.held], [0, 0], says('holds no money'));
    assert.equal(reservations, arrived(saga), says('holds only what it waited for'));
    assert.equal(queued, everywhere(saga), says('waits at every warehouse, and only for what is missing'));
  } else {
    assert.equal([books.captured, books.held, reservations], [0, 0, []], says('holds nothing'));
  }
  if (saga === undefined || !isBackordered(saga)) assert.equal(queued, [], says('waits nowhere'));
  for (const { sku, quantity } of order.lines) {
    const pieces = liveShipments(order.shipments).flatMap((parcel) => parcel.lines.filter((line) => line.sku === sku));
    assert.ok(
      pieces.reduce((sum, line) => sum + line.quantity, 0) <= quantity,
      says(`is sent more ${sku} than wanted`),
    );
  }
  assert.equal(order.payment.captured.amount - order.payment.refunded.amount, books.captured, says('shows its money'));
}

/** What has come for a saga that waits for more. */
function arrived(saga: Saga): string[] {
  const came = liveReservations(saga).filter(({ work, status }) => work.wait && status === 'succeeded');
  return came.map(({ work: { sku, quantity } }) => `${sku} ${quantity} held`).sort();
}

/** The places of a saga that waits. */
function everywhere(saga: Saga): string[] {
  const lines = (saga.backorder?.lines ?? []).map(({ line }) => ({ line, ...saga.lines[line - 1] }));
  const came = liveReservations(saga).filter(({ status }) => status === 'succeeded');
  const missing = lines.filter(({ line }) => came.every(({ work }) => work.line !== line));
  return missing.flatMap(({ sku, quantity }) => WAREHOUSES.map((id) => `${sku} ${quantity} ${id}`)).sort();
}

const model = suite('saga, model');
const RUNS = 2_000;

/** How often each status was seen: the stories have to tell something. */
type Seen = Map<string, number>;

function note(seen: Seen, { status, shipments }: Order, saga: Saga | undefined): void {
  const reshipped = Object.values(shipments).filter(({ replaces }) => replaces !== undefined);
  const paidAnew = saga?.paymentRequest?.answered && isConfirmed(saga) ? ['paid anew'] : [];
  const refunded = Object.keys(saga?.refunds ?? {}).length > 0 ? ['refunded'] : [];
  const over = saga?.settled !== undefined && status === 'cancelled' ? ['ended as refunded'] : [];
  for (const what of [
    status,
    ...over,
    ...refunded,
    ...paidAnew,
    ...reshipped.map((parcel) => `reshipment ${parcel.status}`),
  ]) {
    seen.set(what, (seen.get(what) ?? 0) + 1);
  }
}

function checkToTheEnd(world: SagaWorld, seen: Seen): void {
  for (const expiring of [false, true]) {
    rest(world, expiring);
    for (const orderId of ORDERS) checkAtRest(world, orderId);
  }
  for (const orderId of ORDERS) note(seen, world.order(orderId), world.saga(orderId));
  world.checkReplay();
}

model('I5 to I9 - hold at every step and at rest, whatever happens', () => {
  const seen: Seen = new Map();
  fc.assert(
    fc.property(story, (told) => checkToTheEnd(live(told), seen)),
    { numRuns: RUNS, seed: 20_261_121 },
  );
  assert.ok(splits > 20, 'lines are split');
  assert.ok(seen.has('paid anew'), 'nobody ever gave another payment method');
  assert.ok(seen.has('refunded'), 'nothing was ever given back of an order that went on');
  for (const status of [...ENDED, 'on-hold', 'fulfilling']) assert.ok(seen.has(status), `${status} never happened`);
});

const lackingStory = fc.record({
  stock: fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
  expected: fc.array(fc.tuple(fc.nat(7), fc.nat(12)), { minLength: 4, maxLength: 4 }),
  steps: fc.array(
    fc.tuple(
      fc.oneof(
        { weight: 40, arbitrary: fc.constantFrom('deliver' as const, 'deliver' as const, 'deliverAll' as const) },
        { weight: 4, arbitrary: fc.constantFrom('duplicate' as const, 'repeat' as const, 'fire' as const) },
        { weight: 6, arbitrary: fc.constantFrom('supply' as const, 'agreeToWait' as const) },
        { weight: 2, arbitrary: fc.constantFrom('refuseToWait' as const, 'cancel' as const, 'retry' as const) },
      ),
      fc.nat(1_000),
      fc.nat(62),
    ),
    { maxLength: 150, size: 'max' },
  ),
});

model('I5 to I9 - hold for orders that wait for stock, and nobody waits once enough has come', () => {
  const seen: Seen = new Map();
  fc.assert(
    fc.property(lackingStory, ({ stock, expected, steps }) => {
      const world = new SagaWorld();
      const shelves = SKUS.flatMap((sku) => WAREHOUSES.map((warehouse) => [sku, warehouse] as const));
      for (const [index, [sku, warehouse]] of shelves.entries()) {
        world.receive(sku, warehouse, stock[index] ?? 0);
        const [quantity = 0, days = 0] = expected[index] ?? [];
        world.expect(sku, warehouse, quantity, days);
      }
      world.place();
      for (const [what, n, m] of steps) {
        happenings[what](world, n, m);
        for (const orderId of ORDERS) noteWaiting(seen, world, orderId);
      }
      checkToTheEnd(world, seen);
      for (const [sku, warehouse] of shelves) world.receive(sku, warehouse, 20);
      checkToTheEnd(world, seen);
      for (const orderId of ORDERS) {
        const saga = world.saga(orderId);
        assert.not(saga !== undefined && isBackordered(saga), `${orderId} waits for what is there`);
      }
    }),
    { numRuns: 500, seed: 20_261_121 },
  );
  const told = [
    'stock',
    'backorder-choice',
    'served',
    'elsewhere',
    'two lines',
    'cancelled',
    'out-of-stock',
    'fulfilling',
  ];
  for (const what of told) assert.ok((seen.get(what) ?? 0) > 10, `${what}: ${seen.get(what)} times`);
});

function noteWaiting(seen: Seen, world: SagaWorld, orderId: string): void {
  const saga = world.saga(orderId);
  if (saga === undefined) return;
  const { phase, backorder } = saga;
  const what = [
    ...(phase.status === 'waiting' ? [phase.awaiting] : []),
    ...(backorder && isConfirmed(saga) ? ['served'] : []),
    ...(backorder && isConfirmed(saga) && liveReservations(saga).some(({ work }) => work.promisedAt)
      ? ['elsewhere']
      : []),
    ...(backorder && backorder.lines.length > 1 ? ['two lines'] : []),
  ];
  for (const word of what) seen.set(word, (seen.get(word) ?? 0) + 1);
}

const astray = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('deliver' as const, 'deliverAll' as const) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('duplicate' as const, 'repeat' as const, 'retry' as const, 'fire' as const),
      },
      { weight: 1, arbitrary: fc.constantFrom('cancelByStaff' as const, 'cancelByOperator' as const) },
      { weight: 2, arbitrary: fc.constantFrom('handOver' as const, 'lose' as const, 'reship' as const) },
      { weight: 2, arbitrary: fc.constantFrom('arrive' as const, 'comeBack' as const, 'book' as const) },
      { weight: 1, arbitrary: fc.constant('refundAll' as const) },
    ),
    fc.nat(1_000),
    fc.nat(62),
  ),
  { maxLength: 80, size: 'max' },
);

model('I5 to I9 - hold when parcels go astray and are sent once more', () => {
  const seen: Seen = new Map();
  fc.assert(
    fc.property(fc.nat(3), astray, (spare, steps) => {
      const stock = [5 + spare, spare, 3 + spare, spare];
      const world = live({ stock, steps: [] });
      world.settle(false);
      for (const index of ORDERS.keys()) world.report(index, 'handed-to-carrier');
      for (const [what, n, m] of steps) happenings[what](world, n, m);
      checkToTheEnd(world, seen);
    }),
    { numRuns: 500, seed: 20_261_121 },
  );
  assert.ok(seen.has('ended as refunded'), 'no order ever ended because it was refunded');
  for (const status of ['labeled', 'delivered', 'lost', 'returned', 'cancelled']) {
    assert.ok(seen.has(`reshipment ${status}`), `no reshipment was ever ${status}`);
  }
});

model.run();
