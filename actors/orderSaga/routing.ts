/**
 * Where an order's lines are taken from. The order of the warehouses comes from the address, and from a hint of what the
 * shelves held; the stock items decide for real, and what they refuse is routed on: a line goes whole to the next warehouse,
 * and when none has all of it, in portions to those that said how much they have.
 */
import type { Policy, Warehouse } from '../policy.ts';
import type { OrderDraft, PostalAddress, ShelfStock } from '../shared.ts';
import type { BackorderLine } from './events.ts';
import { type Saga, type StepOf, stepsOf } from './state.ts';

type Wanted = { readonly sku: string; readonly quantity: number };

// which warehouses, in which order

/** The warehouses, nearest first; one that has everything goes before nearer ones unless a second parcel saves enough. */
export function candidatesFor({ lines, address, stock }: OrderDraft, policy: Policy): string[] {
  const nearest = policy.warehouses.toSorted((a, b) => distance(a, address) - distance(b, address));
  const ids = nearest.map(({ id }) => id);
  if (stock === undefined || lines.length === 1) return ids;
  const whole = nearest.find(({ id }) => lines.every((line) => holds(stock, id, line)));
  if (whole === undefined) return ids;
  const split = new Set(lines.map((line) => nearest.find(({ id }) => holds(stock, id, line)) ?? whole));
  const cost = (parcels: Iterable<Warehouse>) =>
    [...parcels].reduce((sum, parcel) => sum + policy.routing.parcelCosts[distance(parcel, address)], 0);
  if (cost([whole]) - cost(split) >= policy.routing.splitSaving) return ids;
  return [whole.id, ...ids.filter((id) => id !== whole.id)];
}

/** 0: in the same region, 1: in the same country, 2: abroad. */
function distance(warehouse: Warehouse, { country, region }: PostalAddress): 0 | 1 | 2 {
  if (warehouse.country !== country) return 2;
  return region === undefined || warehouse.region !== region ? 1 : 0;
}

function holds(stock: readonly ShelfStock[], warehouse: string, { sku, quantity }: Wanted): boolean {
  return stock.some((shelf) => shelf.sku === sku && shelf.warehouse === warehouse && shelf.available >= quantity);
}

// what to reserve next

export type Portion = { readonly warehouse: string; readonly quantity: number };

/** Why a reservation failed for which another warehouse is asked. */
export const REFUSED = 'refused';

/** How often a line may be reserved anew in a warehouse because its commit was refused. */
const RENEWALS = 1;

/** The reservations that count: more than one for a line that is split. */
export function liveReservations(saga: Saga): StepOf<'reserve'>[] {
  return stepsOf(saga, 'reserve').filter(isLive);
}

function isLive({ status }: StepOf<'reserve'>): boolean {
  return status === 'running' || status === 'waiting' || status === 'succeeded';
}

/** What to ask for next so that nothing of the line is missing; null when the warehouses don't have it. */
export function missingPortions(saga: Saga, line: number): readonly Portion[] | null {
  const steps = reservationsOf(saga, line);
  const missing = (saga.lines[line - 1]?.quantity ?? 0) - piecesOf(steps.filter(isLive));
  if (missing <= 0) return [];
  if (isGivenUp(saga, line)) return null;
  const told = toldSince(saga, steps);
  const next = saga.candidates.find((warehouse) => !told.has(warehouse));
  return next === undefined ? portions(saga.candidates, told, missing) : [{ warehouse: next, quantity: missing }];
}

export function reservationsOf(saga: Saga, line: number): StepOf<'reserve'>[] {
  return stepsOf(saga, 'reserve').filter(({ work }) => work.line === line);
}

function piecesOf(steps: readonly StepOf<'reserve'>[]): number {
  return steps.reduce((sum, { work }) => sum + work.quantity, 0);
}

function isGivenUp(saga: Saga, line: number): boolean {
  const refused = stepsOf(saga, 'commit').filter(
    ({ work, status, round }) => work.line === line && status === 'failed' && round === saga.round,
  );
  const warehouses = refused.map(({ work }) => work.warehouse);
  return saga.candidates.some((id) => warehouses.filter((warehouse) => warehouse === id).length > RENEWALS);
}

/** Where and when all of the line is promised earliest, by those that refused it; null if nobody can. */
export function backorderFor(saga: Saga, line: number): BackorderLine | null {
  const wanted = saga.lines[line - 1]?.quantity ?? 0;
  if (isGivenUp(saga, line)) return null;
  const refused = sinceLost(reservationsOf(saga, line)).filter(({ round }) => round === saga.round);
  // The newest word of each warehouse counts.
  const newest = new Map(refused.map(({ work, expected }) => [work.warehouse, expected]));
  const promises = [...newest].flatMap(([warehouse, expected]) =>
    expected !== undefined && expected.quantity >= wanted ? [{ line, warehouse, expectedAt: expected.at }] : [],
  );
  return promises.toSorted((a, b) => a.expectedAt - b.expectedAt)[0] ?? null;
}

/**
 * What the warehouses that refused said they have, less what was reserved there since. What was said in an earlier round,
 * or before something that was reserved got lost, is too old.
 */
function toldSince(saga: Saga, steps: readonly StepOf<'reserve'>[]): ReadonlyMap<string, number> {
  const told = new Map<string, number>();
  for (const step of sinceLost(steps)) {
    const { warehouse, quantity } = step.work;
    if (wasRefused(step)) {
      if (step.round === saga.round) told.set(warehouse, step.available ?? 0);
    } else if (told.has(warehouse)) {
      told.set(warehouse, (told.get(warehouse) ?? 0) - quantity);
    }
  }
  return told;
}

function sinceLost(steps: readonly StepOf<'reserve'>[]): readonly StepOf<'reserve'>[] {
  return steps.slice(steps.findLastIndex((step) => !isLive(step) && !wasRefused(step)) + 1);
}

function wasRefused({ status, reason }: StepOf<'reserve'>): boolean {
  return status === 'failed' && reason === REFUSED;
}

/** Each portion is smaller than what was refused before, so this comes to an end. */
function portions(
  candidates: readonly string[],
  told: ReadonlyMap<string, number>,
  missing: number,
): readonly Portion[] | null {
  let rest = missing;
  const parts: Portion[] = [];
  for (const warehouse of candidates) {
    const quantity = Math.min(told.get(warehouse) ?? 0, rest);
    if (quantity <= 0) continue;
    parts.push({ warehouse, quantity });
    rest -= quantity;
  }
  return rest === 0 ? parts : null;
}
