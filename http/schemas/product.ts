import { z } from 'zod';
import {
  cursorSchema,
  limitSchema,
  moneySchema,
  nullableMoneySchema,
  pageSchema,
  queryInteger,
  skuSchema,
  text,
  timeSchema,
  versionSchema,
} from './common.ts';

/** What may be asked for; what may be charged is the product's own rule. */
const MAX_PRICE = 999_999_999;
const MAX_TAGS = 20;

export const productSchema = z
  .strictObject({
    sku: skuSchema,
    name: z.string(),
    description: z.string(),
    category: z.string(),
    tags: z.array(z.string()),
    status: z.enum(['draft', 'active', 'discontinued']),
    price: nullableMoneySchema,
    available: z.int().min(0).meta({ description: 'Pieces in all warehouses together; a hint, never a promise.' }),
    inStock: z.boolean(),
    version: versionSchema,
  })
  .meta({ id: 'Product' });

export const adminProductSchema = productSchema
  .extend({
    scheduledPrice: z
      .union([z.strictObject({ price: moneySchema, at: timeSchema }), z.null()])
      .meta({ description: 'The price change to come, if any.' }),
  })
  .meta({ id: 'AdminProduct' });

export const productQuery = z.strictObject({
  q: z
    .string()
    .optional()
    .meta({
      description:
        'Words that all occur in name, SKU, category, tags or description; beginnings and typing errors are found too. ' +
        'Blank finds everything; the first ten words count.',
      example: 'gren tea',
    }),
  category: z.string().min(1).max(100).optional(),
  minPrice: queryInteger(0, MAX_PRICE, 'In minor units.').optional(),
  maxPrice: queryInteger(0, MAX_PRICE, 'In minor units.').optional(),
  inStock: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ type: 'boolean', description: 'Only what is in stock, or only what is not.' }),
  sort: z.enum(['relevance', 'name', 'price', '-price', 'newest']).default('relevance').meta({
    description: 'By relevance: as written before beginnings before typing errors, the name before other texts.',
  }),
  limit: limitSchema,
  cursor: cursorSchema,
});

const count = z.int().min(0);

export const productListSchema = z
  .strictObject({
    data: z.array(productSchema),
    page: pageSchema,
    total: count,
    facets: z
      .strictObject({
        categories: z.array(z.strictObject({ category: z.string(), count })),
        priceRanges: z.array(
          z.strictObject({ minPrice: z.int().min(0), maxPrice: z.union([z.int().min(0), z.null()]), count }),
        ),
        availability: z.strictObject({ inStock: count, outOfStock: count }),
      })
      .meta({ description: 'Counts over the whole result; each as if its own filter were not set.' }),
  })
  .meta({ id: 'ProductList' });

export const productChangeSchema = z
  .strictObject({
    name: text(200),
    description: z.string().trim().max(5_000).default(''),
    category: text(100),
    tags: z.array(text(50)).max(MAX_TAGS).default([]),
  })
  .meta({ id: 'ProductChange' });

export const priceSchema = moneySchema
  .extend({
    amount: z.int().min(1).max(MAX_PRICE).meta({ description: 'In minor units: 1999 is 19.99.', example: 1999 }),
    at: timeSchema.optional().meta({ description: 'When it becomes the price; without it, at once.' }),
  })
  .meta({ id: 'Price' });
