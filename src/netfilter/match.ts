/**
 * The matches of a rule, as iptables spells them after normalisation. A closed union on `kind`: the
 * parser makes them, the engine decides them, the printer prints them. `negate` is the `!` before the option.
 */
import type { IpAddress } from '../wire/ip-address.ts';

/** An inclusive range of ports or other small numbers. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** `-s`, `-d`: `(packet address & mask) == address`. The mask need not be contiguous. */
export interface AddressMatch {
  readonly kind: 'source' | 'destination';
  readonly negate: boolean;
  readonly address: IpAddress;
  readonly mask: IpAddress;
}

/** `-i`, `-o`: the whole device name, or its beginning when `wildcard` (`veth+`). */
export interface DeviceMatch {
  readonly kind: 'in-device' | 'out-device';
  readonly negate: boolean;
  readonly ifname: string;
  readonly wildcard: boolean;
}

/** `-p`. Protocol 0 matches every packet. `name` is how the text spells it. */
export interface ProtocolMatch {
  readonly kind: 'protocol';
  readonly negate: boolean;
  readonly protocol: number;
  readonly name: string;
}

/** `-f`: second and further fragments (IPv4). */
export interface FragmentMatch {
  readonly kind: 'fragment';
  readonly negate: boolean;
}

export interface PortTest extends NumberRange {
  readonly negate: boolean;
}

/** `-m tcp`: `flags` is `--tcp-flags MASK COMP`; `option` is `--tcp-option`. */
export interface TcpMatch {
  readonly kind: 'tcp';
  readonly sport?: PortTest;
  readonly dport?: PortTest;
  readonly flags?: { readonly negate: boolean; readonly mask: number; readonly set: number };
  readonly option?: { readonly negate: boolean; readonly number: number };
}

/** `-m udp`, `-m udplite`, `-m sctp` (ports only), `-m dccp` (ports only). */
export interface PortsMatch {
  readonly kind: 'udp' | 'udplite' | 'sctp' | 'dccp';
  readonly sport?: PortTest;
  readonly dport?: PortTest;
}

/** `-m icmp --icmp-type`, `-m icmp6 --icmpv6-type`. Type 255 with codes 0-255 is `any`. No `type`: the bare `-m icmp`. */
export interface IcmpMatch {
  readonly kind: 'icmp' | 'icmp6';
  readonly test?: { readonly negate: boolean; readonly type: number; readonly code: NumberRange };
}

/** `-m multiport`. */
export interface MultiportMatch {
  readonly kind: 'multiport';
  readonly which: 'source' | 'destination' | 'either';
  readonly negate: boolean;
  readonly ports: readonly NumberRange[];
}

/** `-m mark`, `-m connmark`: `(mark & mask) == value`. Unsigned 32-bit. */
export interface MarkMatch {
  readonly kind: 'mark' | 'connmark';
  readonly negate: boolean;
  readonly value: number;
  readonly mask: number;
}

export const CT_STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const;
export type CtStateName = (typeof CT_STATES)[number];
export const CT_STATUSES = ['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'] as const;
export type CtStatusName = (typeof CT_STATUSES)[number];

export interface NegatableAddress {
  readonly negate: boolean;
  readonly address: IpAddress;
  readonly mask: IpAddress;
}

/** `-m conntrack`: every option given must hold. States and statuses keep the order of the text. */
export interface ConntrackMatch {
  readonly kind: 'conntrack';
  readonly state?: { readonly negate: boolean; readonly states: readonly CtStateName[] };
  readonly status?: { readonly negate: boolean; readonly statuses: readonly CtStatusName[] };
  readonly protocol?: { readonly negate: boolean; readonly protocol: number; readonly name: string };
  readonly origSrc?: NegatableAddress;
  readonly origDst?: NegatableAddress;
  readonly replSrc?: NegatableAddress;
  readonly replDst?: NegatableAddress;
  readonly origSrcPort?: PortTest;
  readonly origDstPort?: PortTest;
  readonly replSrcPort?: PortTest;
  readonly replDstPort?: PortTest;
  /** Seconds left. */
  readonly expire?: PortTest;
  readonly direction?: 'ORIGINAL' | 'REPLY';
}

/** `-m state`. */
export interface StateMatch {
  readonly kind: 'state';
  readonly negate: boolean;
  readonly states: readonly CtStateName[];
}

/** As in xt_addrtype, in bit order. */
export const ADDRESS_TYPES = [
  'UNSPEC',
  'UNICAST',
  'LOCAL',
  'BROADCAST',
  'ANYCAST',
  'MULTICAST',
  'BLACKHOLE',
  'UNREACHABLE',
  'PROHIBIT',
  'THROW',
  'NAT',
  'XRESOLVE',
] as const;
export type AddressType = (typeof ADDRESS_TYPES)[number];

export interface AddressTypeTest {
  readonly negate: boolean;
  readonly types: readonly AddressType[];
}

/** `-m addrtype`. */
export interface AddrtypeMatch {
  readonly kind: 'addrtype';
  readonly source?: AddressTypeTest;
  readonly destination?: AddressTypeTest;
  readonly limitDevice?: 'in' | 'out';
}

/**
 * `-m statistic`. For `random`, `probability` is in units of 2^-31, as the kernel holds it
 * (xt_statistic: the low 31 bits of a random word must be smaller). For `nth`, packet number
 * `packet` of every `every` matches, counted from 0.
 */
