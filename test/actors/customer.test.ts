import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CustomerCommand,
  type CustomerEvent,
  type CustomerState,
  customerDecider,
} from '../../actors/customer.ts';
import { emailClaimDecider } from '../../actors/emailClaim.ts';
import type { AddressVerdict } from '../../actors/shared.ts';
import { specification } from '../support/spec.ts';

const customer = specification(customerDecider, { id: 'cus_1' });

const personal = { email: 'ada@example.com', name: 'Ada' };
const register: CustomerCommand = {
  type: 'RegisterCustomer',
  emailHash: 'hash-1',
  passwordHash: 'secret-1',
  role: 'customer',
  scopes: [],
  personal,
};
const registered: CustomerEvent = {
  type: 'CustomerRegistered',
  v: 1,
  emailHash: 'hash-1',
  role: 'customer',
  scopes: [],
  personal: { ...personal, passwordHash: 'secret-1' },
};
const anonymised: CustomerEvent = { type: 'CustomerAnonymised', v: 1, reason: 'asked' };

const home = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07102', country: 'US' };
const work = { ...home, line1: '2 Side St' };
const addAddress = (makeDefault = false, address = home): CustomerCommand => ({
  type: 'AddAddress',
  address,
  makeDefault,
});
const added = (addressId: string, address = home): CustomerEvent => ({
  type: 'AddressAdded',
  v: 1,
  addressId,
  personal: { address },
});
const defaultSet = (addressId: string): CustomerEvent => ({ type: 'DefaultAddressSet', v: 1, addressId });
const removed = (addressId: string): CustomerEvent => ({ type: 'AddressRemoved', v: 1, addressId });
const two = [registered, added('adr_1'), defaultSet('adr_1'), added('adr_2', work)];

function active(state: CustomerState) {
  if (state.status !== 'active') throw new Error(`customer is ${state.status}`);
  return state;
}

const registering = suite('Customer - register');

registering('keeps what is personal apart and takes the e-mail address', () => {
  const outcome = customer.given().when(register);
  outcome.then(registered);
  assert.equal(outcome.sent, [
    { to: { type: 'email-claim', id: 'hash-1' }, message: { type: 'TakeEmail', customerId: 'cus_1' } },
  ]);
  assert.equal(outcome.accepted.reply, { customerId: 'cus_1' });
});

registering('again gives the same answer; with another address it is refused', () => {
  const again = customer.given(registered).when(register);
  again.nothing();
  assert.equal(again.accepted.reply, { customerId: 'cus_1' });
  customer
    .given(registered)
    .when({ ...register, emailHash: 'hash-2' })
    .rejects('customer.exists');
});

registering('staff have scopes', () => {
  const { state } = customer.given().when({ ...register, role: 'staff', scopes: ['stock', 'orders'] });
  assert.equal([active(state).role, active(state).scopes], ['staff', ['stock', 'orders']]);
});

registering('a password is changed, and is personal too', () => {
  const given = customer.given(registered);
  given
    .when({ type: 'ChangePassword', passwordHash: 'secret-2' })
    .then({ type: 'PasswordChanged', v: 1, personal: { passwordHash: 'secret-2' } });
  given.when({ type: 'ChangePassword', passwordHash: 'secret-1' }).nothing();
});

registering('preferences change one by one', () => {
  const given = customer.given(registered);
  const outcome = given.when({ type: 'ChangeProfile', preferences: { marketing: true } });
  outcome.then({ type: 'PreferencesChanged', v: 1, preferences: { orderUpdates: true, marketing: true } });
  customer
    .from(outcome.state)
    .when({ type: 'ChangeProfile', preferences: { marketing: true } })
    .nothing();
  given.when({ type: 'ChangeProfile', preferences: {} }).nothing();
});

const addresses = suite('Customer - addresses');

addresses('the first becomes the default, a later one if asked', () => {
  const first = customer.given(registered).when(addAddress());
  first.then(added('adr_1'), defaultSet('adr_1'));
  assert.equal(first.accepted.reply, { addressId: 'adr_1' });
  customer
    .given(...two)
    .when(addAddress())
    .then(added('adr_3'));
  customer
    .given(...two)
    .when(addAddress(true))
    .then(added('adr_3'), defaultSet('adr_3'));
});

