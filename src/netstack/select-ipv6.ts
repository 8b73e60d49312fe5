/**
 * Which IPv6 address a packet leaves with (RFC 6724 §5; addrconf.c ipv6_dev_get_saddr). Addresses here are
 * neither deprecated nor temporary, so rules 3, 4 and 7 have nothing to decide.
 */
import { type IpAddress, type Ipv6Address, sameAddress, tryParseIpv6 } from '../wire/ip-address.ts';
import { type IpPrefix, prefixContains } from '../wire/ip-prefix.ts';
import type { Device } from './device.ts';
import { isLinkLocal, isLoopback, isMulticast } from './route-table.ts';

const SCOPE = { interface: 1, link: 2, site: 5, global: 14 } as const;
export const GLOBAL_SCOPE = SCOPE.global;

/** The default policy table (RFC 6724 §2.1) as Linux has it (addrlabel.c); longest prefixes first. */
const LABELS: readonly (readonly [prefix: IpPrefix, label: number])[] = (
  [
    ['::1', 128, 0],
    ['::ffff:0:0', 96, 4],
    ['::', 96, 3],
    ['2001::', 32, 6],
    ['2001:10::', 28, 7],
    ['3ffe::', 16, 12],
    ['2002::', 16, 2],
    ['fec0::', 10, 11],
    ['fc00::', 7, 5],
    ['::', 0, 1],
  ] as const
).map(([text, length, label]) => [{ address: tryParseIpv6(text) ?? 0, length }, label]);

function labelOf(address: IpAddress): number {
  return LABELS.find(([prefix]) => prefixContains(prefix, address))?.[1] ?? 1;
}

/** The scope of an address (RFC 4291 §2.5, §2.7); unique local addresses are global. */
export function ipv6Scope(address: Ipv6Address): number {
  if (isMulticast(address)) return (address.w0 >>> 16) & 15;
  if (isLoopback(address) || isLinkLocal(address)) return SCOPE.link;
  return address.w0 >>> 22 === 0xfec0 >>> 6 ? SCOPE.site : SCOPE.global;
}

function commonBits(a: Ipv6Address, b: Ipv6Address): number {
  const pairs = [
    [a.w0, b.w0],
    [a.w1, b.w1],
    [a.w2, b.w2],
    [a.w3, b.w3],
  ] as const;
  let bits = 0;
  for (const [x, y] of pairs) {
    const equal = Math.clz32(x ^ y);
    bits += equal;
    if (equal < 32) break;
  }
  return bits;
}

interface Candidate {
  readonly address: Ipv6Address;
  readonly length: number;
  readonly device: string;
}

/** The device's addresses as the kernel lists them: wider scopes first, among equals the latest first. */
export function ipv6AddressList({ name, addresses }: Device): readonly Candidate[] {
  const list: Candidate[] = [];
  for (const { address, length } of addresses) {
    if (typeof address === 'number') continue;
    const at = list.findIndex((other) => ipv6Scope(address) >= ipv6Scope(other.address));
    list.splice(at < 0 ? list.length : at, 0, { address, length, device: name });
  }
  return list;
}

interface Destination {
  readonly address: Ipv6Address;
  readonly device: string;
}

type Preference = (candidate: Candidate, destination: Destination) => number;

/** Rule 2: large enough for the destination, and no larger than needed. */
const byScope: Preference = ({ address }, destination) => {
  const scope = ipv6Scope(address);
  const wanted = ipv6Scope(destination.address);
  return scope >= wanted ? -scope : scope - 128;
};

/** The rules in their order; the higher number wins, and the first rule that tells two apart decides. */
const PREFERENCES: readonly Preference[] = [
  ({ address }, destination) => Number(sameAddress(address, destination.address)),
  byScope,
  ({ device }, destination) => Number(device === destination.device),
  ({ address }, destination) => Number(labelOf(address) === labelOf(destination.address)),
  ({ address, length }, destination) => Math.min(commonBits(address, destination.address), length),
];

function isBetter(a: Candidate, b: Candidate, destination: Destination): boolean {
  for (const preference of PREFERENCES) {
    const difference = preference(a, destination) - preference(b, destination);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** The address for packets to `target` that leave by `device`; undefined when no device has one. */
export function selectIpv6(
  devices: ReadonlyMap<string, Device>,
  device: string,
  target: Ipv6Address,
): IpAddress | undefined {
  const onlyOwn = isMulticast(target) || ipv6Scope(target) <= SCOPE.link;
  const own = devices.get(device);
  const considered = onlyOwn ? (own === undefined ? [] : [own]) : [...devices.values()];
  const destination: Destination = { address: target, device };
  let best: Candidate | undefined;
  for (const candidate of considered.flatMap(ipv6AddressList)) {
    if (best === undefined || isBetter(candidate, best, destination)) best = candidate;
  }
  return best?.address;
}
