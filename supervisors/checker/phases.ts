/** What a check looks at, one phase after the other: what waits, the log itself, the aggregates, the messages. */
import { finding, GRACE_MS } from '../../actors/checks/finding.ts';
import type { InventoryState } from '../../actors/inventoryItem/state.ts';
import { type AddressKey, parseAddressKey } from '../../actors/kernel/address.ts';
import type { ShardStore, Snapshot } from '../../actors/kernel/ports.ts';
import type { AuditReader } from '../../storage/auditReader.ts';
import type { DeadLetters } from '../../storage/deadLetters.ts';
import type { AuditLog } from '../../storage/verifyLog.ts';
import { type AnyDecider, restore, snapshotOf } from '../memory.ts';
import type { Quarantined } from '../quarantine.ts';
import type { Reconcile } from '../reconcile.ts';
import type { Phase, Session } from './checker.ts';
import { type Facts, Unreadable } from './facts.ts';
import { LATE_MESSAGE_MS, orderOf } from './subjects.ts';

export type PhasesOptions = {
  readonly reader: AuditReader;
  readonly store: Pick<ShardStore, 'load'>;
  readonly facts: Facts;
  readonly deciders: Readonly<Record<string, AnyDecider>>;
  readonly letters: DeadLetters;
  readonly quarantined: () => readonly Quarantined[];
  readonly auditLog: () => AuditLog;
  readonly reconcile: Reconcile;
  readonly now: () => number;
};

const PAGE = 200;
const VENDOR_PAGE = 50;
/** Without `deep`: the newest so many records and commits, and the snapshots over so few commits. */
const RECENT_RECORDS = 10_000;
const RECENT_COMMITS = 20_000;
const SHORT_HISTORY = 1_000;
const MAX_OVERDUE = 1_000;

export const phaseNames = ['waiting', 'repairs', 'log', 'aggregates', 'messages', 'vendor'] as const;

export function createPhases(options: PhasesOptions): readonly Phase[] {
  return [
    waitingMessages(options),
    repairs(options),
    log(options),
    aggregates(options),
    messages(options),
    vendor(options),
  ];
}

/** The outbox: what has been there too long, or nobody has sent. */
function waitingMessages({ reader, now }: PhasesOptions): Phase {
  return {
    name: 'waiting',
    start: () => '',
    async step(after, session) {
      const page = reader.waiting(after, PAGE);
      session.count('waiting', page.length);
      for (const { id, sent } of page) {
        if (!sent) {
          const text = 'It waits to be sent, but no commit has it: the node will not start. Restore a backup.';
          session.report(finding('critical', 'message.of-nobody', text, id));
        } else if (sent.at < now() - LATE_MESSAGE_MS) {
          session.examine({ kind: 'late-message', envelope: sent.envelope, since: sent.at });
        }
      }
      return page.length < PAGE ? undefined : page.at(-1)?.id;
    },
  };
}

/** What an operator has to see to: timers that don't fire, letters, quarantines. */
function repairs({ reader, letters, quarantined, now }: PhasesOptions): Phase {
  return {
    name: 'repairs',
    start: () => '',
    async step(after, session) {
      if (after === '') {
        for (const { key, name } of reader.overdue(now() - GRACE_MS, MAX_OVERDUE)) {
          session.examine({ kind: 'late-timer', key, name });
        }
        for (const { key, reason, until } of quarantined()) {
          const text = `It crashed again and again (${reason}) and gets no messages until ${new Date(until).toISOString()}.`;
          session.report(finding('warning', 'actor.quarantined', text, key));
        }
      }
      const page = letters.page({ limit: PAGE, ...(after !== '' && { after: letterPlace(after) }) });
      for (const { id, key, reason, envelope } of page) {
        const text = `${envelope.message.type} could not be handled: ${reason}. Requeue or discard it.`;
        session.report(finding('warning', 'dead-letter', text, id, key));
      }
      const last = page.length < PAGE ? undefined : page.at(-1);
      return last && `${last.at} ${last.id}`;
    },
  };
}

function letterPlace(after: string): { readonly at: number; readonly id: string } {
  const [at, id = ''] = after.split(' ');
  return { at: Number(at), id };
}

/** The chain of hashes: what is stored is what was stored. */
function log({ reader, auditLog }: PhasesOptions): Phase {
  // It remembers the record before; only good for whoever goes on right there.
  let audit: AuditLog | undefined;
  let place: string | undefined;
  return {
    name: 'log',
    start: (deep) => String(deep ? 0 : Math.max(0, reader.lastRecord() - RECENT_RECORDS)),
    async step(after, session) {
      if (!audit || place !== after) audit = auditLog();
      const page = audit(Number(after), PAGE);
      session.count('records', page.records);
      for (const { shard, n, problem } of page.findings) {
        const ids = shard === undefined ? [] : [`shard-${shard}`, ...(n === undefined ? [] : [`record-${n}`])];
        const text = `The log was changed: ${problem}. Restore a backup, and find out who did it.`;
        session.report(finding('critical', 'log.broken', text, ...ids));
      }
      place = page.last === undefined ? undefined : String(page.last);
      return place;
    },
  };
}

