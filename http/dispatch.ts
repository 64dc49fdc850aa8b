/** From a Koa context to a route's handler and back: caller, preconditions, validation, answer. */
import { bodyParser } from '@koa/bodyparser';
import type { Context } from 'koa';
import { Unavailable } from '../supervisors/shop.ts';
import { current } from './accounts.ts';
import { anonymous, authorize, type Principal } from './auth.ts';
import { etag, idempotencyKey, isUnchanged, preferredWait, requiredVersion } from './headers.ts';
import { repeatedMember } from './json.ts';
import { notFound, Problem, unavailable } from './problem.ts';
import type { Answer, Call, Route, Services } from './route.ts';
import type { EdgeState } from './state.ts';
import { validated } from './validation.ts';

/** Enough for 100 order lines with room to spare. */
const BODY_LIMIT = '64kb';
/** How long looking at an account again may take. */
const RECHECK_MS = 5_000;

const parseBody = bodyParser({ enableTypes: ['json'], jsonLimit: BODY_LIMIT });
const nothing = async () => {};

export function dispatch(route: Route, services: Services, requestDeadlineMs: number) {
  return async (ctx: Context): Promise<void> => {
    const state = ctx.state as EdgeState;
    state.route = route.path;
    const call = await callOf(route, services, ctx, state, services.shop.clock.monotonic() + requestDeadlineMs);
    if (looksAtTables(route)) await upToDate(services);
    const answer = await route.handler(call);
    if (answer.orderId !== undefined) state.orderId = answer.orderId;
    render(ctx, route, answer);
  };
}

const looksAtTables = ({ lists, path, ownWord }: Route): boolean =>
  lists === true || (path.startsWith('/v1/admin/') && ownWord !== true);

/** What a part of the shop doesn't tell would be missing without anybody noticing. */
async function upToDate({ shop }: Services): Promise<void> {
  try {
    await shop.upToDate();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    throw unavailable('A part of the shop cannot be looked at right now.', error.retryAfterSeconds, error);
  }
}

async function callOf(
  route: Route,
  services: Services,
  ctx: Context,
  state: EdgeState,
  deadline: number,
): Promise<Call> {
  const headers = ctx.req.headers;
  const principal = await callerOf(route, services, ctx, state, deadline);
  authorize(principal, route.access);
  const params = route.params === undefined ? undefined : pathParameters(route, ctx);
  const orderId = orderIdIn(params);
  if (orderId !== undefined) state.orderId = orderId;
  const query = route.query === undefined ? undefined : validated(route.query, { ...ctx.query }, 'query');
  const version =
    route.ifMatch === undefined ? undefined : requiredVersion(headers['if-match'], headers['if-none-match']);
  if (route.ifMatch === 'required' && headers['if-match'] === undefined) throw preconditionRequired();
  const body = route.body === undefined ? undefined : validated(route.body, await jsonBody(ctx), 'body');
  return {
    ...services,
    principal,
    client: state.client,
    params,
    query,
    body,
    ...identity(route, services, principal, ctx, params, body),
    precondition: headers['if-match'] !== undefined || version !== undefined,
    expectedVersion: version,
    wait: route.waits ? preferredWait(header(headers['prefer'])) : undefined,
    deadline,
    traceparent: state.trace.parent,
    lastEventId: header(headers['last-event-id']) || undefined,
    isStillCaller: () => isStillCaller(services, headers.authorization),
  };
}

/** Who calls, once counted against its limit: a token that is no good counts for the address that it comes from. */
async function callerOf(
  route: Route,
  { shop, tokens, limits }: Services,
  ctx: Context,
  { client }: EdgeState,
  deadline: number,
): Promise<Principal> {
  const count = (principal: Principal): void => {
    if (!route.vital) ctx.set({ ...limits.request(principal, client) });
  };
  if (route.access === 'public') {
    count(anonymous);
    return anonymous;
  }
  try {
    const principal = await tokens.principal(ctx.req.headers.authorization);
    count(principal);
    return await current(shop, principal, deadline);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) count(anonymous);
    throw error;
  }
}

