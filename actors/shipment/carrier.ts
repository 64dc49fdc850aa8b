/** How a shipment asks the carrier again: under which key, and after which pause. */
import type { CarrierGatewayOutcome } from '../gateways.ts';

const RETRY_MS = 10_000;
const SLOW_RETRY_MS = 60 * 60_000;

/** So many quick attempts (about five minutes); then somebody should look. */
export const ATTEMPTS = 6;

/** The carrier answers a key that it refused with the same refusal for ever, so each refusal needs a new key. */
export function keyAfter(first: string, refusals: number): string {
  return refusals === 0 ? first : `${first}.${refusals + 1}`;
}

/** 10, 20, 40 … s, at most an hour. */
export function pauseAfter(tries: number): number {
  return Math.min(RETRY_MS * 2 ** (tries - 1), SLOW_RETRY_MS);
}

export function reasonOf(result: CarrierGatewayOutcome): string {
  return 'reason' in result ? result.reason : `the carrier answered ${result.outcome}`;
}

export function refusedBy({ outcome }: CarrierGatewayOutcome): { readonly refused?: true } {
  return outcome === 'failed' ? { refused: true } : {};
}
