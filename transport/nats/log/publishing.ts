/**
 * Publishes one entry until it is known whether it is in the log. An attempt without an answer may have been stored, and
 * may be stored yet: the same bytes are sent again under the same id and the same expectation, which stores them once, and
 * where the broker contradicts the log itself is asked.
 */
import { Fenced, type LogPosition, LogUnanswered, type MayAppend } from '../../../actors/kernel/clusterPorts.ts';
import { AppendRefused } from '../../../actors/kernel/ports.ts';
import type { KnownEntry, LogStream } from './stream.ts';

/** How long an append waits for somebody to serve the log before it is refused: three brokers elect within 4 to 7 s. */
const ABSENT_PATIENCE_MS = 15_000;
/**
 * Where the broker doesn't compare ids, the log is asked what it ends with before an append that comes so long after the
 * newest answer: brokers that lose the end of a log and fill it again are away for longer.
 */
const TRUSTED_MS = 500;
const FIRST_PAUSE_MS = 20;
/** What comes after an election is found by the next try alone. */
const MAX_PAUSE_MS = 250;

export type PublishingTimes = {
  readonly monotonic: () => number;
  /** Runs the task after ms of real time. */
  readonly delay: (ms: number, task: () => void) => void;
};

const pause = (times: PublishingTimes, attempt: number): Promise<void> =>
  new Promise((resolve) => times.delay(Math.min(FIRST_PAUSE_MS * 2 ** attempt, MAX_PAUSE_MS), resolve));

export type Publication = { readonly id: string; readonly payload: Uint8Array };

/**
 * For what counts wherever it lands. It names what it comes after all the same: a replica that restarts plays again what it
 * has stored already, and an entry that would be welcome anywhere is stored twice there (seen with nats-server 2.10.27).
 * @throws AppendRefused; LogUnanswered after the patience
 */
export async function publishAtEnd(
  stream: LogStream,
  times: PublishingTimes,
  publication: Publication,
  patienceMs: number,
): Promise<LogPosition> {
  const { id, payload } = publication;
  const deadline = times.monotonic() + patienceMs;
  /** Undefined until the log was asked; an attempt without an answer can have landed right after it only. */
  let position: LogPosition | undefined;
  let unknown = false;
  for (let attempt = 0; ; attempt++) {
    const end = position === undefined ? await endOf(stream) : position;
    // As in an empty log: if it isn't, or can't be written, the answer says why.
    position = end ?? 0;
    const published = await stream.publish(id, payload, { position });
    if (published.kind === 'stored') return published.position;
    if (published.kind === 'closed') throw new LogUnanswered(`the connection to the log ${stream.name} was closed`);
    if (published.kind === 'refused' && !unknown) throw refusal(stream, published.reason, published.fault);
    if (published.kind === 'contradicted' && unknown) {
      const wanted = position + 1;
      if (await asked(stream, times, () => isStored(stream, publication, wanted), deadline)) return wanted;
      unknown = false;
    }
    if (published.kind === 'unknown') unknown = true;
    if (times.monotonic() >= deadline) {
      if (unknown) throw new LogUnanswered(`the log ${stream.name} gave no answer: ${published.reason}`);
      throw refusal(stream, published.reason);
    }
    const overtaken = published.kind === 'contradicted';
    if (overtaken) position = undefined;
    // Whoever was overtaken is the faster the sooner it tries again.
    if (!overtaken || end === undefined) await pause(times, attempt);
  }
}

/** Undefined without an answer. */
async function endOf(stream: LogStream): Promise<LogPosition | undefined> {
  try {
    return (await stream.bounds()).last;
  } catch (error) {
    if (error instanceof LogUnanswered) return undefined;
    throw error;
  }
}

/**
 * For what counts only right after the expected entry. Each attempt is made once it may be.
 * @throws Fenced, AppendRefused; LogUnanswered only once the connection was closed
 */
