/** What operators look up: lists over all orders and sagas, aggregates now and in the past, figures. */
import { z } from 'zod';
import type { Phase } from '../../actors/orderSaga/state.ts';
import { ORDER_FACTS } from '../../storage/projections/orderFacts.ts';
import { notesSchema, repairsSchema } from './admin.ts';
import {
  cursorSchema,
  idSchema,
  limitSchema,
  listSchema,
  moneySchema,
  queryInteger,
  queryTime,
  timeSchema,
  versionSchema,
} from './common.ts';
import { awaitingSchema, orderSchema, orderStatusSchema } from './order.ts';

const MAX_SECONDS = 366 * 24 * 60 * 60;
const MAX_VERSION = 1e12 - 1;
const MAX_DAYS = 366;
const DEFAULT_DAYS = 30;

const nullableText = z.union([z.string(), z.null()]);
const awaiting = z.union([awaitingSchema, z.null()]);

/** What `failed` means, in the words of `event`. */
export const FAILURES = { payment: 'payment-failed', delivery: 'delivery-failed', stock: 'out-of-stock' } as const;

const factSchema = z.enum(ORDER_FACTS).meta({
  id: 'OrderFact',
  description:
    'payment-failed: an attempt to take the money, also if a later one worked; declined: by the bank; unpaid: the order ' +
    'ended so. escalated: something was left for an operator to finish.',
});

export const adminOrdersQuery = z
  .strictObject({
    status: orderStatusSchema.optional(),
    awaiting: awaitingSchema.optional(),
    sku: idSchema.optional(),
    customer: idSchema.optional(),
    event: factSchema.optional().meta({ description: 'Orders to which this has happened, by when it did.' }),
    failed: z.enum(['payment', 'delivery', 'stock']).optional().meta({ description: 'Short for an event.' }),
    from: queryTime('When the order was placed, or the event happened: at this time or later.').optional(),
    to: queryTime('Before this time.').optional(),
    limit: limitSchema,
    cursor: cursorSchema,
  })
  .refine(({ event, failed }) => event === undefined || failed === undefined, {
    path: ['failed'],
    message: 'event and failed say the same: send one of them',
  });

export const adminOrderListSchema = listSchema(
  z.strictObject({
    id: z.string(),
    customerId: z.string(),
    status: orderStatusSchema,
    awaiting,
    payment: z.strictObject({ status: z.string() }),
    total: moneySchema,
    placedAt: timeSchema,
    changedAt: timeSchema.meta({ description: 'When one of status, awaiting and payment did.' }),
    event: z
      .strictObject({ type: factSchema, at: timeSchema })
      .optional()
      .meta({ description: 'What was asked for, and when it last happened in the period.' }),
  }),
).meta({ id: 'AdminOrderList', description: 'A page may be short and still have a next one.' });

const asOf = {
  version: queryInteger(1, MAX_VERSION, 'As it was at this version.').optional(),
  at: queryTime('As it was at this time.').optional(),
};
const onePast = { path: ['at'], message: 'send either version or at' };

export const asOfQuery = z
  .strictObject(asOf)
  .refine(({ version, at }) => version === undefined || at === undefined, onePast);

export const adminOrderSchema = z
  .strictObject({
    ...orderSchema.shape,
    customerId: z.string(),
    changedAt: timeSchema.meta({ description: 'When this version came to be.' }),
    notes: notesSchema.shape.notes,
    repairs: repairsSchema,
    saga: z.union([
      z.strictObject({ status: z.string(), awaiting, reason: nullableText, version: versionSchema }),
      z.null(),
    ]),
  })
  .meta({ id: 'AdminOrder' });

/** Every phase; leaving one out doesn't compile. */
const phaseSchema = z.enum({
  reserving: 'reserving',
  authorizing: 'authorizing',
  committing: 'committing',
  capturing: 'capturing',
  fulfilling: 'fulfilling',
  waiting: 'waiting',
  compensating: 'compensating',
  aborted: 'aborted',
  completed: 'completed',
} satisfies { [Name in Phase['status']]: Name });

export const sagasQuery = z.strictObject({
  state: phaseSchema.optional(),
  awaiting: awaitingSchema.optional(),
  stuckFor: queryInteger(0, MAX_SECONDS, 'No progress for so many seconds or more.').optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});

const timers = z
  .array(z.strictObject({ name: z.string(), at: timeSchema }))
  .meta({ description: 'What it does by itself, and when, earliest first.' });

