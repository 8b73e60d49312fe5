/**
 * Routes of one network namespace and the lookups in them: longest prefix, then lowest metric. Local and
 * connected routes follow from the devices' addresses, as the kernel adds them.
 */
import { type IpAddress, ipv6, sameAddress } from '../wire/ip-address.ts';
import {
  hostPrefix,
  type InterfaceAddress,
  type IpPrefix,
  lastAddress,
  prefixContains,
  prefixOf,
} from '../wire/ip-prefix.ts';
import { type Device, forwardsIpv6 } from './device.ts';
import { type Flow, type PolicyRule, ROUTING_TABLE, ruleMatches } from './policy-rule.ts';
import { PrefixTable } from './prefix-table.ts';

/** `ip route add TYPE …`; local, broadcast, anycast and multicast routes are the kernel's own. */
export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
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
  /** By default the kernel's own table for routes of its own types, else `main`. */
  readonly table?: number;
  /** The longest packet sent this way, when less than the device's MTU (`mtu BYTES`). */
  readonly mtu?: number;
}

const LOOPBACK_NETWORK: IpPrefix = { address: 0x7f000000, length: 8 };
const LINK_LOCAL_NETWORK: IpPrefix = { address: ipv6(0xfe800000, 0, 0, 0), length: 10 };
const MULTICAST_V6: IpPrefix = { address: ipv6(0xff000000, 0, 0, 0), length: 8 };

/** IPv6 metrics: of the kernel's own routes to subnets, and of routes added without one (IP6_RT_PRIO_*). */
const CONNECTED_METRIC_V6 = 256;
const DEFAULT_METRIC_V6 = 1024;

/** The device's first address of the subnet: for the others, secondary ones, it speaks. */
function primaryOf({ addresses }: Device, address: number, length: number): IpAddress {
  const subnet = prefixOf(address, length);
  const first = addresses.find((own) => own.length === length && prefixContains(subnet, own.address));
  return first?.address ?? address;
}

/** What an IPv4 address brings along: itself, its on-link network, its broadcast address (fib_add_ifaddr). */
function ipv4Routes(device: Device, { length, noPrefixRoute }: InterfaceAddress, address: number): Route[] {
  const local = { device: device.name, src: primaryOf(device, address, length), metric: 0 };
  const routes: Route[] = [{ ...local, type: 'local', prefix: hostPrefix(address) }];
  if (length === 32) return routes;
  const network = prefixOf(address, length);
  if (length < 31) routes.push({ ...local, type: 'broadcast', prefix: hostPrefix(lastAddress(network)) });
  if (noPrefixRoute === true) return routes;
  routes.push({ ...local, type: device.name === 'lo' ? 'local' : 'unicast', prefix: network });
  return routes;
}

/**
 * What an IPv6 address brings along: itself, its on-link network, and on a router the subnet's anycast
 * address (RFC 4291 §2.6.1; addrconf_join_anycast).
 */
function ipv6Routes(device: Device, { address, length, noPrefixRoute }: InterfaceAddress): Route[] {
  const local = { device: device.name, metric: 0 };
  const routes: Route[] = [{ ...local, type: 'local', prefix: hostPrefix(address) }];
  if (device.name === 'lo') return routes;
  const network = prefixOf(address, length);
  if (forwardsIpv6(device) && length < 127)
    routes.push({ ...local, type: 'anycast', prefix: hostPrefix(network.address) });
  if (noPrefixRoute === true) return routes;
  routes.push({ ...local, type: 'unicast', prefix: network, metric: CONNECTED_METRIC_V6 });
  return routes;
}

/**
 * The routes that a device and its addresses bring along. Of one that is down only those to its own IPv4
 * addresses are left (fib_sync_down_dev, addrconf_ifdown).
 */
export function routesOfDevice(device: Device): Route[] {
  if (device.up === false) {
    return device.addresses.flatMap((own) =>
      typeof own.address === 'number' ? ipv4Routes(device, own, own.address).slice(0, 1) : [],
    );
  }
  const routes = device.addresses.flatMap((own) =>
    typeof own.address === 'number' ? ipv4Routes(device, own, own.address) : ipv6Routes(device, own),
  );
  if (device.name === 'lo') return routes;
  const group = { type: 'multicast', prefix: MULTICAST_V6, device: device.name, metric: 256 } as const;
  return [...routes, group];
}

const LOCAL_TABLE: ReadonlySet<RouteType> = new Set(['local', 'broadcast', 'anycast', 'multicast']);

