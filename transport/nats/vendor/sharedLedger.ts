/**
 * The simulated vendor's ledger for all nodes of a cluster: one document an order, replaced by compare-and-set, so that the
 * same idempotency key on two nodes at once is one operation. What must be found by another name or in order is not in the
 * documents' subjects: references have documents of their own, written before what they lead to, and lists are read from
 * this node's copy once it has caught up.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { GatewayTimeout, GatewayUnavailable } from '../../gateway.ts';
import type { LedgerEntries } from '../../payment/entryLedger.ts';
import {
  type LedgerEntry,
  type OrderEntries,
  orderOf,
  POSITION_KEY,
  REFERENCE_PREFIX,
  type SimulatorLedger,
} from '../../payment/ledger.ts';
import { createDocuments, type Documents, type Link, tokenOf } from '../documents.ts';
import { ensureStream } from '../streams.ts';
import { createLedgerCopy } from './ledgerCopy.ts';

const MAX_ORDER_BYTES = 1024 * 1024;
const DUPLICATE_WINDOW_MS = 120_000;
/** Each time but those whose outcome is unknown somebody else has made progress. */
const MAX_TRIES = 32;
/** As long as the gateway waits for an answer. */
const DEADLINE_MS = 30_000;
/** After an unknown outcome, for the broker to come back. */
const RETRY_MS = 200;
const IMPORT_PAGE = 256;

/** Keys of news that were taken stay, so that a copy that missed the change between forgets them too. */
export type OrderDocument = {
  readonly orderId: string;
  readonly entries: readonly LedgerEntry[];
  readonly taken: readonly string[];
};
const referenceDocument = z.object({ authorizationKey: z.string() });

export const vendorStream = (cluster: string): string => `${cluster}-vendor`;
const ordersPrefix = (cluster: string): string => `${cluster}.vendor.order.`;
const orderSubject = (cluster: string, orderId: string): string => `${ordersPrefix(cluster)}${tokenOf(orderId)}`;
const referenceSubject = (cluster: string, key: string): string => `${cluster}.vendor.reference.${tokenOf(key)}`;

export type SharedLedgerOptions = {
  readonly link: Link;
  readonly cluster: string;
  readonly replicas: number;
  /** This node's copy. What a vendor that only this node talked to has left in it is brought into the shared ledger. */
  readonly entries: LedgerEntries;
};

/** @throws what `ensureStream` throws; GatewayUnavailable */
export async function openSharedLedger(options: SharedLedgerOptions): Promise<SimulatorLedger> {
  const { link, cluster, replicas, entries } = options;
  const stream = vendorStream(cluster);
  await ensureStream(link.manager, {
    name: stream,
    subjects: [`${cluster}.vendor.*.*`],
    description: 'The books of the simulated payment vendor',
    replicas,
    duplicateWindowMs: DUPLICATE_WINDOW_MS,
    denyDelete: true,
    messagesPerSubject: 1,
    maxMessageBytes: MAX_ORDER_BYTES,
  });
  const documents = createDocuments(link, stream);
  const copy = createLedgerCopy({ link, stream, entries, ordersPrefix: ordersPrefix(cluster) });
  const ledger: SimulatorLedger = {
    change: (orderId, visit) => change({ documents, cluster }, orderId, visit),
    async referred(reference) {
      const key = `${REFERENCE_PREFIX}${reference}`;
      const { value, revision } = await documents.read(referenceSubject(cluster, key)).catch(refused);
      return revision === 0 ? undefined : referenceDocument.parse(value).authorizationKey;
    },
    async after(key, limit) {
      await copy.catchUp().catch(refused);
      return entries.after(key, limit);
    },
  };
  await bring(entries, ledger);
  return ledger;
}

type Place = { readonly documents: Documents; readonly cluster: string };

