/**
 * Customer: an account with its addresses and preferences; staff are accounts with scopes. The aggregate's id is the subject
 * of the account's tokens.
 *
 * - What is personal stands in the events' `personal` part, and anonymising leaves nothing of it in the state.
 * - As long as there is an address, exactly one is the default.
 * - What an address check said is kept with the address and goes with it: another address isn't verified.
 * - `session` numbers the account's sign-ins since all of them were last ended: a token of an earlier number is worth nothing.
 * - The e-mail address is unique through its claim. Should somebody else have got it before the claim was taken, the account
 *   is closed: nobody could sign in to it.
 */
import { changeStaff, evolveStaff, type StaffCommand, type StaffEvent } from './customer/staff.ts';
import { type EmailClaimAnswer, type EmailClaimCommand, emailClaimAddress } from './emailClaim.ts';
import type { Address } from './kernel/address.ts';
import { assertNever } from './kernel/assertNever.ts';
import { type Decider, type Decision, noChange, reject } from './kernel/decider.ts';
import type { Policy } from './policy.ts';
import { type AddressVerdict, type PostalAddress, type ShopContext, sameAddress } from './shared.ts';

export type CustomerRole = 'customer' | 'staff';
/** What the customer wants to be written about. */
export type Preferences = { readonly orderUpdates: boolean; readonly marketing: boolean };

export type CustomerEdgeCommand =
  | {
      readonly type: 'RegisterCustomer';
      /** Keyed hash of the address: the id of its claim. */
      readonly emailHash: string;
      readonly passwordHash: string;
      readonly role: CustomerRole;
      readonly scopes: readonly string[];
      readonly personal: { readonly email: string; readonly name: string };
      /** Who made it; absent when it was its owner. */
      readonly by?: string;
    }
  | { readonly type: 'ChangePassword'; readonly passwordHash: string }
  | {
      readonly type: 'AddAddress';
      readonly address: PostalAddress;
      readonly makeDefault: boolean;
      readonly check?: AddressVerdict;
    }
  | { readonly type: 'ChangeAddress'; readonly addressId: string; readonly address: PostalAddress }
  /** What an address service says of an address that was kept before it was asked. */
  | {
      readonly type: 'NoteAddressCheck';
      readonly addressId: string;
      readonly address: PostalAddress;
      readonly check: AddressVerdict;
    }
  | { readonly type: 'RemoveAddress'; readonly addressId: string }
  | { readonly type: 'SetDefaultAddress'; readonly addressId: string }
  | { readonly type: 'ChangeProfile'; readonly name?: string; readonly preferences: Partial<Preferences> }
  | { readonly type: 'AnonymiseCustomer' }
  | StaffCommand;

export type CustomerCommand = CustomerEdgeCommand | EmailClaimAnswer;

export type CustomerSend = {
  readonly to: Address<'email-claim'>;
  readonly message: Extract<EmailClaimCommand, { type: 'TakeEmail' | 'FreeEmail' }>;
};

export type CustomerEvent =
  | {
      readonly type: 'CustomerRegistered';
      readonly v: 1;
      readonly emailHash: string;
      readonly role: CustomerRole;
      readonly scopes: readonly string[];
      readonly by?: string;
      readonly personal: { readonly email: string; readonly name: string; readonly passwordHash: string };
    }
  /** All tokens of before end. */
  | { readonly type: 'PasswordChanged'; readonly v: 1; readonly personal: { readonly passwordHash: string } }
  | AddressEvent<'AddressAdded', { readonly address: PostalAddress }>
  | AddressEvent<'AddressChanged', { readonly address: PostalAddress }>
  | { readonly type: 'AddressVerified'; readonly v: 1; readonly addressId: string }
  | AddressEvent<'AddressDoubted', { readonly check: AddressVerdict }>
  | { readonly type: 'AddressRemoved'; readonly v: 1; readonly addressId: string }
  | { readonly type: 'DefaultAddressSet'; readonly v: 1; readonly addressId: string }
  | { readonly type: 'NameChanged'; readonly v: 1; readonly personal: { readonly name: string } }
  | { readonly type: 'PreferencesChanged'; readonly v: 1; readonly preferences: Preferences }
  | StaffEvent
  | { readonly type: 'CustomerAnonymised'; readonly v: 1; readonly reason: 'asked' | 'email-lost' };

