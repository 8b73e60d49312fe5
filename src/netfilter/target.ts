/** The targets of a rule: what happens to a packet that all matches accept. A closed union on `kind`. */
import type { AddressRange, NumberRange } from './match.ts';

/** `-j REJECT --reject-with`, by iptables' own names (IPv4, then IPv6). */
export const REJECT_TYPES = [
  'icmp-net-unreachable',
  'icmp-host-unreachable',
  'icmp-proto-unreachable',
  'icmp-port-unreachable',
  'icmp-net-prohibited',
  'icmp-host-prohibited',
  'icmp-admin-prohibited',
  'icmp6-no-route',
  'icmp6-adm-prohibited',
  'icmp6-addr-unreachable',
  'icmp6-port-unreachable',
  'icmp6-policy-fail',
  'icmp6-reject-route',
  'tcp-reset',
] as const;
export type RejectType = (typeof REJECT_TYPES)[number];

/** What a port part of a NAT range says; `base` is the third number of `lo-hi/base` (portmap shift). */
export interface NatPorts extends NumberRange {
  readonly base?: number;
}

/** `--to-source`, `--to-destination`: an address or range, a port or range, or both. */
export interface NatRange {
  readonly addresses?: AddressRange;
  readonly ports?: NatPorts;
}

export interface NatFlags {
  readonly random: boolean;
  readonly randomFully: boolean;
  readonly persistent: boolean;
}

export interface NatTarget extends NatFlags {
  readonly kind: 'snat' | 'dnat';
  readonly range: NatRange;
}

/** `-j MASQUERADE`, `-j REDIRECT`: the address follows from the device. */
export interface DeviceNatTarget extends NatFlags {
  readonly kind: 'masquerade' | 'redirect';
  readonly ports?: NatPorts;
}

/** `-j MARK --set-xmark VALUE/MASK`: mark = (mark & ~mask) ^ value. The other spellings normalise to it. */
export interface MarkTarget {
  readonly kind: 'mark';
  readonly value: number;
  readonly mask: number;
}

/** `-j CONNMARK`: set ctmark = (ctmark & ~ctmask) ^ value; save and restore copy between mark and ctmark. */
export type ConnmarkTarget =
  | { readonly kind: 'connmark'; readonly op: 'set'; readonly value: number; readonly ctmask: number }
  | {
      readonly kind: 'connmark';
      readonly op: 'save' | 'restore';
      readonly nfmask: number;
      readonly ctmask: number;
    };

export type Target =
  | { readonly kind: 'none' }
  | { readonly kind: 'jump'; readonly chain: string }
  | { readonly kind: 'goto'; readonly chain: string }
  | { readonly kind: 'accept' | 'drop' | 'return' | 'notrack' }
  | { readonly kind: 'reject'; readonly with: RejectType }
  | MarkTarget
  | ConnmarkTarget
  | NatTarget
  | DeviceNatTarget
  /** LOG, NFLOG, ULOG, AUDIT, TRACE …: the packet goes on. `text` is their options, verbatim. */
  | { readonly kind: 'log'; readonly name: 'LOG' | 'NFLOG' | 'AUDIT' | 'TRACE'; readonly text: string }
  /** `-j CT` other than `--notrack` keeps its options verbatim; only `--zone N` is understood by the engine. */
  | { readonly kind: 'ct'; readonly text: string; readonly notrack: boolean; readonly zone?: number }
  | { readonly kind: 'tos'; readonly value: number; readonly mask: number }
  | { readonly kind: 'dscp'; readonly value: number }
  | { readonly kind: 'ttl' | 'hl'; readonly op: 'set' | 'inc' | 'dec'; readonly value: number }
  | { readonly kind: 'tcpmss'; readonly clampToPmtu: boolean; readonly value?: number }
  | { readonly kind: 'checksum' }
  | { readonly kind: 'unknown'; readonly name: string; readonly text: string };

/** The targets that the engine carries out, by the names under which rules know them (closed by the compiler). */
export const SUPPORTED_TARGETS: Readonly<Record<Exclude<Target['kind'], 'unknown'>, string>> = {
  none: 'none',
  jump: 'jump',
  goto: 'goto',
  accept: 'ACCEPT',
  drop: 'DROP',
  return: 'RETURN',
  reject: 'REJECT',
  mark: 'MARK',
  connmark: 'CONNMARK',
  dnat: 'DNAT',
  snat: 'SNAT',
  masquerade: 'MASQUERADE',
  redirect: 'REDIRECT',
  notrack: 'NOTRACK',
  ct: 'CT (--notrack, --zone)',
  log: 'LOG, NFLOG, AUDIT, TRACE',
  tos: 'TOS',
  dscp: 'DSCP',
  ttl: 'TTL',
  hl: 'HL',
  tcpmss: 'TCPMSS',
  checksum: 'CHECKSUM',
};
