/** Where an aggregate lives in the shop: its type and its id, e.g. `{ type: 'order', id: 'ord_01J…' }`. */
export type Address<Type extends string = string> = { readonly type: Type; readonly id: string };

/**
 * The address as one string, `id/type`: the key of logs, tables and registries. The id stands first, so that everything
 * of one order (its saga, its payment) lies side by side in an index.
 */
export type AddressKey = string;

export function addressKey(address: Address): AddressKey {
  return `${address.id}/${address.type}`;
}

export function parseAddressKey(key: AddressKey): Address {
  const slash = key.lastIndexOf('/');
  if (slash <= 0) throw new Error(`not an address key: ${key}`);
  return { type: key.slice(slash + 1), id: key.slice(0, slash) };
}
