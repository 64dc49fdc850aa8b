/** One request of each kind around one authorization, as the payment gateway gets them. */
import type { PaymentGatewayRequest } from '../../actors/gateways.ts';
import { money } from '../../actors/kernel/money.ts';

export const usd = (amount: number) => money(amount, 'USD');

export function paymentRequests(token: string) {
  return {
    authorize: {
      type: 'GatewayAuthorize',
      key: 'a',
      orderId: 'ord_1',
      amount: usd(5_000),
      token,
    },
    capture: (key = 'c', amount = 5_000) => ({
      type: 'GatewayCapture',
      key,
      authorizationId: 'auth_a',
      amount: usd(amount),
    }),
    voiding: (key = 'v') => ({ type: 'GatewayVoid', key, authorizationId: 'auth_a' }),
    refund: (key = 'r', amount = 5_000) => ({ type: 'GatewayRefund', key, captureId: 'cap_c', amount: usd(amount) }),
    enquire: (key: string) => ({ type: 'GatewayEnquire', key }),
  } as const satisfies Record<string, PaymentGatewayRequest | ((...args: never[]) => PaymentGatewayRequest)>;
}
