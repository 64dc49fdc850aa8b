/** The carrier gateway around whichever vendor: the same contract and the same figures. */
import type { CarrierGatewayOutcome, CarrierGatewayRequest, CarrierGatewayResult } from '../../actors/gateways.ts';
import type { Gateway } from '../../actors/kernel/ports.ts';
import {
  createResilientGateway,
  type GatewayFigures,
  type GatewaySurroundings,
  type VendorAdapter,
} from '../gateway.ts';

export type CarrierAdapter = VendorAdapter<CarrierGatewayRequest, CarrierGatewayOutcome>;

const figures: GatewayFigures = {
  timeoutMs: 15_000,
  retries: 2,
  backoffMs: 500,
  breaker: { failures: 3, windowMs: 60_000, failureShare: 0.1, minCalls: 5, openMs: 120_000, slowMs: 2_000 },
};

const resultType: CarrierGatewayResult['type'] = 'CarrierGatewayResult';

export function createCarrierGateway(adapter: CarrierAdapter, surroundings: GatewaySurroundings): Gateway {
  return createResilientGateway({
    ...surroundings,
    name: 'carrier',
    adapter,
    figures,
    contract: { resultType, operations: { CarrierBuyLabel: true, CarrierVoidLabel: true, CarrierTraceParcel: true } },
  });
}
