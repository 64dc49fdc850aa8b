/** How one becomes somebody: a guest, a customer, or staff. */
import { accountByEmail, openAccount, sessionOf, sessionView } from '../accounts.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { registeredSchema, registerSchema, sessionSchema, signInSchema } from '../schemas/customer.ts';
import { customerView } from '../views/customer.ts';

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
    const { state, answer } = await openAccount(call, { ...call.body, role: 'customer', scopes: [] });
    return {
      status: 201,
      body: { customer: customerView(state, answer.version), ...(await sessionOf(call, state)) },
      version: answer.version,
      replayed: answer.replayed,
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
    const { body, client, deadline, keys, limits, passwords, shop } = call;
    const emailHash = keys.emailHash(body.email);
    limits.passwordAttempt(emailHash, client);
    const account = await accountByEmail(shop, emailHash, deadline);
    // Checked whether or not there is an account: the answer and its time are the same.
    const right = await passwords.matches(body.password, account?.passwordHash);
    if (!right || !account?.enabled) {
      throw new Problem(401, 'session.invalid-credentials', 'E-mail address or password is wrong.');
    }
    limits.rightPassword(emailHash, client);
    return { status: 201, body: await sessionOf(call, account) };
  },
});

export const sessionRoutes: readonly Route[] = [guest, register, signIn];
