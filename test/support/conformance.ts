/**
 * Holds every answer that a test gets against what its route says in the OpenAPI document, so that each test of the public
 * interface also tests the document. `npm test` reads from ROUTE_LOG which routes were seen to succeed.
 */
import { appendFileSync } from 'node:fs';
import type { Route } from '../../http/route.ts';
import { allRoutes } from '../../http/routes/index.ts';
import { problemSchema } from '../../http/schemas/common.ts';

export const everyRoute: readonly Route[] = allRoutes({ virtualClock: true, chaos: true, simulatedPayment: true });
export const nameOf = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`;

const LITERAL_FIRST = (a: Route, b: Route): number => a.path.split('{').length - b.path.split('{').length;
const patterns = [...everyRoute].sort(LITERAL_FIRST).map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
}));
const log = process.env['ROUTE_LOG'];
const seen = new Set<string>();

function routeOf(method: string, path: string): Route | undefined {
  const bare = path.split('?')[0] ?? '';
  return patterns.find(({ route, pattern }) => route.method === method.toLowerCase() && pattern.test(bare))?.route;
}

/** @throws when the answer is not one that the document promises */
export function checkAnswer(method: string, path: string, status: number, body: unknown): void {
  const route = routeOf(method, path);
  if (!route) return;
  if (status >= 400 && route.responses[status] === undefined) {
    conforms(route, status, problemSchema, body);
    return;
  }
  const promised = route.responses[status];
  if (status === 304) return;
  if (!promised) throw new Error(`${nameOf(route)} answered ${status}, which its document doesn't know`);
  if (promised.schema) conforms(route, status, promised.schema, body);
  if (log !== undefined && status < 300 && !seen.has(nameOf(route))) {
    seen.add(nameOf(route));
    appendFileSync(log, `${nameOf(route)}\n`);
  }
}

type Schema = NonNullable<Route['responses'][number]['schema']>;

function conforms(route: Route, status: number, schema: Schema, body: unknown): void {
  const result = schema.safeParse(body);
  if (result.success) return;
  const where = result.error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`).join('; ');
  throw new Error(`${nameOf(route)} answered ${status} against its document: ${where}\n${JSON.stringify(body)}`);
}
