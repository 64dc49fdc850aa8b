/**
 * What all nodes of a cluster must agree on. Whoever comes first offers it; the broker takes exactly one offer, and that one
 * holds for the life of the cluster. Every node reads it at each start and refuses to go on with other settings. The secret
 * that signs sessions is a document of its own, so that it can be removed and be offered anew.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createDocuments, type Documents, type Link } from './documents.ts';
import { BrokerUnreachable } from './errors.ts';
import { patiently } from './patience.ts';
import { ensureStream } from './streams.ts';

/** Of the documents themselves. */
const FORMAT = 1;
const MAX_DOCUMENT_BYTES = 16 * 1024;
const SECRET_BYTES = 32;
const FINGERPRINT_CHARACTERS = 16;
const DUPLICATE_WINDOW_MS = 120_000;

const purposes = ['development', 'test', 'production'] as const;
export type Purpose = (typeof purposes)[number];

const shopDocument = z.object({
  format: z.literal(FORMAT),
  id: z.string().min(1),
  shards: z.number().int().positive(),
  purpose: z.enum(purposes),
  idSecret: z.string().min(1),
  schema: z.number().int().positive(),
  version: z.string(),
  createdAt: z.number(),
  /** The first node brings a shop whose records must be in the logs before anybody decides anything. */
  brought: z.boolean().optional(),
});
const authDocument = z.object({
  fingerprint: z.string(),
  secret: z.string().optional(),
});

export type ClusterSettings = Readonly<Omit<z.infer<typeof shopDocument>, 'format'>> & {
  readonly cluster: string;
  /** Signs sessions; undefined when an outside issuer does. */
  readonly authSecret?: string;
};

export type SettingsOffer = {
  readonly cluster: string;
  readonly replicas: number;
  readonly shards: number;
  readonly purpose: Purpose;
  /** The newest schema of log records that this node reads, and the one that it writes. */
  readonly schema: number;
  /** Of this Holdfast, for people. */
  readonly version: string;
  /** Of the store that this node brings: the cluster must have the same, or none yet. */
  readonly idSecret?: string;
  /** That store holds records which no cluster knows. */
  readonly brings?: boolean;
  /** The id of the cluster in which this node's store has worked before. */
  readonly memberOf?: string;
  readonly auth: AuthOffer;
  /** In ms since the epoch. */
  readonly now: number;
};

export type AuthOffer =
  /** AUTH_SECRET. The cluster keeps its fingerprint only. */
  | { readonly kind: 'given'; readonly secret: string }
  /** Without AUTH_SECRET, in development: the cluster keeps one; this, if it has none and the store brings one. */
  | { readonly kind: 'shared'; readonly secret?: string }
  /** AUTH_JWKS_URL alone: nothing is signed here. */
  | { readonly kind: 'outside' };

/** This node was started with other settings than its cluster holds. The message names both and says what to do. */
class ClusterMismatch extends Error {
  override readonly name = 'ClusterMismatch';
  readonly retryable = false;
}

/** The cluster that this node belongs to isn't known to the broker any more. */
class SettingsLost extends Error {
  override readonly name = 'SettingsLost';
  readonly retryable = false;
}

export const settingsStream = (cluster: string): string => `${cluster}-settings`;
const shopSubject = (cluster: string): string => `${cluster}.settings.shop`;
const broughtSubject = (cluster: string): string => `${cluster}.settings.brought`;
export const authSubject = (cluster: string): string => `${cluster}.settings.auth`;

/**
 * Resolves with the settings that hold: the offered ones if nobody has made any yet.
 * @throws ClusterMismatch; SettingsLost; StreamMismatch and what else `ensureStream` throws; BrokerUnreachable
 */
export async function offerSettings(link: Link, offer: SettingsOffer): Promise<ClusterSettings> {
  const { cluster } = offer;
  await ensureStream(link.manager, {
    name: settingsStream(cluster),
    subjects: [`${cluster}.settings.*`],
    description: 'What all nodes of this Holdfast cluster agree on',
    replicas: offer.replicas,
    duplicateWindowMs: DUPLICATE_WINDOW_MS,
    denyDelete: true,
    messagesPerSubject: 1,
    maxMessageBytes: MAX_DOCUMENT_BYTES,
  });
  const documents = createDocuments(link, settingsStream(cluster));
  const shop = checkedShop(await agreed(documents, shopSubject(cluster), () => newShop(offer)), offer);
  const auth = authDocument.parse(await agreed(documents, authSubject(cluster), () => newAuth(offer.auth)));
  const authSecret = checkedAuth(auth, offer);
  const { format: _format, ...settings } = shop;
  return { ...settings, cluster, ...(authSecret !== undefined && { authSecret }) };
}

/**
 * Whether the logs hold all of the shop that the first node brought.
 * @throws BrokerUnreachable, StreamMissing, StreamUnavailable, BrokerForbids
 */
export async function isBrought(link: Link, { cluster, brought }: ClusterSettings): Promise<boolean> {
  if (brought !== true) return true;
  const { revision } = await createDocuments(link, settingsStream(cluster)).read(broughtSubject(cluster));
  return revision !== 0;
}

/** @throws as `isBrought`, and when it can't be stored */
export async function storeBrought(link: Link, { cluster }: ClusterSettings): Promise<void> {
  await agreed(createDocuments(link, settingsStream(cluster)), broughtSubject(cluster), () => ({ format: FORMAT }));
}

