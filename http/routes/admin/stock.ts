/** Stock as the warehouses see it. */

import type { InventoryState } from '../../../actors/inventoryItem/state.ts';
import { type InventoryCommand, stockAddress } from '../../../actors/inventoryItem.ts';
import { ask, claimKey, stateAt } from '../../calls.ts';
import { notFound, Problem } from '../../problem.ts';
import { type Answer, type Call, type Route, route } from '../../route.ts';
import { adjustSchema, receiveSchema, stockItemSchema, stockSchema } from '../../schemas/admin.ts';
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
  if (!call.policy.warehouses.some(({ id }) => id === warehouse)) throw unknownWarehouse(warehouse);
  await claimKey(call);
  const address = stockAddress(sku, warehouse);
  const answer = await ask(call, address, command);
  const state = await stateAt<InventoryState>(call, address, answer);
  const { version, replayed } = answer;
  return { status: 200, body: stockItemView(state, version), version, replayed };
}

function unknownWarehouse(warehouse: string): Problem {
  const detail = `There is no warehouse ${warehouse}.`;
  return new Problem(422, 'stock.warehouse-unknown', detail, {
    errors: [{ in: 'body', pointer: '/warehouse', code: 'unknown', detail }],
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

export const stockRoutes: readonly Route[] = [getStock, receive, adjust];
