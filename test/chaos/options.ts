/** What to hurt, how often, from the command line. */
import { parseArgs } from 'node:util';
import { type FaultName, faultNames, type Pains } from './faults.ts';

const MS_PER_SECOND = 1_000;
/** Brokers of a group tell nodes of each other, past any way that could be cut. */
const NOT_WITH: Readonly<Record<number, FaultName>> = { 1: 'broker-kill', 3: 'cut' };

export type ChaosOptions = {
  readonly faults: readonly FaultName[];
  /** Each of them so often. */
  readonly times: number;
  readonly nodes: number;
  readonly brokers: number;
  readonly customers: number;
  readonly calmMs: number;
  readonly pains: Pains;
  readonly seed: number;
};

export const USAGE = `npm run chaos -- [options]

  --faults NAMES  ${faultNames.join(', ')}; several with commas
                  (all but broker-kill, which needs --brokers 3; cut needs --brokers 1)
  --times N       each fault so often (10), on a cluster of its own
  --nodes N       (3)
  --brokers N     1 or 3 (1)
  --customers N   each does one thing after another (6)
  --calm N        seconds before, between and after faults (5)
  --away N        seconds that a killed node stays away (6)
  --pause N       seconds that a paused node stands still (30)
  --outage N      seconds without any broker (60)
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
  const brokers = whole('brokers', values.brokers);
  if (brokers !== 1 && brokers !== 3) throw new UsageError('--brokers must be 1 or 3');
  const faults = values.faults === undefined ? fitting(brokers) : values.faults.split(',').map(fault);
  if (brokers < 3 && faults.includes('broker-kill')) throw new UsageError('broker-kill needs --brokers 3');
  if (brokers > 1 && faults.includes('cut')) throw new UsageError('cut needs --brokers 1');
  return {
    faults,
    times: whole('times', values.times),
    nodes: whole('nodes', values.nodes),
    brokers,
    customers: whole('customers', values.customers),
    calmMs: whole('calm', values.calm) * MS_PER_SECOND,
    pains: {
      awayMs: whole('away', values.away) * MS_PER_SECOND,
      pauseMs: whole('pause', values.pause) * MS_PER_SECOND,
      outageMs: whole('outage', values.outage) * MS_PER_SECOND,
    },
    seed: whole('seed', values.seed),
  };
}

function parse(args: readonly string[]) {
  const text = (fallback: string) => ({ type: 'string', default: fallback }) as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        faults: { type: 'string' },
        times: text('10'),
        nodes: text('3'),
        brokers: text('1'),
        customers: text('6'),
        calm: text('5'),
        away: text('6'),
        pause: text('30'),
        outage: text('60'),
        seed: text('1'),
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function fitting(brokers: number): readonly FaultName[] {
  return faultNames.filter((name) => name !== NOT_WITH[brokers]);
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
