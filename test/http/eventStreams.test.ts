/** One stream by itself, with a feed that always has something to say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEventStreams, type StreamOptions } from '../../http/eventStreams.ts';
import type { Follower } from '../../supervisors/changeFeed.ts';
import { eventually, rejection } from '../support/eventually.ts';

const streams = suite('event streams');
const HEARTBEAT_MS = 5;

/** Counts what was taken from it. */
function endless() {
  const seen = { taken: 0, stopped: 0 };
  const follower: Follower = {
    next() {
      const version = ++seen.taken;
      const cart = {
        status: 'active',
        id: 'cart_1',
        customerId: 'a',
        guest: true,
        currency: 'USD',
        lines: [],
      } as const;
      const change = { kind: 'cart', version, at: 0, cart: { ...cart, changedAt: 0, round: 0 } } as const;
      return [{ cursor: `c${version}`, change }];
    },
    cursor: () => `c${seen.taken}`,
    stop: () => void seen.stopped++,
  };
  return { seen, follower };
}

function options(follower: Follower, more: Partial<StreamOptions> = {}): StreamOptions {
  return {
    principal: { sub: 'a', role: 'guest', scopes: [] },
    follow: async () => ({ follower, isReset: false }),
    isAllowed: async () => true,
    ...more,
  };
}

streams('no more is taken from the feed than its client has room for', async () => {
  const all = createEventStreams();
  const { seen, follower } = endless();
  const stream = await all.open(options(follower));
  stream.read(0);
  const { taken } = seen;
  assert.ok(taken > 10 && taken < 10_000, `${taken}`);
  assert.ok(stream.readableLength < stream.readableHighWaterMark * 2);
  await new Promise(setImmediate);
  assert.is(seen.taken, taken, 'nothing more until something is read');
  stream.read();
  await eventually('it goes on', () => seen.taken > taken);
  stream.destroy();
});

streams('whoever takes nothing for two heartbeats is cut off', async () => {
  const all = createEventStreams(HEARTBEAT_MS);
  const { seen, follower } = endless();
  const stream = await all.open(options(follower));
  stream.read(0);
  await eventually('the stream is gone', () => stream.destroyed && all.count === 0);
  assert.is(seen.stopped, 1);
});

streams('whoever may not listen any more hears the end; a doubt ends nothing', async () => {
  const all = createEventStreams(HEARTBEAT_MS);
  const answers = [new Error('not now'), true, false];
  const asked: unknown[] = [];
  const isAllowed = async (): Promise<boolean> => {
    const answer = answers[asked.length] ?? false;
    asked.push(answer);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const quiet: Follower = { next: () => [], cursor: () => 'c', stop: () => {} };
  const stream = await all.open(options(quiet, { isAllowed }));
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve));
  assert.is(asked.length, 3);
});

streams('a feed that can not be followed leaves no stream', async () => {
  const all = createEventStreams();
  const { follower } = endless();
  const follow = async () => {
    throw new Error('not now');
  };
  assert.is((await rejection(all.open(options(follower, { follow })))).message, 'not now');
  await eventually('it is not counted', () => all.count === 0);
});

streams('after the stop none is opened', async () => {
  const all = createEventStreams();
  all.stop();
  const refused = await rejection(all.open(options(endless().follower)));
  assert.is(refused.message, 'Too many listen at once.');
});

streams.run();
