import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultPolicy } from '../../actors/policy.ts';
import { ConfigError, configuredPolicy, readConfig } from '../../supervisors/config.ts';

const config = suite('configuration');

const SECRET = 'a secret that is long enough, really';

function refused(environment: Record<string, string>, ...names: string[]): void {
  assert.throws(
    () => readConfig(environment),
    (error: unknown) => error instanceof ConfigError && names.every((name) => error.message.includes(name)),
    `${JSON.stringify(environment)} must be refused, naming ${names}`,
  );
}

config('has the documented defaults', () => {
  const { PORT, HOST, DATA_DIR, SHARDS, PAYMENT, CARRIER, CLOCK, CHAOS, LOG_LEVEL, NODE_ENV, SEED } = readConfig({});
  assert.equal([PORT, HOST, DATA_DIR, SHARDS], [3000, '127.0.0.1', './data', 16]);
  assert.equal([PAYMENT, CARRIER, CLOCK, CHAOS], ['simulated', 'simulated', 'real', false]);
  assert.equal([LOG_LEVEL, NODE_ENV, SEED], ['info', 'development', undefined]);
});

config('trusts no proxy unless told how many there are', () => {
  assert.is(readConfig({}).TRUST_PROXY, 0);
  assert.is(readConfig({ TRUST_PROXY: '2' }).TRUST_PROXY, 2);
  for (const wrong of ['-1', '11', 'yes', '1.5']) refused({ TRUST_PROXY: wrong }, 'TRUST_PROXY');
});

config('limits rates in production only, unless told otherwise', () => {
  assert.is(readConfig({}).RATE_LIMIT, 0);
  assert.is(readConfig({ NODE_ENV: 'production', AUTH_SECRET: SECRET }).RATE_LIMIT, 600);
  assert.is(readConfig({ NODE_ENV: 'production', AUTH_SECRET: SECRET, RATE_LIMIT: '0' }).RATE_LIMIT, 0);
  assert.is(readConfig({ RATE_LIMIT: '60' }).RATE_LIMIT, 60);
  for (const wrong of ['-1', 'many', '1.5']) refused({ RATE_LIMIT: wrong }, 'RATE_LIMIT');
});

config('reviews by the shop’s figures unless told otherwise; each rule can be switched off', () => {
  assert.equal(configuredPolicy(readConfig({})), defaultPolicy);
  const given = {
    REVIEW_TOTAL_ABOVE: '1',
    REVIEW_FIRST_ORDER_ABOVE: '0',
    REVIEW_ORDERS_PER_ADDRESS: '3',
    REVIEW_COUNTRY_MISMATCH: 'off',
  };
  const { totalAbove, firstOrderAbove, ordersPerAddress, countryMismatch } = configuredPolicy(readConfig(given)).review;
  assert.equal([totalAbove, firstOrderAbove, ordersPerAddress, countryMismatch], [1, 0, 3, false]);
  const off = Object.fromEntries(Object.keys(given).map((name) => [name, 'off']));
  const { review } = configuredPolicy(readConfig(off));
  assert.equal([review.totalAbove, review.firstOrderAbove, review.ordersPerAddress], [null, null, null]);
  refused({ REVIEW_TOTAL_ABOVE: '-1', REVIEW_COUNTRY_MISMATCH: 'no' }, 'REVIEW_TOTAL_ABOVE', 'REVIEW_COUNTRY_MISMATCH');
  refused({ REVIEW_FIRST_ORDER_ABOVE: '200.00', REVIEW_ORDERS_PER_ADDRESS: 'many' }, 'FIRST_ORDER', 'PER_ADDRESS');
});

config('takes an empty variable for an unset one', () => {
  assert.is(readConfig({ PORT: '', AUTH_SECRET: '' }).PORT, 3000);
});

config('names every wrong value', () => {
  refused({ PORT: 'eighty', SHARDS: '0', CLOCK: 'fast' }, 'PORT', 'SHARDS', 'CLOCK');
  refused({ PORT: '65536' }, 'PORT');
  refused({ AUTH_SECRET: 'short' }, 'AUTH_SECRET');
  refused({ OPERATOR_EMAIL: 'nobody' }, 'OPERATOR_EMAIL');
  refused({ NODE_NAME: 'a node' }, 'NODE_NAME');
  refused({ CHAOS: 'yes' }, 'CHAOS');
});

config('refuses settings of later versions instead of ignoring them', () => {
  refused({ NATS_URL: 'nats://127.0.0.1:4222' }, 'NATS_URL');
  refused({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  assert.is(readConfig({ ADDRESS_CHECK: 'simulated', MAIL: 'simulated', CLUSTER: 'holdfast' }).PORT, 3000);
});

config('production needs a way to check tokens, and no toys', () => {
  refused({ NODE_ENV: 'production' }, 'AUTH_SECRET');
  refused({ NODE_ENV: 'production', AUTH_SECRET: SECRET, CLOCK: 'virtual' }, 'CLOCK');
  refused({ NODE_ENV: 'production', AUTH_SECRET: SECRET, CHAOS: 'on' }, 'CHAOS');
  refused({ NODE_ENV: 'production', AUTH_SECRET: SECRET, OPERATOR_PASSWORD: 'long enough it is' }, 'OPERATOR_EMAIL');
  assert.is(readConfig({ NODE_ENV: 'production', AUTH_SECRET: SECRET }).AUTH_SECRET, SECRET);
  assert.is(readConfig({ NODE_ENV: 'production', AUTH_JWKS_URL: 'https://id.example/keys' }).NODE_ENV, 'production');
});

config.run();
