/** Identifiers: a prefix and a ULID, so that they sort by time; 80 random bits each, so that nobody guesses one. */
import { randomFillSync } from 'node:crypto';
import { ulid } from 'ulid';
import type { Ids } from '../actors/kernel/ports.ts';

/** Random bytes are drawn from the system in blocks of this size; a ULID takes 16 of them. */
const RANDOM_BLOCK_BYTES = 4_096;

export function createIds(now: () => number): Ids {
  const secureRandom = createSecureRandom();
  return { next: (prefix) => `${prefix}_${ulid(now(), secureRandom)}`, random: Math.random };
}

/** The same seed and the same times give the same ids: for simulations only, they can be guessed. */
export function createSeededIds(seed: number, now: () => number): Ids {
  const random = createSeededRandom(seed);
  return { next: (prefix) => `${prefix}_${ulid(now(), random)}`, random };
}

/** Multiples of 1/256: enough for ULIDs, which take 5 bits of each number. */
function createSecureRandom(): () => number {
  const block = new Uint8Array(RANDOM_BLOCK_BYTES);
  let used = block.length;
  return () => {
    if (used === block.length) {
      randomFillSync(block);
      used = 0;
    }
    return (block[used++] ?? 0) / 256;
  };
}

/** The mulberry32 generator. */
function createSeededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
