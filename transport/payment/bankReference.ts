/** The page of the simulated bank where a customer approves a payment: whoever knows its reference may, as at a real one. */
import { createHmac } from 'node:crypto';
import { type LedgerEntry, REFERENCE_PREFIX } from './ledger.ts';

/** Served by our own edge: relative to this API, which may stand behind any name. */
const BANK_PATH = '/v1/simulator/bank';
const REFERENCE_BYTES = 18;

/** The page for this key, always the same one: where it is, and the entry that leads from there to the key. */
export function pageAtBank(key: string, secret: string): { readonly url: string; readonly entry: LedgerEntry } {
  const hash = createHmac('sha256', secret).update(`bank|${key}`).digest();
  const reference = hash.subarray(0, REFERENCE_BYTES).toString('base64url');
  return {
    url: `${BANK_PATH}/${reference}`,
    entry: { kind: 'reference', key: `${REFERENCE_PREFIX}${reference}`, authorizationKey: key },
  };
}
