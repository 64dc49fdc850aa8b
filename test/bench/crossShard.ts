/**
 * How long messages between shards take: from the decision that sends one to the decision that answers it, so with the
 * sender's append, the way, and the receiver's queue. Read from a node's copy of all logs after the load has ended; the
 * times are those of commits, in whole ms, and of one machine.
 */
import { sentId } from '../../actors/kernel/message.ts';
import { openDatabase } from '../../storage/database.ts';
import { createLatencies, type Percentiles } from './latency.ts';
import { databasePath } from './server.ts';

export type CrossShard = {
  /** Both shards had one owner: the message stayed in its process. */
  readonly withinNode: Percentiles;
  /** Through the inbox at the broker. */
  readonly betweenNodes: Percentiles;
};

type CommitRow = { readonly key: string; readonly seq: number; readonly cause: string; readonly at: number };
type Row = CommitRow & { readonly shard: number; readonly sends: number };
type Sent = { readonly at: number; readonly shard: number };

/** @param from ms since the epoch: what was sent before is left out */
export function crossShardLatency(folder: string, from: number): CrossShard {
  const db = openDatabase(databasePath(folder));
  const owners = new Map(
    db
      .prepare<[], { shard: number; owner: string }>(`SELECT shard, title ->> 'node' AS owner FROM followed`)
      .all()
      .map(({ shard, owner }) => [shard, owner]),
  );
  const rows = db
    .prepare<[number], Row>(
      `SELECT r.shard, c.key, c.seq, c.cause, c.at, coalesce(json_array_length(c.body, '$.sends'), 0) AS sends
       FROM records r JOIN commits c ON c.position >= r.first_position AND c.position < r.first_position + r.commits
       WHERE r.commits > 0 AND r.at >= ?`,
    )
    .all(from);
  db.close();
  const sent = new Map<string, Sent>();
  for (const { key, seq, sends, at, shard } of rows) {
    for (let index = 0; index < sends; index++) sent.set(sentId(key, seq, index), { at, shard });
  }
  const withinNode = createLatencies();
  const betweenNodes = createLatencies();
  for (const { cause, at, shard } of rows) {
    const origin = sent.get(cause);
    if (origin === undefined || origin.shard === shard) continue;
    (owners.get(origin.shard) === owners.get(shard) ? withinNode : betweenNodes).record(at - origin.at);
  }
  return { withinNode: withinNode.percentiles(), betweenNodes: betweenNodes.percentiles() };
}
