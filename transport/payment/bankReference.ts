/** The page of the simulated bank where a customer approves a payment: whoever knows its reference may, as at a real one. */
import { createHmac } from 'node:crypto';
import { REFERENCE_PREFIX, type SimulatorLedger } from './ledger.ts';

/** Served by our own edge: relative to this API, which may stand behind any name. */
const BANK_PATH = '/v1/simulator/bank';
const REFERENCE_BYTES = 18;

/** Opens the page for this key, always the same one; returns where it is. */
export function openAtBank(ledger: SimulatorLedger, key: string, secret: string): string {
  const hash = createHmac('sha256', secret).update(`bank|${key}`).digest();
  const reference = hash.subarray(0, REFERENCE_BYTES).toString('base64url');
  ledger.put({ kind: 'reference', key: `${REFERENCE_PREFIX}${reference}`, authorizationKey: key });
  return `${BANK_PATH}/${reference}`;
}