type AddressEvent<Type extends string, Personal> = {
  readonly type: Type;
  readonly v: 1;
  readonly addressId: string;
  readonly personal: Personal;
};

export type SavedAddress = {
  readonly id: string;
  readonly address: PostalAddress;
  /** What is known of it; nothing of the first ones that were kept. */
  readonly check?: AddressVerdict;
};

export type ActiveCustomer = {
  readonly status: 'active';
  readonly id: string;
  readonly emailHash: string;
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly role: CustomerRole;
  readonly scopes: readonly string[];
  readonly enabled: boolean;
  readonly session: number;
  readonly addresses: readonly SavedAddress[];
  readonly defaultAddressId: string | null;
  /** How many addresses were ever added; numbers their ids. */
  readonly addressCount: number;
  readonly preferences: Preferences;
};

export type CustomerState =
  | { readonly status: 'none'; readonly id: string }
  | ActiveCustomer
  | { readonly status: 'anonymised'; readonly id: string };

export type RegisteredReply = { readonly customerId: string };
export type AddressAddedReply = { readonly addressId: string };

type CustomerDecision = Decision<CustomerEvent, CustomerSend>;

const defaultPreferences: Preferences = { orderUpdates: true, marketing: false };

export const customerAddress = (customerId: string): Address<'customer'> => ({ type: 'customer', id: customerId });

const unknown = (id: string) => reject(404, 'customer.unknown', 'Unknown customer', `There is no customer ${id}.`);
const anonymised = () =>
  reject(409, 'customer.anonymised', 'Account closed', 'This account is closed and its data erased.');
const exists = () => reject(409, 'customer.exists', 'Already registered', 'This account is registered already.');
const unknownAddress = (id: string) =>
  reject(404, 'customer.address-unknown', 'Unknown address', `There is no address ${id}.`);
const tooManyAddresses = (max: number) =>
  reject(422, 'customer.too-many-addresses', 'Too many addresses', `An account keeps at most ${max} addresses.`);

function evolve(state: CustomerState, event: CustomerEvent): CustomerState {
  if (event.type === 'CustomerRegistered') {
    const { emailHash, role, scopes, personal } = event;
    const addresses = { addresses: [], defaultAddressId: null, addressCount: 0 };
    const account = { emailHash, role, scopes, ...personal, enabled: true, session: 1 };
    return { status: 'active', id: state.id, ...account, ...addresses, preferences: defaultPreferences };
  }
  if (event.type === 'CustomerAnonymised') return { status: 'anonymised', id: state.id };
  if (state.status !== 'active') return state;
  switch (event.type) {
    case 'PasswordChanged':
      return { ...state, passwordHash: event.personal.passwordHash, session: state.session + 1 };
    case 'NameChanged':
      return { ...state, name: event.personal.name };
    case 'AddressAdded': {
      const added = { id: event.addressId, ...event.personal };
      return { ...state, addresses: [...state.addresses, added], addressCount: state.addressCount + 1 };
    }
    case 'AddressChanged': {
      const changed = { id: event.addressId, ...event.personal };
      return { ...state, addresses: withSaved(state.addresses, event.addressId, () => changed) };
    }
    case 'AddressVerified':
      return withCheck(state, event.addressId, { status: 'deliverable' });
    case 'AddressDoubted':
      return withCheck(state, event.addressId, event.personal.check);
    case 'AddressRemoved': {
      const defaultAddressId = state.defaultAddressId === event.addressId ? null : state.defaultAddressId;
      return { ...state, addresses: state.addresses.filter(({ id }) => id !== event.addressId), defaultAddressId };
    }
    case 'DefaultAddressSet':
      return { ...state, defaultAddressId: event.addressId };
    case 'PreferencesChanged':
      return { ...state, preferences: event.preferences };
    case 'ScopesChanged':
    case 'AccountDisabled':
    case 'AccountEnabled':
      return evolveStaff(state, event);
    default:
      return assertNever(event);
  }
}

