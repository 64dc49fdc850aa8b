/** The payment gateway around whichever vendor: the same contract and the same figures. */
import type { PaymentGatewayOutcome, PaymentGatewayRequest, PaymentGatewayResult } from '../../actors/gateways.ts';
import type { Gateway } from '../../actors/kernel/ports.ts';
import {
  createResilientGateway,
  type GatewayFigures,
  type GatewaySurroundings,
  type VendorAdapter,
} from '../gateway.ts';

export type PaymentAdapter = VendorAdapter<PaymentGatewayRequest, PaymentGatewayOutcome>;

const figures: GatewayFigures = {
  timeoutMs: 30_000,
  retries: 3,
  backoffMs: 200,
  breaker: { failures: 3, windowMs: 30_000, failureShare: 0.1, minCalls: 5, openMs: 60_000, slowMs: 2_000 },
};

const resultType: PaymentGatewayResult['type'] = 'PaymentGatewayResult';

export function createPaymentGateway(adapter: PaymentAdapter, surroundings: GatewaySurroundings): Gateway {
  return createResilientGateway({
    ...surroundings,
    name: 'payment',
    adapter,
    figures,
    contract: {
      resultType,
      operations: {
        GatewayAuthorize: true,
        GatewayCapture: true,
        GatewayVoid: true,
        GatewayRefund: true,
        GatewayEnquire: true,
      },
    },
  });
}
