/** The caller's own account. */
import type { z } from 'zod';
import {
  type ActiveCustomer,
  type AddressAddedReply,
  type CustomerEdgeCommand,
  type CustomerState,
  customerAddress,
  type Preferences,
} from '../../actors/customer.ts';
import { sessionOf } from '../accounts.ts';
import { type Accepted, ask, read, stateAt } from '../calls.ts';
import { checkOf, noteCheck, postal } from '../postal.ts';
import { notFound, Problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { addressSchema, idParams } from '../schemas/common.ts';
import {
  addAddressSchema,
  addressListSchema,
  changeMeSchema,
  changePasswordSchema,
  changePreferencesSchema,
  customerSchema,
  preferencesSchema,
  savedAddressSchema,
  sessionSchema,
} from '../schemas/customer.ts';
import { addressesView, customerView } from '../views/customer.ts';

const tag = 'Account';
const account = { 200: { description: 'The account as it is now.', schema: customerSchema } };
const exampleAddress = {
  name: 'Ada Buyer',
  line1: '1 Main St',
  city: 'Newark',
  region: 'NJ',
  postalCode: '07102',
  country: 'US',
};

async function me(call: Call): Promise<{ state: ActiveCustomer; version: number }> {
  const found = await read<CustomerState>(call, customerAddress(call.principal.sub));
  if (found?.state.status !== 'active') throw notFound('customer');
  return { state: found.state, version: found.version };
}

type Changed<Value> = { readonly state: ActiveCustomer; readonly answer: Accepted<Value> };

async function change<Value>(call: Call, command: CustomerEdgeCommand): Promise<Changed<Value>> {
  const answer = await ask<Value>(call, customerAddress(call.principal.sub), command);
  return { state: await activeAt(call, answer), answer };
}

async function activeAt(call: Call, answer: Accepted<unknown>): Promise<ActiveCustomer> {
  const state = await stateAt<CustomerState>(call, customerAddress(call.principal.sub), answer);
  if (state.status !== 'active') throw notFound('customer');
  return state;
}

async function accountAt(call: Call, answer: Accepted<unknown>) {
  const { version } = answer;
  return { status: 200, body: customerView(await activeAt(call, answer), version), version };
}

async function changeAccount(call: Call, command: CustomerEdgeCommand) {
  const { answer } = await change(call, command);
  return accountAt(call, answer);
}

const getMe = route({
  method: 'get',
  path: '/v1/me',
  tag,
  summary: 'Your account',
  access: 'customer',
  conditional: true,
  responses: account,
  handler: async (call) => {
    const { state, version } = await me(call);
    return { status: 200, body: customerView(state, version), version };
  },
});

const patchMe = route({
  method: 'patch',
  path: '/v1/me',
  tag,
  summary: 'Change your name or what you want to be written about',
  access: 'customer',
  ifMatch: 'honoured',
  body: changeMeSchema,
  responses: account,
  example: { name: 'Ada Lovelace', preferences: { marketing: false } },
  handler: (call) => {
    const { name, preferences = {} } = call.body;
    const changes = { ...(name !== undefined && { name }), preferences: given(preferences) };
    return changeAccount(call, { type: 'ChangeProfile', ...changes });
  },
});

/** An optional member that isn't there is no change; for the types it might be there and undefined. */
function given({ orderUpdates, marketing }: z.output<typeof changePreferencesSchema>): Partial<Preferences> {
  return { ...(orderUpdates !== undefined && { orderUpdates }), ...(marketing !== undefined && { marketing }) };
}

const getPreferences = route({
  method: 'get',
  path: '/v1/me/preferences',
  tag,
  summary: 'What you want to be written about',
  access: 'customer',
  conditional: true,
  responses: { 200: { description: 'Your choices.', schema: preferencesSchema } },
  handler: async (call) => {
    const { state, version } = await me(call);
    return { status: 200, body: state.preferences, version };
  },
});

const putPreferences = route({
  method: 'put',
  path: '/v1/me/preferences',
  tag,
  summary: 'Choose what you want to be written about',
  access: 'customer',
  ifMatch: 'honoured',
  body: changePreferencesSchema,
  responses: { 200: { description: 'Your choices now.', schema: preferencesSchema } },
  example: { orderUpdates: true, marketing: false },
  handler: async (call) => {
    const command: CustomerEdgeCommand = { type: 'ChangeProfile', preferences: given(call.body) };
    const { state, answer } = await change(call, command);
    return { status: 200, body: state.preferences, version: answer.version };
  },
});

const putPassword = route({
  method: 'put',
  path: '/v1/me/password',
  tag,
  summary: 'Change your password; every other session ends',
  access: 'customer',
  ifMatch: 'honoured',
  body: changePasswordSchema,
  responses: { 200: { description: 'A token of the new session.', schema: sessionSchema } },
  example: { currentPassword: 'correct horse battery', newPassword: 'another correct battery' },
  handler: async (call) => {
    const { body, client, limits, passwords } = call;
    const { state: account } = await me(call);
    limits.passwordAttempt(account.emailHash, client);
    if (!(await passwords.matches(body.currentPassword, account.passwordHash))) {
      throw new Problem(422, 'customer.password-wrong', 'The current password is wrong.');
    }
    limits.rightPassword(account.emailHash, client);
    const passwordHash = await passwords.hash(body.newPassword);
    const { state, answer } = await change(call, { type: 'ChangePassword', passwordHash });
    return { status: 200, body: await sessionOf(call, state), version: answer.version };
  },
});

const listAddresses = route({
  method: 'get',
  path: '/v1/me/addresses',
  tag,
  summary: 'Your addresses',
  access: 'customer',
  responses: { 200: { description: 'All of them; one is the default.', schema: addressListSchema } },
  handler: async (call) => ({ status: 200, body: { data: addressesView((await me(call)).state) } }),
});

const addAddress = route({
  method: 'post',
  path: '/v1/me/addresses',
  tag,
  summary: 'Keep an address',
  access: 'customer',
  ifMatch: 'honoured',
  body: addAddressSchema,
  responses: { 201: { description: 'The address with its id.', schema: savedAddressSchema } },
  example: { address: exampleAddress, makeDefault: true },
  handler: async (call) => {
    const wanted = 'address' in call.body ? call.body : { address: call.body, makeDefault: false };
    const { makeDefault } = wanted;
    const address = postal(wanted.address);
    const command = { type: 'AddAddress', address, makeDefault, check: await checkOf(call, address) } as const;
    const { state, answer } = await change<AddressAddedReply>(call, command);
    const { addressId } = answer.value;
    const added = addressesView(state).find(({ id }) => id === addressId);
    const headers = { Location: `/v1/me/addresses/${addressId}` };
    return { status: 201, body: added, version: answer.version, replayed: answer.replayed, headers };
  },
});

const changeAddress = route({
  method: 'put',
  path: '/v1/me/addresses/{id}',
  tag,
  summary: 'Change an address',
  access: 'customer',
  ifMatch: 'honoured',
  params: idParams,
  body: addressSchema,
  responses: account,
  example: exampleAddress,
  handler: async (call) => {
    const [addressId, address] = [call.params.id, postal(call.body)];
    const changed = await changeAccount(call, { type: 'ChangeAddress', addressId, address });
    // Changed before it is checked: a slow check must not bring an address back that was changed meanwhile.
    const noted = await noteCheck(call, addressId, address, await checkOf(call, address));
    return noted === undefined ? changed : accountAt(call, noted);
  },
});

const removeAddress = route({
  method: 'delete',
  path: '/v1/me/addresses/{id}',
  tag,
  summary: 'Forget an address',
  access: 'customer',
  ifMatch: 'honoured',
  params: idParams,
  responses: account,
  handler: (call) => changeAccount(call, { type: 'RemoveAddress', addressId: call.params.id }),
});

const setDefault = route({
  method: 'put',
  path: '/v1/me/addresses/{id}/default',
  tag,
  summary: 'Make an address the default',
  access: 'customer',
  ifMatch: 'honoured',
  params: idParams,
  responses: account,
  handler: (call) => changeAccount(call, { type: 'SetDefaultAddress', addressId: call.params.id }),
});

export const meRoutes: readonly Route[] = [
  getMe,
  patchMe,
  getPreferences,
  putPreferences,
  putPassword,
  listAddresses,
  addAddress,
  changeAddress,
  removeAddress,
  setDefault,
];
