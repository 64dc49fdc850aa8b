/**
 * Copies of a node's file that all nodes can get, in an object store of the broker: in chunks, each object with the hash of
 * the whole. What an upload that was cut short left behind is removed before the next one.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { StorageType } from '@nats-io/jetstream';
import { type ObjectStore, Objm } from '@nats-io/obj';
import { z } from 'zod';
import type { LogPosition } from '../../actors/kernel/clusterPorts.ts';
import type { Link } from './documents.ts';
import { brokerError } from './errors.ts';

const FORMAT = '1';
const TIMEOUT_MS = 30_000;

/** `positions` by shard: how far the copy follows the logs. */
export type Checkpoint = { readonly name: string; readonly at: number; readonly positions: readonly LogPosition[] };

/** What came isn't what was stored, or not all of it. */
class CheckpointDamaged extends Error {
  override readonly name = 'CheckpointDamaged';
}

export interface CheckpointShelf {
  /** Newest first; those that another version wrote are left out. @throws what `brokerError` makes of it */
  list(): Promise<readonly Checkpoint[]>;
  /** Nobody sees it before all of it is there. */
  put(checkpoint: Checkpoint, path: string): Promise<void>;
  /** @throws CheckpointDamaged; Error when the disk can't take it */
  get(name: string, path: string): Promise<void>;
  remove(name: string): Promise<void>;
}

const metadata = z.object({ format: z.literal(FORMAT), at: z.coerce.number(), positions: z.string() });
const positionsOf = z.array(z.number().int().nonnegative());

/** @throws what `brokerError` makes of it */
export async function openCheckpoints(
  link: Link,
  { cluster, replicas }: { readonly cluster: string; readonly replicas: number },
): Promise<CheckpointShelf> {
  const bucket = `${cluster}-checkpoints`;
  const stream = `OBJ_${bucket}`;
  const store = await new Objm(link.jetstream)
    .create(bucket, { replicas, storage: StorageType.File, description: `copies of what the nodes of ${cluster} have` })
    .catch((error: unknown) => {
      throw brokerError(error, `open the object store ${bucket}`);
    });

  /** Chunks of objects that nobody knows. */
  async function sweep(): Promise<void> {
    const chunks = `$O.${bucket}.C.`;
    const known = new Set((await store.list()).map(({ nuid }) => `${chunks}${nuid}`));
    const { state } = await link.manager.streams.info(stream, { subjects_filter: `${chunks}>` });
    for (const subject of Object.keys(state.subjects ?? {})) {
      if (!known.has(subject)) await link.manager.streams.purge(stream, { filter: subject });
    }
  }

  return {
    async list() {
      return listOf(store).catch((error: unknown) => {
        throw brokerError(error, `list what is in the object store ${bucket}`);
      });
    },
    async put({ name, at, positions }, path) {
      await sweep();
      const told = { format: FORMAT, at: String(at), positions: JSON.stringify(positions) };
      const bytes = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
      await store.put({ name, metadata: told }, bytes, { timeout: TIMEOUT_MS });
    },
    get: (name, path) => download(store, name, path),
    remove: async (name) => void (await store.delete(name)),
  };
}

async function listOf(store: ObjectStore): Promise<readonly Checkpoint[]> {
  const found = (await store.list()).flatMap((info): Checkpoint[] => {
    const told = metadata.safeParse(info.metadata);
    if (info.deleted || !told.success) return [];
    return [{ name: info.name, at: told.data.at, positions: positionsOf.parse(JSON.parse(told.data.positions)) }];
  });
  return found.sort((a, b) => b.at - a.at);
}

async function download(store: ObjectStore, name: string, path: string): Promise<void> {
  const found = await store.get(name);
  if (!found) throw new CheckpointDamaged(`there is no checkpoint ${name} any more`);
  const file = await open(path, 'w', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of readingWithin(found.data)) {
      await file.write(chunk);
      bytes += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const error = await found.error;
  if (error) throw new CheckpointDamaged(`checkpoint ${name} is damaged: ${error.message}`, { cause: error });
  if (bytes !== found.info.size)
    throw new CheckpointDamaged(`checkpoint ${name} has ${bytes} of ${found.info.size} bytes`);
}

/** A chunk that is missing at the broker never comes, and nobody says so. */
async function* readingWithin(data: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = data.getReader();
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const silent = new CheckpointDamaged(`no chunk of a checkpoint came for ${TIMEOUT_MS / 1_000} s`);
      timer = setTimeout(() => reject(silent), TIMEOUT_MS);
    });
    const { done, value } = await Promise.race([reader.read(), late]).finally(() => clearTimeout(timer));
    if (done) return;
    yield value;
  }
}
