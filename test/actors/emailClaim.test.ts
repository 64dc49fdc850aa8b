import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type EmailClaimCommand, type EmailClaimEvent, emailClaimDecider } from '../../actors/emailClaim.ts';
import { specification, T0 } from '../support/spec.ts';

const minute = 60_000;
const until = T0 + 10 * minute;
const claim = specification(emailClaimDecider, { id: 'hash-1' });

const hold = (customerId = 'cus_1'): EmailClaimCommand => ({ type: 'HoldEmail', customerId });
const take = (customerId = 'cus_1'): EmailClaimCommand => ({ type: 'TakeEmail', customerId });
const free = (customerId = 'cus_1'): EmailClaimCommand => ({ type: 'FreeEmail', customerId });
const release: EmailClaimCommand = { type: 'ReleaseHeldEmail' };
const held: EmailClaimEvent = { type: 'EmailHeld', v: 1, customerId: 'cus_1', until };
const taken: EmailClaimEvent = { type: 'EmailTaken', v: 1, customerId: 'cus_1' };
const freed: EmailClaimEvent = { type: 'EmailFreed', v: 1, customerId: 'cus_1' };
const releaseAt = (at: number) => ({ set: 'release', at, message: { type: 'ReleaseHeldEmail' } });
const settled = (customerId: string, won: boolean) => ({
  to: { type: 'customer', id: customerId },
  message: { type: 'EmailSettled', emailHash: 'hash-1', won },
});

const holding = suite('EmailClaim - hold');

holding('keeps a free address for 10 minutes', () => {
  const outcome = claim.given().when(hold());
  outcome.then(held);
  assert.equal(outcome.timers, [releaseAt(until)]);
});

holding('refuses another customer while it is held or taken', () => {
  for (const events of [[held], [held, taken]]) {
    const outcome = claim.given(...events).when(hold('cus_2'));
    outcome.rejects('email.taken');
    assert.is(outcome.rejection?.status, 409);
  }
});

holding('is renewed for the same customer, and needless once taken', () => {
  const outcome = claim.given(held).when(hold(), { now: T0 + minute });
  outcome.then({ ...held, until: until + minute });
  assert.equal(outcome.timers, [releaseAt(until + minute)]);
  claim.given(held, taken).when(hold()).nothing();
});

holding('ends after its time, not before, and not once taken', () => {
  claim.given(held).when(release, { now: until }).then(freed);
  const early = claim.given(held).when(release, { now: until - 1 });
  early.nothing();
  assert.equal(early.timers, [releaseAt(until)]);
  claim.given(held, taken).when(release, { now: until }).nothing();
  claim.given().when(release, { now: until }).nothing();
});

holding('an address that was freed can be held by anybody', () => {
  claim.given(held, freed).when(hold('cus_2')).thenTypes('EmailHeld');
});

const taking = suite('EmailClaim - take and free');

taking('makes the address its holder’s for good', () => {
  const outcome = claim.given(held).when(take());
  outcome.then(taken);
  assert.equal(outcome.timers, [{ clear: 'release' }]);
  assert.equal(outcome.sent, [settled('cus_1', true)]);
  claim.from(outcome.state).when(take()).nothing();
});

taking('works after the hold ended, if nobody else came', () => {
  claim.given(held, freed).when(take()).then(taken);
  claim.given().when(take()).then(taken);
});

taking('a customer who comes too late is told', () => {
  for (const events of [[held], [held, taken]]) {
    const outcome = claim.given(...events).when(take('cus_2'));
    outcome.then();
    assert.equal(outcome.sent, [settled('cus_2', false)]);
    assert.equal(outcome.state, outcome.before);
  }
});

taking('only its owner frees it', () => {
  for (const events of [[held], [held, taken]]) {
    claim
      .given(...events)
      .when(free())
      .then(freed);
    claim
      .given(...events)
      .when(free('cus_2'))
      .nothing();
  }
  claim.given().when(free()).nothing();
});

for (const tests of [holding, taking]) tests.run();
