/** Where an aggregate lives in the shop: its type and its id, e.g. `{ type: 'order', id: 'ord_01J…' }`. */
export type Address<Type extends string = string> = { readonly type: Type; readonly id: string };

/** The address as one string, `type/id`: the key of logs, tables and registries. */
export type AddressKey = string;

export function addressKey(address: Address): AddressKey {
  return `${address.type}/${address.id}`;
}

export function parseAddressKey(key: AddressKey): Address {
  const slash = key.indexOf('/');
  if (slash <= 0) throw new Error(`not an address key: ${key}`);
  return { type: key.slice(0, slash), id: key.slice(slash + 1) };
}
