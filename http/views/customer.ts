import type { ActiveCustomer } from '../../actors/customer.ts';

export function customerView(customer: ActiveCustomer, version: number) {
  const { id, email, name, role, preferences } = customer;
  return { id, email, name, role, addresses: addressesView(customer), preferences, version };
}

export function staffView({ id, email, name, scopes, enabled }: ActiveCustomer, version: number) {
  return { id, email, name, scopes, enabled, version };
}

export function addressesView({ addresses, defaultAddressId }: ActiveCustomer) {
  return addresses.map(({ id, address, check }) => ({
    id,
    isDefault: id === defaultAddressId,
    address,
    verified: check?.status === 'deliverable',
    addressCheck: check ?? null,
  }));
}