async function change<Result>(
  { documents, cluster }: Place,
  orderId: string,
  visit: (order: OrderEntries) => Result,
): Promise<Result> {
  const subject = orderSubject(cluster, orderId);
  const deadline = performance.now() + DEADLINE_MS;
  // An attempt of ours may be written, now or later, until another one is.
  let unknown = false;
  for (let tries = 1; tries <= MAX_TRIES && performance.now() < deadline; tries++) {
    try {
      const { value, revision } = await documents.read(subject).catch(refused);
      const visited = openOrder((value ?? { orderId, entries: [], taken: [] }) as OrderDocument);
      const result = visit(visited.order);
      if (!visited.changed()) return result;
      await leadTo(documents, cluster, visited.references());
      const outcome = await documents.write(subject, visited.document(), revision).catch(refused);
      if (outcome === 'written') return result;
      if (outcome === 'unknown') unknown = true;
    } catch (error) {
      if (!(unknown && error instanceof GatewayUnavailable)) throw error;
    }
    if (unknown) await pause(RETRY_MS);
  }
  const text = `the vendor's books of ${orderId} could not be changed`;
  throw unknown ? new GatewayTimeout(text) : new GatewayUnavailable(text);
}

/** One reference leads to the same for ever, so whoever writes it writes the same. */
async function leadTo(documents: Documents, cluster: string, references: readonly LedgerEntry[]): Promise<void> {
  for (const entry of references) {
    if (entry.kind !== 'reference') continue;
    const { key, authorizationKey } = entry;
    const outcome = await documents.write(referenceSubject(cluster, key), { authorizationKey }, 0).catch(refused);
    if (outcome === 'unknown') throw new GatewayUnavailable(`a reference of ${authorizationKey} may not be written`);
  }
}

type Visited = {
  readonly order: OrderEntries;
  changed(): boolean;
  references(): readonly LedgerEntry[];
  document(): OrderDocument;
};

function openOrder({ orderId, entries, taken }: OrderDocument): Visited {
  const known = new Map(entries.map((entry) => [entry.key, entry]));
  const puts: LedgerEntry[] = [];
  const removals = new Set<string>();
  let confirmed = false;
  return {
    order: {
      get: (key) => known.get(key),
      authorizations: () =>
        [...known.values()].filter((entry) => entry.kind === 'authorization').sort((a, b) => (a.key < b.key ? -1 : 1)),
      put: (...more) => void puts.push(...more),
      remove: (key) => void (known.has(key) && removals.add(key)),
      confirm: () => {
        confirmed = true;
      },
    },
    changed: () => confirmed || puts.length > 0 || removals.size > 0,
    references: () => puts.filter(({ kind }) => kind === 'reference'),
    document() {
      const next = new Map(known);
      for (const entry of puts) {
        if (entry.kind !== 'reference' && !taken.includes(entry.key)) next.set(entry.key, entry);
      }
      for (const key of removals) next.delete(key);
      return { orderId, entries: [...next.values()], taken: [...taken, ...removals] };
    },
  };
}

/** Whatever the broker refuses, of the vendor nothing was executed. */
function refused(error: Error): never {
  throw new GatewayUnavailable(`the vendor's books: ${error.message}`, { cause: error });
}

/**
 * Brings the entries of a vendor that was this node's alone. Cut short it begins anew, and what is there already stays as it
 * is; once the copy follows the shared ledger there is nothing to bring any more.
 */
async function bring(entries: LedgerEntries, ledger: SimulatorLedger): Promise<void> {
  if (entries.get(POSITION_KEY) !== undefined) return;
  for (let after = ''; ; ) {
    const page = entries.after(after, IMPORT_PAGE);
    const orderIds = new Set(page.map(orderIdOf));
    const changes = [...orderIds].map((orderId) => {
      const own = page.filter((entry) => orderIdOf(entry) === orderId);
      return ledger.change(orderId, (order) => order.put(...own.filter(({ key }) => order.get(key) === undefined)));
    });
    await Promise.all(changes);
    if (page.length < IMPORT_PAGE) return;
    after = page.at(-1)?.key ?? after;
  }
}

function orderIdOf(entry: LedgerEntry): string {
  if (entry.kind === 'news') return entry.orderId;
  return orderOf(entry.kind === 'reference' ? entry.authorizationKey : entry.key);
}
