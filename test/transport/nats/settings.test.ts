/** What the nodes of a cluster agree on: made once, the same for all, and who doesn't fit is told why. */
import { errors } from 'nats';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerConnection } from '../../../transport/nats/connection.ts';
import { createDocuments, type Link } from '../../../transport/nats/documents.ts';
import {
  type AuthOffer,
  authSubject,
  type ClusterSettings,
  offerSettings,
  type SettingsOffer,
  settingsStream,
} from '../../../transport/nats/settings.ts';
import { withBroker } from '../../support/broker.ts';
import { withNodes } from '../../support/nodesAtBroker.ts';

const settings = suite('cluster settings');

const SECRET = 'the secret that all nodes are given';
const OTHER = 'a secret that one node is given only';
let clusters = 0;

/** A cluster's name that wasn't used before, and what its first node offers. */
function newOffer(): SettingsOffer {
  clusters += 1;
  return {
    cluster: `shop-${clusters}`,
    replicas: 1,
    shards: 16,
    purpose: 'development',
    schema: 2,
    version: '0.5.0',
    auth: { kind: 'shared' },
    now: 1_000,
  };
}

type Context = { first: BrokerConnection; others: readonly BrokerConnection[] };
const given = (secret: string): AuthOffer => ({ kind: 'given', secret });

/** One broker for all of them: each test has a cluster of its own. */
const atBroker = (use: (context: Context) => Promise<void>) => () =>
  withBroker((broker) =>
    withNodes(broker.url, 3, async ([first, ...others]) => {
      if (first === undefined) throw new Error('no connection');
      await use({ first, others });
    }),
  );

