/**
 * Whether this node is fit to own shards. One that can't write its file refuses whatever it is asked, so its shards are
 * better off elsewhere. A moment of trouble moves nothing, and whoever was unfit must have been well for some time.
 */
import type { Clock } from '../../actors/kernel/ports.ts';

const UNFIT_AFTER_MS = 2_000;
const FIT_AFTER_MS = 10_000;

export type Fitness = {
  /** As of now. Called by a timer, several times a second. */
  look(): boolean;
};

export function createFitness({ monotonic }: Pick<Clock, 'monotonic'>, isWell: () => boolean): Fitness {
  let fit = true;
  let changingSince: number | undefined;
  return {
    look() {
      const now = monotonic();
      if (isWell() === fit) changingSince = undefined;
      else {
        changingSince ??= now;
        if (now - changingSince >= (fit ? UNFIT_AFTER_MS : FIT_AFTER_MS)) {
          fit = !fit;
          changingSince = undefined;
        }
      }
      return fit;
    },
  };
}
