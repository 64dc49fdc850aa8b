/** Reports that say when they happened and under which id: overtaken, repeated, and out of their minds. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ShipmentCommand, shipmentDecider } from '../../actors/shipment.ts';
import { messagesTo, play, type Step } from '../support/play.ts';
import { DAY, HOUR, handedOver, labeled, report, SHIPMENT } from '../support/shipment.ts';
import { specification, T0 } from '../support/spec.ts';

const shipment = specification(shipmentDecider, { id: SHIPMENT, now: T0 + 10 * DAY });
const after = (...steps: readonly Step<ShipmentCommand>[]) =>
  shipment.from(play(shipmentDecider, SHIPMENT, steps).state);
const later = (...commands: readonly ShipmentCommand[]) =>
  commands.map((command) => ({ at: T0 + 10 * DAY, command }) as const);
const at = (hours: number) => ({ occurredAt: T0 + hours * HOUR });

const times = suite('shipment: times of reports');

times('what happened is dated as the reporter says', () => {
  const { events, state } = play(shipmentDecider, SHIPMENT, [
    ...labeled,
    ...later(report('handed-to-carrier', at(2)), report('in-transit', at(5)), report('delivered', at(50))),
  ]);
  const dated = events.flatMap((event) => ('at' in event && event.type !== 'WarehouseAssigned' ? [event.at] : []));
  assert.equal(dated, [T0 + 2 * HOUR, T0 + 5 * HOUR, T0 + 50 * HOUR]);
  assert.is(state.deliveredAt, T0 + 50 * HOUR);
});

times('a time before there was a parcel or after now is not believed', () => {
  const early = after(...labeled).when(report('handed-to-carrier', { occurredAt: 0 }));
  early.then({ type: 'HandedToCarrier', v: 1, at: T0 });
  const ahead = after(...labeled).when(report('delivered', { occurredAt: T0 + 99 * DAY }));
  assert.is(ahead.state.deliveredAt, T0 + 10 * DAY);
});

times('a scan that happened before the last one is no news, and does not put off the loss', () => {
  const seen = after(...handedOver, ...later(report('in-transit', at(48))));
  seen.when(report('in-transit', at(47))).nothing();
  seen.when(report('in-transit', at(48))).nothing();
  const { state, timers } = seen.when(report('in-transit', at(49))).thenTypes('ShipmentScanned');
  assert.is(state.lastSeenAt, T0 + 49 * HOUR);
  assert.ok(timers.some((timer) => 'set' in timer && timer.set === 'lost' && timer.at === T0 + 49 * HOUR + 7 * DAY));
});

times('hand-over and its first scan in the wrong order: handed over once, and no ghost', () => {
  const scanned = after(...labeled, ...later(report('in-transit', at(5))));
  assert.is(scanned.state.status, 'in-transit');
  const { state, timers } = scanned.when(report('handed-to-carrier', at(4))).nothing();
  assert.equal([state.status, timers], ['in-transit', []]);
});

times('the next tour is told from a late notice of the last one by its time', () => {
  const failed = after(...handedOver, ...later(report('out-for-delivery', at(20)), attempt(1, 24)));
  assert.is(failed.when(report('out-for-delivery', at(20))).state.status, 'delivery-attempt-failed');
  assert.is(failed.when(report('out-for-delivery', at(44))).state.status, 'out-for-delivery');
});

times('a failed attempt that the next tour has overtaken is counted and leaves the parcel on its tour', () => {
  const byTime = after(...handedOver, ...later(report('out-for-delivery', at(44))));
  const byNumber = after(...handedOver, report('out-for-delivery', 2));
  for (const outcome of [byTime.when(attempt(1, 24)), byNumber.when(report('attempt-failed', 1))]) {
    assert.equal([outcome.state.status, outcome.state.attempts], ['out-for-delivery', 1]);
    assert.is(messagesTo(outcome.sent, 'order').length, 1, 'the order hears the number');
  }
  assert.is(byTime.when(attempt(1, 48)).state.status, 'delivery-attempt-failed');
});

times('three failed attempts return it to the sender in whatever order they are heard of', () => {
  for (const order of [
    [1, 2, 3],
    [3, 1, 2],
    [2, 3, 1],
    [1, 3, 2],
  ]) {
    const { state } = after(...handedOver, ...later(...order.map((number) => attempt(number, 24 * number))));
    assert.equal([state.status, state.attempts], ['returning-to-sender', 3], order.join());
  }
});

function attempt(number: number, hours: number): ShipmentCommand {
  return report('attempt-failed', { attempt: number, ...at(hours) });
}

times.run();

const ids = suite('shipment: ids of reports');

ids('a report that comes again under its id counts once', () => {
  const scan = report('in-transit', { eventId: 'evt_1' });
  const first = after(...handedOver).when(scan);
  first.thenTypes('ReportNoted', 'InTransit');
  shipment
    .from(first.state)
    .when(scan, { now: T0 + 12 * DAY })
    .nothing();
  // Under another id it is another scan of the same kind.
  const other = report('in-transit', { eventId: 'evt_2' });
  shipment
    .from(first.state)
    .when(other, { now: T0 + 12 * DAY })
    .thenTypes('ReportNoted', 'ShipmentScanned');
});

ids('an id is not used up by a report that is refused', () => {
  const refused = after(...labeled).when(report('lost', { eventId: 'evt_1' }));
  refused.rejects('shipment.not-possible');
  after(...handedOver)
    .when(report('lost', { eventId: 'evt_1' }))
    .thenTypes('ReportNoted', 'ShipmentLost', 'TraceRequested', 'ReshipmentRequested');
});

ids('the newest hundred ids are kept', () => {
  const scans = Array.from({ length: 101 }, (_, n) => report('in-transit', { eventId: `evt_${n}` }));
  const { state } = after(...handedOver, ...later(...scans));
  assert.equal([state.reports.length, state.reports[0], state.reports.at(-1)], [100, 'evt_1', 'evt_100']);
});

ids.run();

const orders = suite('shipment: any order of dated reports');

orders('a whole journey ends the same in whatever order and repetition it is heard of', () => {
  const journey = [
    report('handed-to-carrier', { ...at(2), eventId: 'a' }),
    report('in-transit', { ...at(10), eventId: 'b' }),
    report('out-for-delivery', { ...at(20), eventId: 'c' }),
    attempt(1, 24),
    report('out-for-delivery', { ...at(44), eventId: 'd' }),
    report('delivered', { ...at(48), eventId: 'e' }),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(journey, { minLength: journey.length }), fc.array(fc.nat(5)), (told, again) => {
      const repeats = again.flatMap((index) => journey[index] ?? []);
      const { state, sent } = play(shipmentDecider, SHIPMENT, [...labeled, ...later(...told, ...repeats)]);
      assert.equal([state.status, state.deliveredAt], ['delivered', T0 + 48 * HOUR]);
      assert.is(messagesTo(sent, 'stock').length, 2, 'each line leaves once');
      assert.is(state.alert, null);
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
});

orders.run();
