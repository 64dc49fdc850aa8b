/** The configuration: read from the environment once, validated whole; a wrong value is named and stops the start. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { defaultPolicy, type Policy } from '../actors/policy.ts';
import { clusterProblems, clusterSettings, nodeNameOf } from './clusterConfig.ts';

const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');
const count = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/** Minor units, or a number of orders. */
const limitOrOff = (fallback: number | null) =>
  z
    .string()
    .regex(/^(off|\d{1,12})$/, 'must be a whole number or "off"')
    .transform((value) => (value === 'off' ? null : Number(value)))
    .default(fallback);

const { review } = defaultPolicy;

const schema = z.object({
  PORT: count(3000, 0, 65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATA_DIR: z.string().min(1).default('./data'),
  /** Each backup is a folder in it; a folder of DATA_DIR unless given. */
  BACKUP_DIR: z.string().min(1).optional(),
  NODE_NAME: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
    .optional(),
  ...clusterSettings,
  SHARDS: count(16, 1, 1_024),
  /** After the signal to stop it goes on answering for at least so long, while /readyz says 503: balancers look that often. */
  STOP_PAUSE_MS: count(0, 0, 60_000),
  /** How many proxies of ours a request passes: so many entries of X-Forwarded-For are believed. */
  TRUST_PROXY: count(0, 0, 10),
  /** Requests per minute and principal; 0: no limit. */
  RATE_LIMIT: z.coerce.number().int().min(0).max(1_000_000).optional(),
  AUTH_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  AUTH_JWKS_URL: z.url().optional(),
  OPERATOR_EMAIL: z.email().optional(),
  OPERATOR_PASSWORD: z.string().min(12, 'must have at least 12 characters').optional(),
  SEED: z.enum(['demo', 'none']).optional(),
  PAYMENT: z.enum(['simulated']).default('simulated'),
  CARRIER: z.enum(['simulated']).default('simulated'),
  ADDRESS_CHECK: z.enum(['simulated']).default('simulated'),
  REVIEW_TOTAL_ABOVE: limitOrOff(review.totalAbove),
  REVIEW_FIRST_ORDER_ABOVE: limitOrOff(review.firstOrderAbove),
  REVIEW_ORDERS_PER_ADDRESS: limitOrOff(review.ordersPerAddress),
  REVIEW_COUNTRY_MISMATCH: onOff.default(review.countryMismatch),
  CLOCK: z.enum(['real', 'virtual']).default('real'),
  CHAOS: onOff.default(false),
  FAIL_POINT: z.string().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
});

const PRODUCTION_RATE_LIMIT = 600;

type Resolved = { readonly NODE_NAME: string; readonly BACKUP_DIR: string; readonly RATE_LIMIT: number };
export type Config = Omit<z.infer<typeof schema>, keyof Resolved> & Resolved;

/** One or more settings can't be used; the message names each with its reason. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Settings of later versions, with the values that mean "without it": silence would let an operator believe they work. */
const NOT_YET: Readonly<Record<string, readonly string[]>> = {
  MAIL: ['simulated'],
  OTEL_EXPORTER_OTLP_ENDPOINT: [],
};

/**
 * @throws ConfigError naming every wrong value
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is an unset one, as shells and compose files have it.
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(given);
  const problems = result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  for (const [name, without] of Object.entries(NOT_YET)) {
    const value = given[name];
    if (value !== undefined && !without.includes(value)) problems.push(`${name}: not part of this version`);
  }
  problems.push(...clusterProblems(given));
  const production = given['NODE_ENV'] === 'production';
  if (production && !given['AUTH_SECRET'] && !given['AUTH_JWKS_URL']) {
    problems.push('AUTH_SECRET: production needs AUTH_SECRET or AUTH_JWKS_URL');
  }
  if (production && (given['CLOCK'] === 'virtual' || given['CHAOS'] === 'on' || given['FAIL_POINT'])) {
    problems.push('CLOCK, CHAOS, FAIL_POINT: virtual time and chaos are for development and tests only');
  }
  if (production && (given['OPERATOR_EMAIL'] === undefined) !== (given['OPERATOR_PASSWORD'] === undefined)) {
    problems.push('OPERATOR_EMAIL, OPERATOR_PASSWORD: give both or neither');
  }
  if (!result.success || problems.length > 0) throw new ConfigError(`wrong configuration:\n  ${problems.join('\n  ')}`);
  const { NODE_NAME = nodeNameOf(hostname()), RATE_LIMIT = production ? PRODUCTION_RATE_LIMIT : 0 } = result.data;
  const { BACKUP_DIR = join(result.data.DATA_DIR, 'backups') } = result.data;
  return { ...result.data, NODE_NAME, RATE_LIMIT, BACKUP_DIR };
}

/** The shop's figures, as far as the environment changes them. */
export function configuredPolicy(config: Config, policy: Policy = defaultPolicy): Policy {
  const { REVIEW_TOTAL_ABOVE, REVIEW_FIRST_ORDER_ABOVE, REVIEW_ORDERS_PER_ADDRESS, REVIEW_COUNTRY_MISMATCH } = config;
  return {
    ...policy,
    review: {
      ...policy.review,
      totalAbove: REVIEW_TOTAL_ABOVE,
      firstOrderAbove: REVIEW_FIRST_ORDER_ABOVE,
      ordersPerAddress: REVIEW_ORDERS_PER_ADDRESS,
      countryMismatch: REVIEW_COUNTRY_MISMATCH,
    },
  };
}
