/** What nodes tell each other of what they hold of a log, before one of them goes on from where it ends. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CallFailed, CallTimedOut, LogUnreadable, NobodyServes } from '../../../actors/kernel/clusterPorts.ts';
import { type ComparedHoldings, compareHoldings, isHoldingsQuestion } from '../../../supervisors/cluster/holdings.ts';
import { until } from '../../support/broker.ts';
import { NO_FAULTS, simulateLogs, simulateTime } from '../../support/simulatedLog.ts';
import { recordOf } from '../../transport/sharedLogContract.ts';

const holdings = suite('holdings');

type Setup = {
  /** What the tables of this node hold. */
  readonly records: number;
  /** What is in the log. */
  readonly stored?: number;
  /** What the other node says. */
  readonly other?: () => unknown;
  /** Where the tables are once they have caught up. */
  readonly caughtUp?: () => Promise<number>;
  /** Where the log was read to. */
  readonly position?: number;
  readonly readable?: boolean;
  readonly parted?: boolean;
};

type World = {
  readonly compared: ComparedHoldings;
  readonly asked: unknown[];
  readonly lostAt: number[];
  readonly contact: { breaks: number; up: boolean };
};

async function compare(setup: Setup, run: (world: World) => Promise<void>): Promise<void> {
  const {
    records,
    stored = records,
    other,
    caughtUp = async () => records,
    readable = true,
    parted = false,
    position = 0,
  } = setup;
  const times = simulateTime();
  const logs = simulateLogs({ shards: 1, times, random: () => 0 });
  logs.faults(NO_FAULTS);
  const log = logs.node();
  const asked: unknown[] = [];
  const lostAt: number[] = [];
  const contact = { look: () => undefined, breaks: 0, up: true };
  let held = records;
  const world = async (): Promise<void> => {
    const claim = await log.claim(0, 'a');
    for (let n = 1; n <= stored; n++) await claim.append(recordOf(claim, n));
    const compared = compareHoldings({
      shard: 0,
      log,
      tables: { records: () => held },
      follower: {
        position,
        readable,
        parted,
        caughtUp: async () => {
          held = await caughtUp();
        },
        overwritten: (at) => void lostAt.push(at),
      },
      calls: {
        askNode: async (_, body) => {
          asked.push(body);
          return other?.();
        },
      },
      contact,
      others: () => (other ? ['b'] : []),
      clock: times,
      warn: () => undefined,
    });
    await run({ compared, asked, lostAt, contact });
  };
  await times.until(world());
}

