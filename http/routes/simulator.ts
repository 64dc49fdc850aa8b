/**
 * What people do at the simulated payment vendor (only with PAYMENT=simulated). The bank's page asks for no token, as a
 * real one knows nothing of ours: whoever has its unguessable address may decide.
 */
import { claimKey } from '../calls.ts';
import { notFound, Problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import {
  bankDecisionSchema,
  bankRequestSchema,
  disputeParams,
  disputeSchema,
  openDisputeSchema,
  referenceParams,
  resolveDisputeSchema,
} from '../schemas/simulator.ts';
import type { PaymentSimulation } from '../shop.ts';
import { time } from '../views/time.ts';

const tag = 'Simulator';
const access = { scope: 'payments' } as const;

function simulation({ shop }: Call): PaymentSimulation {
  if (!shop.paymentSimulation) throw notFound('simulator');
  return shop.paymentSimulation;
}

const showRequest = route({
  method: 'get',
  path: '/v1/simulator/bank/{reference}',
  tag,
  summary: 'What the simulated bank asks the customer to approve',
  access: 'public',
  params: referenceParams,
  responses: { 200: { description: 'The payment.', schema: bankRequestSchema } },
  handler: async (call) => {
    const found = await simulation(call).find(call.params.reference);
    if (!found) throw notFound('bank-request');
    return { status: 200, body: found, orderId: found.orderId };
  },
});

const decide = route({
  method: 'post',
  path: '/v1/simulator/bank/{reference}',
  tag,
  summary: 'Approve or decline a payment at the simulated bank',
  access: 'public',
  idempotency: 'ignored',
  params: referenceParams,
  body: bankDecisionSchema,
  responses: { 200: { description: 'Decided; the shop knows.', schema: bankRequestSchema } },
  example: { approve: true },
  handler: async (call) => {
    const { approve } = call.body;
    const decided = await simulation(call).decide(call.params.reference, approve);
    if (!decided) throw notFound('bank-request');
    if (decided.status !== (approve ? 'approved' : 'declined')) {
      throw new Problem(409, 'bank-request.decided', `The payment was ${decided.status} already.`);
    }
    return { status: 200, body: decided, orderId: decided.orderId };
  },
});

const openDispute = route({
  method: 'post',
  path: '/v1/admin/simulator/disputes',
  tag,
  summary: "Let the customer's bank dispute a payment",
  access,
  body: openDisputeSchema,
  responses: { 201: { description: 'The dispute; the shop knows.', schema: disputeSchema } },
  example: { orderId: 'ord_01JD8Z6V3M5K7Q9T1W3Y5A7C9E', reason: 'fraudulent' },
  handler: async (call) => {
    await claimKey(call);
    const { orderId, amount, reason } = call.body;
    const id = call.keys.createdId('dp', call.requestId);
    const dispute = await simulation(call).dispute(orderId, { id, reason, ...(amount !== undefined && { amount }) });
    if (!dispute) {
      throw new Problem(422, 'simulator.nothing-to-dispute', 'So much of a payment for this order is not kept.');
    }
    return { status: 201, body: { ...dispute, at: time(dispute.at) }, orderId };
  },
});

const resolveDispute = route({
  method: 'post',
  path: '/v1/admin/simulator/disputes/{id}/resolve',
  tag,
  summary: 'Let a dispute end',
  access,
  idempotency: 'ignored',
  params: disputeParams,
  body: resolveDisputeSchema,
  responses: { 200: { description: 'The dispute; the shop knows.', schema: disputeSchema } },
  example: { outcome: 'lost' },
  handler: async (call) => {
    const { outcome } = call.body;
    const dispute = await simulation(call).resolve(call.params.id, outcome);
    if (!dispute) throw notFound('dispute');
    if (dispute.status !== outcome)
      throw new Problem(409, 'dispute.ended', `The dispute was ${dispute.status} already.`);
    return { status: 200, body: { ...dispute, at: time(dispute.at) }, orderId: dispute.orderId };
  },
});

export const simulatorRoutes: readonly Route[] = [showRequest, decide, openDispute, resolveDispute];
