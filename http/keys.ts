/**
 * Ids and fingerprints that must come out the same for the same request on any node, and be unguessable: keyed hashes.
 * One secret, one derived key per use, so that an output of one use says nothing about another.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 26 characters of 5 bits: 130 bits, the length of a ULID. */
const ID_LENGTH = 26;

export interface Keys {
  /** The id of a request under an idempotency key: the same for the same principal, route and key. */
  requestId(principal: string, method: string, path: string, key: string): string;
  /** The id of what a request creates. */
  createdId(prefix: string, requestId: string): string;
  /** Tells another body under the same key; keyed, because bodies hold passwords. */
  fingerprint(body: unknown): string;
  /** Names an e-mail address without showing it. */
  emailHash(email: string): string;
  /** Names a network address without showing it. */
  addressHash(network: string): string;
}

export function createKeys(secret: string): Keys {
  // Prepared once: with the bytes of a key instead, each hash costs five times as much (measured).
  const derive = (use: string) => createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `holdfast/${use}`, 32)));
  const request = derive('request-id');
  const created = derive('created-id');
  const body = derive('fingerprint');
  const email = derive('email');
  const network = derive('network-address');
  return {
    requestId: (principal, method, path, key) =>
      `req_${base32(hmac(request, JSON.stringify([principal, method, path, key])))}`,
    createdId: (prefix, requestId) => `${prefix}_${base32(hmac(created, `${prefix}|${requestId}`))}`,
    fingerprint: (value) => hmac(body, canonicalJson(value)).toString('base64url'),
    emailHash: (address) => base32(hmac(email, normalizeEmail(address))),
    addressHash: (address) => base32(hmac(network, address)),
  };
}

/** One mailbox, one spelling: surrounding space and case don't count. */
export function normalizeEmail(address: string): string {
  return address.trim().normalize('NFC').toLowerCase();
}

/** JSON with sorted members: equal values, equal text. For validated bodies, whose depth their schema bounds. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

function hmac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function base32(bytes: Buffer): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5 && text.length < ID_LENGTH) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
  }
  return text;
}
