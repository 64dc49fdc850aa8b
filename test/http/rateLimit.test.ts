import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLimits } from '../../http/limits.ts';
import { Problem } from '../../http/problem.ts';
import { createRateLimit } from '../../http/rateLimit.ts';

const limits = suite('http rate limit');
const MINUTE = 60_000;

function refusal(run: () => unknown): Problem | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  return undefined;
}

limits('lets through as many as it says at once, and says when to come back', () => {
  const rate = createRateLimit(3, MINUTE, () => 0);
  assert.equal(
    [1, 2, 3].map(() => rate.take('a').remaining),
    [2, 1, 0],
  );
  assert.equal(rate.take('a'), { allowed: false, remaining: 0, retryAfterMs: 20_000 });
  assert.ok(rate.take('b').allowed);
});

limits('a refusal costs nothing, and time pays back one by one', () => {
  let now = 0;
  const rate = createRateLimit(3, MINUTE, () => now);
  for (let i = 0; i < 10; i++) rate.take('a');
  now = 19_999;
  assert.is(rate.take('a').allowed, false);
  now = 20_000;
  assert.ok(rate.take('a').allowed);
  assert.is(rate.take('a').allowed, false);
  now = 10 * MINUTE;
  assert.is(rate.take('a').remaining, 2);
});

limits('an odd limit is exact too', () => {
  for (const limit of [7, 600, 999]) {
    const rate = createRateLimit(limit, MINUTE, () => 123.456);
    let taken = 0;
    while (rate.take('a').allowed) taken++;
    assert.is(taken, limit);
  }
});

limits('remembers a bounded number of keys', () => {
  const rate = createRateLimit(1, MINUTE, () => 0, 2);
  for (const key of ['a', 'b', 'c']) assert.ok(rate.take(key).allowed);
  assert.is(rate.take('c').allowed, false);
  assert.ok(rate.take('a').allowed, 'the oldest is forgotten');
});

const home = { network: '203.0.113.7', isPrivate: false };
const away = { network: '203.0.113.8', isPrivate: false };
const guest = { sub: 'gst_1', role: 'guest', scopes: [] } as const;
const anonymous = { sub: 'anonymous', role: 'anonymous', scopes: [] } as const;

limits('600 a minute for a principal from wherever, 100 for an address without a token', () => {
  const of = createLimits(600, () => 0);
  for (let i = 0; i < 600; i++) of.request(guest, i % 2 ? home : away);
  assert.is(refusal(() => of.request(guest, home))?.status, 429);
  of.request({ ...guest, sub: 'gst_2' }, home);
  for (let i = 0; i < 100; i++) of.request(anonymous, home);
  const refused = refusal(() => of.request(anonymous, home));
  assert.equal([refused?.code, refused?.headers['Retry-After']], ['request.rate-limited', '1']);
  of.request(anonymous, away);
});

limits('0 is no limit, and the headers say nothing', () => {
  const of = createLimits(0, () => 0);
  for (let i = 0; i < 2_000; i++) assert.equal(of.request(guest, home), {});
});

limits('ten wrong passwords for an account from one address, limits on or off; a right one forgives', () => {
  for (const perMinute of [0, 600]) {
    let now = 0;
    const of = createLimits(perMinute, () => now);
    for (let i = 0; i < 9; i++) of.passwordAttempt('ada', home);
    of.passwordAttempt('ada', home);
    of.rightPassword('ada', home);
    for (let i = 0; i < 10; i++) of.passwordAttempt('ada', home);
    assert.is(refusal(() => of.passwordAttempt('ada', home))?.headers['Retry-After'], '90');
    of.passwordAttempt('ada', away);
    of.passwordAttempt('bob', home);
    now = 90_000;
    of.passwordAttempt('ada', home);
  }
});

limits('with limits on, one address may not guess at all accounts', () => {
  const of = createLimits(600, () => 0);
  for (let i = 0; i < 50; i++) of.passwordAttempt(`account ${i}`, home);
  assert.is(refusal(() => of.passwordAttempt('another', home))?.status, 429);
  of.passwordAttempt('another', away);
});

limits(
  'right passwords are no guesses: an office of many people signs in, and who knows one still has 50 guesses',
  () => {
    const of = createLimits(600, () => 0);
    for (let i = 0; i < 200; i++) {
      of.passwordAttempt(`colleague ${i}`, home);
      of.rightPassword(`colleague ${i}`, home);
    }
    for (let i = 0; i < 50; i++) {
      of.passwordAttempt(`victim ${i}`, home);
      if (i === 49) break;
      of.passwordAttempt('own', home);
      of.rightPassword('own', home);
    }
    assert.is(refusal(() => of.passwordAttempt('another', home))?.status, 429);
  },
);

limits.run();
