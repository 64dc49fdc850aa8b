/**
 * From where on the network a request comes: the connection's other end, or behind our own proxies what they wrote into
 * X-Forwarded-For. Everybody can send that header, so only as many entries are believed as proxies are trusted, from the
 * right; the rest is what the client claims. Personal data: never stored or logged as it is, see `Keys.addressHash`.
 */
import { BlockList, isIP } from 'node:net';

export type ClientAddress = {
  /** An IPv4 address, or the /64 network of an IPv6 one: that is what one customer gets. Empty when it isn't known. */
  readonly network: string;
  /** On this machine or in a private network (RFC 1918, 4193, 6598): many people, or our own tools, may share it. */
  readonly isPrivate: boolean;
};

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4');
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addAddress('::', 'ipv6');

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * @param peer the connection's other end
 * @param forwardedFor X-Forwarded-For as it came
 * @param trustedHops TRUST_PROXY: how many proxies of ours stand in front of the shop
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trustedHops: number,
): ClientAddress {
  const claimed = trustedHops === 0 || forwardedFor === undefined ? [] : forwardedFor.split(',');
  const path = [...claimed, peer ?? ''];
  const hop = path[Math.max(0, path.length - 1 - trustedHops)] ?? '';
  return described(bareAddress(hop) ?? bareAddress(peer ?? ''));
}

/** Without port, brackets, zone and the IPv6 form of an IPv4 address; undefined for what is no address. */
function bareAddress(text: string): string | undefined {
  const trimmed = text.trim().toLowerCase();
  const withoutPort = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1] ?? trimmed.replace(/^([\d.]+):\d+$/, '$1');
  const address = withoutPort.replace(/%.*$/, '').replace(/^::ffff:(?=[\d.]+$)/, '');
  return isIP(address) === 0 ? undefined : address;
}

function described(address: string | undefined): ClientAddress {
  if (address === undefined) return { network: '', isPrivate: true };
  if (isIP(address) === 4) return { network: address, isPrivate: PRIVATE.check(address, 'ipv4') };
  return { network: networkOf(address), isPrivate: PRIVATE.check(address, 'ipv6') };
}

function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : GROUPS - first.length - last.length;
  const groups = [...first, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...last];
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
