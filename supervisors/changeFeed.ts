/**
 * What customers follow: each change of what is theirs once, in order per cart and order, on whichever node they listen.
 * A follower holds a place and reads on in the tables when there is something new and its reader has room: nothing waits
 * in memory, however slow somebody is.
 */
import { type CartEvent, type CartState, cartDecider } from '../actors/cart.ts';
import { type Change, cartChanges, orderChanges } from '../actors/changes.ts';
import { parseAddressKey } from '../actors/kernel/address.ts';
import type { Commit } from '../actors/kernel/message.ts';
import { type OrderEvent, type OrderState, orderDecider } from '../actors/order.ts';
import type { Db } from '../storage/database.ts';
import type { Feed, FeedRow } from '../storage/feed.ts';
import { createFolding } from '../storage/folding.ts';
import { decodePlace, encodePlace, type FeedPlace } from './feedCursor.ts';

/** Commits that are read at once. */
const PAGE = 50;

export type Told = {
  /** Whoever goes on after this one gets all that comes after it, and nothing twice. */
  readonly cursor: string;
  readonly change: Change;
};

export interface Follower {
  /** What comes next; empty when there is nothing now. */
  next(): readonly Told[];
  /** Where it is, all taken into account that isn't its owner's: a place that stays fresh while nothing happens. */
  cursor(): string;
  stop(): void;
}

export type FollowFrom = {
  /** A cursor of any node. Without one it begins now. */
  readonly after?: string | undefined;
  /** There is something new, perhaps. */
  readonly wake: () => void;
};

export type ChangeFeed = {
  /**
   * `isReset`: the place is no longer, or never was, one to go on from: it begins now.
   * @throws Unavailable when it is ahead of this node, which can't find out how far the others are
   */
  follow(owner: string, from: FollowFrom): Promise<{ readonly follower: Follower; readonly isReset: boolean }>;
};

export type ChangeFeedOptions = {
  /** As the tables are. */
  readonly db: Db;
  readonly feed: Feed;
  readonly shards: number;
  /** Resolves once the tables hold everything that is durable anywhere. @throws Unavailable */
  readonly upToDate: () => Promise<void>;
};

export function createChangeFeed({ db, feed, shards, upToDate }: ChangeFeedOptions): ChangeFeed {
  const changesOf = createChangeReader(db);
  const heads = (): number[] => Array.from({ length: shards }, (_, shard) => feed.heads[shard] ?? 0);
  const isAhead = ({ seen }: FeedPlace): boolean => seen.some((n, shard) => n > (feed.heads[shard] ?? 0));
  const isTooOld = ({ seen }: FeedPlace): boolean => seen.some((n, shard) => n < (feed.floors[shard] ?? 0));

  /** Undefined when nobody can go on from there. */
  async function placeOf(cursor: string): Promise<FeedPlace | undefined> {
    const place = decodePlace(cursor, shards);
    if (!place) return undefined;
    if (isAhead(place)) await upToDate();
    return isAhead(place) || isTooOld(place) ? undefined : place;
  }

  return {
    async follow(owner, { after, wake }) {
      const known = after === undefined ? undefined : await placeOf(after);
      const now = { place: { seen: heads(), parts: new Map() }, position: feed.position };
      const follower = createFollower({
        ...(known ? { place: known, position: 0 } : now),
        owner,
        feed,
        heads,
        changesOf,
        stop: feed.watch(owner, wake),
      });
      return { follower, isReset: after !== undefined && known === undefined };
    },
  };
}

type FollowerOptions = {
  readonly owner: string;
  readonly feed: Pick<Feed, 'after' | 'position'>;
  readonly heads: () => number[];
  readonly changesOf: (commit: Commit) => readonly Change[];
  readonly place: FeedPlace;
  /** In this node's tables: what stands there or before was told, as far as it wasn't before `place`. */
  readonly position: number;
  readonly stop: () => void;
};

function createFollower({ owner, feed, heads, changesOf, stop, ...from }: FollowerOptions): Follower {
  let { place, position } = from;

  function tell(row: FeedRow): Told[] {
    const told = toldOf(place, row);
    if (told === undefined) return [];
    const { shard, n, index } = row;
    const { seen, parts } = place;
    const changes = changesOf(row.commit);
    const placeAfter = (count: number): FeedPlace => ({
      seen: seen.with(shard, n - 1),
      parts: new Map(parts).set(shard, { commit: index, changes: count }),
    });
    place = placeAfter(changes.length);
    return changes.slice(told).map((change, offset) => ({
      cursor: encodePlace(placeAfter(told + offset + 1)),
      change,
    }));
  }

  /** Everything of its owner's that is in the tables was told. */
  function moveToEnd(): void {
    const { seen, parts } = place;
    // Never before the place: it was none that is ahead of this node.
    const end = heads();
    const open = [...parts].filter(([shard]) => end[shard] === seen[shard]);
    place = { seen: end, parts: new Map(open) };
    position = feed.position;
  }

  return {
    next() {
      for (;;) {
        const rows = feed.after(owner, position, PAGE);
        const told = rows.flatMap(tell);
        position = rows.at(-1)?.position ?? position;
        if (rows.length < PAGE) moveToEnd();
        // A page may hold nothing that wasn't told.
        if (told.length > 0 || rows.length < PAGE) return told;
      }
    },
    cursor() {
      if (feed.after(owner, position, 1).length === 0) moveToEnd();
      return encodePlace(place);
    },
    stop,
  };
}

/** How many changes of this commit were told before; undefined when all of them were. */
function toldOf({ seen, parts }: FeedPlace, { shard, n, index }: FeedRow): number | undefined {
  const next = (seen[shard] ?? 0) + 1;
  const part = parts.get(shard);
  if (n !== next || part === undefined) return n >= next ? 0 : undefined;
  if (index !== part.commit) return index > part.commit ? 0 : undefined;
  return part.changes;
}

function createChangeReader(db: Db): (commit: Commit) => readonly Change[] {
  const carts = createFolding<CartState, CartEvent>(db, cartDecider);
  const orders = createFolding<OrderState, OrderEvent>(db, orderDecider);
  return (commit) => {
    const { version, at } = commit;
    if (parseAddressKey(commit.key).type === 'cart') return cartChanges(carts.fold(commit).after, { version, at });
    const { before, after } = orders.fold(commit);
    return orderChanges(commit.events as readonly OrderEvent[], before, after, { version, at });
  };
}
