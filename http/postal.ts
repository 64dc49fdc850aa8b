/** Addresses as clients send them, made the shop's. */
import {
  type CustomerEdgeCommand,
  type CustomerState,
  customerAddress,
  type SavedAddress,
} from '../actors/customer.ts';
import type { AddressVerdict, PostalAddress } from '../actors/shared.ts';
import { type Accepted, ask, read } from './calls.ts';
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

type Delivery = Sent | { readonly addressId: string };

/** An address of an order: given in full, or one that the caller's account keeps. */
export async function delivery(call: Call, sent: Delivery, pointer: string): Promise<PostalAddress> {
  return (await found(call, sent, pointer)).address;
}

type Checked = { readonly address: PostalAddress; readonly addressCheck: AddressVerdict };

/** The same for where it is to be sent, with what the address service says of it. */
export async function checkedDelivery(call: Call, sent: Delivery, pointer: string): Promise<Checked> {
  const { address, saved } = await found(call, sent, pointer);
  return { address, addressCheck: await checkFound(call, { address, saved }) };
}

/** One of the address book that is verified needn't be checked again; what is learnt of another is kept there. */
export async function checkFound(call: Call, { address, saved }: Found): Promise<AddressVerdict> {
  if (saved?.check?.status === 'deliverable') return saved.check;
  const check = await checkOf(call, address);
  if (saved) await noteCheck(call, saved.id, address, check);
  return check;
}

export function checkOf(call: Call, address: PostalAddress): Promise<AddressVerdict> {
  return call.shop.checkAddress(address, call.traceparent);
}

/** Nothing depends on it: if it doesn't succeed, the next check will. */
export function noteCheck(
  call: Call,
  addressId: string,
  address: PostalAddress,
  check: AddressVerdict,
): Promise<Accepted<unknown> | undefined> {
  const command: CustomerEdgeCommand = { type: 'NoteAddressCheck', addressId, address, check };
  return ask(call, customerAddress(call.principal.sub), command, 'address-check').catch(() => undefined);
}

type Found = { readonly address: PostalAddress; readonly saved?: SavedAddress | undefined };

export async function found(call: Call, sent: Delivery, pointer: string): Promise<Found> {
  if (!('addressId' in sent)) return { address: postal(sent) };
  const account = await read<CustomerState>(call, customerAddress(call.principal.sub));
  const addresses = account?.state.status === 'active' ? account.state.addresses : [];
  const saved = addresses.find(({ id }) => id === sent.addressId);
  if (saved) return { address: saved.address, saved };
  const detail = `You have no address ${sent.addressId}.`;
  throw new Problem(422, 'address.unknown', detail, { errors: [{ in: 'body', pointer, code: 'unknown', detail }] });
}
