/** The first staff account, made when the process starts. */
import { randomBytes } from 'node:crypto';
import { type ActiveCustomer, type CustomerEdgeCommand, customerAddress } from '../actors/customer.ts';
import { type EmailClaimEdgeCommand, emailClaimAddress } from '../actors/emailClaim.ts';
import type { Address } from '../actors/kernel/address.ts';
import type { Typed } from '../actors/kernel/decider.ts';
import { accountByEmail } from './accounts.ts';
import { allScopes } from './auth.ts';
import { normalizeEmail } from './keys.ts';
import type { Services } from './route.ts';

const DEADLINE_MS = 30_000;
const PASSWORD_BYTES = 12;

export type Operator = {
  readonly email: string;
  /** Without one a new account gets a random password, and an existing one keeps its own. */
  readonly password?: string;
};

/**
 * Makes sure that the operator's account exists and, if a password is given, that it lets in with all scopes. Safe to run at every
 * start and from several nodes. Returns the password when it had to think of one: it can't be shown again.
 */
export async function ensureOperator(services: Services, operator: Operator): Promise<{ generatedPassword?: string }> {
  const { keys, passwords } = services;
  const emailHash = keys.emailHash(operator.email);
  const existing = await accountByEmail(services.shop, emailHash, services.shop.clock.monotonic() + DEADLINE_MS);
  if (existing) {
    if (existing.role !== 'staff') throw new Error(`the operator's address ${operator.email} belongs to a customer`);
    if (operator.password !== undefined) await restore(services, existing, operator.password);
    return {};
  }
  const password = operator.password ?? randomBytes(PASSWORD_BYTES).toString('base64url');
  // Derived, so that a start that was cut short goes on with the same account.
  const id = keys.createdId('cus', `operator|${emailHash}`);
  const hold: EmailClaimEdgeCommand = { type: 'HoldEmail', customerId: id };
  await ask(services, emailClaimAddress(emailHash), hold);
  const passwordHash = await passwords.hash(password);
  const register: CustomerEdgeCommand = {
    type: 'RegisterCustomer',
    emailHash,
    passwordHash,
    role: 'staff',
    scopes: allScopes,
    personal: { email: normalizeEmail(operator.email), name: 'Operator' },
  };
  await ask(services, customerAddress(id), register);
  const made = await accountByEmail(services.shop, emailHash, services.shop.clock.monotonic() + DEADLINE_MS);
  // Another node may have been faster: then its password holds.
  const isOurs = operator.password === undefined && made?.passwordHash === passwordHash;
  return isOurs ? { generatedPassword: password } : {};
}

/** Whoever can start the process with a password can always get in, with every scope. */
async function restore(services: Services, { id, ...account }: ActiveCustomer, password: string): Promise<void> {
  const { passwords } = services;
  const recorded = { by: 'system', why: 'OPERATOR_PASSWORD was given at the start.' };
  const to = customerAddress(id);
  const change = (command: CustomerEdgeCommand) => ask(services, to, command);
  if (!(await passwords.matches(password, account.passwordHash))) {
    await change({ type: 'ChangePassword', passwordHash: await passwords.hash(password) });
  }
  await change({ type: 'EnableAccount', ...recorded });
  await change({ type: 'ChangeScopes', scopes: allScopes, ...recorded });
}

async function ask({ shop, ids }: Services, to: Address, message: Typed): Promise<void> {
  const deadline = shop.clock.monotonic() + DEADLINE_MS;
  const reply = await shop.ask({ to, message, id: ids.next('req'), by: 'system', deadline });
  if (!reply.ok) throw new Error(`the operator's account could not be made: ${reply.rejection.detail}`);
}
