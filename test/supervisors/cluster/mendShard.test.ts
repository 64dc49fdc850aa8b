/** A log that its broker has lost the end of, brought back from one node's copy, and followed by another one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Claim, LogUnreadable, type SharedLog } from '../../../actors/kernel/clusterPorts.ts';
import type { EncodedRecord } from '../../../actors/kernel/ports.ts';
import { type Db, openDatabase } from '../../../storage/database.ts';
import { createLocalCopy, type LocalCopy } from '../../../storage/localCopy.ts';
import { createTables } from '../../../storage/tables.ts';
import { createMending, type MendShard } from '../../../supervisors/cluster/mendShard.ts';
import { commit, record } from '../../storage/shardLogContract.ts';
import { until } from '../../support/broker.ts';
import { type SimulatedLogs, type SimulatedTime, simulateLogs, simulateTime } from '../../support/simulatedLog.ts';
import { wholeLog } from '../../transport/sharedLogContract.ts';

const mending = suite('mending');

type Context = { folder: string; times: SimulatedTime; logs: SimulatedLogs; dbs: Db[] };
type Copying = { readonly copy: LocalCopy; readonly log: SharedLog; readonly mend: MendShard };

const LOST = new LogUnreadable('the log ends before what this node holds', 'rewound');

async function within(run: (context: Context) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mending-'));
  const times = simulateTime();
  const context: Context = { folder, times, logs: simulateLogs({ shards: 1, times, random: () => 0 }), dbs: [] };
  try {
    await times.until(run(context));
  } finally {
    for (const db of context.dbs) db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function open({ folder, times, logs, dbs }: Context, me: string): Copying {
  const db = openDatabase(join(folder, `${me}.sqlite`));
  dbs.push(db);
  const troubled = (error: unknown): void => assert.unreachable(String(error));
  const tables = createTables(db, { projections: [], failPoint: () => {}, skipped: troubled, troubled });
  const copy = createLocalCopy(db, { projections: [], tables, eager: new Set(), skipped: troubled, troubled });
  const log = logs.node();
  const mend = createMending({
    me,
    db,
    log,
    inbox: { put: async () => undefined },
    copy,
    isOpen: () => false,
    placementOf: () => 0,
    clock: times,
    random: () => 0,
    logger: pino({ level: 'silent' }),
  });
  return { copy, log, mend };
}

/** A record with the inbox answered up to its own number. */
function recordAfter({ epoch }: Claim, before: EncodedRecord | undefined): EncodedRecord {
  const n = (before?.record.n ?? 0) + 1;
  const chained = before === undefined ? {} : { prevHash: before.hash };
  return record([commit('1/a', n)], { n, epoch, inboxOffset: n, ...chained });
}

/** Follows the log to its end, as another node would. */
async function followAll({ copy, log }: Copying): Promise<void> {
  const end = await log.end(0);
  const following = log.follow(0, copy.position(0), (entry) => copy.apply(0, entry));
  await until('the log was followed', () => copy.position(0) >= end);
  following.stop();
}

async function ownAndLose(context: Context, owner: Copying, records: number): Promise<void> {
  const claim = await owner.log.claim(0, 'a');
  owner.copy.apply(0, { kind: 'claim', position: claim.epoch, node: 'a' });
  let newest: EncodedRecord | undefined;
  for (let n = 1; n <= records; n++) {
    newest = recordAfter(claim, newest);
    owner.copy.own(0, await claim.append(newest), newest);
  }
  context.logs.loseTail(0, records + 1);
}

mending('what the log has lost is brought back, and its followers hold the same', async () => {
  await within(async (context) => {
    const [owner, other] = [open(context, 'a'), open(context, 'b')];
    await ownAndLose(context, owner, 3);
    await owner.mend(0, LOST);
    const entries = await wholeLog(other.log);
    assert.equal(
      entries.flatMap((entry) => (entry.kind === 'record' ? [entry.record.record.n] : [])),
      [1, 2, 3],
    );
    await followAll(other);
    assert.equal(other.copy.store.head(0)?.hash, owner.copy.store.head(0)?.hash);
  });
});

mending(
  'what was brought tells nobody how far the inbox is answered, though the lost claim had the same place',
  async () => {
    await within(async (context) => {
      const [owner, other] = [open(context, 'a'), open(context, 'b')];
      await ownAndLose(context, owner, 3);
      await owner.mend(0, LOST);
      await followAll(other);
      await followAll(owner);
      assert.is(other.copy.records(0), 3);
      assert.is(other.copy.answered(0), 0);
      assert.is(owner.copy.answered(0), 0);
    });
  },
);

mending.run();
