/** Accounts as the edge needs them: opening one, finding one by its e-mail address, and what a token of one is worth now. */
import {
  type ActiveCustomer,
  type CustomerEdgeCommand,
  type CustomerRole,
  type CustomerState,
  customerAddress,
} from '../actors/customer.ts';
import { type EmailClaimEdgeCommand, type EmailClaimState, emailClaimAddress } from '../actors/emailClaim.ts';
import { type Issued, type Principal, unauthorized } from './auth.ts';
import { type Accepted, ask, read, stateAt } from './calls.ts';
import { normalizeEmail } from './keys.ts';
import { notFound } from './problem.ts';
import type { Call, Services } from './route.ts';
import type { Shop } from './shop.ts';
import { time } from './views/time.ts';

export type NewAccount = {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly role: CustomerRole;
  readonly scopes: readonly string[];
  readonly by?: string;
};

export type Opened = { readonly state: ActiveCustomer; readonly answer: Accepted<unknown> };

/** Opens an account under an address that nobody else has. A repeated request is answered with the same account. */
export async function openAccount(call: Call, { email, password, name, ...account }: NewAccount): Promise<Opened> {
  const { keys, ids, fingerprint, requestId, passwords } = call;
  const id = fingerprint === undefined ? ids.next('cus') : keys.createdId('cus', requestId);
  const emailHash = keys.emailHash(email);
  const passwordHash = await passwords.hash(password);
  // A repeat is answered by the account itself; holding the address again could only hold another body's.
  if (!(await read(call, customerAddress(id)))) {
    const hold: EmailClaimEdgeCommand = { type: 'HoldEmail', customerId: id };
    await ask(call, emailClaimAddress(emailHash), hold, 'hold');
  }
  const personal = { email: normalizeEmail(email), name };
  const command: CustomerEdgeCommand = { type: 'RegisterCustomer', emailHash, passwordHash, ...account, personal };
  const answer = await ask(call, customerAddress(id), command);
  const state = await stateAt<CustomerState>(call, customerAddress(id), answer);
  if (state.status !== 'active') throw notFound('customer');
  return { state, answer };
}

/** The account that an e-mail address belongs to. */
export async function accountByEmail(
  shop: Shop,
  emailHash: string,
  deadline: number,
): Promise<ActiveCustomer | undefined> {
  const claim = await shop.read<EmailClaimState>(emailClaimAddress(emailHash), { deadline });
  if (!claim || claim.state.status === 'free') return undefined;
  const customer = await shop.read<CustomerState>(customerAddress(claim.state.customerId), { deadline });
  return customer?.state.status === 'active' ? customer.state : undefined;
}

export async function sessionOf({ tokens }: Services, account: ActiveCustomer) {
  const { id: sub, role, scopes, session } = account;
  return sessionView(await tokens.issue({ sub, role, scopes, session }));
}

export function sessionView({ token, expiresAt }: Issued) {
  return { token, expiresAt: time(expiresAt) };
}

/**
 * A token of an account is worth what its account is now: nothing once that is closed, disabled or has ended its sessions,
 * and for staff the scopes of this moment. Guests and the accounts of outside issuers are known by their token alone.
 */
export async function current(shop: Shop, principal: Principal, deadline: number): Promise<Principal> {
  if (principal.session === undefined) return principal;
  const found = await shop.read<CustomerState>(customerAddress(principal.sub), { deadline });
  const account = found?.state;
  if (account?.status !== 'active' || !account.enabled || account.session !== principal.session) throw unauthorized();
  return { ...principal, scopes: account.scopes };
}
