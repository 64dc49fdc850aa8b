/** The OpenAPI 3.1 document, made of the very routes that are served and the schemas that validate. */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { Route } from './route.ts';
import { problemSchema } from './schemas/common.ts';

const idempotencyKey = z.string().min(1).max(255).meta({
  description: 'The same key with the same body gets the first answer again, for at least 72 h.',
});
const ifMatch = z
  .string()
  .meta({ description: 'The ETag that you have read; 412 when it has changed since.', example: '"3"' });
const ifNoneMatch = z.string().optional().meta({ description: 'The ETag that you have; 304 when it still holds.' });
const prefer = z
  .string()
  .optional()
  .meta({ description: 'Waits up to N ≤ 10 s for the order to leave Placed.', example: 'wait=5' });

const lastEventId = z.string().optional().meta({ description: 'The `id` of the newest event that you have.' });

const problem = { content: { 'application/problem+json': { schema: problemSchema } } };

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' });
  for (const route of routes) registry.registerPath(pathOf(route));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version,
      description:
        'Carts, checkout, orders, stock, payments and shipping. Get a token from POST /v1/sessions/guest and send it as ' +
        '`Authorization: Bearer <token>`. Money is in minor units. Errors are RFC 9457 problems with a stable `code`.',
    },
    servers: [{ url: '/' }],
  });
}

function pathOf(route: Route): RouteConfig {
  const headers = headersOf(route);
  return {
    method: route.method,
    path: route.path,
    tags: [route.tag],
    summary: route.summary,
    ...(accessNote(route) && { description: accessNote(route) }),
    security: route.access === 'public' ? [] : [{ token: [] }],
    request: {
      ...(route.params instanceof z.ZodObject && { params: route.params }),
      ...(route.query instanceof z.ZodObject && { query: route.query }),
      ...(Object.keys(headers).length > 0 && { headers: z.object(headers) }),
      ...(route.body && {
        body: {
          required: !route.body.safeParse({}).success,
          content: {
            'application/json': { schema: route.body, ...(route.example !== undefined && { example: route.example }) },
          },
        },
      }),
    },
    responses: responsesOf(route),
  };
}

function accessNote(route: Route): string {
  switch (route.access) {
    case 'public':
    case 'any':
      return '';
    case 'customer':
      return 'Needs a customer account.';
    default:
      return `Needs staff with the scope \`${route.access.scope}\`.`;
  }
}

function headersOf(route: Route): Record<string, z.ZodType> {
  return {
    ...(route.method === 'post' &&
      route.idempotency !== 'ignored' && {
        'Idempotency-Key': route.idempotency === 'required' ? idempotencyKey : idempotencyKey.optional(),
      }),
    ...(route.ifMatch && { 'If-Match': route.ifMatch === 'required' ? ifMatch : ifMatch.optional() }),
    ...(route.conditional && { 'If-None-Match': ifNoneMatch }),
    ...(route.waits && { Prefer: prefer }),
    ...(route.streams && { 'Last-Event-ID': lastEventId }),
  };
}

function responsesOf(route: Route): RouteConfig['responses'] {
  const responses: RouteConfig['responses'] = {};
  for (const [status, { description, schema }] of Object.entries(route.responses)) {
    responses[status] = {
      description,
      ...(schema && { content: { [route.contentType ?? 'application/json']: { schema } } }),
    };
  }
  responses['default'] = { description: 'A problem: see its `code`.', ...problem };
  return responses;
}
