/** Where an order's lines are taken from: which warehouse first, and what happens when one refuses. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SagaCommand } from '../../actors/orderSaga/saga.ts';
import { defaultPolicy, type Policy } from '../../actors/policy.ts';
import type { ShelfStock } from '../../actors/shared.ts';
import { cancelSaga, draft, line, ORDER, ohio, SagaRun, says, start } from '../support/orders.ts';
import { T0 } from '../support/spec.ts';

const mugs = start(draft([line('mug', 5, 900)]));
const refused = (n: string, available: number) => ({ ...says.refused(n), available }) as const;

/** `warehouse quantity` of every reservation that was asked for, or of those in one decision. */
function asked(run: SagaRun): string[] {
  return run.events.flatMap((event) =>
    event.type === 'StepStarted' && event.work.kind === 'reserve'
      ? [`${event.work.warehouse} ${event.work.quantity}`]
      : [],
  );
}

// which warehouse first

const choosing = suite('routing: which warehouse first');

function candidates(stock: readonly ShelfStock[] | undefined, policy = defaultPolicy, address = ohio) {
  const lines = [line('mug', 2, 900), line('tea', 1, 500)];
  return new SagaRun([start(draft(lines, { address, ...(stock && { stock }) }))], policy).saga.candidates;
}

const shelf = (warehouse: string, sku: string, available: number) => ({ warehouse, sku, available });
const NEAREST = ['wh-central', 'wh-east', 'wh-west'];

choosing('nearest first when nothing is known of the shelves', () => {
  assert.equal(candidates(undefined), NEAREST);
  assert.equal(candidates([]), NEAREST);
});

choosing('one warehouse with everything goes before two nearer ones: a second parcel saves nothing', () => {
  const stock = [shelf('wh-central', 'mug', 2), shelf('wh-east', 'tea', 1)];
  const west = [shelf('wh-west', 'mug', 2), shelf('wh-west', 'tea', 1)];
  assert.equal(candidates([...stock, ...west]), ['wh-west', 'wh-central', 'wh-east']);
  assert.equal(candidates([...stock, shelf('wh-west', 'mug', 1), shelf('wh-west', 'tea', 1)]), NEAREST);
});

choosing('of several with everything the nearest goes first', () => {
  const both = ['wh-west', 'wh-east'].flatMap((warehouse) => [shelf(warehouse, 'mug', 9), shelf(warehouse, 'tea', 9)]);
  assert.equal(candidates(both), ['wh-east', 'wh-central', 'wh-west']);
});

for (const [saves, abroad, first] of [
  ['2.00', 1_200, 'wh-central'],
  ['1.99', 1_199, 'wh-paris'],
] as const) {
  choosing(`split although one abroad has everything: ${saves} saved, ${first} goes first`, () => {
    const paris = { id: 'wh-paris', name: 'Paris', country: 'FR', region: 'IDF' };
    const policy: Policy = {
      ...defaultPolicy,
      warehouses: [...defaultPolicy.warehouses, paris],
      routing: { ...defaultPolicy.routing, parcelCosts: [400, 600, abroad] },
    };
    const stock = [shelf('wh-central', 'mug', 2), shelf('wh-east', 'tea', 1)];
    const all = [...stock, shelf('wh-paris', 'mug', 2), shelf('wh-paris', 'tea', 1)];
    assert.is(candidates(all, policy)[0], first);
  });
}

choosing.run();

// a line that is nowhere whole

const splitting = suite('routing: splitting a line');
const spread: readonly SagaCommand[] = [mugs, refused('1.1', 2), refused('1.2', 3), refused('1.3', 4)];

splitting('all refuse the whole line: portions of what they have, nearest first, side by side', () => {
  const run = new SagaRun(spread.slice(0, -1));
  const outcome = run.when(refused('1.3', 4));
  outcome.thenTypes('StepFailed', 'StepStarted', 'StepStarted').sends('ReserveStock', 'ReserveStock');
  assert.equal(asked(run).slice(3), ['wh-central 2', 'wh-east 3']);
  assert.equal(
    outcome.sent.map(({ message }) => 'reservationId' in message && message.reservationId),
    [`${ORDER}/1.4`, `${ORDER}/1.5`],
  );
});

splitting('nothing is authorized before every portion is there; each is committed; one parcel per warehouse', () => {
  const run = new SagaRun(spread);
  run.when(says.reserved('1.4')).sends();
  run.when(says.reserved('1.5')).sends('AuthorizePayment');
  run.when(says.authorized()).sends('CommitReservation', 'CommitReservation');
  run.when(says.committed('1.5')).sends();
  run.when(says.committed('1.4')).sends('CapturePayment');
  const { sent } = run.when(says.captured()).sends('ConfirmOrder', 'RequestShipment', 'RequestShipment');
  assert.equal(
    sent.flatMap(({ message }) => ('lines' in message ? [message.lines] : [])),
    [
      [{ sku: 'mug', quantity: 2, reservationId: `${ORDER}/1.4` }],
      [{ sku: 'mug', quantity: 3, reservationId: `${ORDER}/1.5` }],
    ],
  );
  run.when(says.accepted(1)).sends();
  run.when(says.accepted(2)).sends('BeginFulfilment');
});

