/**
 * Who calls: JWTs of our own (HS256) or of an outside issuer (JWKS), and what a route asks of its caller. Whatever is
 * somebody else's is answered like what doesn't exist.
 */
import { createRemoteJWKSet, decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { recentlyUsed } from '../storage/recentlyUsed.ts';
import { Problem, unavailable } from './problem.ts';

export type Role = 'guest' | 'customer' | 'vendor' | 'staff';

export type Principal = {
  readonly sub: string;
  readonly role: Role | 'anonymous';
  readonly scopes: readonly string[];
  /** Of a token that we gave to an account: which of the account's sessions it belongs to. */
  readonly session?: number;
};

export const anonymous: Principal = { sub: 'anonymous', role: 'anonymous', scopes: [] };

/** What a route asks for: nothing, any token, a customer's account, or staff with a scope. */
export type Access = 'public' | 'any' | 'customer' | { readonly scope: string };

/** Every scope there is: what the first operator gets. */
export const allScopes = ['orders', 'stock', 'catalog', 'payments', 'cluster', 'chaos', 'privacy', 'staff'] as const;

const HOUR_SECONDS = 3_600;
/** A guest must outlive its cart (24 h after the last change) and come back to its orders. */
const LIFETIME_SECONDS: Readonly<Record<Role, number>> = {
  guest: 30 * 24 * HOUR_SECONDS,
  customer: 24 * HOUR_SECONDS,
  vendor: 24 * HOUR_SECONDS,
  staff: 12 * HOUR_SECONDS,
};
/** Checking a signature costs about 100 µs; a token is checked once and remembered until it expires. */
const REMEMBERED_TOKENS = 10_000;
const MAX_TOKEN_LENGTH = 4_096;
const JWKS_TIMEOUT_MS = 5_000;
const CLOCK_TOLERANCE_SECONDS = 5;
const OUTSIDE_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

const claims = z.object({
  sub: z.string().min(1).max(200),
  role: z.enum(['guest', 'customer', 'vendor', 'staff']),
  scopes: z.array(z.string()).max(100).default([]),
});
/** The number of an account's session, in our own tokens. An outside issuer's claim of that name means nothing to us. */
const SESSION_CLAIM = 'holdfast_session';

export type Issued = { readonly token: string; readonly expiresAt: number };

export interface Tokens {
  /** Fails when only an outside issuer is configured. The lifetime is the role's unless one is given. */
  issue(principal: Principal & { readonly role: Role }, lifetimeSeconds?: number): Promise<Issued>;
  /** The caller of a request by its `Authorization` header; anonymous without one, 401 with one that isn't good. */
  principal(authorization: string | undefined): Principal | Promise<Principal>;
}

export type TokenOptions = {
  /** AUTH_SECRET: its UTF-8 bytes are the key. Absent when only an outside issuer is trusted. */
  readonly secret?: string | undefined;
  /** AUTH_JWKS_URL of an outside issuer. */
  readonly jwksUrl?: string | undefined;
  /** Real time in ms: a virtual business clock doesn't age tokens. */
  readonly now?: () => number;
};

export function createTokens(options: TokenOptions): Tokens {
  const now = options.now ?? Date.now;
  const secret = options.secret === undefined ? undefined : new TextEncoder().encode(options.secret);
  const outside =
    options.jwksUrl === undefined
      ? undefined
      : createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration: JWKS_TIMEOUT_MS });
  const known = recentlyUsed<string, { principal: Principal; expiresAt: number }>(REMEMBERED_TOKENS);

  type Verified = { readonly payload: JWTPayload; readonly own: boolean };

  async function verify(token: string): Promise<Verified> {
    const settings = { currentDate: new Date(now()), clockTolerance: CLOCK_TOLERANCE_SECONDS };
    const own = decodeProtectedHeader(token).alg === 'HS256';
    if (own && secret) {
      return { own, payload: (await jwtVerify(token, secret, { ...settings, algorithms: ['HS256'] })).payload };
    }
    if (!own && outside) {
      return {
        own,
        payload: (await jwtVerify(token, outside, { ...settings, algorithms: OUTSIDE_ALGORITHMS })).payload,
      };
    }
    throw unauthorized();
  }

  async function check(token: string): Promise<Principal> {
    const { payload, own } = await verify(token).catch((error: unknown) => {
      if (issuerFailed(error)) throw unavailable('The issuer of the token cannot be asked.', 5, error);
      throw unauthorized(error);
    });
    const parsed = claims.safeParse(payload);
    if (!parsed.success) throw unauthorized(parsed.error);
    const { sub, role, scopes } = parsed.data;
    const session = own ? payload[SESSION_CLAIM] : undefined;
    const principal: Principal = {
      sub,
      role,
      scopes: role === 'staff' ? scopes : [],
      ...(typeof session === 'number' && { session }),
    };
    known.set(token, { principal, expiresAt: payload.exp === undefined ? Infinity : payload.exp * 1_000 });
    return principal;
  }

  return {
    async issue({ sub, role, scopes, session }, lifetimeSeconds = LIFETIME_SECONDS[role]) {
      if (!secret) throw new Problem(404, 'session.outside-issuer', 'Sessions are issued by an outside issuer here.');
      const issuedAt = Math.floor(now() / 1_000);
      const expires = issuedAt + lifetimeSeconds;
      const token = await new SignJWT({
        role,
        ...(scopes.length > 0 && { scopes }),
        ...(session !== undefined && { [SESSION_CLAIM]: session }),
      })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(sub)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expires)
        .sign(secret);
      return { token, expiresAt: expires * 1_000 };
    },
    principal(authorization) {
      if (authorization === undefined) return anonymous;
      const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      if (token === undefined || token.length > MAX_TOKEN_LENGTH) throw unauthorized();
      const remembered = known.get(token);
      if (remembered && remembered.expiresAt > now()) return remembered.principal;
      return check(token);
    },
  };
}

/** Lets the caller pass or throws 401 (who are you?) or 403 (you may not). */
export function authorize(principal: Principal, access: Access): void {
  if (access === 'public') return;
  if (principal.role === 'anonymous') throw unauthorized();
  if (access === 'any') return;
  if (access === 'customer') {
    if (principal.role === 'customer' || principal.role === 'staff') return;
    throw new Problem(403, 'auth.account-required', 'Sign in with a customer account first.');
  }
  if (hasScope(principal, access.scope)) return;
  throw new Problem(403, 'auth.scope-required', `This needs a staff account with the scope "${access.scope}".`);
}

export function hasScope(principal: Principal, scope: string): boolean {
  return principal.role === 'staff' && principal.scopes.includes(scope);
}

/** The keys could not be fetched: not the caller's fault. Anything else wrong with a token is. */
function issuerFailed(error: unknown): boolean {
  if (error instanceof TypeError) return error.message === 'fetch failed';
  if (!(error instanceof errors.JOSEError)) return false;
  return ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'].includes(error.code);
}

export function unauthorized(cause?: unknown): Problem {
  return new Problem(401, 'auth.unauthorized', 'Send a valid token: Authorization: Bearer <JWT>.', {
    headers: { 'WWW-Authenticate': 'Bearer' },
    cause,
  });
}
