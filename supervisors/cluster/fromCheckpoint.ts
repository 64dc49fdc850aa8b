/** A node without data, or one that was away for so long that the logs don't reach back to it, begins with a checkpoint. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { adoptCopy, followedPositions } from '../../storage/checkpointFile.ts';
import { type DataFolder, hasOwnLog, holdDataFolder } from '../../storage/dataFolder.ts';
import { openCheckpoints } from '../../transport/nats/checkpoints.ts';
import type { Link } from '../../transport/nats/documents.ts';
import { patiently } from '../../transport/nats/patience.ts';
import { logBegins } from '../../transport/nats/sharedLog.ts';
import type { Config } from '../config.ts';
import type { Joined } from './join.ts';

const FILE = 'checkpoint.loading';

/** The logs begin after what this node has. */
export class TooFarBehind extends Error {
  override readonly name = 'TooFarBehind';
  readonly retryable = true;
}

/**
 * Answers the folder as it is, or opened anew on the newest checkpoint that is whole.
 * @throws TooFarBehind when there is none and it needs one; what the broker throws
 */
export async function fromCheckpoint(
  link: Link,
  config: Pick<Config, 'CLUSTER' | 'REPLICAS' | 'SHARDS' | 'DATA_DIR'>,
  { settings, folder }: Joined,
  logger: Logger,
): Promise<DataFolder> {
  const { CLUSTER: cluster, REPLICAS: replicas, SHARDS: shards, DATA_DIR: dataFolder } = config;
  const begins = await patiently(() => logBegins(link.manager, cluster, shards));
  const reaches = (positions: readonly number[]): boolean =>
    begins.every((begin, shard) => begin <= (positions[shard] ?? 0) + 1);
  const positions = followedPositions(folder.db, shards);
  const isEmpty = positions.every((position) => position === 0) && !hasOwnLog(folder.db);
  if (!isEmpty && reaches(positions)) return folder;
  if (hasOwnLog(folder.db)) {
    folder.db.close();
    throw new TooFarBehind(
      `the store in ${dataFolder} holds records of its own, and the logs of cluster "${cluster}" don't reach back far ` +
        'enough to compare them: nothing was overwritten; set another DATA_DIR',
    );
  }

  const { shelf, checkpoints } = await patiently(async () => {
    const opened = await openCheckpoints(link, { cluster, replicas });
    return { shelf: opened, checkpoints: await opened.list() };
  });
  const path = join(dataFolder, FILE);
  let current = folder;
  for (const checkpoint of checkpoints) {
    if (!reaches(checkpoint.positions)) continue;
    try {
      await shelf.get(checkpoint.name, path);
      current.db.close();
      adoptCopy(path, dataFolder);
      current = reopened(config, settings);
      logger.info({ checkpoint: checkpoint.name, at: checkpoint.at }, 'begun with a checkpoint');
      return current;
    } catch (error) {
      logger.warn(
        { err: error, checkpoint: checkpoint.name },
        'a checkpoint could not be used; the one before is tried',
      );
      rmSync(path, { force: true });
      if (!current.db.open) current = reopened(config, settings);
    }
  }
  if (!reaches(positions)) {
    current.db.close();
    throw new TooFarBehind(
      `the logs of cluster "${cluster}" don't reach back to what this node has, and no checkpoint of them could be ` +
        'loaded: try again, or restore the data of the broker',
    );
  }
  return current;
}

function reopened({ DATA_DIR, SHARDS }: Pick<Config, 'DATA_DIR' | 'SHARDS'>, settings: Joined['settings']): DataFolder {
  const { id, cluster: name, idSecret } = settings;
  return holdDataFolder(DATA_DIR, SHARDS).open({ id, name, idSecret });
}
