/** The first staff account, made when the process starts. */
import { randomBytes } from 'node:crypto';
import { type CustomerEdgeCommand, type CustomerState, customerAddress } from '../actors/customer.ts';
import { type EmailClaimEdgeCommand, type EmailClaimState, emailClaimAddress } from '../actors/emailClaim.ts';
import type { Address } from '../actors/kernel/address.ts';
import type { Typed } from '../actors/kernel/decider.ts';
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
 * Makes sure that the operator's account exists with all scopes and, if one is given, this password. Safe to run at every
 * start and from several nodes. Returns the password when it had to think of one: it can't be shown again.
 */
export async function ensureOperator(services: Services, operator: Operator): Promise<{ generatedPassword?: string }> {
  const { keys, passwords } = services;
  const emailHash = keys.emailHash(operator.email);
  const existing = await accountOf(services, emailHash);
  if (existing) {
    if (existing.role !== 'staff') throw new Error(`the operator's address ${operator.email} belongs to a customer`);
    const { password } = operator;
    if (password !== undefined && !(await passwords.matches(password, existing.passwordHash))) {
      const change: CustomerEdgeCommand = { type: 'ChangePassword', passwordHash: await passwords.hash(password) };
      await ask(services, customerAddress(existing.id), change);
    }
    return {};
  }
  const password = operator.password ?? randomBytes(PASSWORD_BYTES).toString('base64url');
  // Derived, so that a start that was cut short goes on with the same account.
  const id = keys.createdId('cus', `operator|${emailHash}`);
  const hold: EmailClaimEdgeCommand = { type: 'HoldEmail', customerId: id };
  await ask(services, emailClaimAddress(emailHash), hold);
  const register: CustomerEdgeCommand = {
    type: 'RegisterCustomer',
    emailHash,
    passwordHash: await passwords.hash(password),
    role: 'staff',
    scopes: allScopes,
    personal: { email: normalizeEmail(operator.email), name: 'Operator' },
  };
  await ask(services, customerAddress(id), register);
  return operator.password === undefined ? { generatedPassword: password } : {};
}

async function accountOf({ shop }: Services, emailHash: string) {
  const deadline = shop.clock.monotonic() + DEADLINE_MS;
  const claim = await shop.read<EmailClaimState>(emailClaimAddress(emailHash), { deadline });
  if (!claim || claim.state.status === 'free') return undefined;
  const customer = await shop.read<CustomerState>(customerAddress(claim.state.customerId), { deadline });
  return customer?.state.status === 'active' ? customer.state : undefined;
}

async function ask({ shop, ids }: Services, to: Address, message: Typed): Promise<void> {
  const deadline = shop.clock.monotonic() + DEADLINE_MS;
  const reply = await shop.ask({ to, message, id: ids.next('req'), by: 'system', deadline });
  if (!reply.ok) throw new Error(`the operator's account could not be made: ${reply.rejection.detail}`);
}
