/** Looks for a shorter run that breaks the same rule: fewer kinds of faults, then fewer actions of people. */
import { FAULTS, type Fault } from './faults/kinds.ts';
import type { RunOptions, RunResult } from './options.ts';

type Run = (options: RunOptions) => Promise<RunResult>;

/** The rule that a violation breaks: what stands before its first colon. */
const ruleOf = (violation: string): string => violation.split(':')[0] ?? violation;

const breaks = ({ violations }: RunResult, rule: string): boolean => violations.some((each) => ruleOf(each) === rule);

/** Answers the options of the shortest run found; `found` is what came of the given ones. */
export async function shrink(run: Run, options: RunOptions, found: RunResult): Promise<RunOptions> {
  const [first = ''] = found.violations;
  const rule = ruleOf(first);
  const fails = async (shorter: RunOptions): Promise<boolean> => breaks(await run(shorter), rule);
  let shortest = options;
  const happened = FAULTS.filter((kind) => (found.faults[kind] ?? 0) > 0);
  for (const kind of happened) {
    const without: readonly Fault[] = [...shortest.without, kind];
    if (await fails({ ...shortest, without })) shortest = { ...shortest, without };
  }
  // By halves: a run with a few more actions need not fail as well, so the least that fails isn't sure to be found.
  let fine = -1;
  let failing = Math.min(options.actions, MAX_ACTIONS);
  if (failing < options.actions && !(await fails({ ...shortest, actions: failing }))) return shortest;
  while (failing - fine > 1) {
    const actions = Math.floor((fine + failing) / 2);
    if (await fails({ ...shortest, actions })) failing = actions;
    else fine = actions;
  }
  return { ...shortest, actions: failing };
}

/** Where the search begins. */
const MAX_ACTIONS = 512;
