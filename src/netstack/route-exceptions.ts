/**
 * What a host without sockets has been told about the paths beyond its links: an ICMP error about one of its own ICMP
 * messages that was too long leaves an exception to the route (fib_nh_exception, rt6_exception). Errors about other
 * protocols are for their sockets to act on.
 */

import { ICMP } from '../wire/icmp.ts';
import { formatIpAddress, type IpAddress } from '../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../wire/packet.ts';
import type { AddressBook } from './addressing.ts';
import type { Audience } from './input-route.ts';
import { isLinkLocal, type RouteType } from './route-table.ts';

/** The sysctls that count, and whether the host has sockets whose packets errors may be about. */
export interface PathSettings {
  /** Seconds (net.ipv4.route.mtu_expires, net.ipv6.route.mtu_expires). */
  readonly lifetime: number;
  /** net.ipv4.route.min_pmtu: a path that says it takes less gets this, and forwarded packets heed it too. */
  readonly minimum: number;
  /** net.ipv4.ip_no_pmtu_disc: 1 takes every report for the smallest MTU, 2 ignores them. */
  readonly noDiscovery: number;
  /** Whether somebody here sent what an error quotes and hears of it: a socket, a tunnel. */
  readonly sentHere: (quoted: Packet) => boolean;
}

const DEFAULTS: PathSettings = { lifetime: 600, minimum: 552, noDiscovery: 0, sentHere: () => false };

/** RFC 8200 §5: less is not believed. */
const MIN_MTU_V6 = 1280;

const FRAGMENTATION_NEEDED = { type: 3, code: 4 } as const;
const PACKET_TOO_BIG = 2;
/** Types of either family that may tell of an MTU. */
const REPORTS: ReadonlySet<number> = new Set([FRAGMENTATION_NEEDED.type, PACKET_TOO_BIG]);

/** Types of route that may have exceptions; packets to the host itself leave by lo. */
const LEADS_ON: ReadonlySet<RouteType> = new Set(['unicast', 'local', 'anycast']);

interface Exception {
  readonly device: string;
  readonly mtu: number;
  readonly locked: boolean;
  readonly until: number;
}

/** A delivered packet, and who hears it. */
export interface Heard {
  readonly packet: Packet;
  readonly audience: Audience;
  readonly device: string;
  readonly book: AddressBook;
  /** Virtual time, seconds. */
  readonly now: number;
}

/** A packet about to leave. */
export interface Leaving {
  readonly dst: IpAddress;
  readonly device: string;
  readonly forwarded: boolean;
  readonly now: number;
}

/** The MTU that `message` tells of; undefined when it tells of none that anybody here listens to. */
function toldMtu(
  message: IcmpMessage,
  { packet: { src }, audience, book }: Heard,
  { sentHere, noDiscovery }: PathSettings,
): number | undefined {
  const { type, code, id, sequence, quoted } = message;
  if (quoted === undefined) return undefined;
  const isIcmp = quoted.transport.kind === 'icmp';
  if (typeof src !== 'number') {
    if (type !== PACKET_TOO_BIG || !(isIcmp || sentHere(quoted))) return undefined;
    return id * 0x10000 + sequence;
  }
  if (type !== FRAGMENTATION_NEEDED.type || code !== FRAGMENTATION_NEEDED.code) return undefined;
  // Of ICMP's messages IPv4 itself cares for its echo replies only (icmp_err); pings are their sockets' business.
  const isReply = quoted.transport.kind === 'icmp' && quoted.transport.type === ICMP.echoReply;
  const isOurs = audience === 'unicast' && (isReply || sentHere(quoted));
  if (!isOurs || noDiscovery === 2 || book.routes.lookupLocal(quoted.src)?.type !== 'local') return undefined;
  return noDiscovery === 1 ? 0 : sequence;
}

export class RouteExceptions {
  /** By default those of a host without sockets. */
  readonly #settings: () => PathSettings;
  #exceptions: ReadonlyMap<string, Exception> = new Map();

  constructor(settings: () => PathSettings = () => DEFAULTS) {
    this.#settings = settings;
  }

  /** Takes notice of what a delivered packet says of a path (ip_rt_update_pmtu, ip6_rt_update_pmtu). */
  learn(heard: Heard): void {
    const { packet, book, device, now } = heard;
    const { transport } = packet;
    if (transport.kind !== 'icmp' || packet.corrupt !== undefined) return;
    if (!REPORTS.has(transport.type)) return;
    const settings = this.#settings();
    const told = toldMtu(transport, heard, settings);
    const dst = transport.quoted?.dst;
    if (told === undefined || dst === undefined) return;
    const route = book.routes.lookup(dst, isLinkLocal(dst) ? device : undefined);
    if (route === undefined || !LEADS_ON.has(route.type)) return;
    const out = route.type === 'unicast' ? route.device : 'lo';
    const known = this.#find({ dst, device: out, now });
    // Of a local route the MTU is that of the device which has the address.
    const usual = book.devices.get(route.device)?.mtu ?? Number.POSITIVE_INFINITY;
    const current = Math.min(usual, known?.mtu ?? usual);
    const v4 = typeof dst === 'number';
    if (v4 ? known?.locked === true || told > current : told < MIN_MTU_V6 || told >= current) return;
    const locked = v4 && told < settings.minimum;
    const mtu = locked ? Math.min(current, settings.minimum) : told;
    const exception = { device: out, mtu, locked, until: now + settings.lifetime };
    this.#exceptions = new Map(this.#exceptions).set(formatIpAddress(dst), exception);
  }

  #find({ dst, device, now }: Omit<Leaving, 'forwarded'>): Exception | undefined {
    if (this.#exceptions.size === 0) return undefined;
    const exception = this.#exceptions.get(formatIpAddress(dst));
    return exception?.device === device && now < exception.until ? exception : undefined;
  }

  /** The most bytes that the path takes, as far as that is known and the packet heeds it. */
  mtu(leaving: Leaving): number | undefined {
    const exception = this.#find(leaving);
    // net.ipv4.ip_forward_use_pmtu is off: somebody else's packets are not judged by what we were told.
    const heeds = !leaving.forwarded || typeof leaving.dst !== 'number' || exception?.locked === true;
    return heeds ? exception?.mtu : undefined;
  }

  /** An independent copy. */
  clone(): RouteExceptions {
    const copy = new RouteExceptions(this.#settings);
    copy.#exceptions = this.#exceptions;
    return copy;
  }
}
