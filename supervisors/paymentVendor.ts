/** The simulated payment vendor as a whole: what the gateway calls, its books, and what people do there. */
import type { PaymentBooks } from '../actors/gateways.ts';
import type { Clock } from '../actors/kernel/ports.ts';
import { createSimulatedBank, type SimulatedBank } from '../transport/payment/bank.ts';
import { createSimulatorBooks } from '../transport/payment/books.ts';
import type { PaymentAdapter } from '../transport/payment/gateway.ts';
import type { SimulatorLedger } from '../transport/payment/ledger.ts';
import { createPaymentSimulator } from '../transport/payment/simulator.ts';
import type { Node } from './node.ts';
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
};

export function createPaymentVendor({ ledger, clock, secret, logger }: PaymentVendorOptions): PaymentVendor {
  const bank = createSimulatedBank(ledger, clock);
  return {
    adapter: createPaymentSimulator({ clock, ledger, secret }),
    books: createSimulatorBooks(ledger, clock.now),
    open(node) {
      const news = createVendorNews({ bank, deliver: node.deliver, clock, logger });
      const told = async <Result>(acting: Promise<Result>): Promise<Result> => {
        const result = await acting;
        await news.tell();
        return result;
      };
      void news.tell();
      return {
        news,
        simulation: {
          find: bank.find,
          decide: (...request) => told(bank.decide(...request)),
          dispute: (...request) => told(bank.dispute(...request)),
          resolve: (...request) => told(bank.resolve(...request)),
        },
      };
    },
  };
}
