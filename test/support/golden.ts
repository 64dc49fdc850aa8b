/**
 * Golden files: for every event version that was ever released, a history that ends with it and the state that it made.
 * What is in them was stored in somebody's shop: entries are added, never changed.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Versioned } from '../../actors/kernel/decider.ts';
import { type AggregateType, shop } from '../../actors/shop.ts';
import { type AnyDecider, evolveAll } from '../../supervisors/memory.ts';
import { eventSamples } from './eventSamples.ts';
import { ids } from './samples.ts';

export type Golden = { readonly id: string; readonly events: readonly Versioned[]; readonly state: unknown };
/** By `type v<version>` of the last event. */
export type GoldenFile = Readonly<Record<string, Golden>>;

export const aggregateTypes = Object.keys(shop) as AggregateType[];

const FOLDER = fileURLToPath(new URL('../golden/', import.meta.url));
const pathOf = (type: string): string => `${FOLDER}${type}.json`;

export const goldenTypes = (): string[] => readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));

export function readGolden(type: AggregateType): GoldenFile {
  return existsSync(pathOf(type)) ? (JSON.parse(readFileSync(pathOf(type), 'utf8')) as GoldenFile) : {};
}

export const nameOf = ({ type, v }: Versioned): string => `${type} v${v}`;

/** What the events make of a new aggregate. */
export function replayed(type: AggregateType, { id, events }: Pick<Golden, 'id' | 'events'>): unknown {
  const decider = shop[type] as unknown as AnyDecider;
  return evolveAll(decider, decider.initial(id), events);
}

/** A history for each event of the code as it is now. */
export function currentSamples(type: AggregateType): Map<string, Pick<Golden, 'id' | 'events'>> {
  const samples = eventSamples[type] as Readonly<Record<string, readonly [Versioned, ...string[]]>>;
  const histories = Object.values(samples).map(([event, ...before]) => {
    const events = [...before.map((name) => samples[name]?.[0] as Versioned), event];
    return [nameOf(event), { id: ids[type], events }] as const;
  });
  return new Map(histories);
}

/**
 * Writes down what is new; what is there stays as it is. Where the shape of a state was changed on purpose, take the
 * states out of the file by hand, never the events: they are written anew.
 */
export function addMissing(type: AggregateType): void {
  const known = readGolden(type);
  const all = [...Object.entries(known), ...[...currentSamples(type)].filter(([name]) => !Object.hasOwn(known, name))];
  const complete = all.map(([name, { id, events, ...entry }]) => {
    const state = 'state' in entry ? entry.state : replayed(type, { id, events });
    return [name, { id, events, state }] as const;
  });
  writeFileSync(pathOf(type), `${JSON.stringify(Object.fromEntries(complete), null, 2)}\n`);
}