/** As an append does. */
async function untilItMay(compared: ComparedHoldings, holds: () => boolean): Promise<void> {
  for (let asking = compared.beforeWriting(holds); asking; asking = compared.beforeWriting(holds)) await asking;
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

function failing(error: Error): () => never {
  return () => {
    throw error;
  };
}

holdings('a node that is alone has nobody to ask', async () => {
  await compare({ records: 3 }, async ({ compared }) => assert.ok(await compared.areInLog()));
});

holdings('what another node holds is in the log when this one has read as much of it', async () => {
  const setup = { records: 3, other: () => ({ records: 3 }) };
  await compare(setup, async ({ compared, asked }) => {
    assert.ok(await compared.areInLog());
    assert.equal(asked, [{ kind: 'holdings', shard: 0, records: 3 }]);
    assert.ok(asked.every(isHoldingsQuestion));
  });
});

holdings('what another node holds is in the log when this one finds it there', async () => {
  const setup = { records: 3, stored: 5, other: () => ({ records: 5 }), caughtUp: async () => 5 };
  await compare(setup, async ({ compared }) => assert.ok(await compared.areInLog()));
});

holdings('what another node holds is not in a log that ends before it, or that can not be read', async () => {
  const other = () => ({ records: 5 });
  await compare({ records: 3, other }, async ({ compared }) => assert.not(await compared.areInLog()));
  const unreadable = failing(new LogUnreadable('it ends before what this node holds', 'rewound'));
  const caughtUp = async (): Promise<number> => unreadable();
  await compare({ records: 3, other, caughtUp }, async ({ compared }) => assert.not(await compared.areInLog()));
});

holdings('a node that lives and says nothing may hold more; one that is gone or does not know, does not', async () => {
  for (const [error, isKnown] of [
    [new CallTimedOut('no answer'), false],
    [new CallFailed('no connection', { retryable: true }), false],
    [new CallFailed('nobody here knows this question'), true],
    [new NobodyServes('b'), true],
  ] as const) {
    const setup = { records: 3, other: failing(error) };
    await compare(setup, async ({ compared }) => assert.is(await compared.areInLog(), isKnown, error.message));
  }
});

holdings('a node that is asked by one that has read less looks whether the log has lost what it holds', async () => {
  await compare({ records: 3, stored: 2 }, async ({ compared, lostAt }) => {
    assert.is(compared.answer(3), 3);
    await turns();
    assert.equal(lostAt, []);
    assert.is(compared.answer(2), 3);
    await turns();
    assert.equal(lostAt, [4]);
  });
});

holdings('a node that others are ahead of looks whether it has passed over what was brought back', async () => {
  const setup = { records: 3, stored: 5, other: () => ({ records: 5 }) };
  await compare({ ...setup, position: 6 }, async ({ compared, lostAt }) => {
    assert.not(await compared.areInLog());
    await turns();
    assert.equal(lostAt, [7]);
  });
  await compare({ ...setup, position: 4 }, async ({ compared, lostAt }) => {
    assert.not(await compared.areInLog());
    await turns();
    assert.equal(lostAt, [], 'the rest is still to be read');
  });
});

holdings('what only one that lags behind has not read yet is no loss', async () => {
  await compare({ records: 3 }, async ({ compared, lostAt }) => {
    assert.is(compared.answer(1), 3);
    await turns();
    assert.equal(lostAt, []);
  });
});

holdings('an owner asks the others once after each break of contact before it writes', async () => {
  await compare({ records: 3, other: () => ({ records: 3 }) }, async ({ compared, asked, contact }) => {
    await compared.areInLog();
    assert.is(
      compared.beforeWriting(() => true),
      undefined,
    );
    contact.breaks += 1;
    await untilItMay(compared, () => true);
    assert.is(asked.length, 2);
    assert.is(
      compared.beforeWriting(() => true),
      undefined,
    );
  });
});

holdings(
  'an owner writes nothing while another node holds more than the log, and never once it is fenced',
  async () => {
    let others = 5;
    let holds = true;
    await compare({ records: 3, other: () => ({ records: others }) }, async ({ compared, asked, contact }) => {
      let outcome = 'waits';
      const ask = (): void => {
        contact.breaks += 1;
        outcome = 'waits';
        untilItMay(compared, () => holds).then(
          () => {
            outcome = 'writes';
          },
          (error: Error) => {
            outcome = error.name;
          },
        );
      };
      ask();
      await until('it has asked again', () => asked.length > 2);
      assert.is(outcome, 'waits');
      others = 3;
      await until('it is settled', () => outcome !== 'waits');
      assert.is(outcome, 'writes');
      others = 5;
      ask();
      holds = false;
      await until('it is settled', () => outcome !== 'waits');
      assert.is(outcome, 'Fenced');
    });
  },
);

holdings('a node whose tables have parted from the log holds nothing that could be brought back', async () => {
  await compare({ records: 3, stored: 2, parted: true }, async ({ compared }) => assert.is(compared.answer(2), 0));
});

holdings('an owner without contact waits for it, and asks the others then', async () => {
  const setup = { records: 3, other: () => ({ records: 3 }) };
  await compare(setup, async ({ compared, asked, contact }) => {
    await compared.areInLog();
    contact.up = false;
    const pending = untilItMay(compared, () => true);
    await turns();
    const before = asked.length;
    contact.up = true;
    contact.breaks += 1;
    await pending;
    assert.ok(asked.length > before, 'what was asked during the break proves nothing');
    assert.is(
      compared.beforeWriting(() => true),
      undefined,
    );
  });
});

holdings.run();