export const sagaListSchema = listSchema(
  z.strictObject({
    orderId: z.string(),
    state: z.string(),
    awaiting,
    reason: nullableText,
    total: moneySchema,
    since: timeSchema.meta({ description: 'Running, waiting or undoing since then.' }),
    progressAt: timeSchema.meta({ description: 'When it got on last.' }),
    attempts: z.int().meta({ description: 'The most that one of its open steps was asked for.' }),
    steps: z
      .array(
        z.strictObject({
          id: z.string(),
          kind: z.string(),
          status: z.string(),
          attempts: z.int(),
          undone: z.int(),
          round: z.int(),
          reason: nullableText,
          sku: z.string().optional(),
          warehouse: z.string().optional(),
          shipmentId: z.string().optional(),
        }),
      )
      .meta({ description: 'Those that are open: asked for, in doubt, being undone or stuck.' }),
    next: z.union([z.strictObject({ name: z.string(), at: timeSchema }), z.null()]),
    timers,
    version: versionSchema,
  }),
).meta({ id: 'SagaList', description: 'A page may be short and still have a next one.' });

const identity = { type: z.string(), id: z.string() };
const by = nullableText.meta({ description: 'On whose behalf, when a request caused it.' });

export const actorSchema = z
  .strictObject({
    ...identity,
    version: versionSchema,
    at: timeSchema.optional().meta({ description: 'When the version that was asked for came to be.' }),
    by: by.optional(),
    live: z.boolean().optional().meta({ description: 'Held in memory; left out for the past.' }),
    mailbox: z.int().optional().meta({ description: 'Messages waiting for it; left out for the past.' }),
    timers,
    state: z.looseObject({}).meta({
      description: 'Without secrets; with the scope `privacy` also what is personal.',
    }),
  })
  .meta({ id: 'Actor' });

export const eventsQuery = z.strictObject({
  at: queryTime('Only what had happened by this time.').optional(),
  limit: limitSchema,
  cursor: cursorSchema,
});

export const eventListSchema = listSchema(
  z.strictObject({
    version: versionSchema,
    at: timeSchema,
    type: z.string(),
    schemaVersion: z.int(),
    data: z.looseObject({}).meta({ description: 'Without secrets; with the scope `privacy` also what is personal.' }),
    cause: z.string().meta({ description: 'Id of the message that it answers.' }),
    by,
  }),
).meta({ id: 'EventList' });

export const statisticsQuery = z.strictObject({
  days: queryInteger(1, MAX_DAYS, 'The last so many days (UTC), today included.').optional().default(DEFAULT_DAYS),
});

const count = z.int().min(0);
const percent = z.number().min(0).max(100);
const payments = { attempts: count, failures: count, failedPercent: percent };

export const statisticsSchema = z
  .strictObject({
    asOf: timeSchema.meta({ description: 'At most five minutes ago.' }),
    days: count,
    products: z.strictObject({ draft: count, active: count, discontinued: count, outOfStock: count }),
    stock: z.strictObject({ available: count, reserved: count, committed: count, picked: count }),
    orders: z.strictObject({
      ever: z
        .array(z.strictObject({ status: orderStatusSchema, count, value: moneySchema }))
        .meta({ description: 'All of them, most first; `value` is what they came to when they were placed.' }),
      count: count.meta({ description: 'In these days, as all that follows.' }),
      byStatus: z.record(z.string(), count),
      byDay: z.array(
        z.strictObject({
          day: z.iso.date(),
          count,
          byStatus: z.record(z.string(), count),
          ordered: moneySchema,
          captured: moneySchema,
          refunded: moneySchema,
          revenue: moneySchema.meta({ description: 'Captured less refunded, of the orders placed that day.' }),
        }),
      ),
    }),
    payments: z.strictObject({ ...payments, byDay: z.array(z.strictObject({ day: z.iso.date(), ...payments })) }),
    sagas: z
      .strictObject({
        count,
        averageMs: z.union([z.number(), z.null()]),
        p50Ms: z.union([z.int(), z.null()]),
        p95Ms: z.union([z.int(), z.null()]),
        p99Ms: z.union([z.int(), z.null()]),
      })
      .meta({ description: 'Those that never waited for anybody, from start to end. Percentiles are upper bounds.' }),
    topSkus: z.array(z.strictObject({ sku: z.string(), orders: count, pieces: count, amount: moneySchema })),
    lowStock: z.array(z.strictObject({ sku: z.string(), available: count })),
  })
  .meta({ id: 'Statistics' });
