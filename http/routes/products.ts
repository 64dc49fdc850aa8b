/** The catalog as everybody sees it. Drafts are nobody's business yet. */
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { skuParams } from '../schemas/common.ts';
import { productListSchema, productQuery, productSchema } from '../schemas/product.ts';
import { productView } from '../views/product.ts';

/** Deeper pages help nobody; a narrower search does. */
const MAX_OFFSET = 10_000;
const position = z.int().min(0).max(MAX_OFFSET);

const searchProducts = route({
  method: 'get',
  path: '/v1/products',
  tag: 'Products',
  summary: 'Search the catalog, with facets',
  access: 'public',
  query: productQuery,
  responses: { 200: { description: 'One page of matches.', schema: productListSchema } },
  handler: ({ shop, query }) => {
    const { q, category, minPrice, maxPrice, limit, cursor } = query;
    const sort = query.sort ?? (q === undefined ? 'name' : 'relevance');
    const filters = {
      ...(q !== undefined && { text: q }),
      ...(category !== undefined && { category }),
      ...(minPrice !== undefined && { minPrice }),
      ...(maxPrice !== undefined && { maxPrice }),
      sort,
    };
    const scope = `products${JSON.stringify(filters)}`;
    const offset = cursor === undefined ? 0 : decodeCursor(cursor, scope, position);
    const { entries, total, categories } = shop.catalog.search({ ...filters, limit, offset });
    const next = offset + entries.length;
    const more = entries.length > 0 && next < total && next <= MAX_OFFSET;
    return {
      status: 200,
      body: {
        data: entries.map(productView),
        page: { next: more ? encodeCursor(scope, next) : null },
        total,
        facets: { categories },
      },
    };
  },
});

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
