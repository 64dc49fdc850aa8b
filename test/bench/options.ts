/** What to measure, from the command line. */
import { parseArgs } from 'node:util';

const SCENARIOS = ['express', 'open', 'storefront', 'recovery', 'cluster'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export type BenchOptions = {
  readonly seconds: number;
  readonly inFlight: number;
  /** Orders per second of the open loop. */
  readonly rate: number;
  /** Delivered orders in the store for the second part; 0 leaves it out. */
  readonly stored: number;
  readonly only: ReadonlySet<Scenario>;
  readonly profile: boolean;
};

export const USAGE = `npm run bench -- [options]

  --seconds N     measured seconds of each load on a fresh store (20)
  --in-flight N   requests at once of the closed loops (64)
  --rate N        orders per second of the open loop (300)
  --stored N      orders in the store of the second part (10000; 0 leaves it out)
  --only NAME     ${SCENARIOS.join(', ')}; several with commas
  --profile       also a CPU profile of each run of the server (its figures are then slower)
`;

/** The option can't be used; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  return {
    seconds: whole('seconds', values.seconds, 1),
    inFlight: whole('in-flight', values['in-flight'], 1),
    rate: whole('rate', values.rate, 1),
    stored: whole('stored', values.stored, 0),
    only: new Set(values.only === undefined ? SCENARIOS : values.only.split(',').map(scenario)),
    profile: values.profile,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string', default: '20' },
        'in-flight': { type: 'string', default: '64' },
        rate: { type: 'string', default: '300' },
        stored: { type: 'string', default: '10000' },
        only: { type: 'string' },
        profile: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function whole(name: string, text: string, minimum: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new UsageError(`--${name} must be a whole number from ${minimum}, not "${text}"`);
  }
  return value;
}

function scenario(text: string): Scenario {
  const found = SCENARIOS.find((name) => name === text.trim());
  if (found === undefined) throw new UsageError(`--only knows ${SCENARIOS.join(', ')}, not "${text}"`);
  return found;
}
