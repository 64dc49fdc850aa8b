/** How a check is cut into slices, and what it looks at twice. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finding } from '../../actors/checks/finding.ts';
import { type CheckerOptions, createChecker, type Phase } from '../../supervisors/checker/checker.ts';
import { Unavailable } from '../../supervisors/shop.ts';
import { gate } from '../http/support.ts';

const slices = suite('checker slices');

/** Each look at the clock takes as long as it is told. */
function clockOf(msPerLook: number) {
  let now = 0;
  return {
    monotonic() {
      now += msPerLook;
      return now;
    },
  };
}

/** Examines so many orders, one a step. */
function counting(name: Phase['name'], orders: number): Phase {
  return {
    name,
    start: (deep) => (deep ? '0' : '2'),
    async step(after, session) {
      const number = Number(after);
      if (number >= orders) return undefined;
      session.count('orders');
      session.examine({ kind: 'order', orderId: `${name}-${number}` });
      await session.breathe();
      return String(number + 1);
    },
  };
}

const options = (more: Partial<CheckerOptions>): CheckerOptions => ({
  phases: [counting('aggregates', 5), counting('vendor', 4)],
  examine: () => [],
  clock: clockOf(1),
  pause: async () => {},
  ...more,
});

slices('one that fits into its time does all phases, each from its start', async () => {
  const report = await createChecker(options({}))({ deep: false });
  assert.equal([report.covered['orders'], report.next, report.findings], [3 + 2, undefined, []]);
  assert.is((await createChecker(options({}))({ deep: true })).covered['orders'], 5 + 4);
});

slices('when its time is up it says where to go on, and nothing is left out or done twice', async () => {
  const seen: string[] = [];
  const check = createChecker(
    options({
      clock: clockOf(1_000),
      examine: (subject) => {
        seen.push('orderId' in subject ? subject.orderId : subject.kind);
        return [];
      },
    }),
  );
  let slicesDone = 0;
  for (let from = (await check({ deep: true })).next; from; from = (await check({ deep: true, from })).next)
    slicesDone++;
  assert.ok(slicesDone > 1, `${slicesDone} slices`);
  const all = [...[0, 1, 2, 3, 4].map((n) => `aggregates-${n}`), ...[0, 1, 2, 3].map((n) => `vendor-${n}`)];
  assert.equal(seen, all);
});

slices('what looks wrong is looked at again after a pause; only what still is wrong is reported, once', async () => {
  const looks = new Map<string, number>();
  let pauses = 0;
  const check = createChecker(
    options({
      pause: async () => {
        pauses += 1;
      },
      examine: (subject) => {
        const id = 'orderId' in subject ? subject.orderId : '';
        looks.set(id, (looks.get(id) ?? 0) + 1);
        const passing = id === 'aggregates-3' && looks.get(id) === 1;
        const wrong = passing || id.startsWith('vendor');
        return wrong ? [finding('critical', 'x', 'Wrong.', 'same')] : [];
      },
    }),
  );
  const { findings } = await check({ deep: true });
  assert.equal(findings, [finding('critical', 'x', 'Wrong.', 'same')]);
  assert.equal([pauses, looks.get('aggregates-3'), looks.get('aggregates-2'), looks.get('vendor-1')], [1, 2, 1, 2]);
});

slices('a healthy shop is not waited for', async () => {
  const never = createChecker(options({ pause: () => new Promise(() => {}) }));
  assert.equal((await never({ deep: true })).findings, []);
});

slices('a slice with a thousand suspects ends early', async () => {
  const endless = counting('aggregates', 5_000);
  const wrong: CheckerOptions['examine'] = (subject) => [
    finding('info', 'x', 'Wrong.', 'orderId' in subject ? subject.orderId : ''),
  ];
  const report = await createChecker(options({ phases: [endless], examine: wrong, clock: clockOf(0) }))({ deep: true });
  assert.is(report.findings.length, 1_000);
  assert.equal(report.next, { phase: 'aggregates', after: '1000' });
});

slices('one at a time: another is told to come back, but not after one that failed', async () => {
  const pause = gate<void>();
  const check = createChecker(
    options({
      examine: () => [finding('info', 'x', 'Wrong.')],
      pause: () => pause.promise.then(() => Promise.reject(new Error('the disk is gone'))),
    }),
  );
  const reasonOf = (checked: Promise<unknown>): Promise<Error> =>
    checked.then(
      () => new Error('nothing'),
      (error) => error,
    );
  const first = reasonOf(check({ deep: true }));
  assert.instance(await reasonOf(check({ deep: true })), Unavailable);
  pause.resolve();
  assert.is((await first).message, 'the disk is gone');
  assert.is((await reasonOf(check({ deep: true }))).message, 'the disk is gone');
});

slices.run();