addresses('an id is never used again', () => {
  customer
    .given(...two, removed('adr_2'))
    .when(addAddress())
    .then(added('adr_3'));
});

addresses('are 50 at most', () => {
  const many = Array.from({ length: 50 }, (_, index) => added(`adr_${index + 1}`));
  customer
    .given(registered, ...many.slice(1))
    .when(addAddress())
    .thenTypes('AddressAdded');
  customer
    .given(registered, ...many)
    .when(addAddress())
    .rejects('customer.too-many-addresses');
});

addresses('can be changed; the same again is no change', () => {
  const change = (address: typeof home): CustomerCommand => ({ type: 'ChangeAddress', addressId: 'adr_1', address });
  const outcome = customer.given(...two).when(change(work));
  outcome.then({ type: 'AddressChanged', v: 1, addressId: 'adr_1', personal: { address: work } });
  assert.equal(
    active(outcome.state).addresses.map(({ address }) => address),
    [work, work],
  );
  customer
    .given(...two)
    .when(change(home))
    .nothing();
});

const deliverable = { status: 'deliverable' } as const;
const wrong = { status: 'undeliverable', reason: 'no such street' } as const;
const unchecked = { status: 'unchecked', reason: 'no answer' } as const;
const verified: CustomerEvent = { type: 'AddressVerified', v: 1, addressId: 'adr_1' };
const doubted = (check: AddressVerdict): CustomerEvent => ({
  type: 'AddressDoubted',
  v: 1,
  addressId: 'adr_1',
  personal: { check },
});
const noteCheck = (check: AddressVerdict, address = home): CustomerCommand => ({
  type: 'NoteAddressCheck',
  addressId: 'adr_1',
  address,
  check,
});

addresses('one that was checked is verified, or says what is wrong with it', () => {
  const fine = customer.given(registered).when({ ...addAddress(), check: deliverable } as CustomerCommand);
  fine.then(added('adr_1'), verified, defaultSet('adr_1'));
  assert.equal(active(fine.state).addresses, [{ id: 'adr_1', address: home, check: deliverable }]);
  const doubtful = customer.given(registered).when({ ...addAddress(), check: wrong } as CustomerCommand);
  doubtful.then(added('adr_1'), doubted(wrong), defaultSet('adr_1'));
  assert.equal(active(doubtful.state).addresses, [{ id: 'adr_1', address: home, check: wrong }]);
  const moved = customer.from(fine.state).when({ type: 'ChangeAddress', addressId: 'adr_1', address: work });
  assert.equal(active(moved.state).addresses, [{ id: 'adr_1', address: work }], 'another address is not verified');
});

addresses('what is said of one later is kept, unless it was changed meanwhile or nothing is known', () => {
  const kept = customer.given(registered, added('adr_1'));
  const outcome = kept.when(noteCheck(deliverable));
  outcome.then(verified);
  customer.from(outcome.state).when(noteCheck(deliverable)).nothing();
  customer.from(outcome.state).when(noteCheck(unchecked)).nothing();
  customer.from(outcome.state).when(noteCheck(wrong)).then(doubted(wrong));
  kept.when(noteCheck(unchecked)).then(doubted(unchecked));
  kept.when(noteCheck(deliverable, work)).nothing();
  customer.given(registered).when(noteCheck(wrong)).rejects('customer.address-unknown');
});

addresses('one of them is the default as long as there is one', () => {
  const remove = (addressId: string): CustomerCommand => ({ type: 'RemoveAddress', addressId });
  const other = customer.given(...two).when(remove('adr_2'));
  other.then(removed('adr_2'));
  assert.is(active(other.state).defaultAddressId, 'adr_1');
  const outcome = customer.given(...two).when(remove('adr_1'));
  outcome.then(removed('adr_1'), defaultSet('adr_2'));
  const last = customer.from(outcome.state).when(remove('adr_2'));
  last.then(removed('adr_2'));
  assert.is(active(last.state).defaultAddressId, null);
});