splitting('a lost race - only the missing portion is routed on, to what is left elsewhere', () => {
  const run = new SagaRun([...spread, says.reserved('1.4')]);
  run.when(refused('1.5', 1)).thenTypes('StepFailed', 'StepStarted', 'StepStarted');
  assert.equal(asked(run).slice(5), ['wh-east 1', 'wh-west 2']);
  run.does(says.reserved('1.6'));
  run.when(says.reserved('1.7')).sends('AuthorizePayment');
});

splitting('a lost race that nobody can make good - all of it is released and the order is out of stock', () => {
  const run = new SagaRun([mugs, refused('1.1', 2), refused('1.2', 3), refused('1.3', 0), says.reserved('1.4')]);
  const lost = run.when(refused('1.5', 2));
  lost.thenTypes('StepFailed', 'CompensationStarted', 'CompensationRequested').sends('ReleaseReservation');
  run.when(says.released('1.4')).sends('EndOrder');
  const [end] = run.news;
  assert.is(end?.type === 'EndOrder' && end.outcome, 'out-of-stock');
});

splitting('what all have together is too little - nothing is reserved', () => {
  const run = new SagaRun([mugs, refused('1.1', 2), refused('1.2', 1)]);
  run.when(refused('1.3', 1)).sends('EndOrder');
  assert.is(asked(run).length, 3);
});

splitting('a cancellation gives every portion back, also those that may have happened', () => {
  const run = new SagaRun([...spread, says.reserved('1.4')]);
  run.when(cancelSaga).sends('ReleaseReservation', 'ReleaseReservation');
  run.when(says.released('1.5')).sends();
  run.when(says.released('1.4')).sends('EndOrder');
  run.when(says.reserved('1.5')).sends('ReleaseReservation');
});

splitting('a portion that expired is asked for anew where it was; the other stays', () => {
  const run = new SagaRun([...spread, says.reserved('1.4'), says.reserved('1.5')]);
  run.when(says.expired('1.5')).sends('ReserveStock');
  assert.equal(asked(run).slice(5), ['wh-central 3']);
  run.when(refused('1.6', 0)).sends('ReserveStock');
  assert.equal(asked(run).slice(6), ['wh-east 3']);
  run.does(says.authorized());
  run.when(says.reserved('1.7')).sends('CommitReservation', 'CommitReservation');
});

splitting('portions of three that all expire before their commits are renewed once each', () => {
  const run = new SagaRun([...spread, says.reserved('1.4'), says.reserved('1.5'), says.authorized()]);
  run.when(says.commitRefused('1.4')).sends('ReserveStock');
  run.when(says.commitRefused('1.5')).sends('ReserveStock');
  assert.equal(asked(run).slice(5), ['wh-central 2', 'wh-central 3']);
});

splitting('late answers of a portion that lost its order are undone one by one', () => {
  const run = new SagaRun([...spread, cancelSaga, says.released('1.4'), says.released('1.5')]);
  assert.is(run.saga.phase.status, 'aborted');
  run.when(says.reserved('1.4')).sends('ReleaseReservation');
  run.when(says.released('1.4')).thenTypes('StepCompensated').sends();
});

splitting.run();

// any shelves

const properties = suite('routing: properties');

properties('whatever the shelves hold, a line is reserved exactly once, whole if one has it, or not at all', () => {
  let split = 0;
  fc.assert(
    fc.property(
      fc.array(fc.nat(6), { minLength: 3, maxLength: 3 }),
      fc.integer({ min: 1, max: 9 }),
      (shelves, wanted) => {
        const run = new SagaRun([], { ...defaultPolicy, review: { ...defaultPolicy.review, totalAbove: null } });
        const left = new Map(NEAREST.map((warehouse, index) => [warehouse, shelves[index] ?? 0]));
        const open = [...run.when(start(draft([line('mug', wanted, 100)]))).sent];
        const reserved: number[] = [];
        for (let asked = open.shift(); asked !== undefined; asked = open.shift()) {
          if (asked.message.type !== 'ReserveStock') continue;
          const { reservationId, quantity } = asked.message as {
            type: string;
            reservationId: string;
            quantity: number;
          };
          const warehouse = asked.to.id.slice('mug@'.length);
          const available = left.get(warehouse) ?? 0;
          if (quantity <= available) {
            left.set(warehouse, available - quantity);
            reserved.push(quantity);
            open.push(...run.when({ type: 'StockReserved', reservationId, expiresAt: T0 + 1 }).sent);
          } else {
            open.push(...run.when({ type: 'StockRefused', reservationId, available }).sent);
          }
        }
        const total = shelves.reduce((sum, pieces) => sum + pieces, 0);
        const got = reserved.reduce((sum, pieces) => sum + pieces, 0);
        assert.is(got, total >= wanted ? wanted : 0);
        if (shelves.some((pieces) => pieces >= wanted)) assert.is(reserved.length, 1);
        if (reserved.length > 1) split++;
        assert.is(run.saga.phase.status, total >= wanted ? 'authorizing' : 'aborted');
      },
    ),
    { seed: 20_261_121, numRuns: 500 },
  );
  assert.ok(split > 50, 'lines are split');
});

properties.run();
