/** Addresses as clients send them, made the shop's. */
import { type CustomerState, customerAddress } from '../actors/customer.ts';
import type { PostalAddress } from '../actors/shared.ts';
import { read } from './calls.ts';
import { Problem } from './problem.ts';
import type { Call } from './route.ts';

/** What the address schema makes: optional members may be there without a value. */
type Sent = { readonly [Member in keyof PostalAddress]: PostalAddress[Member] | undefined } & Pick<
  PostalAddress,
  'name' | 'line1' | 'city' | 'postalCode' | 'country'
>;

export function postal({ name, line1, line2, city, region, postalCode, country }: Sent): PostalAddress {
  return {
    name,
    line1,
    ...(line2 !== undefined && { line2 }),
    city,
    ...(region !== undefined && { region }),
    postalCode,
    country,
  };
}

/** An address of an order: given in full, or one that the caller's account keeps. */
export async function delivery(
  call: Call,
  sent: Sent | { readonly addressId: string },
  pointer: string,
): Promise<PostalAddress> {
  if (!('addressId' in sent)) return postal(sent);
  const account = await read<CustomerState>(call, customerAddress(call.principal.sub));
  const addresses = account?.state.status === 'active' ? account.state.addresses : [];
  const saved = addresses.find(({ id }) => id === sent.addressId);
  if (saved) return saved.address;
  const detail = `You have no address ${sent.addressId}.`;
  throw new Problem(422, 'address.unknown', detail, { errors: [{ in: 'body', pointer, code: 'unknown', detail }] });
}
