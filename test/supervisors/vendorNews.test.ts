import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Envelope } from '../../actors/kernel/message.ts';
import type { Settled } from '../../actors/kernel/ports.ts';
import { createVendorNews } from '../../supervisors/vendorNews.ts';
import type { UntoldNews } from '../../transport/payment/ledger.ts';

const newsOf = (name: string): UntoldNews => ({
  kind: 'news',
  key: `~news/${name}`,
  orderId: 'ord_1',
  message: {
    type: 'PaymentGatewayResult',
    operation: 'GatewayAuthorize',
    key: name,
    result: { outcome: 'declined', reason: 'no' },
  },
});

const done: Settled = { kind: 'done' };
const busy: Settled = { kind: 'unavailable', reason: 'busy', retryAfterMs: 1 };

function setUp(
  names: readonly string[],
  answers: (envelope: Envelope) => Settled,
  asking = () => {},
  lookAgainMs?: number,
) {
  const untold = new Map(names.map((name) => [newsOf(name).key, newsOf(name)]));
  const brought: Envelope[] = [];
  const warnings: object[] = [];
  let retry: (() => void) | undefined;
  let pauseMs = 0;
  const news = createVendorNews({
    bank: {
      untold: async (limit) => {
        asking();
        return [...untold.values()].slice(0, limit);
      },
      taken: async ({ key }) => void untold.delete(key),
    },
    deliver(envelope, settle) {
      brought.push(envelope);
      settle(answers(envelope));
    },
    clock: {
      delay(ms, task) {
        pauseMs = ms;
        retry = task;
        return () => {
          retry = undefined;
        };
      },
    },
    logger: { warn: (fields) => void warnings.push(fields) },
    ...(lookAgainMs !== undefined && { lookAgainMs }),
  });
  return {
    news,
    untold,
    brought,
    warnings,
    add: (name: string) => untold.set(newsOf(name).key, newsOf(name)),
    retry: () => retry?.(),
    get pauseMs() {
      return pauseMs;
    },
    get retrying() {
      return retry !== undefined;
    },
  };
}

const telling = suite("the vendor's news");

telling('each goes to its payment under an id of its own, and is forgotten once it is durable there', async () => {
  const { news, brought, untold } = setUp(['a', 'b'], () => done);
  await news.tell();
  assert.equal(brought[0], {
    id: '~news/a',
    to: { type: 'payment', id: 'ord_1' },
    from: { type: 'gateway', id: 'payment' },
    message: newsOf('a').message,
  });
  assert.is(brought.length, 2);
  assert.is(untold.size, 0);
});

telling('what was not taken stays, and is brought again later under the same id', async () => {
  let available = false;
  const world = setUp(['a'], () => (available ? done : busy));
  await world.news.tell();
  assert.is(world.untold.size, 1);
  assert.ok(world.retrying);
  available = true;
  world.retry();
  await world.news.tell();
  assert.equal(new Set(world.brought.map(({ id }) => id)), new Set(['~news/a']));
  assert.is(world.untold.size, 0);
});

telling('a payment that fails on it is named in the log', async () => {
  const world = setUp(['a'], () => ({ kind: 'failed', error: new Error('a bug') }));
  await world.news.tell();
  assert.is(world.warnings.length, 1);
  assert.is(world.untold.size, 1);
});

telling('a vendor that can not be asked is asked again later', async () => {
  let asked = 0;
  const world = setUp(
    ['a'],
    () => done,
    () => {
      asked += 1;
      if (asked === 1) throw new Error('no connection');
    },
  );
  await world.news.tell();
  assert.is(world.warnings.length, 1);
  assert.ok(world.retrying);
  world.retry();
  await world.news.tell();
  assert.is(world.untold.size, 0);
});

telling('a node of a cluster looks by itself for what others left, again and again', async () => {
  const world = setUp(
    [],
    () => done,
    () => {},
    15_000,
  );
  await world.news.tell();
  for (const name of ['a', 'b']) {
    world.add(name);
    assert.is(world.pauseMs, 15_000);
    world.retry();
    await world.news.tell();
    assert.is(world.untold.size, 0);
  }
  world.news.close();
  assert.not.ok(world.retrying);
});

telling('more than one batch, and what comes while others are under way', async () => {
  const names = Array.from({ length: 250 }, (_, number) => `n${number}`);
  let added = false;
  const world = setUp(names, () => {
    if (!added) {
      added = true;
      world.add('late');
      void world.news.tell();
    }
    return done;
  });
  await world.news.tell();
  assert.is(world.untold.size, 0);
  assert.is(world.brought.length, 251);
});

telling('after it was closed nothing is brought and nothing is forgotten', async () => {
  const world = setUp(['a'], () => {
    world.news.close();
    return done;
  });
  await world.news.tell();
  await world.news.tell();
  assert.is(world.brought.length, 1);
  assert.is(world.untold.size, 1);
  assert.not.ok(world.retrying);
});

telling.run();
