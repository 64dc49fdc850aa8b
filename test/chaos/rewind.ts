/** A broker that is set back to an older copy of its directory, as after a restore from a backup. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../../transport/nats/server/broker.ts';
import type { ClusterNode } from '../support/cluster.ts';

const STREAMS = 'jetstream';
/** The simulated vendor keeps its books at the same broker. A vendor doesn't forget what it was paid when a shop's broker does. */
const VENDOR = /\/streams\/[^/]+-vendor$/;

/** What a node says while it brings the ends of logs back; the last time up to 9 s before it is done with a shard. */
const MENDING = ['a log can not be followed', 'could not be restored', 'brought back from the copy'];
const MENDED_MS = 10_000;
const MENDED_DEADLINE_MS = 90_000;
const LOOK_MS = 500;
const LINES = 2_000;

/** @param laterMs between the copy and the moment at which the broker is set back to it */
export async function rewind(broker: Broker, laterMs: number): Promise<void> {
  const saved = mkdtempSync(join(tmpdir(), 'holdfast-rewind-'));
  const streams = join(broker.folder, STREAMS);
  try {
    await broker.stop();
    cpSync(streams, saved, { recursive: true });
    await broker.restart();
    await pause(laterMs);
    await broker.kill();
    for (const folder of vendorFolders(streams)) {
      rmSync(join(saved, folder), { recursive: true, force: true });
      cpSync(join(streams, folder), join(saved, folder), { recursive: true });
    }
    rmSync(streams, { recursive: true });
    cpSync(saved, streams, { recursive: true });
    await broker.restart();
  } finally {
    rmSync(saved, { recursive: true, force: true });
  }
}

/**
 * Whoever joins before that decides on what the broker has: a limit that ARCHITECTURE.md names.
 * @throws when it takes too long
 */
export async function mended(nodes: readonly ClusterNode[]): Promise<void> {
  const deadline = performance.now() + MENDED_DEADLINE_MS;
  const since = new Map(nodes.map(({ name }) => [name, performance.now()]));
  const heard = new Map<string, string>();
  while ([...since.values()].some((at) => performance.now() - at < MENDED_MS)) {
    if (performance.now() > deadline) throw new Error('the ends of the logs were not brought back in time');
    await pause(LOOK_MS);
    for (const { name, lastLines } of nodes) {
      const last = lastLines(LINES).findLast((line) => MENDING.some((words) => line.includes(words))) ?? '';
      if (last !== heard.get(name)) since.set(name, performance.now());
      heard.set(name, last);
    }
  }
}

/** Below the broker's own folder. */
function vendorFolders(streams: string): readonly string[] {
  const all = readdirSync(streams, { recursive: true, encoding: 'utf8' });
  const found = all.filter((path) => VENDOR.test(path));
  if (found.length === 0) throw new Error(`the vendor has no books in ${streams}`);
  return found;
}
