/** The settings by which nodes find each other and their broker. Without NATS_URL a node is alone and needs none of them. */
import { z } from 'zod';

/** Names go into subjects and stream names, where these characters are safe everywhere and a dot would part them. */
const NAME = /^[A-Za-z0-9_-]+$/;
const MAX_CLUSTER_NAME = 32;
const MAX_BROKERS = 16;
const DEFAULT_CLUSTER = 'holdfast';

/** One broker's address; undefined when it is none. Credentials would end up in logs: they belong into NATS_CREDS. */
function brokerAddress(text: string): string | undefined {
  const url = URL.parse(/^[a-z]+:\/\//.test(text) ? text : `nats://${text}`);
  const plain = url !== null && /^\/?$/.test(url.pathname) && url.search === '' && url.hash === '';
  if (!plain || !/^(nats|tls):$/.test(url.protocol) || url.hostname === '' || url.username !== '') return undefined;
  return `${url.protocol}//${url.host}`;
}

const brokers = z.string().transform((text, context) => {
  const given = text.split(',').map((each) => each.trim());
  const addresses = given.map(brokerAddress).filter((address) => address !== undefined);
  if (addresses.length === given.length && given.length <= MAX_BROKERS) return addresses.join(',');
  // Not repeated here: there may be a password in it.
  context.addIssue(
    `must be at most ${MAX_BROKERS} addresses like nats://host:4222, with commas between them, without credentials ` +
      '(give those as a file, by NATS_CREDS)',
  );
  return z.NEVER;
});

export const clusterSettings = {
  /** The brokers' addresses, with commas between them: given, this node shares its shop with others. */
  NATS_URL: brokers.optional(),
  /** Path of a credentials file. */
  NATS_CREDS: z.string().min(1).optional(),
  CLUSTER: z
    .string()
    .regex(NAME, 'must be letters, digits, dashes or underscores')
    .max(MAX_CLUSTER_NAME, `must have at most ${MAX_CLUSTER_NAME} characters`)
    .default(DEFAULT_CLUSTER),
  /** Brokers that keep each stream. */
  REPLICAS: z
    .enum(['1', '3', '5'], 'must be 1, 3 or 5: of an even number of brokers no more may fail than of one less')
    .default('1')
    .transform(Number),
  /** Log entries after which there is a new checkpoint: so many at most, and half as many again, are read by who joins. */
  CHECKPOINT_ENTRIES: z.coerce.number().int().min(1).default(50_000),
} as const;

type Given = Readonly<Record<string, string | undefined>>;

/** What each setting by itself can't know. */
export function clusterProblems(given: Given): string[] {
  if (given['NATS_URL'] === undefined) {
    const { NATS_CREDS, CLUSTER = DEFAULT_CLUSTER, REPLICAS = '1' } = given;
    const without = {
      NATS_CREDS: NATS_CREDS !== undefined,
      CLUSTER: CLUSTER !== DEFAULT_CLUSTER,
      REPLICAS: REPLICAS !== '1',
    };
    return Object.entries(without).flatMap(([name, meant]) =>
      meant ? [`${name}: means nothing without NATS_URL`] : [],
    );
  }
  const problems: string[] = [];
  if (given['CLOCK'] === 'virtual') {
    problems.push('CLOCK: each node would have a virtual time of its own; leave CLOCK=virtual or NATS_URL out');
  }
  if (given['NODE_NAME'] !== undefined && !NAME.test(given['NODE_NAME'])) {
    problems.push(
      'NODE_NAME: with NATS_URL it must be letters, digits, dashes or underscores, another one on each node',
    );
  }
  return problems;
}

/** A machine's name made fit for subjects. */
export function nodeNameOf(machine: string): string {
  return machine.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64) || 'node';
}
