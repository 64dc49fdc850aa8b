/** The catalog as everybody sees it. Drafts are nobody's business yet. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { skuParams } from '../schemas/common.ts';
import { productListSchema, productQuery, productSchema } from '../schemas/product.ts';
import type { CatalogPosition } from '../shop.ts';
import { productView } from '../views/product.ts';

const position: z.ZodType<CatalogPosition> = z.strictObject({ key: z.int(), name: z.string(), sku: z.string() });

const searchProducts = route({
  method: 'get',
  path: '/v1/products',
  tag: 'Products',
  summary: 'Search the catalog, with facets',
  access: 'public',
  query: productQuery,
  responses: { 200: { description: 'One page of matches.', schema: productListSchema } },
  handler: ({ shop, query }) => {
    const { q, category, minPrice, maxPrice, inStock, sort, limit, cursor } = query;
    const text = q?.trim() ?? '';
    const search = {
      ...(text !== '' && { text }),
      ...(category !== undefined && { category }),
      ...(minPrice !== undefined && { minPrice }),
      ...(maxPrice !== undefined && { maxPrice }),
      ...(inStock !== undefined && { inStock }),
      sort,
    };
    const scope = scopeOf(search);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, scope, position);
    const { entries, next, total, ...facets } = shop.catalog.search({ ...search, limit, ...(after && { after }) });
    return {
      status: 200,
      body: {
        data: entries.map(productView),
        page: { next: next ? encodeCursor(scope, next) : null },
        total,
        facets,
      },
    };
  },
});

/** The words of a search may be long, a cursor must fit into an address. */
function scopeOf(search: object): string {
  return `products ${createHash('sha256').update(JSON.stringify(search)).digest('base64url').slice(0, 22)}`;
}

const getProduct = route({
  method: 'get',
  path: '/v1/products/{sku}',
  tag: 'Products',
  summary: 'One product with its availability',
  access: 'public',
  conditional: true,
  params: skuParams,
  responses: {
    200: { description: 'The product, sold or discontinued; its ETag is for changing it.', schema: productSchema },
  },
  handler: ({ shop, params }) => {
    const entry = shop.catalog.find(params.sku);
    if (entry === undefined || entry.status === 'draft') throw notFound('product');
    // Sales leave the version alone and yet change what is shown.
    return { status: 200, body: productView(entry), version: entry.version, variant: String(entry.available) };
  },
});

export const productRoutes: readonly Route[] = [searchProducts, getProduct];
