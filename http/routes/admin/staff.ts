/** Staff accounts: who works here and what they may do. Each change is recorded with who made it and why. */
import {
  type ActiveCustomer,
  type CustomerEdgeCommand,
  type CustomerState,
  customerAddress,
} from '../../../actors/customer.ts';
import { openAccount } from '../../accounts.ts';
import { ask, read, stateAt } from '../../calls.ts';
import { notFound } from '../../problem.ts';
import { type Answer, type Call, type Route, route } from '../../route.ts';
import { repairSchema } from '../../schemas/admin.ts';
import { idParams } from '../../schemas/common.ts';
import { addStaffSchema, changeScopesSchema, staffListSchema, staffSchema } from '../../schemas/customer.ts';
import type { Versioned } from '../../shop.ts';
import { staffView } from '../../views/customer.ts';

const tag = 'Operators: staff';
const access = { scope: 'staff' } as const;
const account = { 200: { description: 'The account as it is now.', schema: staffSchema } };

async function staffAccount(call: Call, id: string): Promise<Versioned<ActiveCustomer>> {
  const found = await read<CustomerState>(call, customerAddress(id));
  if (found?.state.status !== 'active' || found.state.role !== 'staff') throw notFound('staff');
  return { state: found.state, version: found.version };
}

const addStaff = route({
  method: 'post',
  path: '/v1/admin/staff',
  tag,
  summary: 'Open an account for a colleague',
  access,
  body: addStaffSchema,
  responses: { 201: { description: 'The account.', schema: staffSchema } },
  example: {
    email: 'grace@example.com',
    password: 'correct horse battery',
    name: 'Grace',
    scopes: ['orders', 'stock'],
  },
  handler: async (call) => {
    const { state, answer } = await openAccount(call, { ...call.body, role: 'staff', by: call.principal.sub });
    const { version, replayed } = answer;
    return {
      status: 201,
      body: staffView(state, version),
      version,
      replayed,
      headers: { Location: `/v1/admin/staff/${state.id}` },
    };
  },
});

const listStaff = route({
  method: 'get',
  path: '/v1/admin/staff',
  tag,
  summary: 'Everybody who works here',
  access,
  responses: { 200: { description: 'In the order in which they came.', schema: staffListSchema } },
  handler: async (call) => {
    const accounts = await Promise.all(
      (await call.shop.staff()).map((id) => read<CustomerState>(call, customerAddress(id))),
    );
    const data = accounts.flatMap((found) =>
      found?.state.status === 'active' ? [staffView(found.state, found.version)] : [],
    );
    return { status: 200, body: { data } };
  },
});

const getStaff = route({
  method: 'get',
  path: '/v1/admin/staff/{id}',
  tag,
  summary: "One colleague's account",
  access,
  conditional: true,
  params: idParams,
  responses: account,
  handler: async (call) => {
    const { state, version } = await staffAccount(call, call.params.id);
    return { status: 200, body: staffView(state, version), version };
  },
});

async function change(call: Call, id: string, command: CustomerEdgeCommand): Promise<Answer> {
  const answer = await ask(call, customerAddress(id), command);
  const state = await stateAt<CustomerState>(call, customerAddress(id), answer);
  if (state.status !== 'active') throw notFound('staff');
  return { status: 200, body: staffView(state, answer.version), version: answer.version, replayed: answer.replayed };
}

const changeScopes = route({
  method: 'put',
  path: '/v1/admin/staff/{id}/scopes',
  tag,
  summary: 'Change what a colleague may do, from the next request on',
  access,
  ifMatch: 'honoured',
  params: idParams,
  body: changeScopesSchema,
  responses: account,
  example: { scopes: ['orders'], why: 'Moved to customer service.' },
  handler: (call) => {
    const { scopes, why } = call.body;
    return change(call, call.params.id, { type: 'ChangeScopes', scopes, by: call.principal.sub, why });
  },
});

function turn(name: string, type: 'DisableAccount' | 'EnableAccount', summary: string): Route {
  return route({
    method: 'post',
    path: `/v1/admin/staff/{id}/${name}`,
    tag,
    summary,
    access,
    ifMatch: 'honoured',
    params: idParams,
    body: repairSchema,
    responses: account,
    example: { why: 'Left the company.' },
    handler: (call) => change(call, call.params.id, { type, by: call.principal.sub, why: call.body.why }),
  });
}

export const staffRoutes: readonly Route[] = [
  addStaff,
  listStaff,
  getStaff,
  changeScopes,
  turn('disable', 'DisableAccount', 'Let a colleague in no more; their tokens end at once'),
  turn('enable', 'EnableAccount', 'Let a colleague in again'),
];