export async function publishAfter(
  stream: LogStream,
  times: PublishingTimes,
  publication: Publication,
  { may, ...expected }: KnownEntry & { readonly answeredAt: number; readonly may?: MayAppend | undefined },
): Promise<LogPosition> {
  const { id, payload } = publication;
  const wanted = expected.position + 1;
  const judged = (idForgotten = false): Promise<Verdict> =>
    asked(stream, times, () => judge(stream, publication, expected, idForgotten));
  if (!stream.comparesIds && times.monotonic() - expected.answeredAt > TRUSTED_MS) {
    const verdict = await judged();
    if (verdict instanceof Fenced) throw verdict;
  }
  const absentUntil = times.monotonic() + ABSENT_PATIENCE_MS;
  let unknown = false;
  for (let attempt = 0; ; attempt++) {
    const earlier = await untilItMay(stream, may, async () => (unknown ? judged() : 'again'));
    if (earlier === 'stored') return wanted;
    const published = await stream.publish(id, payload, expected);
    if (published.kind === 'closed') throw new LogUnanswered(`the connection to the log ${stream.name} was closed`);
    if (published.kind === 'stored' && published.position === wanted) return wanted;
    if (published.kind === 'stored' && published.position < wanted) {
      throw new Error(`the log ${stream.name} holds this very record already, at position ${published.position}`);
    }
    if (published.kind === 'stored' || published.kind === 'contradicted') {
      const verdict = await judged(published.kind === 'contradicted' && published.about === 'id');
      if (verdict === 'stored') return wanted;
      if (verdict !== 'again') throw verdict;
    }
    if (published.kind === 'refused') {
      // The limits of a broker are looked at before its memory of ids: an earlier attempt may have got through.
      if (unknown && (await asked(stream, times, () => isStored(stream, publication, wanted)))) return wanted;
      throw refusal(stream, published.reason, published.fault);
    }
    if (published.kind === 'unknown') unknown = true;
    else if (published.kind === 'absent' && !unknown && times.monotonic() >= absentUntil)
      throw refusal(stream, published.reason);
    await pause(times, attempt);
  }
}

type Verdict = 'stored' | 'again' | Fenced;

/**
 * Whether something speaks against an attempt is known only when it can be made. Whoever is asked may wait for what a
 * follower reads, and the follower for the end of this very append: so it is looked first what became of earlier attempts.
 * @throws Fenced; what `may` throws
 */
async function untilItMay(
  stream: LogStream,
  may: MayAppend | undefined,
  earlier: () => Promise<Verdict>,
): Promise<'stored' | 'again'> {
  for (;;) {
    await stream.whenUp();
    const asking = stream.closed ? undefined : may?.();
    if (asking === undefined) return 'again';
    asking.catch(() => undefined);
    const verdict = await earlier();
    if (verdict instanceof Fenced) throw verdict;
    if (verdict === 'stored') return verdict;
    await asking;
  }
}

const refusal = ({ name }: LogStream, reason: string, fault: 'store' | 'record' = 'store'): AppendRefused =>
  new AppendRefused(`the log ${name} refused an entry: ${reason}`, { fault });

/** Asks until there is an answer; gives up only with the connection, or at the deadline. */
async function asked<Answer>(
  stream: LogStream,
  times: PublishingTimes,
  question: () => Promise<Answer>,
  deadline = Number.POSITIVE_INFINITY,
): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof LogUnanswered) || stream.closed || times.monotonic() >= deadline) throw error;
    }
    await pause(times, attempt);
  }
}

/** Different entries have different ids. */
const isStored = async (stream: LogStream, { id }: Publication, position: LogPosition): Promise<boolean> =>
  (await stream.read(position))?.id === id;

/**
 * Asks the log itself about what the broker said: whether it is this very entry that stands where it is wanted, whether
 * the claim is at its end, or whether nothing speaks against trying again.
 */
async function judge(
  stream: LogStream,
  publication: Publication,
  expected: KnownEntry,
  idForgotten: boolean,
): Promise<Verdict> {
  const { last } = await stream.bounds();
  if (last > expected.position) {
    if (await isStored(stream, publication, expected.position + 1)) return 'stored';
    return new Fenced(
      `somebody else wrote to the log ${stream.name} after position ${expected.position}`,
      'superseded',
    );
  }
  if (last < expected.position) {
    const lost = `the log ${stream.name} ends at ${last}, but had acknowledged ${expected.position}`;
    return new Fenced(`${lost}: its broker lost the end of it`, 'rewound');
  }
  if ((await stream.read(last))?.id !== expected.id) {
    return new Fenced(`the log ${stream.name} ends with another entry than it had acknowledged`, 'rewound');
  }
  if (!idForgotten) return 'again';
  return new Fenced(`the log ${stream.name} was idle for so long that its broker forgot the newest id`, 'stale-id');
}
