/**
 * The messages that were given up and what operators did about them: written with the commits that say so, read by the
 * operators. A letter is named by a hash of its message's id, which is fit for an address and stays the same if the
 * message is given up again.
 */
import { createHash } from 'node:crypto';
import type { AddressKey } from '../actors/kernel/address.ts';
import type { Commit, DeadLetter, Envelope, MessageId, Repair } from '../actors/kernel/message.ts';
import type { Db } from './database.ts';

export type StoredDeadLetter = {
  readonly id: string;
  /** Who could not handle it. */
  readonly key: AddressKey;
  /** When it was given up, the last time. */
  readonly at: number;
  /** Of all its deliveries. */
  readonly attempts: number;
  readonly reason: string;
  readonly envelope: Envelope;
};

export type StoredRepair = {
  /** Orders the repairs; later ones are greater. */
  readonly position: number;
  readonly at: number;
  readonly kind: Repair['kind'];
  readonly key: AddressKey;
  readonly by: string | null;
  readonly why: string | null;
  /** Of a letter: its id, the type of its message, why it had been given up and after how many attempts. */
  readonly letter: string | null;
  readonly type: string | null;
  readonly reason: string | null;
  readonly attempts: number | null;
};

export type LetterQuery = {
  readonly limit: number;
  /** The last letter of the page before. */
  readonly after?: { readonly at: number; readonly id: string };
  /** Of the message, exactly. */
  readonly type?: string;
  /** Any part of the reason. */
  readonly reason?: string;
};

export interface DeadLetters {
  /** Newest first. */
  page(query: LetterQuery): readonly StoredDeadLetter[];
  find(id: string): StoredDeadLetter | undefined;
  count(): number;
  /** Where to ask about a letter, also if it is one no more; undefined if there never was one. */
  owner(id: string): { readonly key: AddressKey; readonly messageId: MessageId } | undefined;
  /** What was done about a letter, oldest first. */
  repairsOf(id: string): readonly StoredRepair[];
  /** Everything that was done, newest first, before the given position. */
  repairs(before: number, limit: number): readonly StoredRepair[];
}

const ID_LENGTH = 26;

function letterId(message: MessageId): string {
  return `dlt_${createHash('sha256').update(message).digest('base64url').slice(0, ID_LENGTH)}`;
}

/** Runs within the transaction that applies a record. */
export function createLetterWriter(db: Db) {
  const insert = db.prepare('INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM dead_letters WHERE id = ?');
  const insertSeen = db.prepare('INSERT INTO seen VALUES (?, ?)');
  const insertRepair = db.prepare('INSERT INTO repairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return {
    put({ key, at }: Commit, { envelope, attempts, reason }: DeadLetter): void {
      const { id, message } = envelope;
      insert.run(letterId(id), key, at, attempts, message.type, reason, JSON.stringify(envelope));
    },
    repaired({ key, at, by }: Commit, repair: Repair, position: number): void {
      const head = [position, at, repair.kind, key, by ?? null, repair.why ?? null];
      if (repair.kind === 'lift-quarantine') {
        insertRepair.run(...head, null, null, null, null, null);
        return;
      }
      const { envelope, reason, attempts } = repair.letter;
      const id = letterId(envelope.id);
      remove.run(id);
      // Whoever asks whether the message was answered finds the repair, not the commit that gave it up.
      insertSeen.run(envelope.id, position);
      insertRepair.run(...head, id, envelope.id, envelope.message.type, reason, attempts);
    },
  };
}

type LetterRow = Omit<StoredDeadLetter, 'envelope'> & { readonly envelope: string };

export function createDeadLetters(db: Db): DeadLetters {
  const page = db.prepare<object, LetterRow>(
    `SELECT id, key, at, attempts, reason, envelope FROM dead_letters
     WHERE (at, id) < (@at, @id) AND (@type IS NULL OR type = @type)
       AND (@reason IS NULL OR instr(lower(reason), lower(@reason)) > 0)
     ORDER BY at DESC, id DESC LIMIT @limit`,
  );
  const find = db.prepare<[string], LetterRow>(
    'SELECT id, key, at, attempts, reason, envelope FROM dead_letters WHERE id = ?',
  );
  const count = db.prepare<[], number>('SELECT count(*) FROM dead_letters').pluck();
  const columns = 'position, at, kind, key, by, why, letter, type, reason, attempts';
  const repairsOf = db.prepare<[string], StoredRepair>(
    `SELECT ${columns} FROM repairs WHERE letter = ? ORDER BY position`,
  );
  const repairs = db.prepare<[number, number], StoredRepair>(
    `SELECT ${columns} FROM repairs WHERE position < ? ORDER BY position DESC LIMIT ?`,
  );
  const repaired = db.prepare<[string], { key: AddressKey; messageId: MessageId }>(
    'SELECT key, message AS messageId FROM repairs WHERE letter = ? LIMIT 1',
  );
  const letterOf = ({ envelope, ...row }: LetterRow): StoredDeadLetter => ({
    ...row,
    envelope: JSON.parse(envelope) as Envelope,
  });
  return {
    page: ({ limit, after, type = null, reason = null }) =>
      page
        .all({ limit, type, reason, at: after?.at ?? Number.MAX_SAFE_INTEGER, id: after?.id ?? '' })
        .map((row) => letterOf(row)),
    find(id) {
      const row = find.get(id);
      return row && letterOf(row);
    },
    count: () => count.get() ?? 0,
    owner(id) {
      const row = find.get(id);
      if (row) return { key: row.key, messageId: letterOf(row).envelope.id };
      return repaired.get(id);
    },
    repairsOf: (id) => repairsOf.all(id),
    repairs: (before, limit) => repairs.all(before, limit),
  };
}
