/** Fills an empty shop with the demo catalog, through the shop's own commands: what is demonstrated is what runs. */
import { type DemoProduct, demoCatalog } from '../actors/demoCatalog.ts';
import { type InventoryCommand, stockAddress } from '../actors/inventoryItem.ts';
import type { Address } from '../actors/kernel/address.ts';
import type { Typed } from '../actors/kernel/decider.ts';
import { type ProductCommand, productAddress } from '../actors/product.ts';
import type { Holdfast } from './holdfast.ts';

const DEADLINE_MS = 60_000;
/** Products at work at once: enough to fill the group commits, far below any mailbox's bound. */
const PARALLEL = 64;

/** Safe to repeat: every command has an id of its own for ever. Returns how many products there are. */
export async function seedDemo(shop: Holdfast): Promise<number> {
  const products = demoCatalog(shop.policy);
  for (let index = 0; index < products.length; index += PARALLEL) {
    await Promise.all(products.slice(index, index + PARALLEL).map((product) => seedProduct(shop, product)));
  }
  return products.length;
}

async function seedProduct(shop: Holdfast, { sku, price, stock, ...details }: DemoProduct): Promise<void> {
  const { name, description, category, tags } = details;
  const product = productAddress(sku);
  await ask<ProductCommand>(shop, product, { type: 'PutProduct', name, description, category, tags });
  await ask<ProductCommand>(shop, product, { type: 'SetPrice', price });
  const received = stock.filter(({ quantity }) => quantity > 0);
  await Promise.all(
    received.map(({ warehouse, quantity }) => {
      const command: InventoryCommand = { type: 'ReceiveStock', quantity, reference: 'demo seed' };
      return ask(shop, stockAddress(sku, warehouse), command);
    }),
  );
}

async function ask<Command extends Typed>(shop: Holdfast, to: Address, message: Command): Promise<void> {
  const id = `seed/${to.type}/${to.id}/${message.type}`;
  const reply = await shop.ask({
    to,
    message,
    id,
    fingerprint: 'seed',
    by: 'system',
    deadline: shop.clock.monotonic() + DEADLINE_MS,
  });
  if (!reply.ok) throw new Error(`the demo catalog could not be stored: ${reply.rejection.detail}`);
}
