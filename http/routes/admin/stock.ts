/** Stock as the warehouses see it. */

import type { InventoryState } from '../../../actors/inventoryItem/state.ts';
import { type InventoryCommand, stockAddress } from '../../../actors/inventoryItem.ts';
import { ask, claimKey, stateAt } from '../../calls.ts';
import { notFound, Problem } from '../../problem.ts';
import { type Answer, type Call, type Route, route } from '../../route.ts';
import {
  adjustSchema,
  expectedSchema,
  quarantineSchema,
  receiveSchema,
  releaseQuarantineSchema,
  stockItemParams,
  stockItemSchema,
  stockSchema,
  transferSchema,
} from '../../schemas/admin.ts';
import { skuParams } from '../../schemas/common.ts';
import { stockItemView, stockView } from '../../views/stock.ts';

const tag = 'Operators: stock';
const access = { scope: 'stock' } as const;
const item = { 200: { description: 'The stock of this SKU in this warehouse.', schema: stockItemSchema } };

const getStock = route({
  method: 'get',
  path: '/v1/admin/stock/{sku}',
  tag,
  summary: 'What is where',
  access,
  params: skuParams,
  responses: { 200: { description: 'Every warehouse that ever had it.', schema: stockSchema } },
  handler: async ({ shop, params: { sku } }) => {
    const rows = await shop.stock(sku);
    if (rows.length === 0 && !shop.catalog.find(sku)) throw notFound('product');
    return { status: 200, body: stockView(sku, rows) };
  },
});

async function change(call: Call, sku: string, warehouse: string, command: InventoryCommand): Promise<Answer> {
  if (!call.shop.catalog.find(sku)) throw notFound('product');
  if (!isWarehouse(call, warehouse)) throw unknownWarehouse(warehouse, '/warehouse');
  return changed(call, sku, warehouse, command);
}

async function changed(call: Call, sku: string, warehouse: string, command: InventoryCommand): Promise<Answer> {
  await claimKey(call);
  const address = stockAddress(sku, warehouse);
  const answer = await ask(call, address, command);
  const state = await stateAt<InventoryState>(call, address, answer);
  const { version, replayed } = answer;
  return { status: 200, body: stockItemView(state, version), version, replayed };
}

function isWarehouse({ policy }: Call, warehouse: string): boolean {
  return policy.warehouses.some(({ id }) => id === warehouse);
}

function unknownWarehouse(warehouse: string, pointer: string): Problem {
  const detail = `There is no warehouse ${warehouse}.`;
  return new Problem(422, 'stock.warehouse-unknown', detail, {
    errors: [{ in: 'body', pointer, code: 'unknown', detail }],
  });
}

const receive = route({
  method: 'post',
  path: '/v1/admin/stock/{sku}/receive',
  tag,
  summary: 'Goods have come in',
  access,
  idempotency: 'required',
  ifMatch: 'honoured',
  params: skuParams,
  body: receiveSchema,
  responses: item,
  example: { warehouse: 'wh-east', quantity: 100 },
  handler: (call) => {
    const { warehouse, quantity, reference } = call.body;
    const command = { type: 'ReceiveStock', quantity, ...(reference !== undefined && { reference }) } as const;
    return change(call, call.params.sku, warehouse, command);
  },
});

const adjust = route({
  method: 'post',
  path: '/v1/admin/stock/{sku}/adjust',
  tag,
  summary: 'Correct the count',
  access,
  ifMatch: 'honoured',
  params: skuParams,
  body: adjustSchema,
  responses: item,
  example: { warehouse: 'wh-east', delta: -2, reason: 'Damaged in the warehouse.' },
  handler: (call) => {
    const { warehouse, delta, reason } = call.body;
    return change(call, call.params.sku, warehouse, { type: 'AdjustStock', delta, reason });
  },
});

const transfer = route({
  method: 'post',
  path: '/v1/admin/stock/{sku}/transfer',
  tag,
  summary: 'Move available pieces to another warehouse',
  access,
  ifMatch: 'honoured',
  params: skuParams,
  body: transferSchema,
  responses: { 200: { description: 'The stock in the warehouse that they leave.', schema: stockItemSchema } },
  example: { from: 'wh-east', to: 'wh-west', quantity: 5 },
  handler: (call) => {
    const { from, to, quantity } = call.body;
    const { sku } = call.params;
    if (!call.shop.catalog.find(sku)) throw notFound('product');
    if (!isWarehouse(call, from)) throw unknownWarehouse(from, '/from');
    if (!isWarehouse(call, to)) throw unknownWarehouse(to, '/to');
    return changed(call, sku, from, { type: 'TransferStock', to, quantity });
  },
});

const quarantine = route({
  method: 'post',
  path: '/v1/admin/stock/{sku}/quarantine',
  tag,
  summary: 'Take available pieces out of sale',
  access,
  ifMatch: 'honoured',
  params: skuParams,
  body: quarantineSchema,
  responses: item,
  example: { warehouse: 'wh-east', quantity: 2, reason: 'The carton is wet.' },
  handler: (call) => {
    const { warehouse, quantity, reason } = call.body;
    return change(call, call.params.sku, warehouse, { type: 'QuarantineStock', quantity, reason });
  },
});

const releaseQuarantine = route({
  method: 'post',
  path: '/v1/admin/stock/{sku}/quarantine/release',
  tag,
  summary: 'Put pieces from the quarantine on sale again',
  access,
  ifMatch: 'honoured',
  params: skuParams,
  body: releaseQuarantineSchema,
  responses: item,
  example: { warehouse: 'wh-east', quantity: 2, reason: 'Only the carton was wet.' },
  handler: (call) => {
    const { warehouse, quantity, reason } = call.body;
    const command = { type: 'ReleaseQuarantine', quantity, ...(reason !== undefined && { reason }) } as const;
    return change(call, call.params.sku, warehouse, command);
  },
});

const expectDelivery = route({
  method: 'put',
  path: '/v1/admin/stock/{sku}/expected',
  tag,
  summary: 'Say what the next delivery should bring; what is received counts against it',
  access,
  ifMatch: 'honoured',
  params: skuParams,
  body: expectedSchema,
  responses: item,
  example: { warehouse: 'wh-east', quantity: 100, at: '2099-11-24T08:00:00.000Z' },
  handler: (call) => {
    const { warehouse, quantity, at } = call.body;
    return change(call, call.params.sku, warehouse, { type: 'ExpectDelivery', quantity, at: Date.parse(at) });
  },
});

const clearExpected = route({
  method: 'delete',
  path: '/v1/admin/stock/{sku}/expected/{warehouse}',
  tag,
  summary: 'No delivery is expected any more',
  access,
  ifMatch: 'honoured',
  params: stockItemParams,
  responses: item,
  handler: (call) => {
    const { sku, warehouse } = call.params;
    if (!call.shop.catalog.find(sku)) throw notFound('product');
    if (!isWarehouse(call, warehouse)) throw notFound('warehouse');
    return changed(call, sku, warehouse, { type: 'ClearExpected' });
  },
});

export const stockRoutes: readonly Route[] = [
  getStock,
  receive,
  adjust,
  transfer,
  quarantine,
  releaseQuarantine,
  expectDelivery,
  clearExpected,
];
