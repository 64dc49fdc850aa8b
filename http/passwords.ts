/**
 * Password hashes: scrypt in the PHC string form, so that the cost can be raised later without a migration. A check
 * costs the same whether or not there is a hash to check against.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { type Problem, unavailable } from './problem.ts';

/** `2^logN × 8 × 128` bytes of memory, `p` passes: OWASP's minimum with 16 MB. */
export type PasswordCost = { readonly logN: number; readonly r: number; readonly p: number };
const defaultPasswordCost: PasswordCost = { logN: 14, r: 8, p: 5 };

/** Hashes at work at once; more would only take the thread pool from others. */
const MAX_RUNNING = 2;
/** Requests that may wait for their turn; beyond it they are shed. */
const MAX_WAITING = 64;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** False for a wrong password and, after comparable work, for no stored hash at all. */
  matches(password: string, stored: string | undefined): Promise<boolean>;
}

export function createPasswords(cost: PasswordCost = defaultPasswordCost): Passwords {
  const turns = createTurns();
  const decoy = format(cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      return format(cost, salt, await turns.run(() => derive(password, salt, cost)));
    },
    async matches(password, stored) {
      const parsed = parse(stored ?? decoy);
      const hash = await turns.run(() => derive(password, parsed.salt, parsed.cost));
      return timingSafeEqual(hash, parsed.hash) && stored !== undefined;
    },
  };
}

function format(cost: PasswordCost, salt: Buffer, hash: Buffer): string {
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$scrypt$ln=${cost.logN},r=${cost.r},p=${cost.p}$${text(salt)}$${text(hash)}`;
}

function parse(stored: string): { cost: PasswordCost; salt: Buffer; hash: Buffer } {
  const match = PHC.exec(stored);
  if (!match) throw new Error('a stored password hash is not of a known form');
  const [, logN, r, p, salt, hash] = match;
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt ?? '', 'base64'),
    hash: Buffer.from(hash ?? '', 'base64'),
  };
}

function derive(password: string, salt: Buffer, cost: PasswordCost): Promise<Buffer> {
  const N = 2 ** cost.logN;
  const options = { N, r: cost.r, p: cost.p, maxmem: 128 * N * cost.r * 2 };
  return new Promise((resolve, refuse) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) => {
      if (error) refuse(error);
      else resolve(key);
    });
  });
}

function createTurns() {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run<Result>(task: () => Promise<Result>): Promise<Result> {
      if (running >= MAX_RUNNING) {
        if (waiting.length >= MAX_WAITING) throw busy();
        // The one who leaves hands its turn over, so that `running` stays right in between.
        await new Promise<void>((go) => waiting.push(go));
      } else {
        running++;
      }
      try {
        return await task();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
  };
}

function busy(): Problem {
  return unavailable('Too many people are signing in at once.', 1);
}
