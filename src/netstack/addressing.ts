/**
 * A host's devices, addresses and routes, which do not change while packets pass, and the questions asked of
 * them: what type an address is, and which address speaks for a device.
 */
import type { HostView } from '../netfilter/host-view.ts';
import type { AddressType } from '../netfilter/match.ts';
import { familyOf, type IpAddress, ipv6, sameAddress } from '../wire/ip-address.ts';
import { type InterfaceAddress, prefixContains, prefixOf } from '../wire/ip-prefix.ts';
import { type Device, LOOPBACK } from './device.ts';
import {
  isLoopback,
  isMulticast,
  isUnspecified,
  LIMITED_BROADCAST,
  type Route,
  RouteTable,
  routesOfDevice,
} from './route-table.ts';

/** The routing type of an IPv4 address (inet_addr_type, inet_dev_addr_type). */
function ipv4Type(address: number, routes: RouteTable, device: string | undefined): AddressType {
  if (address === 0 || address === LIMITED_BROADCAST) return 'BROADCAST';
  if (isMulticast(address)) return 'MULTICAST';
  const route = routes.lookupLocal(address);
  if (route === undefined || (device !== undefined && route.device !== device)) return 'UNICAST';
  return route.type === 'broadcast' ? 'BROADCAST' : 'LOCAL';
}

/** What routing to an IPv6 address makes of it (xt_addrtype's match_lookup_rt6). */
function ipv6RouteTypes(address: IpAddress, routes: RouteTable, device: string | undefined): AddressType[] {
  const route: Route | undefined = routes.lookup(address);
  const types: AddressType[] = [];
  if (route === undefined || route.type === 'unreachable' || route.type === 'prohibit')
    types.push('UNREACHABLE');
  if (route?.type === 'local' && (device === undefined || route.device === device)) types.push('LOCAL');
  return types;
}

/**
 * True when `address` is of one of `types` (xt_addrtype). IPv4 types exclude each other; an IPv6 address may
 * be LOCAL and UNICAST at once. With `device`, only that device's addresses count as LOCAL.
 */
export function isOfType(
  address: IpAddress,
  types: readonly AddressType[],
  { routes, device }: { readonly routes: RouteTable; readonly device: string | undefined },
): boolean {
  if (typeof address === 'number') return types.includes(ipv4Type(address, routes, device));
  if (types.includes('MULTICAST') && !isMulticast(address)) return false;
  if (types.includes('UNICAST') && (isMulticast(address) || isUnspecified(address))) return false;
  if (types.includes('UNSPEC') && !isUnspecified(address)) return false;
  const routed = types.filter((type) => ['LOCAL', 'ANYCAST', 'PROHIBIT', 'UNREACHABLE'].includes(type));
  if (routed.length === 0) return true;
  return ipv6RouteTypes(address, routes, device).some((type) => routed.includes(type));
}

/** Addresses in a subnet that an earlier address of the device already opened are secondary. */
function isPrimary(candidate: InterfaceAddress, device: Device): boolean {
  const earlier = device.addresses.slice(0, device.addresses.indexOf(candidate));
  return !earlier.some(
    ({ address, length }) =>
      length === candidate.length && prefixContains(prefixOf(address, length), candidate.address),
  );
}

function commonPrefixLength(a: IpAddress, b: IpAddress): number {
  if (typeof a === 'number' || typeof b === 'number') return 0;
  let bits = 0;
  for (const [x, y] of [
    [a.w0, b.w0],
    [a.w1, b.w1],
    [a.w2, b.w2],
    [a.w3, b.w3],
  ] as const) {
    const equal = Math.clz32(x ^ y);
    bits += equal;
    if (equal < 32) break;
  }
  return bits;
}

/**
 * The address that packets leaving by `device` towards `target` carry when nothing else says so.
 * IPv4: the first primary address whose subnet holds the target, else the device's first, else another
 * device's (inet_select_addr). IPv6: the longest prefix in common with the target (RFC 6724 rule 8).
 */
export function selectAddress(
  devices: ReadonlyMap<string, Device>,
  device: string,
  target: IpAddress,
): IpAddress | undefined {
  const family = familyOf(target);
  const candidatesOf = (of: Device) => of.addresses.filter(({ address }) => familyOf(address) === family);
  const own = devices.get(device);
  const candidates = own === undefined || own.name === 'lo' ? [] : candidatesOf(own);
  if (family === 'ipv6') {
    const best = candidates.reduce<InterfaceAddress | undefined>(
      (a, b) =>
        a === undefined || commonPrefixLength(b.address, target) > commonPrefixLength(a.address, target)
          ? b
          : a,
      undefined,
    );
    if (best !== undefined) return best.address;
  } else if (own !== undefined) {
    const primary = candidates.filter((candidate) => isPrimary(candidate, own));
    const onLink = primary.find(({ address, length }) => prefixContains(prefixOf(address, length), target));
    const chosen = onLink ?? primary[0];
    if (chosen !== undefined) return chosen.address;
  }
  for (const other of devices.values()) {
    const first = candidatesOf(other).find(({ address }) => !isLoopback(address));
    if (first !== undefined) return first.address;
  }
  return undefined;
}

/** True when `address` is assigned to one of the devices. */
export function isAssigned(devices: ReadonlyMap<string, Device>, address: IpAddress): boolean {
  for (const device of devices.values()) {
    if (device.addresses.some((own) => sameAddress(own.address, address))) return true;
  }
  return false;
}

const LOOPBACK_ADDRESS = { ipv4: 0x7f000001, ipv6: ipv6(0, 0, 0, 1) } as const;

export class AddressBook implements HostView {
  readonly devices: ReadonlyMap<string, Device>;
  readonly routes: RouteTable;

  /** `routes` come on top of those that the devices' addresses bring along; lo is added when missing. */
  constructor(devices: readonly Device[], routes: readonly Route[]) {
    const all = devices.some((device) => device.name === 'lo') ? devices : [LOOPBACK, ...devices];
    this.devices = new Map(all.map((device) => [device.name, device]));
    this.routes = new RouteTable([...all.flatMap(routesOfDevice), ...routes]);
  }

  isOfType(address: IpAddress, types: readonly AddressType[], device?: string): boolean {
    return isOfType(address, types, { routes: this.routes, device });
  }

  masqueradeAddress(device: string, nextHop: IpAddress): IpAddress | undefined {
    return selectAddress(this.devices, device, nextHop);
  }

  redirectAddress(device: string | undefined, like: IpAddress): IpAddress | undefined {
    const family = familyOf(like);
    if (device === undefined) return LOOPBACK_ADDRESS[family];
    return this.devices.get(device)?.addresses.find(({ address }) => familyOf(address) === family)?.address;
  }
}
