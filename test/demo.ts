/**
 * `npm run demo`: an order from the shelf to the door, two whose card is declined, one whose parcel gets lost, two that wait
 * for a delivery, and the consistency check, through the public HTTP interface of a node of its own. It checks what it
 * shows and ends with status 1 when something is not as expected.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ordersForWhatIsExpected } from './demo/backordered.ts';
import { nothingIsWrong } from './demo/checked.ts';
import { createChecks } from './demo/checks.ts';
import { ordersWithDeclinedCards } from './demo/declined.ts';
import { orderFromShelfToDoor } from './demo/delivered.ts';
import { orderWithLostParcel } from './demo/lost.ts';
import { createPrinter } from './demo/printer.ts';
import { openShop } from './demo/shop.ts';
import { type Server, startServer } from './support/server.ts';

/** Far more than it takes; a demo that hangs helps nobody. */
const DEADLINE_MS = 60_000;
const LOG_LINES_SHOWN = 15;
/** Log lines that only say that all went well. */
const INFO = /^\{"level":30,/;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const print = createPrinter((text) => process.stdout.write(text));
const checks = createChecks();
let server: Server | undefined;
setTimeout(() => leave(new Error(`no end after ${DEADLINE_MS / 1_000} s`)), DEADLINE_MS).unref();

function leave(error: unknown): never {
  print.failure(error instanceof Error ? error.message : String(error));
  if (server) print.log(server.log.filter((line) => !INFO.test(line)).slice(-LOG_LINES_SHOWN));
  process.exit(1);
}

try {
  print.title(
    'Holdfast demo',
    'Orders from the shelf to the door, and what happens when something goes wrong on the way.',
  );
  // On the virtual clock the days that a parcel takes pass at once.
  server = await startServer({ folder, env: { SEED: 'demo', CLOCK: 'virtual' } });
  print.note(`A node of its own runs at ${server.url} (ready after ${(server.readyMs / 1_000).toFixed(1)} s).`);
  print.note('Everything below goes through its public HTTP interface.');
  const shop = await openShop(server.url);
  print.story('From the shelf to the door');
  await orderFromShelfToDoor(shop, print, checks);
  print.story('Declined');
  await ordersWithDeclinedCards(shop, print, checks);
  print.story('Lost on the way');
  await orderWithLostParcel(shop, print, checks);
  print.story('Sold out, but expected');
  await ordersForWhatIsExpected(shop, print, checks);
  print.story('In the end');
  await nothingIsWrong(shop, print, checks);
  await server.close();
  print.success(`All ${checks.passed} checks passed. Try it yourself: npm start, then open /docs.`);
} catch (error) {
  leave(error);
}
