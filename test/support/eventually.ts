/** Waiting for a condition, with a deadline, instead of sleeping. */
import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 20_000;
const POLL_MS = 5;

/** @throws when it hasn't come true in time; says what was waited for */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not in ${deadlineMs} ms: ${what}`);
    await pause(POLL_MS);
  }
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with what is no error: ${error}`);
  }
  throw new Error('resolved although it should have been rejected');
}
