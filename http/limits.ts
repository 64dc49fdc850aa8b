/**
 * Who is kept from doing too much: each principal, each network address that comes without a token, and whoever guesses
 * passwords. Counted by each node for itself.
 */
import type { Principal } from './auth.ts';
import type { ClientAddress } from './clientAddress.ts';
import { createRateLimit, type RateLimit, takeOrRefuse, type Verdict } from './rateLimit.ts';

const MINUTE_MS = 60_000;
/** RATE_LIMIT is a principal's; without a token an address gets this share of it: 100 of 600 (api.md). */
const ADDRESS_SHARE = 6;
/** Wrong passwords in 15 minutes: for one account from one address, and from one address for all accounts together. */
const GUESSES = 10;
const GUESSES_PER_ADDRESS = 50;
const GUESS_WINDOW_MS = 15 * MINUTE_MS;

export interface Limits {
  /** Counts a request. The headers tell the caller how it stands; none when there is no limit. @throws Problem 429 */
  request(principal: Principal, client: ClientAddress): Readonly<Record<string, string>>;
  /** Before a password is looked at: counts as wrong until `rightPassword`. @throws Problem 429 */
  passwordAttempt(account: string, client: ClientAddress): void;
  rightPassword(account: string, client: ClientAddress): void;
}

/** @param perMinute RATE_LIMIT; 0 switches off all but the guard of each account's password */
export function createLimits(perMinute: number, now: () => number): Limits {
  const on = perMinute > 0;
  const principals = on ? createRateLimit(perMinute, MINUTE_MS, now) : undefined;
  const addresses = on ? createRateLimit(Math.ceil(perMinute / ADDRESS_SHARE), MINUTE_MS, now) : undefined;
  const guesses = createRateLimit(GUESSES, GUESS_WINDOW_MS, now);
  const guessesOfAddress = on ? createRateLimit(GUESSES_PER_ADDRESS, GUESS_WINDOW_MS, now) : undefined;
  const guess = (account: string, { network }: ClientAddress): string => `${account} ${network}`;
  return {
    request({ role, sub }, { network }) {
      const [rate, key, name] = role === 'anonymous' ? [addresses, network, 'address'] : [principals, sub, 'principal'];
      if (!rate) return {};
      return headersOf(name, rate, takeOrRefuse(rate, key, 'Too many requests. Slow down.'));
    },
    passwordAttempt(account, client) {
      const detail = 'Too many wrong passwords. Try again later.';
      takeOrRefuse(guesses, guess(account, client), detail);
      if (guessesOfAddress) takeOrRefuse(guessesOfAddress, client.network, detail);
    },
    rightPassword(account, client) {
      guesses.forgive(guess(account, client));
      // Only this one: who knows one password could otherwise guess at all the others for ever.
      guessesOfAddress?.giveBack(client.network);
    },
  };
}

/** As in the IETF's draft "RateLimit header fields for HTTP". */
function headersOf(name: string, { limit, windowMs }: RateLimit, { remaining }: Verdict): Record<string, string> {
  const seconds = windowMs / 1_000;
  return {
    'RateLimit-Policy': `"${name}";q=${limit};w=${seconds}`,
    RateLimit: `"${name}";r=${remaining};t=${remaining === limit ? 0 : Math.ceil(((limit - remaining) * seconds) / limit)}`,
  };
}
