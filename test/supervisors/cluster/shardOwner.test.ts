/** One shard's owner, with a log that answers when the test says so. */
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Claim, LogEntry, LogUnreadable, SharedLog } from '../../../actors/kernel/clusterPorts.ts';
import { type FollowedTables, type ShardTitle, titleAfter } from '../../../actors/kernel/followedTables.ts';
import { createSlots } from '../../../supervisors/cluster/pacing.ts';
import { ShardOwner } from '../../../supervisors/cluster/shardOwner.ts';

const owner = suite('shard owner');

/** Lets whatever follows from what was just done happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class MemoryTables implements FollowedTables {
  whole = true;
  #position = 0;
  #records = 0;
  #title: ShardTitle | undefined;

  position(): number {
    return this.#position;
  }

  records(): number {
    return this.#records;
  }

  isWhole(): boolean {
    return this.whole;
  }

  title(): ShardTitle | undefined {
    return this.#title;
  }

  apply(_shard: number, entry: LogEntry): void {
    this.#position = entry.position;
    if (entry.kind === 'own') this.#records = Math.max(this.#records, entry.n);
    this.#title = titleAfter(this.#title, entry);
  }
}

/** A log without entries, until it is claimed. */
class SlowLog implements SharedLog {
  /** Answers the questions for its end, in the order in which they were asked. */
  readonly questions: ((end: number) => void)[] = [];
  claims = 0;
  /** What it stores is lost before anybody reads it. */
  forgets = false;
  #follower: ((entry: LogEntry) => unknown) | undefined;

  async claim(_shard: number, node: string): Promise<Claim> {
    this.claims += 1;
    if (!this.forgets) void this.#follower?.({ kind: 'claim', position: 1, node });
    const nothing = (): never => {
      throw new Error('nobody appends here');
    };
    return { epoch: 1, append: nothing, bring: nothing, release: async () => undefined };
  }

  follow(_shard: number, _after: number, on: (entry: LogEntry) => unknown): { stop(): void } {
    this.#follower = on;
    return { stop: () => undefined };
  }

  tell(entry: LogEntry): void {
    void this.#follower?.(entry);
  }

  end(): Promise<number> {
    return new Promise((resolve) => this.questions.push(resolve));
  }

  begin(): Promise<number> {
    return Promise.resolve(1);
  }
}

type Started = {
  readonly shard: ShardOwner;
  readonly log: SlowLog;
  readonly contact: { breaks: number };
  /** Why the log could not be followed. */
  readonly unreadable: LogUnreadable[];
  readonly opened: number[];
  readonly later: (ms: number) => void;
};

/** @param held is what another node says that it holds */
function startOwner(tables = new MemoryTables(), held?: () => number | Promise<number>): Started {
  const log = new SlowLog();
  let now = 0;
  const contact = { look: () => undefined, up: true, breaks: 0 };
  const clock = { monotonic: () => now, delay: () => () => undefined };
  const unreadable: LogUnreadable[] = [];
  const opened: number[] = [];
  const shard = new ShardOwner(0, {
    me: 'a',
    log,
    calls: {
      async askNode() {
        if (!held) throw new Error('there is nobody to ask');
        return { records: await held() };
      },
    },
    tables,
    host: { open: (_, { epoch }) => void opened.push(epoch), close: async () => undefined },
    clock,
    random: () => 0,
    logger: pino({ level: 'silent' }),
    restore: (_, why) => {
      unreadable.push(why);
      return new Promise(() => undefined);
    },
    contact,
    moves: createSlots({ clock, size: 1, spacingMs: 0, expireMs: 1 }),
    wanted: () => 'a',
    leaving: () => false,
    alive: () => true,
    others: () => (held ? ['b'] : []),
    counts: { claims: 0, lost: 0, released: 0, received: 0 },
  });
  shard.start();
  const later = (ms: number): void => {
    now += ms;
  };
  return { shard, log, contact, unreadable, opened, later };
}

/** As after a process that had claimed the shard and appended two records. */
function holding(): MemoryTables {
  const tables = new MemoryTables();
  tables.apply(0, { kind: 'claim', position: 1, node: 'a' });
  for (const position of [2, 3]) tables.apply(0, { kind: 'own', position, epoch: 1, n: position - 1 });
  return tables;
}

