/**
 * Whose packet is it? The decision between prerouting and what follows, as a pure function of the packet, the
 * device it came in on and the host's addresses (route.c ip_route_input_slow; ip6_input.c ip6_rcv_core and
 * ip6_route_input).
 */
import type { DropReason } from '../netfilter/verdict.ts';
import type { IpAddress, Ipv6Address } from '../wire/ip-address.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { PROTOCOL } from '../wire/protocol.ts';
import type { AddressBook } from './addressing.ts';
import type { Device } from './device.ts';
import type { Refusal } from './fate.ts';
import type { Flow } from './policy-rule.ts';
import {
  isLinkLocal,
  isLoopback,
  isMulticast,
  LIMITED_BROADCAST,
  type Route,
  type RouteTable,
} from './route-table.ts';
import { checkSource } from './source-check.ts';

/** How the destination of a packet for this host is meant: decides what the host may say to it. */
export type Audience = 'unicast' | 'broadcast' | 'multicast' | 'anycast';

export type InputDecision =
  | { readonly kind: 'local'; readonly audience: Audience; readonly route?: Route }
  | { readonly kind: 'forward'; readonly route: Route }
  | {
      readonly kind: 'refuse';
      readonly refusal: Extract<Refusal, { kind: 'icmp' }>;
      /** What it is when nothing may be said. */
      readonly otherwise: DropReason;
      readonly route?: Route;
    }
  | { readonly kind: 'drop'; readonly reason: DropReason };

const drop = (reason: DropReason): InputDecision => ({ kind: 'drop', reason });

/** What is said when no route leads on: type and code by the type of route that says so. */
const REFUSALS = {
  unreachable: { ipv4: [3, 1], ipv6: [1, 0] },
  prohibit: { ipv4: [3, 13], ipv6: [1, 1] },
  none: { ipv4: [3, 0], ipv6: [1, 0] },
} as const;

function refuseFor(route: Route | undefined, family: 'ipv4' | 'ipv6'): InputDecision {
  const refusing = route?.type === 'unreachable' || route?.type === 'prohibit' ? route.type : 'none';
  const [type, code] = REFUSALS[refusing][family];
  return {
    kind: 'refuse',
    refusal: { kind: 'icmp', type, code },
    otherwise: 'no-route',
    ...(route === undefined ? {} : { route }),
  };
}

interface Arrival {
  readonly packet: Packet;
  readonly device: Device;
  readonly book: AddressBook;
  /** skb->mark. */
  readonly mark?: number;
}

/** What policy rules ask for about a packet that comes in. */
function flowOf({ packet: { src }, device: { name }, mark = 0 }: Arrival): Flow {
  return { src, iif: name, mark };
}

/** 224.0.0.0/24: groups that never leave their link. */
const isLinkGroup = (group: number) => group >>> 8 === 0xe00000;

/** Multicast sorts its sources out by itself (ip_mc_validate_source). */
function routeGroup(src: number, group: number, { packet, device, book }: Arrival): InputDecision {
  if (!book.hasJoined(group, device)) return drop('multicast-not-joined');
  if (isMulticast(src) || src === LIMITED_BROADCAST) return drop('martian');
  if (isLoopback(src) && !device.routeLocalnet) return drop('martian');
  if (src === 0) {
    const mayBeUnset = isLinkGroup(group) || protocolOf(packet) === PROTOCOL.igmp;
    return mayBeUnset ? { kind: 'local', audience: 'multicast' } : drop('martian');
  }
  const source = checkSource(src, device, book, group);
  return source === 'ok' ? { kind: 'local', audience: 'multicast' } : drop(source);
}

/** Addresses that make an IPv4 packet martian whatever the routes say. */
function isMartian(src: number, dst: number, device: Device): boolean {
  if (src === 0 || dst === 0) return true;
  return (isLoopback(dst) || isLoopback(src)) && !device.routeLocalnet;
}

function routeIpv4(src: number, dst: number, arrival: Arrival): InputDecision {
  const { device, book } = arrival;
  if (isMulticast(dst)) return routeGroup(src, dst, arrival);
  if (isMulticast(src) || src === LIMITED_BROADCAST) return drop('martian');
  const toAll = dst === LIMITED_BROADCAST || (src === 0 && dst === 0);
  if (!toAll && isMartian(src, dst, device)) return drop('martian');
  const route = toAll ? undefined : book.routes.lookup(dst, undefined, flowOf(arrival));
  const forEverybody = toAll || route?.type === 'broadcast';
  if (forEverybody || route?.type === 'local') {
    const source = src === 0 ? 'ok' : checkSource(src, device, book, dst);
    if (source !== 'ok') return drop(source);
    const audience: Audience = forEverybody ? 'broadcast' : 'unicast';
    return { kind: 'local', audience, ...(route === undefined ? {} : { route }) };
  }
  if (!device.forwarding) return drop('forwarding-off');
  if (route?.type === 'blackhole') return drop('blackhole');
  if (route?.type !== 'unicast') return refuseFor(route, 'ipv4');
  const source = checkSource(src, device, book, dst);
  return source === 'ok' ? { kind: 'forward', route } : drop(source);
}

/**
 * The route to `address` for a packet that came in on `device`: link-local and loopback addresses are the device's
 * own (rt6_need_strict).
 */
export function lookupOnLink(
  routes: RouteTable,
  address: IpAddress,
  device: string | undefined,
): Route | undefined {
  const isTheLinks = isLinkLocal(address) || (typeof address !== 'number' && isLoopback(address));
  return routes.lookup(address, isTheLinks ? device : undefined);
}

function routeIpv6(dst: Ipv6Address, arrival: Arrival): InputDecision {
  const { device, book } = arrival;
  if (isMulticast(dst)) {
    const joined = book.hasJoined(dst, device);
    return joined ? { kind: 'local', audience: 'multicast' } : drop('multicast-not-joined');
  }
  // The loopback address is found by whom it belongs to only (rt6_need_strict).
  const route = isLoopback(dst)
    ? book.routes.lookup(dst, device.name)
    : book.routes.lookup(dst, isLinkLocal(dst) ? device.name : undefined, flowOf(arrival));
  switch (route?.type) {
    case 'local':
      return { kind: 'local', audience: 'unicast', route };
    case 'anycast':
      return { kind: 'local', audience: 'anycast', route };
    case 'blackhole':
      return drop('blackhole');
    case 'unicast':
      return book.forwardsIpv6 ? { kind: 'forward', route } : drop('forwarding-off');
    default:
      return refuseFor(route, 'ipv6');
  }
}

/** Decides about a packet that prerouting has let pass (with the destination that NAT gave it). */
export function routeInput(arrival: Arrival): InputDecision {
  const { src, dst } = arrival.packet;
  if (typeof dst !== 'number') return routeIpv6(dst, arrival);
  return typeof src === 'number' ? routeIpv4(src, dst, arrival) : drop('martian');
}

/**
 * Impossible IPv6 headers, which netfilter never sees (ip6_rcv_core): ::1 on a wire, groups as sources,
 * groups of scope 0 and 1.
 */
export function isImpossibleIpv6({ src, dst }: Packet, device: Device): boolean {
  if (typeof src === 'number' || typeof dst === 'number') return false;
  const isLo = device.name === 'lo';
  if (isMulticast(src) || (!isLo && (isLoopback(src) || isLoopback(dst)))) return true;
  // Scope 0 is reserved, scope 1 does not leave the host.
  return isMulticast(dst) && ((dst.w0 >>> 16) & 15) <= (isLo ? 0 : 1);
}
