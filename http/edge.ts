/**
 * The HTTP edge: one Koa application, one server. Every request passes the frame (trace, admission, problem answers,
 * figures, log line), the security headers and its route, and nothing else.
 */
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { Router } from '@koa/router';
import Koa, { type Context, type Next } from 'koa';
import helmet from 'koa-helmet';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Ids } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import { createTokens } from './auth.ts';
import { clientAddress } from './clientAddress.ts';
import { dispatch } from './dispatch.ts';
import { createDoors } from './doors.ts';
import { createEventStreams } from './eventStreams.ts';
import { requestIdOf, traceOf } from './headers.ts';
import { createKeys } from './keys.ts';
import { createLimits } from './limits.ts';
import { createPasswords, type PasswordCost } from './passwords.ts';
import { Problem, problemBody, problemOf, unavailable } from './problem.ts';
import type { Route, Services } from './route.ts';
import { allRoutes } from './routes/index.ts';
import type { Shop } from './shop.ts';
import type { EdgeState } from './state.ts';
import { createRequestFigures, type RequestFigures } from './telemetry.ts';

const KILOBYTE = 1_024;
const MAX_HEADER_BYTES = 16 * KILOBYTE;
const MAX_HEADERS = 100;
const HEADERS_TIMEOUT_MS = 5_000;
const SOCKET_IDLE_MS = 120_000;
const KEEP_ALIVE_MS = 30_000;
/** How often Node looks for requests that take too long to arrive. */
const SLOW_CHECK_MS = 1_000;

export type EdgeConfig = {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Requests handled at once; more are told to come back (503). */
  readonly maxInFlight?: number;
  /** How long a request may wait for the shop. */
  readonly requestDeadlineMs?: number;
  /** How long a whole request, its body included, may take to arrive. */
  readonly receiveTimeoutMs?: number;
  /** How long `stop` waits for requests in flight before it cuts their connections. */
  readonly stopTimeoutMs?: number;
  readonly passwordCost?: PasswordCost;
  /** TRUST_PROXY: how many proxies of ours stand in front, 0 unless given. */
  readonly trustedHops?: number;
  /** RATE_LIMIT: requests per minute and principal; 0, unless given, is no limit. */
  readonly requestsPerMinute?: number;
  /** How often an open event stream says that it is there. */
  readonly heartbeatMs?: number;
};

export type EdgeOptions = {
  readonly shop: Shop;
  readonly policy: Policy;
  readonly ids: Ids;
  readonly logger: Logger;
  /** The registry that `shop.metrics()` prints; the edge adds its figures to it. */
  readonly registry: Registry;
  readonly secrets: {
    /** For derived ids: the same on every node, for ever. */
    readonly ids: string;
    /** AUTH_SECRET; without it no sessions are issued. */
    readonly auth?: string;
    /** AUTH_JWKS_URL. */
    readonly jwksUrl?: string;
  };
  readonly config: EdgeConfig;
};

export interface Edge {
  readonly app: Koa;
  readonly services: Services;
  /** Listens; resolves with the address to tell people. */
  start(): Promise<{ host: string; port: number; url: string }>;
  /** Says from now on that nothing new should be sent here, and goes on answering. */
  leave(): void;
  /** Takes no new request, finishes those in flight, closes every connection. */
  stop(): Promise<void>;
}

/** Requests under way get so long when the edge stops. */
export const EDGE_STOP_MS = 15_000;

const DEFAULTS = {
  maxInFlight: 1_000,
  requestDeadlineMs: 10_000,
  receiveTimeoutMs: 10_000,
  stopTimeoutMs: EDGE_STOP_MS,
  trustedHops: 0,
  requestsPerMinute: 0,
};

export function createEdge(options: EdgeOptions): Edge {
  const config = { ...DEFAULTS, ...options.config };
  const { shop, policy, ids, logger } = options;
  const running = { inFlight: 0, leaving: false, stopping: false };
  const services: Services = {
    shop,
    policy,
    ids,
    keys: createKeys(options.secrets.ids),
    tokens: createTokens({ secret: options.secrets.auth, jwksUrl: options.secrets.jwksUrl }),
    passwords: createPasswords(config.passwordCost),
    limits: createLimits(config.requestsPerMinute, shop.clock.monotonic),
    streams: createEventStreams(config.heartbeatMs),
    isLeaving: () => running.leaving,
  };
  const figures = createRequestFigures(options.registry, {
    inFlight: () => running.inFlight,
    streams: () => services.streams.count,
  });
  const routes = allRoutes({
    virtualClock: shop.advanceClock !== undefined,
    chaos: shop.kill !== undefined,
    simulatedPayment: shop.paymentSimulation !== undefined,
  });

  const app = new Koa();
  app.on('error', (error: Error) => logger.warn({ err: error }, 'answer not sent'));
  const { maxInFlight, trustedHops } = config;
  app.use(frame({ logger, figures, running, maxInFlight, trustedHops, routes }));
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  const router = new Router<EdgeState>();
  for (const route of routes) {
    router.register(
      route.path.replace(/\{(\w+)\}/g, ':$1'),
      [route.method],
      [dispatch(route, services, config.requestDeadlineMs)],
    );
  }
  app.use(router.routes());
  app.use(unmatched);
  const doors = createDoors(createListener(app, config.receiveTimeoutMs));
  return {
    app,
    services,
    start: () => doors.open(config.host, config.port),
    leave: () => {
      running.leaving = true;
    },
    stop: () => {
      running.stopping = true;
      services.streams.stop();
      return doors.close(config.stopTimeoutMs);
    },
  };
}

