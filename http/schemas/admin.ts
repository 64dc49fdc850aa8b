import { z } from 'zod';
import { skuReferenceSchema } from './cart.ts';
import { idSchema, moneySchema, text, timeSchema, versionSchema } from './common.ts';
import { awaitingSchema } from './order.ts';

const YEAR_MS = 366 * 24 * 60 * 60 * 1_000;
const MAX_RETURNED_LINES = 100;
const MAX_PIECES = 1_000_000;

const figures = {
  available: z.int().min(0),
  reserved: z.int().min(0),
  committed: z.int().min(0),
  picked: z.int().min(0),
  received: z.int(),
  shipped: z.int(),
  adjusted: z.int().meta({ description: 'Corrections and transfers in, less transfers out and the quarantine.' }),
  quarantined: z.int().min(0),
  transferredIn: z.int().min(0),
  transferredOut: z.int().min(0),
  inTransit: z.int().min(0).meta({ description: 'Sent to other warehouses and not known to have arrived.' }),
  backordered: z.int().min(0).meta({ description: 'Pieces that orders wait for; not part of the count.' }),
  expected: z
    .union([z.strictObject({ quantity: z.int(), at: timeSchema }), z.null()])
    .meta({ description: 'What the next delivery should bring.' }),
};

export const stockSchema = z
  .strictObject({ sku: z.string(), warehouses: z.array(z.strictObject({ warehouse: z.string(), ...figures })) })
  .meta({ id: 'Stock' });

export const stockItemSchema = z
  .strictObject({ sku: z.string(), warehouse: z.string(), ...figures, version: versionSchema })
  .meta({ id: 'StockItem' });

const warehouse = z.string().min(1).max(64).meta({ example: 'wh-east' });

export const receiveSchema = z
  .strictObject({ warehouse, quantity: z.int(), reference: text(200).optional() })
  .meta({ id: 'ReceiveStock' });
export const adjustSchema = z
  .strictObject({ warehouse, delta: z.int(), reason: text(500) })
  .meta({ id: 'AdjustStock' });
export const transferSchema = z
  .strictObject({ from: warehouse, to: warehouse, quantity: z.int() })
  .meta({ id: 'TransferStock' });
export const quarantineSchema = z
  .strictObject({ warehouse, quantity: z.int(), reason: text(500) })
  .meta({ id: 'QuarantineStock' });
export const releaseQuarantineSchema = z
  .strictObject({ warehouse, quantity: z.int(), reason: text(500).optional() })
  .meta({ id: 'ReleaseQuarantine' });
export const expectedSchema = z
  .strictObject({ warehouse, quantity: z.int(), at: timeSchema })
  .meta({ id: 'ExpectedDelivery' });
export const stockItemParams = z.object({ sku: idSchema, warehouse: idSchema });

export const reportSchema = z
  .strictObject({
    type: z.enum([
      'picked',
      'handed-to-carrier',
      'in-transit',
      'out-for-delivery',
      'delivered',
      'attempt-failed',
      'returned',
      'lost',
    ]),
    attempt: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "For attempt-failed: the carrier's number of it." }),
    occurredAt: timeSchema.optional().meta({ description: 'When it happened; now, if it is not said.' }),
    eventId: text(200)
      .optional()
      .meta({ description: "The reporter's own id of it: what comes again under the same id counts once." }),
  })
  .meta({ id: 'ShipmentReport' });

export const returnedSchema = z
  .strictObject({
    lines: z
      .array(
        z.strictObject({
          sku: skuReferenceSchema,
          restock: z.int().min(0).max(MAX_PIECES).meta({ description: 'Pieces that are fit for sale.' }),
          quarantine: z.int().min(0).max(MAX_PIECES).default(0).meta({ description: 'Pieces to be looked at first.' }),
        }),
      )
      .max(MAX_RETURNED_LINES),
    why: text(500),
  })
  .meta({ id: 'ReturnedPieces' });

export const shipmentParams = z.object({ id: idSchema, sid: idSchema });

export const reportedSchema = z
  .strictObject({ orderId: z.string(), shipmentId: z.string(), status: z.string(), version: versionSchema })
  .meta({ id: 'ShipmentReported' });

export const orderIdParams = z.object({ orderId: idSchema });

export const sagaRefundSchema = z
  .strictObject({
    amount: moneySchema.optional().meta({ description: 'All that is left, if absent.' }),
    why: text(500),
  })
  .meta({ id: 'SagaRefund' });

export const noteSchema = z.strictObject({ text: text(1_000) }).meta({ id: 'AddNote' });

export const notesSchema = z
  .strictObject({
    orderId: z.string(),
    notes: z.array(z.strictObject({ at: timeSchema, by: z.string(), text: z.string() })),
    version: versionSchema,
  })
  .meta({ id: 'Notes' });

export const repairsSchema = z
  .array(
    z.strictObject({
      at: timeSchema,
      type: z.string(),
      by: z.string(),
      why: z.string(),
      step: z.string().optional(),
      refundId: z.string().optional(),
      amount: moneySchema.optional(),
    }),
  )
  .meta({ description: 'What operators did to it: who, when and why.' });

export const repairSchema = z.strictObject({ why: text(500) }).meta({ id: 'Repair' });

export const sagaSchema = z
  .strictObject({
    orderId: z.string(),
    status: z.string(),
    awaiting: z.union([awaitingSchema, z.null()]),
    reason: z.union([z.string(), z.null()]),
    overdue: z.boolean().meta({ description: 'Nobody has looked at it in time.' }),
    total: z.union([moneySchema, z.null()]),
    steps: z.array(
      z.strictObject({
        id: z.string(),
        kind: z.string(),
        status: z.string(),
        attempts: z.int(),
        undone: z.int(),
        round: z.int(),
        reason: z.union([z.string(), z.null()]),
        sku: z.string().optional(),
        warehouse: z.string().optional(),
        shipmentId: z.string().optional(),
      }),
    ),
    refunds: z
      .array(
        z.strictObject({
          id: z.string(),
          amount: moneySchema,
          status: z.enum(['open', 'done', 'stuck', 'skipped']),
          by: z.string(),
          why: z.string(),
          reason: z.union([z.string(), z.null()]),
        }),
      )
      .meta({ description: 'What operators gave back beside what undoes a step.' }),
    timers: z
      .array(z.strictObject({ name: z.string(), at: timeSchema }))
      .meta({ description: 'What it will do by itself, and when, if nothing happens before.' }),
    history: z.array(
      z.strictObject({
        at: timeSchema,
        type: z.string(),
        step: z.string().optional(),
        refundId: z.string().optional(),
        amount: moneySchema.optional(),
        reason: z.string().optional(),
        by: z.string().optional(),
        why: z.string().optional(),
      }),
    ),
    version: versionSchema,
  })
  .meta({ id: 'Saga' });

export const advanceSchema = z.strictObject({ ms: z.int().min(1).max(YEAR_MS) }).meta({ id: 'AdvanceClock' });
export const clockSchema = z.strictObject({ now: timeSchema }).meta({ id: 'Clock' });

export const actorParams = z.object({ type: idSchema, id: idSchema });
export const killedSchema = z.strictObject({ type: z.string(), id: z.string() }).meta({ id: 'Killed' });