owner('serves what it owns, although the log answered an older question last', async () => {
  const { shard, log, contact } = startOwner();
  contact.breaks = 1;
  shard.consider();
  const [older, newer] = log.questions;
  newer?.(0);
  await settle();
  older?.(0);
  await settle();
  shard.consider();
  log.questions[2]?.(1);
  await settle();
  assert.is(log.questions.length, 3, 'the third one is for the claim');
  assert.is(shard.phase, 'owning');
  assert.ok(shard.mayServe, 'it knows since the newer answer that nobody else has claimed the shard');
  await shard.stop();
});

owner('does not claim a log that ends before what this node holds of it', async () => {
  const { shard, log, unreadable, opened } = startOwner(holding());
  log.questions[0]?.(2);
  await settle();
  shard.consider();
  assert.equal(
    unreadable.map(({ reason }) => reason),
    ['rewound'],
  );
  assert.is(shard.phase, 'following');
  assert.is(log.claims, 0);
  assert.equal(opened, []);
  await shard.stop();
});

owner('does not claim a log that lost its end once more while this node read it anew', async () => {
  const tables = holding();
  tables.whole = false;
  const { shard, log, unreadable } = startOwner(tables);
  log.questions[0]?.(3);
  await settle();
  shard.consider();
  assert.equal(
    unreadable.map(({ reason }) => reason),
    ['rewound'],
  );
  assert.is(log.claims, 0);
  await shard.stop();
});

owner('claims once all that it holds was read anew', async () => {
  const tables = holding();
  tables.whole = false;
  const { shard, log, unreadable } = startOwner(tables);
  log.questions[0]?.(5);
  await settle();
  shard.consider();
  assert.is(log.claims, 0, 'the rest is still to be read');
  assert.equal(unreadable, []);
  tables.whole = true;
  for (const position of [4, 5]) log.tell({ kind: 'own', position, epoch: 1, n: position - 3 });
  await settle();
  shard.consider();
  await settle();
  assert.is(log.claims, 1);
  await shard.stop();
});

owner('does not claim a log that has lost what another node holds, before that one has brought it back', async () => {
  let held = 3;
  const { shard, log, later } = startOwner(holding(), () => held);
  log.questions[0]?.(3);
  await settle();
  log.questions[1]?.(3);
  await settle();
  assert.is(log.claims, 0);
  held = 2;
  shard.consider();
  await settle();
  assert.is(log.claims, 0, 'it waits before it asks again');
  later(10_000);
  shard.consider();
  await settle();
  assert.is(log.claims, 1);
  await shard.stop();
});

owner('claims again what it had claimed, when the log has lost the claim before it was read', async () => {
  const { shard, log, opened, later } = startOwner();
  log.forgets = true;
  log.questions[0]?.(0);
  await settle();
  assert.is(shard.phase, 'claiming');
  log.forgets = false;
  log.questions[1]?.(0);
  await settle();
  later(60_000);
  log.questions[2]?.(0);
  await settle();
  shard.consider();
  await settle();
  assert.is(log.claims, 2);
  log.questions[3]?.(1);
  await settle();
  assert.equal(opened, [1]);
  await shard.stop();
});

owner('does not claim when somebody else has, while it asked what the others hold', async () => {
  let answer: (records: number) => void = () => undefined;
  const { shard, log } = startOwner(holding(), () => new Promise<number>((resolve) => (answer = resolve)));
  log.questions[0]?.(3);
  await settle();
  log.tell({ kind: 'claim', position: 4, node: 'b' });
  answer(2);
  await settle();
  assert.is(log.claims, 0);
  await shard.stop();
});

owner('does not decide under a claim that stands where this node holds something else', async () => {
  const { shard, log, unreadable, opened } = startOwner(holding());
  // Its end is lost after it was asked for.
  log.questions[0]?.(3);
  await settle();
  assert.is(log.claims, 1);
  shard.consider();
  await settle();
  assert.equal(opened, []);
  assert.equal(
    unreadable.map(({ reason }) => reason),
    ['rewound'],
  );
  await shard.stop();
});

owner.run();
