/** What kind of address something is, as `-m addrtype` asks (xt_addrtype.c). */
import type { AddressType } from '../netfilter/match.ts';
import { type IpAddress, type Ipv6Address, sameAddress } from '../wire/ip-address.ts';
import type { Device } from './device.ts';
import { isMulticast, isUnspecified, LIMITED_BROADCAST, type RouteTable } from './route-table.ts';

export interface TypeQuestion {
  readonly routes: RouteTable;
  readonly devices: ReadonlyMap<string, Device>;
  /** `--limit-iface-in`, `--limit-iface-out`: only this device's addresses are looked at. */
  readonly device: string | undefined;
}

/** The routing type of an IPv4 address (inet_addr_type, inet_dev_addr_type): they exclude each other. */
function ipv4Type(address: number, { routes, device }: TypeQuestion): AddressType {
  if (address === 0 || address === LIMITED_BROADCAST) return 'BROADCAST';
  if (isMulticast(address)) return 'MULTICAST';
  const route = routes.lookupLocal(address);
  if (route === undefined || (device !== undefined && route.device !== device)) return 'UNICAST';
  return route.type === 'broadcast' ? 'BROADCAST' : 'LOCAL';
}

/** ::ffff:0:0/96, which the kernel counts as no unicast address (ipv6_addr_type). */
function isV4Mapped({ w0, w1, w2 }: Ipv6Address): boolean {
  return w0 === 0 && w1 === 0 && w2 === 0xffff;
}

/** The types for which routing is asked (match_lookup_rt6). */
const ROUTED: readonly AddressType[] = ['LOCAL', 'ANYCAST', 'PROHIBIT', 'UNREACHABLE'];

/** What routing makes of an IPv6 address; several types at once are possible. */
function ipv6RouteTypes(address: Ipv6Address, { routes, devices, device }: TypeQuestion): AddressType[] {
  const types: AddressType[] = [];
  const route = routes.lookup(address, device);
  if (device !== undefined) {
    const own = devices.get(device)?.addresses ?? [];
    if (own.some((candidate) => sameAddress(candidate.address, address))) types.push('LOCAL');
  } else if (route?.type === 'local') {
    types.push('LOCAL');
  }
  if (route?.type === 'anycast') types.push('ANYCAST');
  const refuses = route === undefined || ['unreachable', 'prohibit', 'blackhole'].includes(route.type);
  if (refuses) types.push('UNREACHABLE');
  return types;
}

function isIpv6Type(address: Ipv6Address, types: readonly AddressType[], question: TypeQuestion): boolean {
  if (types.includes('MULTICAST') && !isMulticast(address)) return false;
  const unicast = !isMulticast(address) && !isUnspecified(address) && !isV4Mapped(address);
  if (types.includes('UNICAST') && !unicast) return false;
  if (types.includes('UNSPEC') && !isUnspecified(address)) return false;
  const routed = types.filter((type) => ROUTED.includes(type));
  if (routed.length === 0) return true;
  return ipv6RouteTypes(address, question).some((type) => routed.includes(type));
}

/**
 * True when `address` is of one of `types`. IPv4 types exclude each other. IPv6 asks otherwise: MULTICAST,
 * UNICAST and UNSPEC must all hold that are named, and of LOCAL, ANYCAST, UNREACHABLE and PROHIBIT one must.
 */
export function isOfType(address: IpAddress, types: readonly AddressType[], question: TypeQuestion): boolean {
  return typeof address === 'number'
    ? types.includes(ipv4Type(address, question))
    : isIpv6Type(address, types, question);
}
