/** How one becomes somebody: a guest, a customer, or staff. */
import {
  type CustomerEdgeCommand,
  type CustomerState,
  customerAddress,
  type RegisteredReply,
} from '../../actors/customer.ts';
import { type EmailClaimEdgeCommand, type EmailClaimState, emailClaimAddress } from '../../actors/emailClaim.ts';
import type { Issued } from '../auth.ts';
import { ask, read, stateAt } from '../calls.ts';
import { normalizeEmail } from '../keys.ts';
import { notFound, Problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { registeredSchema, registerSchema, sessionSchema, signInSchema } from '../schemas/customer.ts';
import { customerView } from '../views/customer.ts';
import { time } from '../views/time.ts';

const tag = 'Sessions';

const guest = route({
  method: 'post',
  path: '/v1/sessions/guest',
  tag,
  summary: 'A token for a visitor without an account',
  access: 'public',
  // Keys of callers that nobody knows share one scope: a repeat could be somebody else's and get this guest's token.
  idempotency: 'ignored',
  responses: { 201: { description: 'The token.', schema: sessionSchema } },
  handler: async ({ ids, tokens }) => {
    const issued = await tokens.issue({ sub: ids.next('gst'), role: 'guest', scopes: [] });
    return { status: 201, body: sessionView(issued) };
  },
});

const register = route({
  method: 'post',
  path: '/v1/customers',
  tag,
  summary: 'Open an account',
  access: 'public',
  body: registerSchema,
  responses: { 201: { description: 'The account and a token for it.', schema: registeredSchema } },
  example: { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada Buyer' },
  handler: async (call) => {
    const { keys, ids, body, fingerprint, requestId, passwords, tokens } = call;
    const id = fingerprint === undefined ? ids.next('cus') : keys.createdId('cus', requestId);
    const emailHash = keys.emailHash(body.email);
    const passwordHash = await passwords.hash(body.password);
    // A repeat is answered by the account itself; holding the address again could only hold another body's.
    if (!(await read(call, customerAddress(id)))) {
      const hold: EmailClaimEdgeCommand = { type: 'HoldEmail', customerId: id };
      await ask(call, emailClaimAddress(emailHash), hold, 'hold');
    }
    const personal = { email: normalizeEmail(body.email), name: body.name };
    const account = { role: 'customer', scopes: [], personal } as const;
    const command: CustomerEdgeCommand = { type: 'RegisterCustomer', emailHash, passwordHash, ...account };
    const registered = await ask<RegisteredReply>(call, customerAddress(id), command);
    const state = await stateAt<CustomerState>(call, customerAddress(id), registered);
    if (state.status !== 'active') throw notFound('customer');
    const session = sessionView(await tokens.issue({ sub: id, role: 'customer', scopes: [] }));
    return {
      status: 201,
      body: { customer: customerView(state, registered.version), ...session },
      version: registered.version,
      replayed: registered.replayed,
      headers: { Location: '/v1/me' },
    };
  },
});

const signIn = route({
  method: 'post',
  path: '/v1/sessions',
  tag,
  summary: 'Sign in',
  access: 'public',
  idempotency: 'ignored',
  body: signInSchema,
  responses: { 201: { description: 'The token.', schema: sessionSchema } },
  example: { email: 'ada@example.com', password: 'correct horse battery' },
  handler: async (call) => {
    const account = await accountOf(call, call.body.email);
    // Checked whether or not there is an account: the answer and its time are the same.
    const right = await call.passwords.matches(call.body.password, account?.passwordHash);
    if (!right || !account) {
      throw new Problem(401, 'session.invalid-credentials', 'E-mail address or password is wrong.');
    }
    const { id, role, scopes } = account;
    return { status: 201, body: sessionView(await call.tokens.issue({ sub: id, role, scopes })) };
  },
});

async function accountOf(call: Call, email: string) {
  const claim = await read<EmailClaimState>(call, emailClaimAddress(call.keys.emailHash(email)));
  if (!claim || claim.state.status === 'free') return undefined;
  const customer = await read<CustomerState>(call, customerAddress(claim.state.customerId));
  return customer?.state.status === 'active' ? customer.state : undefined;
}

function sessionView({ token, expiresAt }: Issued) {
  return { token, expiresAt: time(expiresAt) };
}

export const sessionRoutes: readonly Route[] = [guest, register, signIn];
