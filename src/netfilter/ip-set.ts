/**
 * IP sets as values: what `ipset save` shows, and whether a packet is in one (`-m set --match-set`).
 * Membership follows the kernel's set types (net/netfilter/ipset): exact keys for addresses, ports and
 * names; for networks the longest prefix that is in the set decides, and a `nomatch` element there means no.
 */
import type { IpAddress, IpFamily } from '../wire/ip-address.ts';
import { compileIpSet } from './ip-set-index.ts';

/** What one dimension of a set holds. */
export const IP_SET_PARTS = ['ip', 'net', 'port', 'iface', 'mark', 'mac', 'set'] as const;
export type IpSetPartName = (typeof IP_SET_PARTS)[number];

/** One dimension of one element. */
export type IpSetPart =
  | { readonly kind: 'ip'; readonly address: IpAddress }
  | { readonly kind: 'net'; readonly address: IpAddress; readonly length: number }
  /** Host order. `protocol` is absent in bitmap:port. ICMP: the type times 256 plus the code. */
  | { readonly kind: 'port'; readonly protocol?: number; readonly port: number }
  | { readonly kind: 'iface'; readonly ifname: string; readonly physdev: boolean; readonly wildcard: boolean }
  | { readonly kind: 'mark'; readonly value: number }
  /** Six octets, lower-case hexadecimal with colons. */
  | { readonly kind: 'mac'; readonly address: string }
  | { readonly kind: 'set'; readonly name: string };

export interface IpSetElement {
  readonly parts: readonly IpSetPart[];
  /** An exception within a larger network of the set. */
  readonly nomatch: boolean;
  /** Seconds from loading until the element is gone; absent: it stays. */
  readonly timeout?: number;
}

export interface IpSet {
  readonly name: string;
  readonly method: 'hash' | 'bitmap' | 'list';
  readonly parts: readonly IpSetPartName[];
  /** Absent where the type has none (bitmap:port, list:set). */
  readonly family?: IpFamily;
  /** `netmask`, `bitmask`: what addresses are cut to before they are compared. */
  readonly mask?: IpAddress;
  /** `markmask`. */
  readonly markMask?: number;
  readonly elements: readonly IpSetElement[];
}

export type IpSetDirection = 'src' | 'dst';

/** What of a packet a set looks at. */
export interface IpSetPacket {
  readonly family: IpFamily;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  /** Absent when the packet has no readable ports (a later fragment). Other protocols: 0. */
  readonly sport?: number;
  readonly dport?: number;
  /** ICMP and ICMPv6. */
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly inDevice?: string;
  readonly outDevice?: string;
  readonly mark: number;
}

export interface IpSetQuestion {
  readonly packet: IpSetPacket;
  /** Which side of the packet fills each dimension, in order. */
  readonly directions: readonly IpSetDirection[];
  /** Seconds since the sets were loaded, for elements with a timeout. */
  readonly elapsed?: number;
  /** By name, for the members of a list:set. */
  readonly sets?: ReadonlyMap<string, IpSet>;
}

/** How deep lists may hold lists; the kernel allows none, text might. */
const MAX_DEPTH = 8;

/**
 * Whether the packet is in `set`, as `--match-set SET directions` answers without its options: false when
 * fewer directions are given than the set has dimensions or the families differ (ip_set_core.c, ip_set_test).
 * Undefined when it depends on something the packet does not say (a MAC address).
 */
export function ipSetContains(set: IpSet, question: IpSetQuestion): boolean | undefined {
  return contains(set, question, 0);
}

function contains(set: IpSet, question: IpSetQuestion, depth: number): boolean | undefined {
  if (set.method === 'list') return listContains(set, question, depth);
  if (question.directions.length < set.parts.length) return false;
  if (set.family !== undefined && set.family !== question.packet.family) return false;
  if (set.parts.includes('mac')) return set.elements.length === 0 ? false : undefined;
  return compileIpSet(set)(question);
}

/** A list:set is asked member by member until one holds the packet. */
function listContains(set: IpSet, question: IpSetQuestion, depth: number): boolean | undefined {
  if (depth >= MAX_DEPTH) return false;
  let unknown = false;
  for (const element of set.elements) {
    const [part] = element.parts;
    if (part?.kind !== 'set' || isGone(element, question.elapsed)) continue;
    const member = question.sets?.get(part.name);
    const answer = member === undefined ? undefined : contains(member, question, depth + 1);
    if (answer === true) return true;
    if (answer === undefined) unknown = true;
  }
  return unknown ? undefined : false;
}

/** True when the element's time is over. */
export function isGone(element: IpSetElement, elapsed = 0): boolean {
  return element.timeout !== undefined && element.timeout <= elapsed;
}
