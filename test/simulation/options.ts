/** What can be asked of the simulation, and how to ask for the same again. */
import { parseArgs } from 'node:util';
import { DEFECTS, type Defect, isDefect } from './defects/names.ts';
import { FAULTS, type Fault } from './faults/kinds.ts';

/** One run. Plain JSON: it goes to another process. */
export type RunOptions = {
  readonly seed: number;
  readonly nodes: number;
  /** Simulated, of the part in which things go wrong. */
  readonly minutes: number;
  /** Of people, at most. */
  readonly actions: number;
  /** Faults that don't happen. */
  readonly without: readonly Fault[];
  /** Faults that happen, instead of those that the seed would choose. */
  readonly only: readonly Fault[];
  /** Planted on purpose. */
  readonly defect?: Defect;
  /** Prints all that happens. */
  readonly trace?: boolean;
};

export type RunResult = {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Of all that happened. */
  readonly digest: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly orders: number;
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
};

export type Campaign = {
  readonly first: number;
  readonly last: number;
  /** Real ms after which no further seed is begun. */
  readonly forMs: number;
  readonly workers: number;
  /** Looks for a shorter run that fails as well. */
  readonly shrink: boolean;
  /** Ends with the first seed that fails. */
  readonly stop: boolean;
  readonly run: Omit<RunOptions, 'seed'>;
};

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function duration(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const ms = UNITS[unit];
  if (amount === undefined || ms === undefined) throw new Error(`--for ${text}: say 30s, 10m or 1h`);
  return Number(amount) * ms;
}

function faultsOf(option: string, text: string): readonly Fault[] {
  return text.split(',').flatMap((kind) => {
    const fault = FAULTS.find((each) => each === kind);
    if (kind !== '' && fault === undefined) throw new Error(`--${option} ${kind}: it is one of ${FAULTS.join(', ')}`);
    return fault ?? [];
  });
}

/** @throws Error for what makes no sense */
export function readOptions(args: readonly string[]): Campaign {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      for: { type: 'string' },
      nodes: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '5' },
      actions: { type: 'string', default: '1000000' },
      without: { type: 'string', default: '' },
      only: { type: 'string', default: '' },
      defect: { type: 'string' },
      workers: { type: 'string', default: '2' },
      trace: { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
      stop: { type: 'boolean', default: false },
    },
  });
  const { defect } = values;
  if (defect !== undefined && !isDefect(defect)) {
    throw new Error(`--defect ${defect}: it is one of ${Object.keys(DEFECTS).join(', ')}`);
  }
  const range = values.seeds ?? values.seed ?? (values.for === undefined ? '1' : '1..1000000000');
  const [first = Number.NaN, last = first] = range.split('..').map(Number);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) throw new Error(`no seeds: ${range}`);
  return {
    first,
    last,
    forMs: values.for === undefined ? Number.POSITIVE_INFINITY : duration(values.for),
    workers: values.trace || first === last ? 1 : Number(values.workers),
    shrink: !values['no-shrink'] && !values.trace,
    stop: values.stop,
    run: {
      nodes: Number(values.nodes),
      minutes: Number(values.minutes),
      actions: Number(values.actions),
      without: faultsOf('without', values.without),
      only: faultsOf('only', values.only),
      ...(defect !== undefined && { defect }),
      trace: values.trace,
    },
  };
}

/** What has a user run this again. */
export function commandOf({ seed, nodes, minutes, actions, without, only, defect }: RunOptions): string {
  const parts = [`--seed ${seed}`, `--nodes ${nodes}`, `--minutes ${minutes}`];
  if (actions < 1_000_000) parts.push(`--actions ${actions}`);
  if (without.length > 0) parts.push(`--without ${without.join(',')}`);
  if (only.length > 0) parts.push(`--only ${only.join(',')}`);
  if (defect !== undefined) parts.push(`--defect ${defect}`);
  return `npm run simulate -- ${parts.join(' ')} --trace`;
}
