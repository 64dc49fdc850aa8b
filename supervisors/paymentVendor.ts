/** The simulated payment vendor as a whole: what the gateway calls, its books, and what people do there. */
import type { PaymentBooks } from '../actors/gateways.ts';
import type { Clock } from '../actors/kernel/ports.ts';
import { GatewayTimeout, GatewayUnavailable } from '../transport/gateway.ts';
import { createSimulatedBank, type SimulatedBank } from '../transport/payment/bank.ts';
import { createSimulatorBooks } from '../transport/payment/books.ts';
import type { PaymentAdapter } from '../transport/payment/gateway.ts';
import type { SimulatorLedger } from '../transport/payment/ledger.ts';
import { createPaymentSimulator } from '../transport/payment/simulator.ts';
import type { Node } from './node.ts';
import { Unavailable } from './shop.ts';
import { createVendorNews, type VendorNews, type VendorNewsOptions } from './vendorNews.ts';

/** For demonstrations and tests; each tells the shop what came of it before it answers. */
export type PaymentSimulation = Pick<SimulatedBank, 'find' | 'decide' | 'dispute' | 'resolve'>;

export type PaymentVendor = {
  readonly adapter: PaymentAdapter;
  readonly books: PaymentBooks;
  /** From now on its news reach the payments of this node. */
  open(node: Pick<Node, 'deliver'>): { readonly simulation: PaymentSimulation; readonly news: VendorNews };
};

export type PaymentVendorOptions = {
  readonly ledger: SimulatorLedger;
  readonly clock: Clock;
  readonly secret: string;
  readonly logger: VendorNewsOptions['logger'];
  /** Other nodes talk to the same vendor. */
  readonly isShared?: boolean;
};

/** What another node has not brought when it died waits so long; each look reads what changed at the vendor meanwhile. */
const LOOK_AGAIN_MS = 10_000;
const RETRY_AFTER_MS = 1_000;

export function createPaymentVendor(options: PaymentVendorOptions): PaymentVendor {
  const { ledger, clock, secret, logger, isShared = false } = options;
  const bank = createSimulatedBank(ledger, clock);
  const books = createSimulatorBooks(ledger, clock.now);
  return {
    adapter: createPaymentSimulator({ clock, ledger, secret }),
    books: {
      accounts: (page) => answered(books.accounts(page)),
      account: (orderId) => answered(books.account(orderId)),
    },
    open(node) {
      const lookAgain = isShared ? { lookAgainMs: LOOK_AGAIN_MS } : {};
      const news = createVendorNews({ bank, deliver: node.deliver, clock, logger, ...lookAgain });
      const told = async <Result>(acting: Promise<Result>): Promise<Result> => {
        const result = await answered(acting);
        await news.tell();
        return result;
      };
      void news.tell();
      return {
        news,
        simulation: {
          find: (reference) => answered(bank.find(reference)),
          decide: (...request) => told(bank.decide(...request)),
          dispute: (...request) => told(bank.dispute(...request)),
          resolve: (...request) => told(bank.resolve(...request)),
        },
      };
    },
  };
}

/** A vendor that can't be reached is no bug of ours: whoever asked may ask again, every request is safe to repeat. */
async function answered<Result>(asking: Promise<Result>): Promise<Result> {
  try {
    return await asking;
  } catch (error) {
    const unreached = error instanceof GatewayUnavailable || error instanceof GatewayTimeout;
    throw unreached ? new Unavailable(error.message, RETRY_AFTER_MS) : error;
  }
}
