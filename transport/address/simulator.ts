/** An address service that knows every address, but for some first lines that make it answer otherwise, for tests. */
import type { AddressGatewayOutcome } from '../../actors/gateways.ts';
import type { Clock } from '../../actors/kernel/ports.ts';
import type { PostalAddress } from '../../actors/shared.ts';
import { GatewayUnavailable, hang } from '../gateway.ts';
import type { AddressAdapter } from './gateway.ts';

/** Longer than an answer may take to count as a good one, shorter than the time-out. */
const SLOW_MS = 3_000;

export function createAddressSimulator(clock: Pick<Clock, 'sleep'>): AddressAdapter {
  return { perform: ({ address }, signal) => outcomeOf(address, clock, signal) };
}

async function outcomeOf(
  address: PostalAddress,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<AddressGatewayOutcome> {
  switch (address.line1) {
    case '1 Nowhere Lane':
      return { outcome: 'undeliverable', reason: 'there is no such address' };
    case '2 Typo Avnue':
      return { outcome: 'corrected', suggestion: { ...address, line1: '2 Typo Avenue' } };
    case '3 Silent Street':
      return hang(signal);
    case '4 Slow Street':
      await clock.sleep(SLOW_MS, signal);
      return { outcome: 'deliverable' };
    case '5 Broken Bridge':
      throw new GatewayUnavailable('address service is down');
    default:
      return { outcome: 'deliverable' };
  }
}