addresses('the default can be moved', () => {
  const set = (addressId: string): CustomerCommand => ({ type: 'SetDefaultAddress', addressId });
  customer
    .given(...two)
    .when(set('adr_2'))
    .then(defaultSet('adr_2'));
  customer
    .given(...two)
    .when(set('adr_1'))
    .nothing();
});

addresses('one that is not there is refused', () => {
  const commands: CustomerCommand[] = [
    { type: 'ChangeAddress', addressId: 'adr_9', address: home },
    { type: 'RemoveAddress', addressId: 'adr_9' },
    { type: 'SetDefaultAddress', addressId: 'adr_9' },
  ];
  for (const command of commands)
    customer
      .given(...two)
      .when(command)
      .rejects('customer.address-unknown');
});

const leaving = suite('Customer - anonymise');

leaving('leaves nothing personal and frees the e-mail address, once', () => {
  const outcome = customer.given(...two).when({ type: 'AnonymiseCustomer' });
  outcome.then(anonymised);
  assert.equal(outcome.state, { status: 'anonymised', id: 'cus_1' });
  assert.equal(outcome.sent, [
    { to: { type: 'email-claim', id: 'hash-1' }, message: { type: 'FreeEmail', customerId: 'cus_1' } },
  ]);
  customer.from(outcome.state).when({ type: 'AnonymiseCustomer' }).nothing();
});

leaving('nothing personal stands outside the personal part of an event', () => {
  for (const { personal: _personal, ...rest } of [...two, anonymised] as { personal?: unknown }[]) {
    assert.not.match(JSON.stringify(rest), /ada@example|Ada|secret|Main St|Side St/);
  }
});

leaving('an account whose e-mail address went to somebody else is closed', () => {
  const lost: CustomerCommand = { type: 'EmailSettled', emailHash: 'hash-1', won: false };
  const outcome = customer.given(registered).when(lost);
  outcome.then({ type: 'CustomerAnonymised', v: 1, reason: 'email-lost' });
  customer.from(outcome.state).when(lost).nothing();
  customer
    .given(registered)
    .when({ ...lost, won: true })
    .nothing();
});

leaving('an address taken after the account was closed is free in the end', () => {
  const claims = specification(emailClaimDecider, { id: 'hash-1' });
  const freeFirst = claims.given().when({ type: 'FreeEmail', customerId: 'cus_1' });
  const takeLate = claims.from(freeFirst.state).when({ type: 'TakeEmail', customerId: 'cus_1' });
  assert.is(takeLate.state.status, 'taken');
  const told = customer
    .given(registered, anonymised)
    .when({ type: 'EmailSettled', emailHash: 'hash-1', won: true })
    .sends('FreeEmail');
  claims.from(takeLate.state).when({ type: 'FreeEmail', customerId: 'cus_1' }).thenTypes('EmailFreed');
  assert.equal(told.sent[0]?.to, { type: 'email-claim', id: 'hash-1' });
});

const staff = suite('Customer - staff');
const colleague = { by: 'cus_2', why: 'A reason.' };
const hired: CustomerEvent = { ...registered, role: 'staff', scopes: ['stock', 'orders'] };
const disabled: CustomerEvent = { type: 'AccountDisabled', v: 1, ...colleague };

staff('says who opened the account of a colleague', () => {
  customer
    .given()
    .when({ ...register, role: 'staff', by: 'cus_2' })
    .then({ ...registered, role: 'staff', by: 'cus_2' });
});

staff('a colleague changes what one may do, recorded with who and why', () => {
  const changed: CustomerEvent = { type: 'ScopesChanged', v: 1, scopes: ['catalog', 'orders'], ...colleague };
  const command: CustomerCommand = { type: 'ChangeScopes', scopes: ['orders', 'catalog', 'orders'], ...colleague };
  const outcome = customer.given(hired).when(command);
  outcome.then(changed);
  assert.equal(active(outcome.state).scopes, ['catalog', 'orders']);
  customer.given(hired, changed).when(command).nothing();
  customer
    .given(hired)
    .when({ type: 'ChangeScopes', scopes: ['orders', 'stock'], ...colleague })
    .nothing();
});