type FrameOptions = {
  readonly logger: Logger;
  readonly figures: RequestFigures;
  readonly running: { inFlight: number; stopping: boolean };
  readonly maxInFlight: number;
  readonly trustedHops: number;
  readonly routes: readonly Route[];
};

function frame({ logger, figures, running, maxInFlight, trustedHops, routes }: FrameOptions) {
  const vital = new Set(routes.filter((route) => route.vital).map((route) => route.path));
  return async (ctx: Context, next: Next): Promise<void> => {
    const startedAt = performance.now();
    const headers = ctx.req.headers;
    const trace = traceOf(first(headers['traceparent']));
    const requestId = requestIdOf(first(headers['x-request-id']), trace);
    const client = clientAddress(ctx.req.socket.remoteAddress, first(headers['x-forwarded-for']), trustedHops);
    const state: EdgeState = { trace, requestId, client, route: 'unmatched' };
    ctx.state = state;
    ctx.set('X-Request-Id', requestId);
    ctx.set('Cache-Control', 'no-store');
    running.inFlight++;
    let failure: unknown;
    try {
      if (running.inFlight > maxInFlight && !vital.has(ctx.path)) throw unavailable('Too many requests at once.', 1);
      await next();
    } catch (error) {
      failure = error;
      answerProblem(ctx, problemOf(error), trace.id);
    } finally {
      running.inFlight--;
    }
    if (running.stopping) ctx.set('Connection', 'close');
    const ms = performance.now() - startedAt;
    figures.observe(ctx.method, state.route, ctx.status, ms / 1_000);
    logRequest(logger, ctx, state, ms, failure);
  };
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function answerProblem(ctx: Context, problem: Problem, traceId: string): void {
  ctx.status = problem.status;
  ctx.set({ ...problem.headers });
  ctx.set('Content-Type', 'application/problem+json');
  ctx.body = JSON.stringify(problemBody(problem, traceId));
}

function logRequest(logger: Logger, ctx: Context, state: EdgeState, ms: number, failure: unknown): void {
  const line = {
    traceId: state.trace.id,
    ...(state.requestId !== state.trace.id && { requestId: state.requestId }),
    method: ctx.method,
    route: state.route,
    status: ctx.status,
    ms: Math.round(ms * 10) / 10,
    ...(state.orderId !== undefined && { orderId: state.orderId }),
    ...(failure instanceof Problem && { code: failure.code }),
    ...(ctx.status === 503 && { reason: reasonOf(failure) }),
  };
  if (ctx.status === 500) logger.error({ ...line, err: failure }, 'request failed');
  else logger.info(line, 'request');
}

/** What the caller isn't told in full. */
function reasonOf(failure: unknown): string | undefined {
  const error = failure instanceof Problem && failure.cause instanceof Error ? failure.cause : failure;
  return error instanceof Error ? error.message : undefined;
}

/** The end of the chain: the path is unknown, or known for other methods. */
function unmatched(ctx: Context): void {
  const layers = (ctx['matched'] ?? []) as readonly { methods: readonly string[]; path: string | RegExp }[];
  const methods = [...new Set(layers.flatMap((layer) => layer.methods))];
  if (methods.length === 0) throw new Problem(404, 'request.unknown-route', 'There is nothing at this address.');
  (ctx.state as EdgeState).route = String(layers[0]?.path).replace(/:(\w+)/g, '{$1}');
  ctx.set('Allow', [...methods, 'OPTIONS'].join(', '));
  if (ctx.method !== 'OPTIONS') {
    throw new Problem(405, 'request.method-not-allowed', `Use one of ${methods.join(', ')} here.`);
  }
  ctx.status = 204;
}

function createListener(app: Koa, receiveTimeoutMs: number): Server {
  const handle = app.callback();
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, receiveTimeoutMs),
      requestTimeout: receiveTimeoutMs,
      connectionsCheckingInterval: Math.min(SLOW_CHECK_MS, receiveTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    },
    (request, response) => void handle(request, response),
  );
  server.maxHeadersCount = MAX_HEADERS;
  server.setTimeout(SOCKET_IDLE_MS);
  server.on('clientError', answerBrokenRequest);
  return server;
}

/** What never becomes a request (unreadable, too big, too slow) still gets a problem answer. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = brokenRequest(error.code);
  const body = JSON.stringify(problemBody(problem, traceOf(undefined).id));
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function brokenRequest(code: string | undefined): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'request.too-slow', 'The request took too long to arrive.');
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(431, 'request.headers-too-large', 'The headers are larger than 16 KB.');
    default:
      return new Problem(400, 'request.malformed', 'This is not a valid HTTP request.');
  }
}
