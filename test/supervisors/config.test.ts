import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultPolicy } from '../../actors/policy.ts';
import { nodeNameOf } from '../../supervisors/clusterConfig.ts';
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
  refused({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  assert.is(readConfig({ ADDRESS_CHECK: 'simulated', MAIL: 'simulated' }).PORT, 3000);
});

const NATS_URL = 'nats://127.0.0.1:4222';

config('a node is alone unless it is told of brokers, which may be several', () => {
  const { NATS_URL: none, CLUSTER, REPLICAS } = readConfig({ CLUSTER: 'holdfast', REPLICAS: '1' });
  assert.equal([none, CLUSTER, REPLICAS], [undefined, 'holdfast', 1]);
  const given = {
    NATS_URL: 'nats://a:4222, b:4223,tls://[::1]',
    NATS_CREDS: './node.creds',
    CLUSTER: 'shop_2-eu',
    REPLICAS: '3',
  };
  const several = readConfig(given);
  assert.is(several.NATS_URL, 'nats://a:4222,nats://b:4223,tls://[::1]');
  assert.equal([several.NATS_CREDS, several.CLUSTER, several.REPLICAS], ['./node.creds', 'shop_2-eu', 3]);
});

config('refuses brokers that are none, and never repeats a password', () => {
  for (const wrong of ['http://a:4222', 'nats://a:4222/path', ',', 'nats://a,,b', 'nats://a:port', 'a b']) {
    refused({ NATS_URL: wrong }, 'NATS_URL', 'nats://host:4222');
  }
  refused({ NATS_URL: Array.from({ length: 17 }, (_, n) => `b${n}`).join(',') }, 'NATS_URL', 'at most 16');
  try {
    readConfig({ NATS_URL: 'nats://shop:hunter2@a:4222' });
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, 'NATS_CREDS');
    assert.not.match((error as Error).message, 'hunter2');
  }
});

config('names of clusters and nodes must be usable in subjects', () => {
  for (const wrong of ['a.b', 'a b', '>', 'a*', 'x'.repeat(33)]) refused({ NATS_URL, CLUSTER: wrong }, 'CLUSTER');
  refused({ NATS_URL, NODE_NAME: 'node.a' }, 'NODE_NAME');
  assert.is(readConfig({ NODE_NAME: 'node.a' }).NODE_NAME, 'node.a', 'alone it is only a name');
  assert.match(readConfig({ NATS_URL }).NODE_NAME, /^[A-Za-z0-9_-]{1,64}$/);
  for (const [machine, name] of [
    ['shop-1.example.com', 'shop-1-example-com'],
    ['', 'node'],
  ] as const) {
    assert.is(nodeNameOf(machine), name);
  }
});

config('a cluster has an odd number of replicas, and real time', () => {
  for (const wrong of ['0', '2', '4', '7', 'many']) refused({ NATS_URL, REPLICAS: wrong }, 'REPLICAS', '1, 3 or 5');
  refused({ NATS_URL, CLOCK: 'virtual' }, 'CLOCK', 'NATS_URL');
  assert.is(readConfig({ NATS_URL, FAIL_POINT: 'before-append:1' }).FAIL_POINT, 'before-append:1');
});

config('what only a cluster has means nothing without one, and is refused', () => {
  refused(
    { NATS_CREDS: 'x', CLUSTER: 'mine', REPLICAS: '3' },
    'NATS_CREDS: means',
    'CLUSTER: means',
    'REPLICAS: means',
  );
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
