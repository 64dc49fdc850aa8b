/** The demo checks itself: what it prints as expected has been compared. */
import { isDeepStrictEqual } from 'node:util';

export class NotAsExpected extends Error {
  override readonly name = 'NotAsExpected';
}

export type Checks = {
  /** @throws NotAsExpected when they differ */
  equal(what: string, actual: unknown, expected: unknown): void;
  readonly passed: number;
};

export function createChecks(): Checks {
  let passed = 0;
  return {
    equal(what, actual, expected) {
      if (!isDeepStrictEqual(actual, expected)) {
        throw new NotAsExpected(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
      }
      passed += 1;
    },
    get passed() {
      return passed;
    },
  };
}