/** The document that is there, or that is made now, by whomever. */
function agreed(documents: Documents, subject: string, make: () => object): Promise<unknown> {
  return patiently(async () => {
    const found = await documents.read(subject);
    if (found.revision !== 0) return found.value;
    await documents.write(subject, make(), 0);
    // Whatever came of it: somebody else's may have won.
    const { value, revision } = await documents.read(subject);
    if (revision === 0) throw new BrokerUnreachable(`can't store ${subject}: the broker doesn't say what became of it`);
    return value;
  });
}

function newShop(offer: SettingsOffer): z.infer<typeof shopDocument> {
  const { cluster, memberOf, shards, purpose, schema, version, now } = offer;
  if (memberOf !== undefined) {
    throw new SettingsLost(
      `this node belongs to cluster "${cluster}" (${memberOf}), of which the broker knows nothing: ` +
        'NATS_URL may name another broker, CLUSTER may be another, or its streams were deleted. ' +
        'Correct the setting or restore the broker; to found a new cluster, start with an empty DATA_DIR.',
    );
  }
  const idSecret = offer.idSecret ?? newSecret();
  const made = {
    format: FORMAT,
    id: randomUUID(),
    shards,
    purpose,
    idSecret,
    schema,
    version,
    createdAt: now,
  } as const;
  return offer.brings === true ? { ...made, brought: true } : made;
}

function checkedShop(value: unknown, offer: SettingsOffer): z.infer<typeof shopDocument> {
  const { cluster } = offer;
  const refuse = (text: string): never => {
    throw new ClusterMismatch(`cluster "${cluster}": ${text}`);
  };
  const { success, data } = shopDocument.safeParse(value);
  if (!success) {
    const { format, version } = z
      .object({ format: z.unknown(), version: z.unknown() })
      .catch({ format: '?', version: '?' })
      .parse(value);
    return refuse(
      `its settings have format ${format} (made by version ${version}), this version ${offer.version} reads format ` +
        `${FORMAT}: start the version that the other nodes run, or give this cluster another name with CLUSTER`,
    );
  }
  if (data.schema > offer.schema) {
    return refuse(
      `it was made by version ${data.version} with records of schema ${data.schema}, this version ${offer.version} reads ` +
        `up to ${offer.schema}: update this node`,
    );
  }
  if (data.shards !== offer.shards) {
    return refuse(
      `it has SHARDS=${data.shards} for life, this node has ${offer.shards}: start it with SHARDS=${data.shards}`,
    );
  }
  if (data.purpose !== offer.purpose) {
    return refuse(
      `it is for ${data.purpose}, this node has NODE_ENV=${offer.purpose}: start it with NODE_ENV=${data.purpose}, or name ` +
        'another cluster with CLUSTER',
    );
  }
  if (offer.memberOf !== undefined && offer.memberOf !== data.id) {
    return refuse(
      `it is ${data.id}, but this node's DATA_DIR belongs to ${offer.memberOf}: correct NATS_URL or CLUSTER, or start ` +
        'with an empty DATA_DIR',
    );
  }
  if (offer.idSecret !== undefined && offer.idSecret !== data.idSecret) {
    return refuse(
      "this node's DATA_DIR holds a shop of its own, which can't be merged into the one that the cluster has: start with " +
        'an empty DATA_DIR, or found another cluster with CLUSTER',
    );
  }
  return data;
}

function newAuth(auth: AuthOffer): z.infer<typeof authDocument> {
  if (auth.kind !== 'shared') return { fingerprint: fingerprintOf(auth) };
  const secret = auth.secret ?? newSecret();
  return { fingerprint: fingerprintOf({ kind: 'given', secret }), secret };
}

/** The secret to sign with, which all nodes have. */
function checkedAuth(held: z.infer<typeof authDocument>, { auth, cluster }: SettingsOffer): string | undefined {
  if (auth.kind === 'shared' && held.secret !== undefined) return held.secret;
  const own = auth.kind === 'shared' ? 'no AUTH_SECRET' : described(fingerprintOf(auth));
  if (auth.kind === 'shared' || fingerprintOf(auth) !== held.fingerprint) {
    const others = held.secret === undefined ? described(held.fingerprint) : 'a secret that the cluster itself made';
    throw new ClusterMismatch(
      `cluster "${cluster}": its nodes sign sessions with ${others}, this node has ${own}: start it as the others. To ` +
        `change it for all, stop every node, purge the subject ${authSubject(cluster)} of the stream ` +
        `${settingsStream(cluster)}, and start them with the new one; everybody has to sign in again.`,
    );
  }
  return auth.kind === 'given' ? auth.secret : undefined;
}

const OUTSIDE = 'outside';
const described = (fingerprint: string): string =>
  fingerprint === OUTSIDE ? 'AUTH_JWKS_URL alone' : `the AUTH_SECRET with fingerprint ${fingerprint}`;

/** Tells secrets apart and gives nothing of them away: they have at least 32 characters. */
function fingerprintOf(auth: Exclude<AuthOffer, { kind: 'shared' }>): string {
  if (auth.kind === 'outside') return OUTSIDE;
  return createHash('sha256').update(`holdfast auth|${auth.secret}`).digest('hex').slice(0, FINGERPRINT_CHARACTERS);
}

const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