function aggregates(options: PhasesOptions): Phase {
  const { reader, facts } = options;
  return {
    name: 'aggregates',
    start: () => '',
    async step(after, session) {
      const key = reader.nextKey(after);
      if (key === undefined) return undefined;
      session.count('aggregates');
      session.examine({ kind: 'aggregate', key });
      const orderId = orderOf(key, reader);
      if (orderId !== undefined) {
        session.count('orders');
        session.examine({ kind: 'order', orderId });
      }
      for (const reservationId of reservationsOf(facts, key)) {
        session.count('reservations');
        session.examine({ kind: 'reservation', key, reservationId });
        await session.breathe();
      }
      await checkSnapshot(options, key, session);
      return key;
    },
  };
}

function reservationsOf(facts: Facts, key: AddressKey): string[] {
  const address = parseAddressKey(key);
  if (address.type !== 'stock') return [];
  try {
    const { reservations, backorders } = facts.state<InventoryState>(address);
    const live = Object.values(reservations).flatMap((bucket) => Object.keys(bucket));
    return [...live, ...backorders.map(({ reservationId }) => reservationId)];
  } catch (error) {
    if (error instanceof Unreadable) return [];
    throw error;
  }
}

/** The log doesn't change, so this may take many turns. */
async function checkSnapshot(
  { reader, store, deciders }: PhasesOptions,
  key: AddressKey,
  session: Session,
): Promise<void> {
  const { type, id } = parseAddressKey(key);
  const decider = deciders[type];
  if (!decider) return;
  const { snapshot } = store.load(key, decider.stateVersion ?? 1);
  if (!snapshot || (!session.deep && snapshot.seq > SHORT_HISTORY)) return;
  session.count('snapshots');
  try {
    const replayed = await replay(reader, decider, { key, id }, snapshot.seq, session);
    if (sameSnapshot(replayed, snapshot)) return;
    const text = `Its snapshot at commit ${snapshot.seq} is not what its history gives. Delete the snapshot.`;
    session.report(finding('critical', 'snapshot.differs', text, key));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    session.report(finding('critical', 'aggregate.unreadable', `Its history cannot be replayed: ${reason}.`, key));
  }
}

async function replay(
  reader: AuditReader,
  decider: AnyDecider,
  { key, id }: { readonly key: AddressKey; readonly id: string },
  upTo: number,
  session: Session,
): Promise<Snapshot> {
  let memory = restore(decider, id, { commits: [] }, []);
  while (memory.seq < upTo) {
    const commits = reader.history(key, memory.seq, Math.min(PAGE, upTo - memory.seq));
    if (commits.length === 0) throw new Error(`commit ${memory.seq + 1} is missing`);
    const { state, version, seq, timers } = memory;
    const so = { key, seq, version, stateVersion: 0, state, timers: [...timers.values()] };
    memory = restore(decider, id, { snapshot: so, commits }, []);
    await session.breathe();
  }
  return snapshotOf(key, decider, memory);
}

function sameSnapshot(replayed: Snapshot, stored: Snapshot): boolean {
  const comparable = ({ version, state, timers }: Snapshot) =>
    JSON.stringify([version, state, [...timers].sort((a, b) => (a.name < b.name ? -1 : 1))]);
  return comparable(replayed) === comparable(stored);
}

/** Every message that was sent is answered or waits. */
function messages({ reader }: PhasesOptions): Phase {
  return {
    name: 'messages',
    start: (deep) => String(deep ? 0 : Math.max(0, reader.lastPosition() - RECENT_COMMITS)),
    async step(after, session) {
      const page = reader.commits(Number(after), PAGE);
      for (const { commit } of page) {
        for (const envelope of commit.sends) {
          session.count('messages');
          session.examine({ kind: 'message', envelope });
        }
        await session.breathe();
      }
      return page.length < PAGE ? undefined : String(page.at(-1)?.position);
    },
  };
}

/** What the payment vendor knows of our customers' money. */
function vendor({ reconcile }: PhasesOptions): Phase {
  return {
    name: 'vendor',
    start: () => '',
    async step(after, session) {
      const page = { limit: VENDOR_PAGE, ...(after !== '' && { after }) };
      const { findings, examined, next } = await reconcile(page).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        session.report(finding('critical', 'payment.not-compared', `The vendor's books could not be read: ${reason}.`));
        return { findings: [], examined: 0, next: null };
      });
      session.count('payments', examined);
      for (const { code, severity, orderId, key, ours, vendors } of findings) {
        const amounts = [ours && `ours ${ours.amount}`, vendors && `theirs ${vendors.amount}`]
          .filter(Boolean)
          .join(', ');
        const text = `Our books and the payment vendor's differ${amounts === '' ? '' : ` (${amounts})`}: ${code}.`;
        session.report(finding(severity, `payment.${code}`, text, orderId, ...(key === undefined ? [] : [key])));
      }
      return next ?? undefined;
    },
  };
}
