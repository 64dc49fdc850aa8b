/** Several owners that claim, append and release as they like, and what must hold of the log afterwards. */
import * as assert from 'uvu/assert';
import {
  type Claim,
  Fenced,
  type LogEntry,
  type LogPosition,
  LogUnanswered,
  type SharedLog,
} from '../../actors/kernel/clusterPorts.ts';
import { AppendRefused } from '../../actors/kernel/ports.ts';
import { recordOf } from './sharedLogContract.ts';

export type Step = 'claim' | 'append' | 'release';
export type Lane = { readonly node: string; readonly log: SharedLog; readonly steps: readonly Step[] };

/** What an owner was told. */
export type History = {
  readonly claims: { readonly node: string; readonly epoch: LogPosition }[];
  readonly acknowledged: { readonly epoch: number; readonly hash: string; readonly position: LogPosition }[];
  /** Hashes of records that surely aren't in the log. */
  readonly refused: string[];
};

/** All lanes at once, each one step after the other. */
export async function playLanes(lanes: readonly Lane[]): Promise<History> {
  const history: History = { claims: [], acknowledged: [], refused: [] };
  await Promise.all(lanes.map((lane, index) => playLane(lane, index, history)));
  return history;
}

async function playLane({ node, log, steps }: Lane, index: number, history: History): Promise<void> {
  let claim: Claim | undefined;
  for (const [count, step] of steps.entries()) {
    if (step === 'claim') {
      claim = await log.claim(0, node).catch(expect(LogUnanswered, AppendRefused));
      if (claim) history.claims.push({ node, epoch: claim.epoch });
    } else if (step === 'release') {
      await claim?.release().catch(expect(AppendRefused));
    } else if (claim) {
      const { epoch } = claim;
      const record = recordOf(claim, count + 1, `${index}`);
      const position = await claim.append(record).catch(expect(Fenced, AppendRefused));
      if (position === undefined) history.refused.push(record.hash);
      else history.acknowledged.push({ epoch, hash: record.hash, position });
    }
  }
}

/** Only these ways to fail are promised. */
function expect(...classes: readonly (new (...given: never[]) => Error)[]): (error: unknown) => undefined {
  return (error) => {
    if (!classes.some((each) => error instanceof each)) throw error;
    return undefined;
  };
}

/** The whole log against what the owners were told. */
export function keptLaws(history: History, entries: readonly LogEntry[]): void {
  assert.equal(
    entries.map(({ position }) => position),
    entries.map((_, index) => index + 1),
    'positions have no gaps',
  );
  const hashes = entries.map((entry) => (entry.kind === 'record' ? entry.record.hash : ''));
  const stored = hashes.filter((hash) => hash !== '');
  assert.is(new Set(stored).size, stored.length, 'nothing is stored twice');
  for (const { hash, position } of history.acknowledged)
    assert.is(hashes[position - 1], hash, 'it is where it was said');
  for (const hash of history.refused) assert.not.ok(stored.includes(hash), 'what was refused is not there');
  for (const { node, epoch } of history.claims) {
    const entry = entries[epoch - 1];
    assert.is(entry?.kind === 'claim' && entry.node, node, "a claim's epoch is its position");
  }
  let open: number | undefined;
  for (const entry of entries) {
    if (entry.kind === 'claim') open = entry.position;
    else assert.is(entry.kind === 'record' ? entry.record.record.epoch : entry.kind === 'release' && entry.epoch, open);
    if (entry.kind === 'release') open = undefined;
  }
}