export type StatisticMatch =
  | {
      readonly kind: 'statistic';
      readonly mode: 'random';
      readonly negate: boolean;
      readonly probability: number;
    }
  | {
      readonly kind: 'statistic';
      readonly mode: 'nth';
      readonly negate: boolean;
      readonly every: number;
      readonly packet: number;
    };

/** `-m recent`. */
export interface RecentMatch {
  readonly kind: 'recent';
  readonly action: 'set' | 'rcheck' | 'update' | 'remove';
  readonly negate: boolean;
  readonly seconds?: number;
  readonly reap: boolean;
  readonly hitcount?: number;
  readonly rttl: boolean;
  readonly name: string;
  readonly mask: IpAddress;
  readonly side: 'source' | 'destination';
}

/** `-m comment`. */
export interface CommentMatch {
  readonly kind: 'comment';
  readonly text: string;
}

export type LimitUnit = 'sec' | 'min' | 'hour' | 'day';

/** A packet rate as written: `average` per `unit`. */
export interface Rate {
  readonly average: number;
  readonly unit: LimitUnit;
}

/** `-m limit`. */
export interface LimitMatch {
  readonly kind: 'limit';
  readonly rate: Rate;
  readonly burst: number;
}

/** `-m hashlimit`, packet rates only (byte rates parse as unknown). */
export interface HashlimitMatch {
  readonly kind: 'hashlimit';
  readonly above: boolean;
  readonly rate: Rate;
  readonly burst: number;
  readonly modes: readonly ('srcip' | 'srcport' | 'dstip' | 'dstport')[];
  readonly name: string;
  readonly srcMask?: number;
  readonly dstMask?: number;
  readonly htableSize?: number;
  readonly htableMax?: number;
  readonly htableGcInterval?: number;
  readonly htableExpire?: number;
}

/** `-m connlimit`. `above`: more than `limit` connections; else at most. */
export interface ConnlimitMatch {
  readonly kind: 'connlimit';
  readonly above: boolean;
  readonly limit: number;
  readonly maskLength: number;
  readonly side: 'source' | 'destination';
}

export interface AddressRange {
  readonly from: IpAddress;
  readonly to: IpAddress;
}

/** `-m iprange`. */
export interface IprangeMatch {
  readonly kind: 'iprange';
  readonly source?: AddressRange & { readonly negate: boolean };
  readonly destination?: AddressRange & { readonly negate: boolean };
}

/** `-m length` (IP total length; IPv6: payload plus header). */
export interface LengthMatch {
  readonly kind: 'length';
  readonly negate: boolean;
  readonly length: NumberRange;
}

/** `-m ttl`, `-m hl`. */
export interface TtlMatch {
  readonly kind: 'ttl' | 'hl';
  readonly operator: 'eq' | 'ne' | 'lt' | 'gt';
  readonly value: number;
}

/** `-m tos`: `(tos & mask) == value`. */
export interface TosMatch {
  readonly kind: 'tos';
  readonly negate: boolean;
  readonly value: number;
  readonly mask: number;
}

/** `-m dscp`. */
export interface DscpMatch {
  readonly kind: 'dscp';
  readonly negate: boolean;
  readonly value: number;
}

/** `-m physdev`: only bridged packets match its positive tests. */
export interface PhysdevMatch {
  readonly kind: 'physdev';
  readonly inDevice?: { readonly negate: boolean; readonly ifname: string; readonly wildcard: boolean };
  readonly outDevice?: { readonly negate: boolean; readonly ifname: string; readonly wildcard: boolean };
  readonly isIn?: { readonly negate: boolean };
  readonly isOut?: { readonly negate: boolean };
  readonly isBridged?: { readonly negate: boolean };
}

/** `-m set`: each direction says which part of the packet fills that dimension of the set. */
export interface SetMatch {
  readonly kind: 'set';
  readonly negate: boolean;
  readonly set: string;
  readonly directions: readonly ('src' | 'dst')[];
  /** Further options, verbatim (`--return-nomatch`, counters): not evaluated, so they make the match unknown. */
  readonly rest: string;
}

/** `-m pkttype`. */
export interface PkttypeMatch {
  readonly kind: 'pkttype';
  readonly negate: boolean;
  readonly type: 'unicast' | 'broadcast' | 'multicast' | 'otherhost';
}

/** `-m nfacct`: counts the packet under an object's name; always matches. */
export interface NfacctMatch {
  readonly kind: 'nfacct';
  readonly name: string;
}

/** `-m NAME …` that the engine does not know; `text` is everything after the name, verbatim. */
export interface UnknownMatch {
  readonly kind: 'unknown';
  readonly name: string;
  readonly text: string;
}

export type Match =
  | AddressMatch
  | DeviceMatch
  | ProtocolMatch
  | FragmentMatch
  | TcpMatch
  | PortsMatch
  | IcmpMatch
  | MultiportMatch
  | MarkMatch
  | ConntrackMatch
  | StateMatch
  | AddrtypeMatch
  | StatisticMatch
  | RecentMatch
  | CommentMatch
  | LimitMatch
  | HashlimitMatch
  | ConnlimitMatch
  | IprangeMatch
  | LengthMatch
  | TtlMatch
  | TosMatch
  | DscpMatch
  | PhysdevMatch
  | SetMatch
  | PkttypeMatch
  | NfacctMatch
  | UnknownMatch;
