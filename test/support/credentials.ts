/** A broker that trusts an operator's signature, and a user whom that operator has let in: as `nsc` makes them. */
import { createHash } from 'node:crypto';
import { nkeys } from 'nats';

type KeyPair = ReturnType<typeof nkeys.createUser>;
type Facts = Readonly<Record<string, unknown>>;

const UNLIMITED = { subs: -1, data: -1, payload: -1 };
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
const ACCOUNT_LIMITS = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };

/** Lines for the broker's configuration, and the text of the user's credentials file. Another operator each time. */
export function operatorMode(): { readonly settings: string; readonly creds: string } {
  const operator = nkeys.createOperator();
  const system = nkeys.createAccount();
  const account = nkeys.createAccount();
  const user = nkeys.createUser();
  const trusted = token(operator, operator, { type: 'operator', system_account: system.getPublicKey() });
  const accounts = [
    [system, { type: 'account', limits: ACCOUNT_LIMITS }],
    [account, { type: 'account', limits: { ...ACCOUNT_LIMITS, ...JETSTREAM } }],
  ] as const;
  const rows = accounts.map(([each, facts]) => `${each.getPublicKey()}: ${token(each, operator, facts)}`);
  return {
    settings: [
      `operator: ${trusted}`,
      `system_account: ${system.getPublicKey()}`,
      'resolver: MEMORY',
      `resolver_preload: { ${rows.join('\n')} }`,
    ].join('\n'),
    creds: credsText(token(user, account, { type: 'user', ...UNLIMITED }), user),
  };
}

/** The claim that `subject` is what the facts say, signed by the issuer. */
function token(subject: KeyPair, issuer: KeyPair, facts: Facts): string {
  const claim = {
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: 'test',
    nats: { ...facts, version: 2 },
  };
  const jti = createHash('sha256').update(JSON.stringify(claim)).digest('hex');
  const head = encoded(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' }));
  const signed = `${head}.${encoded(JSON.stringify({ ...claim, jti }))}`;
  return `${signed}.${encoded(issuer.sign(new TextEncoder().encode(signed)))}`;
}

const encoded = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url');

const credsText = (jwt: string, user: KeyPair): string => `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${new TextDecoder().decode(user.getSeed())}
------END USER NKEY SEED------
`;