/** What the token was worth when it came may have ended since: its time, its session, its account. */
async function isStillCaller({ shop, tokens }: Services, authorization: string | undefined): Promise<boolean> {
  try {
    const principal = await tokens.principal(authorization);
    await current(shop, principal, shop.clock.monotonic() + RECHECK_MS);
    return principal.role !== 'anonymous';
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return false;
    throw error;
  }
}

/** What can't be an id names nothing: not found, like any other id that isn't there. */
function pathParameters(route: Route, ctx: Context): unknown {
  const result = route.params?.safeParse(ctx['params']);
  if (result?.success) return result.data;
  throw notFound('resource');
}

/** What the log says of a request that fails before a handler can name its order. */
function orderIdIn(params: unknown): string | undefined {
  return Object.values(params ?? {}).find((value) => typeof value === 'string' && value.startsWith('ord_'));
}

function identity(
  route: Route,
  services: Services,
  principal: Principal,
  ctx: Context,
  params: unknown,
  body: unknown,
) {
  const honoured = route.method === 'post' && route.idempotency !== 'ignored';
  const key = honoured
    ? idempotencyKey(header(ctx.req.headers['idempotency-key']), route.idempotency === 'required')
    : undefined;
  if (key === undefined) {
    return { requestId: route.method === 'get' ? '' : services.ids.next('req'), fingerprint: undefined };
  }
  return {
    requestId: services.keys.requestId(principal.sub, ctx.method, canonicalPath(route, params), key),
    fingerprint: services.keys.fingerprint(body ?? null),
  };
}

/** However the client spells the path (case, a slash at the end, escapes): a key stands for one request. */
function canonicalPath(route: Route, params: unknown): string {
  const values = new Map(Object.entries(params ?? {}));
  return route.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(values.get(name))));
}

async function jsonBody(ctx: Context): Promise<unknown> {
  if (ctx.request.length === 0) return {};
  const json = ctx.is('application/json');
  if (json === null) return {};
  if (json === false) throw unsupported('Send JSON (application/json, UTF-8).');
  // Nobody compresses 64 KB, and what isn't unpacked can't be a bomb.
  if (ctx.req.headers['content-encoding'] !== undefined) throw unsupported('Send the body without a Content-Encoding.');
  await parseBody(ctx, nothing);
  const twice = repeatedMember(ctx.request.rawBody ?? '');
  if (twice !== undefined) {
    throw new Problem(
      400,
      'request.malformed',
      `The body names the member ${JSON.stringify(twice.slice(0, 100))} twice.`,
    );
  }
  return ctx.request.body ?? {};
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

function unsupported(detail: string): Problem {
  return new Problem(415, 'request.media-type', detail);
}

function preconditionRequired(): Problem {
  return new Problem(428, 'precondition.required', 'Send If-Match with the ETag of what you have read.');
}

function render(ctx: Context, route: Route, answer: Answer): void {
  ctx.status = answer.status;
  if (answer.headers) ctx.set({ ...answer.headers });
  if (answer.replayed) ctx.set('Idempotent-Replayed', 'true');
  if (answer.version !== undefined) {
    const tag = etag(answer.version, answer.variant);
    ctx.set('ETag', tag);
    if (route.conditional && isUnchanged(ctx.req.headers['if-none-match'], tag)) {
      ctx.status = 304;
      return;
    }
  }
  if (answer.stream) {
    ctx.set('Content-Type', route.contentType ?? 'application/octet-stream');
    ctx.body = answer.stream;
    return;
  }
  if (answer.body === undefined) {
    ctx.body = null;
    return;
  }
  ctx.set('Content-Type', route.contentType ?? 'application/json; charset=utf-8');
  ctx.body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
}