async function refusal(offering: Promise<ClusterSettings>): Promise<Error> {
  const outcome = await offering.catch((error: Error) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error('it was accepted, and should not have been');
}

async function refused(node: BrokerConnection, offer: SettingsOffer, ...texts: readonly string[]): Promise<void> {
  const { name, message } = await refusal(offerSettings(node, offer));
  assert.is(name, 'ClusterMismatch', message);
  for (const text of texts) assert.match(message, text);
}

settings(
  'a broker that does not answer at first is asked again',
  atBroker(async ({ first }) => {
    const { nats, jetstream, connected, manager } = first;
    let silent = 2;
    const getMessage: typeof manager.streams.getMessage = async (...asked) => {
      silent -= 1;
      if (silent >= 0) throw new errors.TimeoutError();
      return manager.streams.getMessage(...asked);
    };
    const streams = Object.create(manager.streams, { getMessage: { value: getMessage } });
    const slow = { nats, jetstream, connected, manager: Object.create(manager, { streams: { value: streams } }) };
    const offer = newOffer();
    const made = await offerSettings(slow, offer);
    assert.ok(silent < 0);
    assert.equal(made, await offerSettings(first, offer));
  }),
);

settings(
  'the first offer holds: later nodes get its secrets, whatever they would have made themselves',
  atBroker(async ({ first, others }) => {
    const offer = newOffer();
    const made = await offerSettings(first, offer);
    assert.equal([made.cluster, made.shards, made.schema, made.createdAt], [offer.cluster, 16, 2, 1_000]);
    assert.ok(made.idSecret.length >= 32 && (made.authSecret?.length ?? 0) >= 32);
    for (const node of others) {
      assert.equal(await offerSettings(node, { ...offer, now: 2_000, version: '0.6.0', schema: 3 }), made);
    }
    const another = await offerSettings(first, newOffer());
    assert.is.not(another.idSecret, made.idSecret, 'another cluster has its own');
    assert.is.not(another.id, made.id);
  }),
);

settings(
  'of many offers at once exactly one holds, for everybody',
  atBroker(async ({ first, others }) => {
    for (let round = 1; round <= 10; round++) {
      const offer = newOffer();
      const nodes = [first, ...others, first, ...others];
      const all = await Promise.all(nodes.map((node, number) => offerSettings(node, { ...offer, now: number })));
      for (const each of all) assert.equal(each, all[0]);
    }
  }),
);

settings(
  'a first node that brings a store gives the cluster its secrets; one that brings another store is refused',
  atBroker(async ({ first, others: [second = first] }) => {
    const offer = { ...newOffer(), shards: 8, idSecret: 'of the store' };
    const auth = { kind: 'shared', secret: SECRET } as const;
    const made = await offerSettings(first, { ...offer, auth });
    assert.equal([made.shards, made.idSecret, made.authSecret], [8, 'of the store', SECRET]);
    assert.equal(await offerSettings(second, { ...newOffer(), cluster: offer.cluster, shards: 8 }), made);
    assert.equal(await offerSettings(first, { ...offer, memberOf: made.id }), made, 'the next start');
    await refused(second, { ...offer, idSecret: 'of another store' }, 'holds a shop of its own', 'empty DATA_DIR');
  }),
);

settings(
  'a node with other settings is told both values and what to do',
  atBroker(async ({ first, others: [second = first] }) => {
    const offer = newOffer();
    const made = await offerSettings(first, offer);
    await refused(second, { ...offer, shards: 8 }, 'SHARDS=16 for life', 'has 8', 'start it with SHARDS=16');
    await refused(second, { ...offer, purpose: 'production' }, 'for development', 'NODE_ENV=production', 'CLUSTER');
    await refused(second, { ...offer, schema: 1, version: '0.4.0' }, '0.5.0', 'schema 2', '0.4.0', 'up to 1', 'update');
    await refused(second, { ...offer, memberOf: 'another' }, made.id, 'belongs to another', 'NATS_URL');
    assert.equal(await offerSettings(second, offer), made, 'nothing of it has changed anything');
  }),
);

settings(
  'settings of a format that this version does not know are refused, not guessed',
  atBroker(async ({ first }) => {
    const offer = newOffer();
    await offerSettings(first, { ...newOffer(), cluster: `${offer.cluster}x` });
    const cluster = `${offer.cluster}x`;
    const documents = createDocuments(first, settingsStream(cluster));
    const subject = `${cluster}.settings.shop`;
    const { revision } = await documents.read(subject);
    assert.is(await documents.write(subject, { format: 2, version: '9.0.0' }, revision), 'written');
    await refused(first, { ...offer, cluster }, 'format 2', 'version 9.0.0', '0.5.0', 'format 1');
  }),
);

settings(
  'AUTH_SECRET must be the same on all nodes, and the cluster keeps nothing but its fingerprint',
  atBroker(async ({ first, others: [second = first] }) => {
    const offer = { ...newOffer(), purpose: 'production', auth: given(SECRET) } as const;
    assert.is((await offerSettings(first, offer)).authSecret, SECRET);
    assert.is((await offerSettings(second, offer)).authSecret, SECRET);
    const { value } = await createDocuments(first, settingsStream(offer.cluster)).read(authSubject(offer.cluster));
    assert.equal(Object.keys(value as object), ['fingerprint']);
    assert.not.match(JSON.stringify(value), SECRET);
    for (const auth of [given(OTHER), { kind: 'shared' }, { kind: 'outside' }] as const) {
      const { message } = await refusal(offerSettings(second, { ...offer, auth }));
      assert.match(message, 'sign sessions with the AUTH_SECRET with fingerprint');
      assert.not.match(message, auth.kind === 'given' ? auth.secret : SECRET);
    }
    await refused(second, { ...offer, auth: { kind: 'outside' } }, 'this node has AUTH_JWKS_URL alone');
    await refused(second, { ...offer, auth: { kind: 'shared' } }, 'this node has no AUTH_SECRET');
  }),
);

settings(
  'nodes that share a secret of the cluster refuse one that is given another',
  atBroker(async ({ first, others: [second = first] }) => {
    const offer = newOffer();
    await offerSettings(first, offer);
    await refused(second, { ...offer, auth: given(OTHER) }, 'a secret that the cluster itself made', 'fingerprint');
    const outside = { ...newOffer(), auth: { kind: 'outside' } } as const;
    assert.is((await offerSettings(first, outside)).authSecret, undefined);
    assert.is((await offerSettings(second, outside)).authSecret, undefined);
  }),
);

settings(
  'the secret of sessions can be changed for all, as the refusal says',
  atBroker(async ({ first, others: [second = first] }) => {
    const offer = { ...newOffer(), auth: given(SECRET) };
    const made = await offerSettings(first, offer);
    await refused(second, { ...offer, auth: given(OTHER) }, authSubject(offer.cluster), settingsStream(offer.cluster));
    await first.manager.streams.purge(settingsStream(offer.cluster), { filter: authSubject(offer.cluster) });
    const changed = await offerSettings(second, { ...offer, auth: given(OTHER) });
    assert.equal(changed, { ...made, authSecret: OTHER });
    await refused(first, offer, 'fingerprint');
  }),
);

settings(
  'a member whose cluster is gone says so, instead of founding another one',
  atBroker(async ({ first }) => {
    const offer = newOffer();
    const { id } = await offerSettings(first, offer);
    await first.manager.streams.delete(settingsStream(offer.cluster));
    const { name, message } = await refusal(offerSettings(first, { ...offer, memberOf: id }));
    assert.is(name, 'SettingsLost');
    for (const text of [offer.cluster, id, 'NATS_URL', 'CLUSTER', 'empty DATA_DIR']) assert.match(message, text);
    assert.is.not((await offerSettings(first, offer)).id, id, 'a node without a past founds one');
  }),
);

settings(
  'streams that are not as they must be are refused',
  atBroker(async ({ first }) => {
    const offer = newOffer();
    await offerSettings(first, offer);
    await first.manager.streams.update(settingsStream(offer.cluster), { max_age: 3_600e9 });
    assert.is((await refusal(offerSettings(first, offer))).name, 'StreamMismatch');
  }),
);

/** So many reads are answered too late, as by a stream whose brokers still elect a leader. */
function slowToRead({ nats, jetstream, manager, connected }: BrokerConnection, times: number): Link {
  let left = times;
  const streams = new Proxy(manager.streams, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        left -= name === 'getMessage' ? 1 : 0;
        return name === 'getMessage' && left >= 0
          ? Promise.reject(new errors.TimeoutError())
          : value.apply(target, args);
      };
    },
  });
  return {
    nats,
    jetstream,
    connected,
    manager: new Proxy(manager, { get: (target, name) => (name === 'streams' ? streams : Reflect.get(target, name)) }),
  };
}

settings(
  'an answer that is late while brokers elect a leader is asked for again; none at all is named in the end',
  atBroker(async ({ first, others: [second] }) => {
    if (second === undefined) throw new Error('no connection');
    const offer = newOffer();
    const made = await offerSettings(slowToRead(first, 2), offer);
    assert.equal(await offerSettings(slowToRead(second, 1), offer), made);
    const { name, message } = await refusal(offerSettings(slowToRead(second, 100), offer));
    assert.is(name, 'BrokerUnreachable', message);
  }),
);

settings('without permission the reason is named', () =>
  withBroker(
    (broker) =>
      withNodes(broker.url, 1, async ([node]) => {
        if (node === undefined) throw new Error('no connection');
        const { name, message } = await refusal(offerSettings(node, { ...newOffer(), cluster: 'denied' }));
        assert.is(name, 'BrokerForbids', message);
        assert.match(message, 'permissions');
      }),
    {
      settings:
        'no_auth_user: guest\nauthorization { users = [{ user: guest, password: x, permissions: { publish: { deny: ["denied.>"] } } }] }',
    },
  ),
);

settings.run();
