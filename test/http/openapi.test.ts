import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openApiDocument } from '../../http/openapi.ts';
import { allRoutes } from '../../http/routes/index.ts';

const openapi = suite('http openapi');
const routes = allRoutes({ virtualClock: true, chaos: true, simulatedPayment: true });
const document = JSON.parse(JSON.stringify(openApiDocument(routes, '1.2.3')));

type Operation = {
  summary: string;
  security: unknown[];
  parameters?: { name: string; in: string; required: boolean }[];
  requestBody?: { required: boolean; content: Record<string, { schema: unknown; example?: unknown }> };
  responses: Record<string, { description: string; content?: object }>;
};

const operationOf = (method: string, path: string): Operation => document.paths[path]?.[method];

openapi('is a 3.1 document with its version', () => {
  assert.is(document.openapi, '3.1.0');
  assert.is(document.info.version, '1.2.3');
});

openapi('has every route, and nothing that is not served', () => {
  const described = Object.entries<object>(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  assert.equal(described.sort(), routes.map(({ method, path }) => `${method} ${path}`).sort());
});

openapi('no two routes answer to the same request', () => {
  const shapes = routes.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
  assert.is(new Set(shapes).size, shapes.length);
});

openapi('every example validates against its own schema, and every body has one', () => {
  for (const { method, path, body, example } of routes) {
    if (!body) continue;
    const result = body.safeParse(example);
    assert.ok(result.success, `${method} ${path}: ${result.success ? '' : result.error.message}`);
  }
});

openapi('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  assert.ok(references.length > 20);
  for (const [, name = ''] of references) assert.ok(document.components.schemas[name], name);
});

openapi('every path parameter is described', () => {
  for (const { method, path } of routes) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = operationOf(method, path).parameters ?? [];
    const described = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    assert.equal(described, named, path);
  }
});

openapi('says who may call: administration is for staff, with a scope', () => {
  for (const { method, path, access } of routes) {
    assert.is(operationOf(method, path).security.length, access === 'public' ? 0 : 1, path);
    assert.is(typeof access === 'object', path.startsWith('/v1/admin/'), path);
  }
});

openapi('what is public is exactly this', () => {
  const open = routes.filter(({ access }) => access === 'public').map(({ method, path }) => `${method} ${path}`);
  assert.equal(open.sort(), [
    'get /docs',
    'get /docs/page.css',
    'get /docs/page.js',
    'get /healthz',
    'get /metrics',
    'get /openapi.json',
    'get /readyz',
    'get /v1/products',
    'get /v1/products/{sku}',
    'get /v1/simulator/bank/{reference}',
    'post /v1/customers',
    'post /v1/sessions',
    'post /v1/sessions/guest',
    'post /v1/simulator/bank/{reference}',
  ]);
});

function headerOf(method: string, path: string, name: string) {
  return operationOf(method, path).parameters?.find(
    (parameter) => parameter.in === 'header' && parameter.name === name,
  );
}

openapi('an idempotency key is required where the contract says so, and offered on every other creation', () => {
  const required = routes.filter(({ method, path }) => headerOf(method, path, 'Idempotency-Key')?.required);
  assert.equal(required.map(({ path }) => path).sort(), [
    '/v1/admin/sagas/{orderId}/refund',
    '/v1/admin/stock/{sku}/receive',
    '/v1/checkouts/{id}/complete',
    '/v1/orders',
  ]);
  for (const path of ['/v1/carts', '/v1/customers', '/v1/admin/stock/{sku}/adjust', '/v1/orders/{id}/cancel']) {
    assert.is(headerOf('post', path, 'Idempotency-Key')?.required, false, path);
  }
});

openapi('If-Match is required on catalog edits and offered on every other change of one resource', () => {
  assert.ok(headerOf('put', '/v1/admin/products/{sku}/price', 'If-Match')?.required);
  assert.ok(headerOf('post', '/v1/admin/products/{sku}/discontinue', 'If-Match')?.required);
  const creates = [
    '/v1/carts',
    '/v1/orders',
    '/v1/orders/draft',
    '/v1/customers',
    '/v1/sessions',
    '/v1/sessions/guest',
    '/v1/admin/staff',
    '/v1/admin/backups',
  ];
  const tools = ['/v1/admin/clock/advance', '/v1/admin/actors/{type}/{id}/kill'];
  // Repairs of the runtime: a letter and a quarantine are there or not, they have no version.
  const repairs = ['/v1/admin/dead-letters', '/v1/admin/actors/{type}/{id}/quarantine'];
  const nodes = ['/v1/admin/cluster/'];
  const vendors = ['/v1/simulator/', '/v1/admin/simulator/'];
  for (const { method, path } of routes) {
    if (method === 'get' || creates.includes(path) || tools.includes(path)) continue;
    if ([...repairs, ...nodes, ...vendors].some((prefix) => path.startsWith(prefix))) continue;
    assert.ok(headerOf(method, path, 'If-Match'), `${method} ${path}`);
  }
});

openapi('every operation has a summary, an answer with a schema or none, and problems', () => {
  for (const { method, path } of routes) {
    const operation = operationOf(method, path);
    assert.ok(operation.summary.length > 3, path);
    assert.ok(
      Object.keys(operation.responses).some((status) => status.startsWith('2')),
      path,
    );
    assert.ok(operation.responses['default']?.content, path);
  }
});

openapi('limits and money are described as the numbers they are', () => {
  const limit = document.paths['/v1/orders'].get.parameters.find((p: { name: string }) => p.name === 'limit');
  assert.is(limit.schema.type, 'integer');
  assert.is(limit.schema.maximum, 100);
  assert.is(document.components.schemas.Money.properties.amount.type, 'integer');
});

openapi('the clock, the killing of actors and the simulated bank exist only where they are switched on', () => {
  const paths = allRoutes({ virtualClock: false, chaos: false, simulatedPayment: false }).map(({ path }) => path);
  assert.not(paths.some((path) => /clock|kill|simulator/.test(path)));
  assert.is(routes.length - paths.length, 6);
});

openapi.run();
