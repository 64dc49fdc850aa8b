/** The payment vendor's contract, with the ledger that several nodes share. */
import { rmSync } from 'node:fs';
import { createVirtualClock } from '../../../supervisors/clock.ts';
import { connectBroker } from '../../../transport/nats/connection.ts';
import { startBroker } from '../../../transport/nats/server/broker.ts';
import { openSharedLedger } from '../../../transport/nats/vendor/sharedLedger.ts';
import { createMemoryEntries } from '../../../transport/payment/entryLedger.ts';
import { createPaymentSimulator } from '../../../transport/payment/simulator.ts';
import { rememberingLogger, temporaryFolder } from '../../support/broker.ts';
import { T0 } from '../../support/spec.ts';
import { paymentGatewayCommands } from '../paymentGatewayCommands.ts';
import { paymentGatewayContract } from '../paymentGatewayContract.ts';

const folder = temporaryFolder();
const broker = await startBroker({ folder });
const link = await connectBroker({ url: broker.url, name: 'contract', logger: rememberingLogger() });
const ledger = await openSharedLedger({ link, cluster: 'contract', replicas: 1, entries: createMemoryEntries() });

const adapter = createPaymentSimulator({ clock: createVirtualClock(T0), ledger });
let orders = 0;
paymentGatewayCommands('simulator with a shared ledger', () => ({ adapter, order: `ord_${++orders}` }), 40);

let lastKey = 0;
paymentGatewayContract(
  'simulator with a shared ledger',
  () => ({
    adapter,
    tokens: { success: 'tok_success', declined: 'tok_decline', requiresAction: 'tok_requires_action' },
    newKey: () => `ord_contract/key-${++lastKey}`,
  }),
  async () => {
    await link.close();
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  },
);
