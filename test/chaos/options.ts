/** What to hurt, how often or how long, from the command line. */
import { parseArgs } from 'node:util';
import { type FaultName, faultNames, impossible, type Pains } from './faults.ts';

const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;
const DEFAULT_MINUTES = '2';

type Common = {
  readonly faults: readonly FaultName[];
  /** Of the faults that were not asked for by name, those that can't be done here, and why. */
  readonly leftOut: readonly string[];
  readonly nodes: number;
  readonly brokers: number;
  readonly customers: number;
  readonly pains: Pains;
  readonly seed: number;
};

export type ChaosOptions = Common &
  (
    | { readonly mode: 'storm'; readonly forMs: number }
    /** Each fault so often. */
    | { readonly mode: 'campaigns'; readonly times: number; readonly calmMs: number }
  );

export const USAGE = `npm run chaos -- [options]

  --minutes N     one cluster for so long, with faults at random (${DEFAULT_MINUTES})
  --times N       instead: each fault so often, each kind on a cluster of its own
  --faults NAMES  ${faultNames.slice(0, 8).join(', ')},
                  ${faultNames.slice(8).join(', ')};
                  several with commas (all; broker-kill needs --brokers 3, broker-rewind --brokers 1)
  --nodes N       (3)
  --brokers N     1 or 3 (1)
  --customers N   each does one thing after another (6)
  --away N        seconds that a killed node stays away (6)
  --pause N       seconds that a node is paused, cut off, slow, out of disk or out of time (30; with --minutes 8)
  --outage N      seconds without any broker (60; with --minutes 8)
                  with --minutes all three are the longest, and how long it is is drawn
  --calm N        with --times: seconds before, between and after faults (5)
  --seed N        of the clients' and the faults' choices (1)
`;

/** The option can't be used; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function readOptions(args: readonly string[]): ChaosOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const { minutes, times } = values;
  if (minutes !== undefined && times !== undefined) throw new UsageError('--minutes or --times, not both');
  const brokers = whole('brokers', values.brokers);
  if (brokers !== 1 && brokers !== 3) throw new UsageError('--brokers must be 1 or 3');
  const long = times !== undefined;
  const seconds = (name: string, text: string): number => whole(name, text) * MS_PER_SECOND;
  const common: Common = {
    ...chosen(values.faults, brokers),
    nodes: whole('nodes', values.nodes),
    brokers,
    customers: whole('customers', values.customers),
    pains: {
      awayMs: seconds('away', values.away),
      pauseMs: seconds('pause', values.pause ?? (long ? '30' : '8')),
      outageMs: seconds('outage', values.outage ?? (long ? '60' : '8')),
    },
    seed: whole('seed', values.seed),
  };
  if (long) return { ...common, mode: 'campaigns', times: whole('times', times), calmMs: seconds('calm', values.calm) };
  return { ...common, mode: 'storm', forMs: whole('minutes', minutes ?? DEFAULT_MINUTES) * MS_PER_MINUTE };
}

function parse(args: readonly string[]) {
  const text = (fallback: string) => ({ type: 'string', default: fallback }) as const;
  const optional = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: optional,
        times: optional,
        faults: optional,
        nodes: text('3'),
        brokers: text('1'),
        customers: text('6'),
        calm: text('5'),
        away: text('6'),
        pause: optional,
        outage: optional,
        seed: text('1'),
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function chosen(named: string | undefined, brokers: number): Pick<Common, 'faults' | 'leftOut'> {
  const whyNot = (name: FaultName): string | undefined => impossible(name, brokers);
  if (named === undefined) {
    const leftOut = faultNames.flatMap((name) => whyNot(name) ?? []);
    return { faults: faultNames.filter((name) => whyNot(name) === undefined), leftOut };
  }
  const faults = named.split(',').map(fault);
  for (const name of faults) {
    const why = whyNot(name);
    if (why !== undefined) throw new UsageError(why);
  }
  return { faults, leftOut: [] };
}

function fault(name: string): FaultName {
  const found = faultNames.find((each) => each === name);
  if (!found) throw new UsageError(`--faults: there is no ${name}; there are ${faultNames.join(', ')}`);
  return found;
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`--${name} must be a whole number from 1 on, not ${text}`);
  return Number(text);
}
