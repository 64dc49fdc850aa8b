import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Access, anonymous, authorize, createTokens, type Principal } from '../../http/auth.ts';
import { Problem } from '../../http/problem.ts';

const auth = suite('http auth');
const SECRET = 'x'.repeat(32);
const key = new TextEncoder().encode(SECRET);

async function statusOf(run: () => unknown): Promise<number> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
  return 200;
}

auth('a token that was issued is known again', async () => {
  const tokens = createTokens({ secret: SECRET });
  const { token, expiresAt } = await tokens.issue({ sub: 'cus_1', role: 'staff', scopes: ['orders'] });
  const principal = { sub: 'cus_1', role: 'staff', scopes: ['orders'] };
  assert.equal(await tokens.principal(`Bearer ${token}`), principal);
  // The second time from memory, and by another node with the same secret.
  assert.equal(tokens.principal(`bearer ${token}`), principal);
  assert.equal(await createTokens({ secret: SECRET }).principal(`Bearer ${token}`), principal);
  assert.ok(expiresAt > Date.now());
});

auth('no token is anonymous', () => {
  assert.is(createTokens({ secret: SECRET }).principal(undefined), anonymous);
});

auth('a token is good until it expires, remembered or not', async () => {
  let now = Date.UTC(2026, 0, 1);
  const tokens = createTokens({ secret: SECRET, now: () => now });
  const { token, expiresAt } = await tokens.issue({ sub: 'gst_1', role: 'guest', scopes: [] });
  await tokens.principal(`Bearer ${token}`);
  now = expiresAt - 1;
  assert.is(await statusOf(() => tokens.principal(`Bearer ${token}`)), 200);
  now = expiresAt + 10_000;
  assert.is(await statusOf(() => tokens.principal(`Bearer ${token}`)), 401);
});

auth('a guest outlives its cart', async () => {
  const tokens = createTokens({ secret: SECRET });
  const { expiresAt } = await tokens.issue({ sub: 'gst_1', role: 'guest', scopes: [] });
  assert.ok(expiresAt - Date.now() > 2 * 24 * 3_600_000);
});

auth('forged, unsigned, incomplete and mangled tokens are refused alike', async () => {
  const tokens = createTokens({ secret: SECRET });
  const sign = (claims: object, secret = key, alg = 'HS256') =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(secret);
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"a","role":"staff"}').toString('base64url')}.`;
  const bad = [
    await sign({ sub: 'a', role: 'staff' }, new TextEncoder().encode('y'.repeat(32))),
    await sign({ sub: 'a', role: 'staff' }, new TextEncoder().encode('x'.repeat(64)), 'HS512'),
    await sign({ role: 'guest' }),
    await sign({ sub: 'a' }),
    await sign({ sub: 'a', role: 'root' }),
    await sign({ sub: 'a', role: 'staff', scopes: 'orders' }),
    unsigned,
    'a.b.c',
    'x',
    'x'.repeat(5_000),
  ];
  for (const token of bad)
    assert.is(await statusOf(() => tokens.principal(`Bearer ${token}`)), 401, token.slice(0, 60));
  for (const header of ['', 'Bearer', 'Basic abc', 'Bearer a b']) {
    assert.is(await statusOf(() => tokens.principal(header)), 401, header);
  }
});

auth('only staff have scopes, whatever their token says', async () => {
  const tokens = createTokens({ secret: SECRET });
  const token = await new SignJWT({ sub: 'cus_1', role: 'customer', scopes: ['orders'] })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(key);
  assert.equal((await tokens.principal(`Bearer ${token}`)).scopes, []);
});

auth("an outside issuer's tokens are checked with its published keys", async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] });
  const issuer = createServer((_, response) => response.end(jwks)).listen(0, '127.0.0.1');
  await new Promise((listening) => issuer.once('listening', listening));
  const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`;
  const token = await new SignJWT({ sub: 'u1', role: 'customer' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(privateKey);
  const outside = createTokens({ jwksUrl });
  assert.is((await outside.principal(`Bearer ${token}`)).sub, 'u1');
  // An own-looking token must not be checked with somebody's public key, nor accepted without a secret.
  const own = await createTokens({ secret: SECRET }).issue({ sub: 'a', role: 'staff', scopes: ['orders'] });
  assert.is(await statusOf(() => outside.principal(`Bearer ${own.token}`)), 401);
  assert.is(await statusOf(() => outside.issue({ sub: 'a', role: 'guest', scopes: [] })), 404);
  assert.is(await statusOf(() => createTokens({ secret: SECRET }).principal(`Bearer ${token}`)), 401);
  await new Promise((closed) => issuer.close(closed));
  assert.is(await statusOf(() => createTokens({ jwksUrl }).principal(`Bearer ${token}`)), 503);
});

const who: Record<string, Principal> = {
  nobody: anonymous,
  guest: { sub: 'g', role: 'guest', scopes: [] },
  customer: { sub: 'c', role: 'customer', scopes: [] },
  clerk: { sub: 's', role: 'staff', scopes: ['stock'] },
};

const expected: readonly [Access, Record<string, number>][] = [
  ['public', { nobody: 200, guest: 200, customer: 200, clerk: 200 }],
  ['any', { nobody: 401, guest: 200, customer: 200, clerk: 200 }],
  ['customer', { nobody: 401, guest: 403, customer: 200, clerk: 200 }],
  [{ scope: 'stock' }, { nobody: 401, guest: 403, customer: 403, clerk: 200 }],
  [{ scope: 'orders' }, { nobody: 401, guest: 403, customer: 403, clerk: 403 }],
];

auth('each kind of access lets in whom it should', async () => {
  for (const [access, statuses] of expected) {
    for (const [name, principal] of Object.entries(who)) {
      const status = await statusOf(() => authorize(principal, access));
      assert.is(status, statuses[name], `${name} on ${JSON.stringify(access)}`);
    }
  }
});

auth.run();
