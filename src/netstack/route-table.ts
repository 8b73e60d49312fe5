/**
 * Routes of one network namespace and the lookups in them: longest prefix, then lowest metric. Local and
 * connected routes follow from the devices' addresses, as the kernel adds them.
 */
import { addressBits, familyOf, type IpAddress, sameAddress } from '../wire/ip-address.ts';
import { hostPrefix, type IpPrefix, lastAddress, prefixContains, prefixOf } from '../wire/ip-prefix.ts';
import type { Device } from './device.ts';

/** `ip route add TYPE …`; local and broadcast routes are the kernel's own. */
export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'unreachable'
  | 'prohibit'
  | 'blackhole'
  | 'throw';

export interface Route {
  readonly type: RouteType;
  readonly prefix: IpPrefix;
  readonly device: string;
  readonly gateway?: IpAddress;
  /** Preferred source of packets made on this host. */
  readonly src?: IpAddress;
  readonly metric: number;
}

const LOOPBACK_NETWORK: IpPrefix = { address: 0x7f000000, length: 8 };

/** The routes that an address brings along: itself, its broadcast address, its on-link network. */
export function routesOfDevice(device: Device): Route[] {
  const routes: Route[] = [];
  for (const { address, length } of device.addresses) {
    const bits = addressBits(familyOf(address));
    const local = { device: device.name, src: address, metric: 0 };
    routes.push({ ...local, type: 'local', prefix: hostPrefix(address) });
    if (length === bits) continue;
    const network = prefixOf(address, length);
    if (device.name === 'lo') {
      routes.push({ ...local, type: 'local', prefix: network });
      continue;
    }
    if (bits === 32 && length < 31) {
      routes.push({ ...local, type: 'broadcast', prefix: hostPrefix(lastAddress(network)) });
    }
    routes.push({ ...local, type: 'unicast', prefix: network });
  }
  return routes;
}

/** The kernel asks the table of local and broadcast routes before the main one. */
const isLocalTable = (route: Route) => route.type === 'local' || route.type === 'broadcast';

export class RouteTable {
  readonly #routes: readonly Route[];

  /** Takes every route, those of routesOfDevice included. Equal prefixes keep their order. */
  constructor(routes: readonly Route[]) {
    this.#routes = [...routes].sort(
      (a, b) =>
        Number(isLocalTable(b)) - Number(isLocalTable(a)) ||
        b.prefix.length - a.prefix.length ||
        a.metric - b.metric,
    );
  }

  /** The route to `address`; with `device`, only routes of that device count. */
  lookup(address: IpAddress, device?: string): Route | undefined {
    const route = this.#routes.find(
      ({ prefix, device: routeDevice }) =>
        (device === undefined || device === routeDevice) && prefixContains(prefix, address),
    );
    return route?.type === 'throw' ? undefined : route;
  }

  /** The local or broadcast route of exactly this host's addresses and networks, main table left out. */
  lookupLocal(address: IpAddress, device?: string): Route | undefined {
    const route = this.#routes.find(
      (candidate) =>
        isLocalTable(candidate) &&
        (device === undefined || device === candidate.device) &&
        prefixContains(candidate.prefix, address),
    );
    return route;
  }

  /** All routes, most specific first. */
  routes(): readonly Route[] {
    return this.#routes;
  }
}

/** Where a packet to `destination` goes by `route`: the gateway, or the destination itself on link. */
export function nextHopOf(route: Route, destination: IpAddress): IpAddress {
  return route.gateway ?? destination;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(address: IpAddress): boolean {
  if (typeof address === 'number') return prefixContains(LOOPBACK_NETWORK, address);
  return sameAddress(address, { w0: 0, w1: 0, w2: 0, w3: 1 });
}

/** True for 224.0.0.0/4 and ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  return typeof address === 'number' ? address >>> 28 === 0xe : address.w0 >>> 24 === 0xff;
}

/** True for 0.0.0.0 and ::. */
export function isUnspecified(address: IpAddress): boolean {
  return typeof address === 'number' ? address === 0 : sameAddress(address, { w0: 0, w1: 0, w2: 0, w3: 0 });
}

/** 255.255.255.255. */
export const LIMITED_BROADCAST = 0xffffffff;
