/**
 * Brings a shard back after its log has refused a record. What it starts from is read from the store, which may be in
 * trouble just as the log was: then it is tried again, and the node goes on with its other shards.
 */
import type { Logger } from 'pino';
import type { Clock } from '../actors/kernel/ports.ts';

/** While the store can't be read either. */
const RETRY_MS = 1_000;

export type Recovery = {
  /** The shard takes nothing meanwhile. */
  readonly underWay: boolean;
  begin(pauseMs: number): void;
  cancel(): void;
};

export type RecoveryOptions = {
  readonly shard: number;
  readonly clock: Pick<Clock, 'delay'>;
  readonly logger: Logger;
  /** Reads what is durable and goes on from there. */
  readonly start: () => void;
  /** It could not: whatever was begun is to be given up. */
  readonly failed: () => void;
};

export function createRecovery({ shard, clock, logger, start, failed }: RecoveryOptions): Recovery {
  let cancel: (() => void) | undefined;

  function begin(pauseMs: number): void {
    cancel?.();
    cancel = clock.delay(pauseMs, () => {
      cancel = undefined;
      try {
        start();
      } catch (error) {
        logger.error({ err: error, shard }, 'the shard could not recover; tried again');
        begin(RETRY_MS);
        failed();
      }
    });
  }

  return {
    get underWay() {
      return cancel !== undefined;
    },
    begin,
    cancel() {
      cancel?.();
      cancel = undefined;
    },
  };
}