/** The kernel asks the table of its own addresses before the main one. */
const isLocalTable = (route: Route) => LOCAL_TABLE.has(route.type);

/** The metric that decides among equal prefixes; IPv6 takes 0 for its default. */
function effectiveMetric({ metric, prefix, type }: Route): number {
  if (metric !== 0 || typeof prefix.address === 'number' || LOCAL_TABLE.has(type)) return metric;
  return DEFAULT_METRIC_V6;
}

/** The table a route is in: the one it names, else the kernel's own for the kernel's own types, else main. */
export function tableOf(route: Route): number {
  return route.table ?? (isLocalTable(route) ? ROUTING_TABLE.local : ROUTING_TABLE.main);
}

/** What a rule that refuses says, in the form of a route. */
function refusal(type: 'unreachable' | 'prohibit' | 'blackhole', like: IpAddress): Route {
  return { type, prefix: prefixOf(like, 0), device: 'lo', metric: 0 };
}

const NO_FLOW: Flow = {};

export class RouteTable {
  readonly #routes: readonly Route[];
  readonly #tables = new Map<number, PrefixTable>();
  readonly #local: PrefixTable;
  readonly #main: PrefixTable;
  /** Undefined: the rules of a new namespace, whose outcome is local's route, else main's. */
  readonly #rules: Readonly<Record<'ipv4' | 'ipv6', readonly PolicyRule[]>> | undefined;

  /**
   * Takes every route, those of routesOfDevice included. Equal prefixes keep their order. `rules`: all of
   * them, the default ones included, in the order of their priorities; absent: the default ones.
   */
  constructor(routes: readonly Route[], rules?: Readonly<Record<'ipv4' | 'ipv6', readonly PolicyRule[]>>) {
    this.#routes = [...routes].sort(
      (a, b) =>
        Number(isLocalTable(b)) - Number(isLocalTable(a)) ||
        b.prefix.length - a.prefix.length ||
        effectiveMetric(a) - effectiveMetric(b),
    );
    const byTable = new Map<number, Route[]>();
    for (const route of this.#routes) {
      const table = byTable.get(tableOf(route));
      if (table === undefined) byTable.set(tableOf(route), [route]);
      else table.push(route);
    }
    for (const [table, own] of byTable) this.#tables.set(table, new PrefixTable(own));
    this.#local = this.#tables.get(ROUTING_TABLE.local) ?? new PrefixTable([]);
    this.#main = this.#tables.get(ROUTING_TABLE.main) ?? new PrefixTable([]);
    this.#rules = rules;
  }

  /** Whether routes depend on anything but the destination. */
  get hasPolicy(): boolean {
    return this.#rules !== undefined;
  }

  /**
   * The route to `address`; with `device`, only routes of that device count. A `throw` route ends the search
   * as if there were none. `flow`: what policy rules ask for.
   */
  lookup(address: IpAddress, device?: string, flow: Flow = NO_FLOW): Route | undefined {
    if (this.#rules !== undefined) return this.#lookupByRules(this.#rules, address, device, flow);
    const route = this.#local.find(address, device) ?? this.#main.find(address, device);
    return route?.type === 'throw' ? undefined : route;
  }

  /** The local or broadcast route of exactly this host's addresses and networks, main table left out. */
  lookupLocal(address: IpAddress, device?: string): Route | undefined {
    return this.#local.find(address, device);
  }

  /** All routes, most specific first. */
  routes(): readonly Route[] {
    return this.#routes;
  }

  /** fib_rules_lookup: the first table with a route that is no `throw`, among those of matching rules. */
  #lookupByRules(
    rules: Readonly<Record<'ipv4' | 'ipv6', readonly PolicyRule[]>>,
    address: IpAddress,
    device: string | undefined,
    flow: Flow,
  ): Route | undefined {
    for (const rule of rules[typeof address === 'number' ? 'ipv4' : 'ipv6']) {
      if (!ruleMatches(rule, address, flow)) continue;
      if (rule.refuse !== undefined) return refusal(rule.refuse, address);
      const route = this.#tables.get(rule.table ?? ROUTING_TABLE.main)?.find(address, device);
      if (route !== undefined && route.type !== 'throw') return route;
    }
    return undefined;
  }
}

/** Where a packet to `destination` goes by `route`: the gateway, or the destination itself on link. */
export function nextHopOf(route: Route, destination: IpAddress): IpAddress {
  return route.gateway ?? destination;
}

/** True for fe80::/10, whose addresses mean something on one link only. */
export function isLinkLocal(address: IpAddress): boolean {
  return prefixContains(LINK_LOCAL_NETWORK, address);
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