staff('a disabled account has lost its sessions, and is let in again by a colleague', () => {
  const left = customer.given(hired).when({ type: 'DisableAccount', ...colleague });
  left.then(disabled);
  assert.equal([active(left.state).enabled, active(left.state).session], [false, 2]);
  customer
    .given(hired, disabled)
    .when({ type: 'DisableAccount', ...colleague })
    .nothing();
  const back = customer.given(hired, disabled).when({ type: 'EnableAccount', ...colleague });
  back.then({ type: 'AccountEnabled', v: 1, ...colleague });
  assert.equal([active(back.state).enabled, active(back.state).session], [true, 2]);
  customer
    .given(hired)
    .when({ type: 'EnableAccount', ...colleague })
    .nothing();
});

staff('nobody changes what they may do themselves', () => {
  for (const type of ['ChangeScopes', 'DisableAccount', 'EnableAccount'] as const) {
    const command: CustomerCommand = { type, scopes: [], by: 'cus_1', why: '' };
    customer.given(hired).when(command).rejects('staff.own-account');
  }
});

staff('a new password ends every session, a new name none', () => {
  const given = customer.given(registered);
  assert.is(active(given.when({ type: 'ChangePassword', passwordHash: 'secret-2' }).state).session, 2);
  const renamed = given.when({ type: 'ChangeProfile', name: 'Ada Lovelace', preferences: {} });
  renamed.then({ type: 'NameChanged', v: 1, personal: { name: 'Ada Lovelace' } });
  assert.equal([active(renamed.state).name, active(renamed.state).session], ['Ada Lovelace', 1]);
  given.when({ type: 'ChangeProfile', name: 'Ada', preferences: {} }).nothing();
});

const total = suite('Customer - every state and command');

total('answers each command in each state', () => {
  const states: Record<string, CustomerEvent[]> = { none: [], active: two, anonymised: [...two, anonymised] };
  const gone = { none: 'customer.unknown', anonymised: 'customer.anonymised' };
  const table: Record<CustomerCommand['type'], { command: CustomerCommand; refusals: Record<string, string> }> = {
    RegisterCustomer: { command: register, refusals: { anonymised: 'customer.anonymised' } },
    ChangePassword: { command: { type: 'ChangePassword', passwordHash: 'x' }, refusals: gone },
    AddAddress: { command: addAddress(), refusals: gone },
    ChangeAddress: { command: { type: 'ChangeAddress', addressId: 'adr_1', address: work }, refusals: gone },
    NoteAddressCheck: {
      command: { type: 'NoteAddressCheck', addressId: 'adr_1', address: work, check: { status: 'deliverable' } },
      refusals: gone,
    },
    RemoveAddress: { command: { type: 'RemoveAddress', addressId: 'adr_1' }, refusals: gone },
    SetDefaultAddress: { command: { type: 'SetDefaultAddress', addressId: 'adr_2' }, refusals: gone },
    ChangeProfile: { command: { type: 'ChangeProfile', preferences: {} }, refusals: gone },
    ChangeScopes: {
      command: { type: 'ChangeScopes', scopes: ['orders'], ...colleague },
      refusals: { ...gone, active: 'staff.unknown' },
    },
    DisableAccount: {
      command: { type: 'DisableAccount', ...colleague },
      refusals: { ...gone, active: 'staff.unknown' },
    },
    EnableAccount: { command: { type: 'EnableAccount', ...colleague }, refusals: { ...gone, active: 'staff.unknown' } },
    AnonymiseCustomer: { command: { type: 'AnonymiseCustomer' }, refusals: { none: 'customer.unknown' } },
    EmailSettled: {
      command: { type: 'EmailSettled', emailHash: 'hash-1', won: false },
      refusals: { none: 'customer.unknown' },
    },
  };
  for (const { command, refusals } of Object.values(table)) {
    for (const [status, events] of Object.entries(states)) {
      const outcome = customer.given(...events).when(command);
      assert.is(outcome.before.status, status);
      assert.is(outcome.rejection?.code ?? '', refusals[status] ?? '', `${command.type} in ${status}`);
    }
  }
});

for (const tests of [registering, addresses, leaving, staff, total]) tests.run();
