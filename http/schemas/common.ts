/** Schemas that many routes share. The same objects validate requests and make the OpenAPI document. */
import { z } from 'zod';

const MAX_PAGE = 100;
const DEFAULT_PAGE = 20;
/** Longer than any id we make; longer ones name nothing. */
const MAX_ID_LENGTH = 120;

export const moneySchema = z
  .strictObject({
    amount: z.int().meta({ description: 'In minor units: 1999 is 19.99.', example: 1999 }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .meta({ description: 'ISO 4217', example: 'USD' }),
  })
  .meta({ id: 'Money' });

export const nullableMoneySchema = z.union([moneySchema, z.null()]);

export const timeSchema = z.iso.datetime().meta({ description: 'RFC 3339, UTC', example: '2026-11-21T10:00:00.000Z' });

export const versionSchema = z.int().min(0).meta({ description: 'Counts the changes; the same as the ETag.' });

/** An id in a path. Lenient: what can't be an id is simply not found. */
export const idSchema = z
  .string()
  .min(1)
  .max(MAX_ID_LENGTH)
  .regex(/^[A-Za-z0-9_.:@-]+$/);

export const skuSchema = z
  .string()
  .meta({ description: '3–20 capital letters, digits and hyphens.', example: 'TEA-GREEN-100' });

export const idParams = z.object({ id: idSchema });
export const skuParams = z.object({ sku: idSchema });

/** A whole number in a query string. */
export function queryInteger(minimum: number, maximum: number, description: string) {
  return z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be from ${minimum} to ${maximum}`)
    .meta({ type: 'integer', minimum, maximum, description });
}

/** A time or a day in a query string, made ms since the epoch; a day is its first moment, UTC. */
export function queryTime(description: string) {
  return z
    .union([z.iso.datetime({ offset: true }), z.iso.date()])
    .transform((text) => Date.parse(text))
    .meta({ type: 'string', description, example: '2026-11-21T10:00:00Z' });
}

export const limitSchema = queryInteger(1, MAX_PAGE, 'Rows per page.').optional().default(DEFAULT_PAGE);
export const cursorSchema = z
  .string()
  .min(1)
  .max(1_000)
  .optional()
  .meta({ description: '`page.next` of the page before.' });

export const pageSchema = z.strictObject({ next: z.union([z.string(), z.null()]) }).meta({ id: 'Page' });

export function listSchema<Row extends z.ZodType>(row: Row) {
  return z.strictObject({ data: z.array(row), page: pageSchema });
}

/** One line of text from a person: no control characters, no surrounding blanks. */
export function text(maximum: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}]+$/u, 'must not hold control characters');
}

export const addressSchema = z
  .strictObject({
    name: text(100),
    line1: text(200),
    line2: text(200).optional(),
    city: text(100),
    region: text(100).optional(),
    postalCode: text(20),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .meta({ description: 'ISO 3166-1 alpha-2', example: 'US' }),
  })
  .meta({ id: 'Address' });

const addressCheckSchema = z
  .strictObject({
    status: z.enum(['deliverable', 'corrected', 'undeliverable', 'unchecked']),
    suggestion: addressSchema.optional(),
    reason: z.string().optional(),
  })
  .meta({ id: 'AddressCheck', description: 'Whether mail gets there. It warns and never refuses.' });
export const nullableAddressCheckSchema = z.union([addressCheckSchema, z.null()]);

export const totalsSchema = z
  .strictObject({
    subtotal: moneySchema,
    discount: moneySchema,
    shipping: moneySchema,
    tax: moneySchema,
    total: moneySchema,
  })
  .meta({ id: 'Totals' });

export const shippingMethodSchema = z.enum(['standard', 'express', 'overnight']).meta({ id: 'ShippingMethod' });

export const paymentTokenSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/)
  .meta({
    description: 'From the payment provider; in the simulator `tok_success`, `tok_decline` …',
    example: 'tok_success',
  });

export const problemSchema = z
  .strictObject({
    type: z.string().meta({ example: 'urn:holdfast:problem:cart.sku-unknown' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable; branch on it.', example: 'cart.sku-unknown' }),
    errors: z.array(
      z.strictObject({
        in: z.enum(['body', 'query', 'path', 'header']).optional(),
        pointer: z.string(),
        code: z.string(),
        detail: z.string(),
      }),
    ),
    retryable: z.boolean(),
    traceId: z.string(),
  })
  .meta({ id: 'Problem' });
