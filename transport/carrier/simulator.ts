/**
 * A carrier that sells labels for nothing. It keeps no state: what it answers derives from the key, so that asking twice
 * buys once, also after a restart. Some postal codes make it fail, for tests.
 */
import { createHash } from 'node:crypto';
import type { CarrierGatewayOutcome, CarrierGatewayRequest } from '../../actors/gateways.ts';
import { assertNever } from '../../actors/kernel/assertNever.ts';
import { GatewayUnavailable, hang } from '../gateway.ts';
import type { CarrierAdapter } from './gateway.ts';

const LABEL_PREFIX = 'lbl_';

type BuyLabel = Extract<CarrierGatewayRequest, { type: 'CarrierBuyLabel' }>;

export function createCarrierSimulator(): CarrierAdapter {
  return {
    async perform(request, signal) {
      switch (request.type) {
        case 'CarrierBuyLabel':
          return buyLabel(request, signal);
        case 'CarrierVoidLabel':
          return request.labelId.startsWith(LABEL_PREFIX)
            ? { outcome: 'voided' }
            : { outcome: 'failed', reason: 'no such label' };
        case 'CarrierTraceParcel':
          return { outcome: 'tracing', traceId: `trc_${digestOf(request.key).toString('hex', 0, 12)}` };
        default:
          return assertNever(request);
      }
    },
  };
}

async function buyLabel(request: BuyLabel, signal: AbortSignal): Promise<CarrierGatewayOutcome> {
  switch (request.address.postalCode) {
    case '00000':
      return { outcome: 'failed', reason: 'address not served' };
    case '00001':
      throw new GatewayUnavailable('carrier is down');
    case '00002':
      return hang(signal);
    case '00003':
      // What failed under a key fails under it for ever, as with real vendors; another key is another try.
      return /\.\d+$/.test(request.key) ? label(request) : { outcome: 'failed', reason: 'no capacity today' };
    default:
      return label(request);
  }
}

function label({ key, method }: BuyLabel): CarrierGatewayOutcome {
  const digest = digestOf(key);
  return {
    outcome: 'label',
    labelId: `${LABEL_PREFIX}${digest.toString('hex', 0, 12)}`,
    carrier: method === 'overnight' ? 'Simulated Air' : 'Simulated Ground',
    trackingNumber: `SIM${digest.readBigUInt64BE(12).toString().padStart(20, '0')}`,
  };
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
