/**
 * A route is data: the same entry makes the router, the validation and the OpenAPI document. Handlers know nothing of
 * Koa: a call comes in, an answer goes out, a Problem is thrown.
 */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Ids } from '../actors/kernel/ports.ts';
import type { Policy } from '../actors/policy.ts';
import type { Access, Principal, Tokens } from './auth.ts';
import type { ClientAddress } from './clientAddress.ts';
import type { EventStreams } from './eventStreams.ts';
import type { Keys } from './keys.ts';
import type { Limits } from './limits.ts';
import type { Passwords } from './passwords.ts';
import type { Shop } from './shop.ts';

export type Services = {
  readonly shop: Shop;
  readonly policy: Policy;
  readonly ids: Ids;
  readonly keys: Keys;
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly limits: Limits;
  readonly streams: EventStreams;
  /** This node is about to stop: nothing new should be sent to it. */
  readonly isLeaving: () => boolean;
};

export type Call<Params = unknown, Query = unknown, Body = unknown> = Services & {
  readonly principal: Principal;
  readonly client: ClientAddress;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Id of the command that this request becomes: derived from the idempotency key, or fresh. */
  readonly requestId: string;
  /** Set with an idempotency key. */
  readonly fingerprint: string | undefined;
  /** `If-Match` or `If-None-Match: *` was sent. */
  readonly precondition: boolean;
  /** From `If-Match`, undefined also for `*`, which any version matches; 0 from `If-None-Match: *`. */
  readonly expectedVersion: number | undefined;
  /** From `Prefer: wait=N`, in seconds. */
  readonly wait: number | undefined;
  /** On the monotonic clock, in ms. */
  readonly deadline: number;
  readonly traceparent: string;
  /** From `Last-Event-ID`. */
  readonly lastEventId: string | undefined;
  /** For answers that go on: whether the token that came with the request is still worth something. */
  readonly isStillCaller: () => Promise<boolean>;
};

export type Answer = {
  readonly status: number;
  readonly body?: unknown;
  /** Instead of a body, for what goes on until one side ends it. */
  readonly stream?: Readable;
  /** The answer shows this version of a single resource: becomes its ETag. */
  readonly version?: number;
  /** What else it shows that changes without the version (letters and digits): becomes part of the ETag. */
  readonly variant?: string;
  readonly replayed?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log line. */
  readonly orderId?: string;
};

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export type ResponseSpec = { readonly description: string; readonly schema?: z.ZodType };

export type RouteSpec<
  Params extends z.ZodType = z.ZodType<unknown>,
  Query extends z.ZodType = z.ZodType<unknown>,
  Body extends z.ZodType = z.ZodType<unknown>,
> = {
  readonly method: Method;
  /** With `{name}` parameters, as in OpenAPI. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Access;
  /** Posts honour an idempotency key unless it says `ignored`. */
  readonly idempotency?: 'required' | 'ignored';
  /** Changes of one resource honour `If-Match`; some insist on it. */
  readonly ifMatch?: 'honoured' | 'required';
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  /** A request body that works, for the documentation; the tests validate it. */
  readonly example?: unknown;
  /** The answer's ETag says everything about it: `If-None-Match` may be answered with 304. */
  readonly conditional?: true;
  /** Honours `Prefer: wait=N`. */
  readonly waits?: true;
  /** Answers with events that go on, and takes up where `Last-Event-ID` says. */
  readonly streams?: true;
  /** For answers that are not JSON. */
  readonly contentType?: string;
  /** Answered even when the admission limit is reached. */
  readonly vital?: true;
  /** Answers from this node's tables: they are to hold what is durable anywhere. */
  readonly lists?: true;
  /** An administrator's route that tells what this node knows, however far its tables are. */
  readonly ownWord?: true;
};

export type Route = RouteSpec & { readonly handler: (call: Call) => Answer | Promise<Answer> };

/** Ties the handler's types to the schemas; afterwards every route looks alike. */
export function route<
  Params extends z.ZodType = z.ZodType<unknown>,
  Query extends z.ZodType = z.ZodType<unknown>,
  Body extends z.ZodType = z.ZodType<unknown>,
>(
  spec: RouteSpec<Params, Query, Body> & {
    readonly handler: (call: Call<z.output<Params>, z.output<Query>, z.output<Body>>) => Answer | Promise<Answer>;
  },
): Route {
  // The dispatcher parses with these very schemas before it calls the handler.
  return spec as unknown as Route;
}
