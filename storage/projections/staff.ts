/** Which accounts are staff's. What they may do stands in the accounts themselves. */
import type { CustomerEvent } from '../../actors/customer.ts';
import { parseAddressKey } from '../../actors/kernel/address.ts';
import type { Db } from '../database.ts';
import type { Projection } from '../projection.ts';

export function createStaff(db: Db): Projection {
  const add = db.prepare('INSERT OR IGNORE INTO staff (customer) VALUES (?)');
  return {
    types: ['customer'],
    apply({ key, events }) {
      for (const event of events as readonly CustomerEvent[]) {
        if (event.type === 'CustomerRegistered' && event.role === 'staff') add.run(parseAddressKey(key).id);
      }
    },
    flush() {},
    discard() {},
  };
}

/** Oldest first: as many as people work here. */
export function createStaffReader(db: Db): () => readonly string[] {
  const all = db.prepare<[], { customer: string }>('SELECT customer FROM staff ORDER BY number');
  return () => all.all().map(({ customer }) => customer);
}
