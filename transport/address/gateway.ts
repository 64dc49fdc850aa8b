/**
 * The address check around whichever vendor. Somebody waits for it, so its answer is no durable message, and it always
 * answers: what isn't known in time is unchecked.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AddressCheck, AddressGatewayOutcome, AddressGatewayRequest } from '../../actors/gateways.ts';
import type { AddressVerdict, PostalAddress } from '../../actors/shared.ts';
import {
  createResilientCalls,
  type GatewayFailure,
  type GatewayFigures,
  type GatewaySurroundings,
  GatewayTimeout,
  type VendorAdapter,
} from '../gateway.ts';

export type AddressAdapter = VendorAdapter<AddressGatewayRequest, AddressGatewayOutcome>;

const TIMEOUT_MS = 5_000;
const figures: GatewayFigures = {
  timeoutMs: TIMEOUT_MS,
  retries: 2,
  backoffMs: 200,
  breaker: { failures: 3, windowMs: 60_000, failureShare: 0.1, minCalls: 5, openMs: 120_000, slowMs: 2_000 },
};

/** Checks under way at once; who comes when so many wait goes on unchecked. */
const MAX_CALLS = 64;
/** What the vendor said is believed for so long, also while it can't be asked. */
const REMEMBERED_MS = 60 * 60 * 1_000;
const MAX_REMEMBERED = 1_000;

export function createAddressCheck(adapter: AddressAdapter, surroundings: GatewaySurroundings): AddressCheck {
  const { clock } = surroundings;
  const call = createResilientCalls({ ...surroundings, name: 'address', adapter, figures });
  const known = new LRUCache<string, AddressVerdict>({
    max: MAX_REMEMBERED,
    ttl: REMEMBERED_MS,
    // Business time, read at each look: its own copy of the time would be refreshed by the wall clock.
    perf: { now: clock.now },
    ttlResolution: 0,
  });
  let running = 0;

  async function ask(request: AddressGatewayRequest, trace: string | undefined): Promise<AddressVerdict> {
    const patience = new AbortController();
    // Business time may stand still; whoever waits doesn't.
    const cancel = clock.delay(TIMEOUT_MS, () => patience.abort(new GatewayTimeout(`no answer in ${TIMEOUT_MS} ms`)));
    running += 1;
    try {
      const verdict = verdictOf(await call(request, { trace }, patience.signal));
      if (verdict.status !== 'unchecked') known.set(request.key, verdict);
      return verdict;
    } finally {
      running -= 1;
      cancel();
    }
  }

  return async (address, trace) => {
    const key = keyOf(address);
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    if (running >= MAX_CALLS) return { status: 'unchecked', reason: 'too many checks at once' };
    return ask({ type: 'GatewayCheckAddress', key, address }, trace);
  };
}

/** Names an address in the log and in memory without showing it. */
function keyOf({ line1, line2 = '', city, region = '', postalCode, country }: PostalAddress): string {
  const place = JSON.stringify([line1, line2, city, region, postalCode, country]);
  return createHash('sha256').update(place).digest('base64url');
}

function verdictOf(result: AddressGatewayOutcome | GatewayFailure): AddressVerdict {
  switch (result.outcome) {
    case 'deliverable':
      return { status: 'deliverable' };
    case 'corrected':
      return { status: 'corrected', suggestion: result.suggestion };
    case 'undeliverable':
      return { status: 'undeliverable', reason: result.reason };
    default:
      return { status: 'unchecked', reason: result.reason };
  }
}
