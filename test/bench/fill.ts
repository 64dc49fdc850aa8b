/**
 * Fills a closed store with delivered orders, fast: clones of one real order's commits (order, saga, payment, shipment,
 * and its customer's list) under new ids, through the storage layer's own codec and log, so that every record has its
 * place and its hash in its shard. Left out: the stock items' commits, which belong to items shared by all orders, and the
 * simulated payment vendor's books.
 */
import { randomBytes } from 'node:crypto';
import { bodyOf } from '../../actors/ids.ts';
import { type AddressKey, addressKey, parseAddressKey } from '../../actors/kernel/address.ts';
import type { Decider, Typed, Versioned } from '../../actors/kernel/decider.ts';
import type { Commit } from '../../actors/kernel/message.ts';
import type { ShardHead, ShardLog } from '../../actors/kernel/ports.ts';
import { shop } from '../../actors/shop.ts';
import { type Db, openDatabase, readMeta } from '../../storage/database.ts';
import { openEmbeddedStore } from '../../storage/embeddedStore.ts';
import { type CommitColumns, decodeCommit, encodeRecord, GENESIS_HASH } from '../../storage/recordCodec.ts';
import { createShardStore } from '../../storage/shardStore.ts';
import { openFollowers } from '../../supervisors/followers.ts';
import { shardOf } from '../../supervisors/placement.ts';
import type { Delivered } from './catalog.ts';
import { databasePath } from './server.ts';

/** Orders of one transaction. */
const GROUP = 1_000;
const CHECKPOINT_PAGES = 50_000;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ID_LENGTH = 26;
const ORDERED_DIGITS = 8;

/** The server whose store this was has filled them. */
const NO_FILLING = { progress: () => {}, skipped: () => {} };

type ShardTail = { head: ShardHead; commits: Commit[]; bodies: string[] };

export type Filled = { readonly commitsPerOrder: number; readonly orderIds: readonly string[] };

/** Returns some of the new orders' ids, to look at. */
export async function fillStore(
  folder: string,
  pattern: Delivered,
  count: number,
  progress: (done: number) => void,
): Promise<Filled> {
  const db = openDatabase(databasePath(folder));
  // Only for the filling: the server opens the file with fsync again.
  db.pragma('synchronous = OFF');
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  const rows = patternRows(db, pattern);
  const { log, tables } = openEmbeddedStore(db, {
    following: openFollowers(db, NO_FILLING),
    logger: { error: (fields, text) => console.error(text, fields) },
  });
  const shards = openTails(db);
  const orderIds: string[] = [];
  for (let done = 0; done < count; done += GROUP) {
    const end = Math.min(count, done + GROUP);
    for (let index = done; index < end; index++) {
      const body = idBody(index / count);
      if (index % Math.ceil(count / 20) === 0) orderIds.push(`ord_${body}`);
      addClone(shards, rows, pattern, body, `gst_${idBody(index / count)}`);
    }
    await Promise.all(shards.map((tail, shard) => append(log, shard, tail)));
    tables.catchUp();
    progress(end);
  }
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return { commitsPerOrder: rows.length, orderIds };
}

function patternRows(db: Db, { orderId, customerId }: Delivered): readonly CommitColumns[] {
  const rows = db
    .prepare<[string, string], CommitColumns>(
      `SELECT key, seq, version, cause, at, body FROM commits WHERE key LIKE '%' || ? || '%' OR key = ? ORDER BY position`,
    )
    .all(bodyOf(orderId), addressKey({ type: 'customer-orders', id: customerId }));
  const types = new Set(rows.map(({ key }) => parseAddressKey(key as AddressKey).type));
  for (const type of ['order', 'order-saga', 'payment', 'shipment', 'customer-orders']) {
    if (!types.has(type)) throw new Error(`the pattern order has no commit of ${type}`);
  }
  return rows;
}

function openTails(db: Db): ShardTail[] {
  const store = createShardStore(db);
  const shards = Number(readMeta(db, 'shards'));
  const genesis: ShardHead = { epoch: 1, n: 0, hash: GENESIS_HASH, inboxOffset: 0 };
  return Array.from({ length: shards }, (_, shard) => ({
    head: store.head(shard) ?? genesis,
    commits: [],
    bodies: [],
  }));
}

const deciders = shop as unknown as Readonly<Record<string, Decider<unknown, Typed, Versioned, unknown>>>;

function addClone(
  shards: readonly ShardTail[],
  rows: readonly CommitColumns[],
  pattern: Delivered,
  body: string,
  customerId: string,
): void {
  const old = bodyOf(pattern.orderId);
  const renamed = (text: string): string => text.replaceAll(old, body).replaceAll(pattern.customerId, customerId);
  for (const row of rows) {
    const key = renamed(row.key) as AddressKey;
    // What came from the edge or from a stock item doesn't name the order: no two commits may have the same cause.
    const cause = row.cause.includes(old) ? renamed(row.cause) : `${row.cause}@${body}`;
    const columns = { ...row, key, cause, body: renamed(row.body) };
    const { type, id } = parseAddressKey(key);
    const tail = shards[shardOf(deciders[type]?.partitionKey(id) ?? '', shards.length)];
    tail?.commits.push(decodeCommit(columns));
    tail?.bodies.push(columns.body);
  }
}

async function append(log: ShardLog, shard: number, tail: ShardTail): Promise<void> {
  const { head, commits, bodies } = tail;
  const last = commits.at(-1);
  if (last === undefined) return;
  // Everything an order had sent was answered long ago; what is answered in the same record says so by itself.
  const answered = new Set(commits.map(({ cause }) => cause));
  const acked = commits.flatMap(({ sends }) => sends.map(({ id }) => id)).filter((id) => !answered.has(id));
  const { epoch, inboxOffset, hash } = head;
  const n = head.n + 1;
  const record = encodeRecord(
    { schema: 1, shard, epoch, n, prevHash: hash, at: last.at, inboxOffset, commits, acked },
    bodies,
    [],
  );
  await log.append(record);
  tail.head = { ...head, n, hash: record.hash };
  tail.commits = [];
  tail.bodies = [];
}

/** Like the ids that requests get, all over the key space, but in ascending order: that fills the indexes faster. */
function idBody(share: number): string {
  let rest = Math.floor(share * ALPHABET.length ** ORDERED_DIGITS);
  let digits = '';
  for (let digit = 0; digit < ORDERED_DIGITS; digit++) {
    digits = (ALPHABET[rest % ALPHABET.length] ?? '') + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  const random = randomBytes(ID_LENGTH - ORDERED_DIGITS);
  return digits + Array.from(random, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
