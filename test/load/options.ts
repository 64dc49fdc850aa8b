/** How much load, on what, for how long; from the command line. */
import { parseArgs } from 'node:util';

const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;

export type LoadOptions = {
  /** 0: one node alone, without a broker. */
  readonly nodes: number;
  readonly clients: number;
  /** Of one round. */
  readonly roundMs: number;
  /** Rounds go on for so long; without it there is one round, and all is killed and started again after it. */
  readonly soakMs?: number;
  /** Between two things that one client does, on average. */
  readonly thinkMs: number;
  readonly seed: number;
};

export const USAGE = `npm run load -- [options]

  --clients N   each has one order under way at a time (1000; 100 in a soak)
  --seconds N   of load, then the outcome is read and checked (20)
  --nodes N     nodes over one broker; 0 is a node alone (0 and 3, one after the other)
  --minutes N   soak: rounds of --seconds (60) for so long, with an eye on what grows
  --think N     ms between two things that a client does, on average (0; 1000 in a soak)
  --seed N      of the clients' choices (1)
`;

/** The option can't be used; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One for each shop that is to be loaded. @throws UsageError */
export function readOptions(args: readonly string[]): readonly LoadOptions[] | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const soak = values.minutes !== undefined;
  const common = {
    clients: whole('clients', values.clients ?? (soak ? '100' : '1000'), 1),
    roundMs: whole('seconds', values.seconds ?? (soak ? '60' : '20'), 1) * MS_PER_SECOND,
    thinkMs: whole('think', values.think ?? (soak ? '1000' : '0'), 0),
    seed: whole('seed', values.seed, 0),
    ...(values.minutes !== undefined && { soakMs: whole('minutes', values.minutes, 1) * MS_PER_MINUTE }),
  };
  const sizes = values.nodes === undefined ? [0, 3] : [whole('nodes', values.nodes, 0)];
  return sizes.map((nodes) => ({ ...common, nodes }));
}

function parse(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({
      args: [...args],
      options: {
        clients: text,
        seconds: text,
        nodes: text,
        minutes: text,
        think: text,
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d{1,7}$/.test(text) && value >= least) return value;
  throw new UsageError(`--${name} must be a whole number from ${least}, not ${text}`);
}
