/**
 * For what a node asks before it can start. Where several nodes and brokers start at once, a stream is some moments old and its
 * brokers may still be about to elect its leader: a node that gave up then would not start.
 */
import pRetry from 'p-retry';

const MAX_RETRIES = 7;
const RETRY_MS = 500;

/** Does it again while it fails in a way that passes. @throws what `work` throws last */
export function patiently<Value>(work: () => Promise<Value>): Promise<Value> {
  return pRetry(work, {
    retries: MAX_RETRIES,
    minTimeout: RETRY_MS,
    factor: 1,
    shouldRetry: ({ error }) => 'retryable' in error && error.retryable === true,
  });
}
