import { z } from 'zod';
import {
  idSchema,
  moneySchema,
  nullableMoneySchema,
  skuSchema,
  timeSchema,
  totalsSchema,
  versionSchema,
} from './common.ts';

/** The limits are the shop's rules, so its deciders judge them (422), not the schema. */
export const quantitySchema = z.int().meta({ description: '1–999', example: 2 });
/** Whatever names a product: an unknown one is the shop's to refuse. */
export const skuReferenceSchema = z.string().min(1).max(120).meta({ example: 'TEA-GREEN-100' });

export const warningSchema = z
  .strictObject({ code: z.string(), sku: z.string().optional(), detail: z.string() })
  .meta({ id: 'Warning' });

export const cartSchema = z
  .strictObject({
    id: z.string(),
    status: z.enum(['active', 'checking-out', 'checked-out', 'abandoned', 'merged']),
    currency: z.string(),
    lines: z.array(
      z.strictObject({
        sku: skuSchema,
        name: z.string(),
        quantity: z.int(),
        unitPrice: moneySchema,
        total: moneySchema,
        agreedPrice: nullableMoneySchema.meta({ description: 'What the price was before it changed; else null.' }),
        pricedAt: timeSchema,
      }),
    ),
    totals: totalsSchema,
    warnings: z.array(warningSchema),
    checkoutId: z.string().optional(),
    orderId: z.string().optional(),
    version: versionSchema,
  })
  .meta({ id: 'Cart' });

export const addLineSchema = z
  .strictObject({ sku: skuReferenceSchema, quantity: quantitySchema })
  .meta({ id: 'AddLine' });
export const setQuantitySchema = z.strictObject({ quantity: quantitySchema }).meta({ id: 'SetQuantity' });
export const mergeSchema = z.strictObject({ from: idSchema }).meta({ id: 'MergeCart' });
export const emptyBodySchema = z.strictObject({}).meta({ id: 'Empty' });
