/** A log that a test can hold up: what is appended while it is closed goes on when it is opened. */
import type { ShardLog } from '../../actors/kernel/ports.ts';

export type GatedLog = {
  readonly wrap: (log: ShardLog) => ShardLog;
  close(): void;
  open(): void;
  /** Records held up. */
  readonly held: number;
};

export function createGatedLog(): GatedLog {
  let waiting: (() => void)[] = [];
  let closed = false;
  return {
    wrap: (log) => ({
      append: (record) =>
        closed
          ? new Promise((resolve, reject) => {
              waiting.push(() => log.append(record).then(resolve, reject));
            })
          : log.append(record),
    }),
    close() {
      closed = true;
    },
    open() {
      closed = false;
      for (const goOn of waiting.splice(0)) goOn();
      waiting = [];
    },
    get held() {
      return waiting.length;
    },
  };
}