function withCheck(state: ActiveCustomer, addressId: string, check: AddressVerdict): ActiveCustomer {
  return { ...state, addresses: withSaved(state.addresses, addressId, (saved) => ({ ...saved, check })) };
}

function withSaved(
  addresses: readonly SavedAddress[],
  id: string,
  change: (saved: SavedAddress) => SavedAddress,
): SavedAddress[] {
  return addresses.map((saved) => (saved.id === id ? change(saved) : saved));
}

function register(
  state: CustomerState,
  command: Extract<CustomerCommand, { type: 'RegisterCustomer' }>,
): CustomerDecision {
  const { type: _type, passwordHash, personal, ...account } = command;
  const { emailHash } = account;
  const reply: RegisteredReply = { customerId: state.id };
  if (state.status === 'anonymised') return anonymised();
  if (state.status === 'active') return state.emailHash === emailHash ? { events: [], reply } : exists();
  return {
    events: [{ type: 'CustomerRegistered', v: 1, ...account, personal: { ...personal, passwordHash } }],
    sends: [{ to: emailClaimAddress(emailHash), message: { type: 'TakeEmail', customerId: state.id } }],
    reply,
  };
}

function changePassword({ passwordHash: old }: ActiveCustomer, passwordHash: string): CustomerDecision {
  return old === passwordHash ? noChange : { events: [{ type: 'PasswordChanged', v: 1, personal: { passwordHash } }] };
}

function addAddress(
  customer: ActiveCustomer,
  { address, makeDefault, check }: Extract<CustomerCommand, { type: 'AddAddress' }>,
  { policy }: ShopContext,
): CustomerDecision {
  if (customer.addresses.length >= policy.customer.maxAddresses) return tooManyAddresses(policy.customer.maxAddresses);
  const addressId = `adr_${customer.addressCount + 1}`;
  const reply: AddressAddedReply = { addressId };
  const isDefault = makeDefault || customer.addresses.length === 0;
  return {
    events: [
      { type: 'AddressAdded', v: 1, addressId, personal: { address } },
      ...(check === undefined ? [] : [checked(addressId, check)]),
      ...(isDefault ? [defaultSet(addressId)] : []),
    ],
    reply,
  };
}

function changeAddress({ id: addressId, address: old }: SavedAddress, address: PostalAddress): CustomerDecision {
  if (sameAddress(old, address)) return noChange;
  return { events: [{ type: 'AddressChanged', v: 1, addressId, personal: { address } }] };
}

/** Not when it was changed since it was checked; not knowing doesn't undo what was known. */
function noteAddressCheck(
  { id, address: kept, check: known }: SavedAddress,
  { address, check }: Extract<CustomerCommand, { type: 'NoteAddressCheck' }>,
): CustomerDecision {
  if (!sameAddress(kept, address) || known?.status === check.status) return noChange;
  return known !== undefined && check.status === 'unchecked' ? noChange : { events: [checked(id, check)] };
}

function checked(addressId: string, check: AddressVerdict): CustomerEvent {
  return check.status === 'deliverable'
    ? { type: 'AddressVerified', v: 1, addressId }
    : { type: 'AddressDoubted', v: 1, addressId, personal: { check } };
}

/** The oldest of the others takes the place of a removed default. */
function removeAddress(customer: ActiveCustomer, addressId: string): CustomerDecision {
  const removed: CustomerEvent = { type: 'AddressRemoved', v: 1, addressId };
  const next = customer.addresses.find(({ id }) => id !== addressId);
  const replaced = customer.defaultAddressId === addressId && next;
  return { events: replaced ? [removed, defaultSet(next.id)] : [removed] };
}

