/**
 * The consistency checker: walks a store, aggregate by aggregate, and says what does not hold (I5 to I9). It may run beside a
 * busy node: it works in short pieces, in slices of some seconds, and holds one page at a time. What looks wrong is looked
 * at once more before it is reported.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Finding } from '../../actors/checks/finding.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import { Unavailable } from '../shop.ts';
import type { phaseNames } from './phases.ts';
import type { Examine, Subject } from './subjects.ts';

export type CheckRequest = {
  /** Everything: the whole log, every message ever sent, every snapshot. */
  readonly deep: boolean;
  /** Where the slice before ended. */
  readonly from?: CheckPosition;
};

export type PhaseName = (typeof phaseNames)[number];

/** `after`: what in the phase has been done. */
export type CheckPosition = { readonly phase: PhaseName; readonly after: string };

export type CheckReport = {
  readonly findings: readonly Finding[];
  /** How many of what this slice has looked at. */
  readonly covered: Readonly<Record<string, number>>;
  /** Where the next slice begins; undefined when all is done. */
  readonly next: CheckPosition | undefined;
};

const COVERED = [
  'aggregates',
  'orders',
  'reservations',
  'snapshots',
  'records',
  'messages',
  'waiting',
  'payments',
] as const;
export type Covered = (typeof COVERED)[number];

export type Check = (request: CheckRequest) => Promise<CheckReport>;

/** What the phases of a check share. */
export type Session = {
  readonly deep: boolean;
  count(what: Covered, by?: number): void;
  /** Examines it now and, if something is wrong, once more at the end of the slice. */
  examine(subject: Subject): void;
  /** Reports what needs no second look. */
  report(...findings: readonly Finding[]): void;
  /** Lets others have their turn, if this one has been long enough. To be awaited wherever nothing is half done. */
  breathe(): Promise<void>;
};

export type Phase = {
  readonly name: PhaseName;
  /** Where it starts: the first `after`. */
  start(deep: boolean): string;
  /** Does one piece of it; answers the next `after`, or undefined when it is done. */
  step(after: string, session: Session): Promise<string | undefined>;
};

export type CheckerOptions = {
  readonly phases: readonly Phase[];
  readonly examine: Examine;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Waits until what is on its way has arrived, before the second look. */
  readonly pause: () => Promise<void>;
};

/** A request's deadline leaves room for twice as much. */
const SLICE_MS = 4_000;
const TURN_MS = 5;
/** Suspects and findings of one slice, after which it ends early. */
const MAX_FINDINGS = 1_000;
const RETRY_AFTER_MS = 5_000;

export function createChecker(options: CheckerOptions): Check {
  let running = false;
  return async (request) => {
    if (running) throw new Unavailable('another check is running', RETRY_AFTER_MS);
    running = true;
    try {
      return await checkSlice(options, request);
    } finally {
      running = false;
    }
  };
}

async function checkSlice(
  { phases, examine, clock, pause }: CheckerOptions,
  request: CheckRequest,
): Promise<CheckReport> {
  const { deep } = request;
  const covered = Object.fromEntries(COVERED.map((what) => [what, 0])) as Record<Covered, number>;
  const findings: Finding[] = [];
  const suspects: Subject[] = [];
  const until = clock.monotonic() + SLICE_MS;
  let turnEnds = clock.monotonic() + TURN_MS;
  const session: Session = {
    deep,
    count: (what, by = 1) => {
      covered[what] += by;
    },
    examine: (subject) => {
      if (examine(subject).length > 0) suspects.push(subject);
    },
    report: (...more) => void findings.push(...more),
    async breathe() {
      if (clock.monotonic() < turnEnds) return;
      await nextTurn();
      turnEnds = clock.monotonic() + TURN_MS;
    },
  };
  const enough = () => clock.monotonic() > until || findings.length + suspects.length >= MAX_FINDINGS;
  const next = await walk(phases, request, session, enough);
  if (suspects.length > 0) await pause();
  for (const suspect of suspects) {
    findings.push(...examine(suspect));
    await session.breathe();
  }
  return { findings: unique(findings), covered, next };
}

async function walk(
  phases: readonly Phase[],
  { deep, from }: CheckRequest,
  session: Session,
  enough: () => boolean,
): Promise<CheckPosition | undefined> {
  const place = from === undefined ? 0 : phases.findIndex(({ name }) => name === from.phase);
  for (const phase of phases.slice(place)) {
    let after: string | undefined = phase.name === from?.phase ? from.after : phase.start(deep);
    while (after !== undefined) {
      if (enough()) return { phase: phase.name, after };
      after = await phase.step(after, session);
      await session.breathe();
    }
  }
  return undefined;
}

function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((each) => [`${each.code} ${each.ids.join(' ')}`, each])).values()];
}
