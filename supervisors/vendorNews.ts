/**
 * Brings to the payments what the simulated vendor tells by itself, as a real one's webhooks would: at least once, each
 * under an id of its own, until the payment has made it durable. What a dying process didn't bring, the next one does,
 * or any other node of its cluster.
 */
import { paymentGateway } from '../actors/gateways.ts';
import type { Envelope } from '../actors/kernel/message.ts';
import type { Clock, Settled } from '../actors/kernel/ports.ts';
import { paymentAddress } from '../actors/payment.ts';
import type { SimulatedBank } from '../transport/payment/bank.ts';
import type { UntoldNews } from '../transport/payment/ledger.ts';

/** News that are brought at once. */
const BATCH = 100;
const RETRY_MS = 1_000;

export type VendorNewsOptions = {
  readonly bank: Pick<SimulatedBank, 'untold' | 'taken'>;
  readonly deliver: (envelope: Envelope, settle: (result: Settled) => void) => void;
  readonly clock: Pick<Clock, 'delay'>;
  readonly logger: { warn(fields: object, text: string): void };
  /** How long after a look, in ms, the next one follows by itself: for what other nodes left when they died. */
  readonly lookAgainMs?: number;
};

export type VendorNews = {
  /** Resolves when all there is to tell was tried once; what was not taken is tried again later. */
  tell(): Promise<void>;
  close(): void;
};

export function createVendorNews({ bank, deliver, clock, logger, lookAgainMs }: VendorNewsOptions): VendorNews {
  let closed = false;
  let telling: Promise<void> | undefined;
  let again = false;
  let cancelNext: (() => void) | undefined;

  function bring(news: UntoldNews): Promise<boolean> {
    const { key: id, orderId, message } = news;
    const envelope: Envelope = { id, to: paymentAddress(orderId), from: paymentGateway, message };
    return new Promise((resolve, reject) => {
      deliver(envelope, (result) => {
        if (result.kind === 'failed') logger.warn({ err: result.error, news: id }, 'news of the vendor not taken');
        const taken = result.kind === 'done' && !closed ? bank.taken(news) : Promise.resolve();
        taken.then(() => resolve(result.kind === 'done'), reject);
      });
    });
  }

  async function bringAll(): Promise<void> {
    do {
      again = false;
      const batch = await bank.untold(BATCH);
      const taken = await Promise.all(batch.map(bring));
      if (closed) return;
      if (taken.includes(false)) return later(RETRY_MS);
      if (batch.length === BATCH) again = true;
    } while (again);
    if (lookAgainMs !== undefined) later(lookAgainMs);
  }

  function later(ms: number): void {
    cancelNext?.();
    if (!closed) cancelNext = clock.delay(ms, () => void tell());
  }

  function tell(): Promise<void> {
    if (closed) return Promise.resolve();
    // What was written while the others are under way may not be among them.
    again = true;
    telling ??= Promise.resolve()
      .then(bringAll)
      .catch((err: unknown) => {
        if (!closed) logger.warn({ err }, 'the vendor could not be asked for news');
        later(RETRY_MS);
      })
      .finally(() => {
        telling = undefined;
      });
    return telling;
  }

  return {
    tell,
    close() {
      closed = true;
      cancelNext?.();
    },
  };
}