function setDefaultAddress(customer: ActiveCustomer, addressId: string): CustomerDecision {
  return customer.defaultAddressId === addressId ? noChange : { events: [defaultSet(addressId)] };
}

function defaultSet(addressId: string): CustomerEvent {
  return { type: 'DefaultAddressSet', v: 1, addressId };
}

function changeProfile(
  { name: oldName, preferences: old }: ActiveCustomer,
  { name = oldName, preferences: changes }: Extract<CustomerCommand, { type: 'ChangeProfile' }>,
): CustomerDecision {
  const preferences = { ...old, ...changes };
  const unchanged = preferences.orderUpdates === old.orderUpdates && preferences.marketing === old.marketing;
  return {
    events: [
      ...(name === oldName ? [] : [{ type: 'NameChanged', v: 1, personal: { name } } as const]),
      ...(unchanged ? [] : [{ type: 'PreferencesChanged', v: 1, preferences } as const]),
    ],
  };
}

function anonymise(state: CustomerState, reason: 'asked' | 'email-lost'): CustomerDecision {
  if (state.status === 'none') return unknown(state.id);
  if (state.status === 'anonymised') return noChange;
  return { events: [{ type: 'CustomerAnonymised', v: 1, reason }], sends: [freeEmail(state.id, state.emailHash)] };
}

/** An address won after the account was closed is given back: the claim may hear of the two in either order. */
function emailSettled(state: CustomerState, emailHash: string, won: boolean): CustomerDecision {
  if (!won) return anonymise(state, 'email-lost');
  return state.status === 'anonymised' ? { events: [], sends: [freeEmail(state.id, emailHash)] } : noChange;
}

function freeEmail(customerId: string, emailHash: string): CustomerSend {
  return { to: emailClaimAddress(emailHash), message: { type: 'FreeEmail', customerId } };
}

function whenActive(state: CustomerState, act: (customer: ActiveCustomer) => CustomerDecision): CustomerDecision {
  if (state.status === 'none') return unknown(state.id);
  return state.status === 'active' ? act(state) : anonymised();
}

function withAddress(
  state: CustomerState,
  addressId: string,
  act: (customer: ActiveCustomer, saved: SavedAddress) => CustomerDecision,
): CustomerDecision {
  return whenActive(state, (customer) => {
    const saved = customer.addresses.find(({ id }) => id === addressId);
    return saved ? act(customer, saved) : unknownAddress(addressId);
  });
}

function decide(state: CustomerState, command: CustomerCommand, context: ShopContext): CustomerDecision {
  switch (command.type) {
    case 'RegisterCustomer':
      return register(state, command);
    case 'ChangePassword':
      return whenActive(state, (customer) => changePassword(customer, command.passwordHash));
    case 'AddAddress':
      return whenActive(state, (customer) => addAddress(customer, command, context));
    case 'ChangeAddress':
      return withAddress(state, command.addressId, (_, saved) => changeAddress(saved, command.address));
    case 'NoteAddressCheck':
      return withAddress(state, command.addressId, (_, saved) => noteAddressCheck(saved, command));
    case 'RemoveAddress':
      return withAddress(state, command.addressId, (customer) => removeAddress(customer, command.addressId));
    case 'SetDefaultAddress':
      return withAddress(state, command.addressId, (customer) => setDefaultAddress(customer, command.addressId));
    case 'ChangeProfile':
      return whenActive(state, (customer) => changeProfile(customer, command));
    case 'ChangeScopes':
    case 'DisableAccount':
    case 'EnableAccount':
      return whenActive(state, (account) => changeStaff(account, command));
    case 'AnonymiseCustomer':
      return anonymise(state, 'asked');
    case 'EmailSettled':
      return emailSettled(state, command.emailHash, command.won);
    default:
      return assertNever(command);
  }
}

export const customerDecider: Decider<CustomerState, CustomerCommand, CustomerEvent, Policy> = {
  type: 'customer',
  stateVersion: 2,
  partitionKey: (id) => id,
  initial: (id) => ({ status: 'none', id }),
  decide,
  evolve,
};
