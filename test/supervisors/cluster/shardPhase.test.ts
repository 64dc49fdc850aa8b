/** What a node does about a shard, by what it knows. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Claim } from '../../../actors/kernel/clusterPorts.ts';
import { titleAfter } from '../../../actors/kernel/followedTables.ts';
import { holdsClaim, nextStep, type Phase, type ShardFacts } from '../../../supervisors/cluster/shardPhase.ts';

const phases = suite('shard phases');

const facts = (changes: Partial<ShardFacts> = {}): ShardFacts => ({
  me: 'me',
  wanted: 'me',
  leaving: false,
  title: undefined,
  position: 100,
  readable: true,
  knowsTitle: true,
  alive: () => true,
  disownedEpoch: undefined,
  namedIsLate: false,
  mayClaim: true,
  mayAsk: true,
  ...changes,
});

const claim: Claim = {
  epoch: 50,
  append: () => Promise.reject(new Error('not used')),
  bring: () => Promise.reject(new Error('not used')),
  release: () => Promise.reject(new Error('not used')),
};
const following: Phase = { kind: 'following' };
const foreign = { node: 'other', epoch: 40 };

const follows = (changes: Partial<ShardFacts>): string => nextStep(following, facts(changes)).do;
const claims = (changes: Partial<ShardFacts>): string => nextStep({ kind: 'claiming', claim }, facts(changes)).do;
const owns = (changes: Partial<ShardFacts>): string => nextStep({ kind: 'owning', claim }, facts(changes)).do;

phases('a shard is claimed at once when nobody lives who holds it', () => {
  assert.is(follows({}), 'claim');
  assert.is(follows({ title: foreign, alive: () => false }), 'claim');
  assert.is(follows({ title: { ...foreign, released: {} } }), 'claim');
  assert.is(follows({ title: { ...foreign, released: { to: 'me' } } }), 'claim');
  assert.is(follows({ title: { node: 'me', epoch: 40 } }), 'claim', 'held by a former life of ours');
  assert.is(follows({ title: foreign, disownedEpoch: 40 }), 'claim', 'its node says that it has it not');
});

phases('a live holder is asked', () => {
  assert.equal(nextStep(following, facts({ title: foreign })), { do: 'ask', holder: 'other', epoch: 40 });
  assert.is(follows({ title: foreign, disownedEpoch: 39 }), 'ask', 'what it said of an older claim means nothing');
});

phases('who was named by a release comes first, for a while and while it lives', () => {
  const title = { ...foreign, released: { to: 'third' } };
  assert.is(follows({ title }), 'wait');
  assert.is(follows({ title, namedIsLate: true }), 'claim');
  assert.is(follows({ title, alive: (node) => node !== 'third' }), 'claim');
});

phases('nothing is begun for a shard that another should own, without knowing the title, or during a back-off', () => {
  assert.is(follows({ wanted: 'other' }), 'wait');
  assert.is(follows({ wanted: undefined }), 'wait');
  assert.is(follows({ knowsTitle: false }), 'wait');
  assert.is(follows({ readable: false }), 'wait');
  assert.is(follows({ mayClaim: false }), 'wait');
  assert.is(follows({ mayClaim: false, title: foreign }), 'wait');
  assert.is(follows({ mayAsk: false, title: foreign }), 'wait');
  assert.is(nextStep({ kind: 'claiming' }, facts()).do, 'wait', 'the broker has not answered');
  assert.is(nextStep({ kind: 'releasing', claim, fenced: true }, facts()).do, 'wait');
});

phases('a shard is opened only when the tables have reached the claim, and it is the newest', () => {
  const title = { node: 'me', epoch: 50 };
  assert.is(claims({ title, position: 50 }), 'open');
  assert.is(claims({ title, position: 49, knowsTitle: false }), 'wait');
  assert.is(claims({ title, position: 50, knowsTitle: false }), 'wait', 'nor could it be served yet');
  assert.is(claims({ title: foreign, position: 49, knowsTitle: false }), 'wait', 'our claim has not been seen yet');
  assert.is(claims({ title: { node: 'other', epoch: 51 } }), 'drop');
  assert.is(claims({ title, readable: false }), 'drop');
  assert.is(claims({ title, leaving: true }), 'release');
  assert.is(claims({ title, wanted: 'other' }), 'open', 'another will ask for it');
});

phases('a claim that the log has lost is given up', () => {
  assert.is(claims({ title: foreign, position: 49 }), 'drop', 'the log was read to its end');
  const another = { node: 'other', epoch: 50 };
  assert.is(claims({ title: another, position: 50 }), 'drop', 'another claim has its place');
  assert.is(owns({ title: another, position: 70 }), 'drop', 'so too when the shard was opened before');
});

phases('an owner stops when it sees a later claim, or can see none', () => {
  assert.is(owns({ title: { node: 'me', epoch: 50 } }), 'wait');
  assert.is(owns({ title: foreign }), 'wait', 'an older one');
  assert.is(owns({ title: { node: 'other', epoch: 51 } }), 'drop');
  assert.is(owns({ title: { node: 'me', epoch: 51 } }), 'drop', 'a repeated claim of ours, whose holder nobody is');
  assert.is(owns({ title: { node: 'me', epoch: 50 }, readable: false }), 'drop');
});

phases('what is decided may be written for as long as the claim is held, so too while it is released', () => {
  const held = (phase: Phase): boolean => holdsClaim(phase, 50);
  assert.ok(held({ kind: 'owning', claim }));
  assert.ok(held({ kind: 'releasing', claim, fenced: false }));
  assert.not(held({ kind: 'releasing', claim, fenced: true }));
  assert.not(held({ kind: 'owning', claim: { ...claim, epoch: 60 } }));
  assert.not(held({ kind: 'claiming' }));
  assert.not(held(following));
});

phases('the newest claim counts, and only its own release ends it', () => {
  const held = titleAfter(undefined, { kind: 'claim', position: 7, node: 'a' });
  assert.equal(held, { node: 'a', epoch: 7 });
  assert.is(titleAfter(held, { kind: 'own', position: 8, epoch: 7, n: 1 }), held);
  assert.is(titleAfter(held, { kind: 'release', position: 9, epoch: 3 }), held);
  assert.is(titleAfter(held, { kind: 'claim', position: 5, node: 'late' }), held);
  const released = titleAfter(held, { kind: 'release', position: 9, epoch: 7, to: 'b' });
  assert.equal(released, { node: 'a', epoch: 7, released: { to: 'b' } });
  assert.equal(titleAfter(held, { kind: 'release', position: 9, epoch: 7 })?.released, {});
  assert.equal(titleAfter(released, { kind: 'claim', position: 10, node: 'b' }), { node: 'b', epoch: 10 });
});

phases.run();
