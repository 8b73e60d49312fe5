/**
 * What iptables-nft 1.8.9 stores as expressions of nftables (iptables/nft.c and nft-shared.c: add_addr, add_iniface,
 * add_proto, add_nft_tcpudp, add_nft_mark, add_nft_limit), as nft 1.0.6 prints it.
 */
import type {
  AddressMatch,
  DeviceMatch,
  FragmentMatch,
  LimitMatch,
  LimitUnit,
  MarkMatch,
  Match,
  PortsMatch,
  PortTest,
  ProtocolMatch,
  TcpMatch,
} from '../netfilter/match.ts';
import { maskLength } from '../wire/ip-prefix.ts';
import { formatAddress } from './address-text.ts';
import { expression, type NftStatement, numberOrRange, statement, unequal } from './nft-list-statement.ts';
import { protocolName } from './protocols.ts';

/** The matches of a rule's head, which come first and in this order. */
const HEAD = ['in-device', 'out-device', 'protocol', 'source', 'destination', 'fragment'] as const;
type HeadMatch = Extract<Match, { readonly kind: (typeof HEAD)[number] }>;

const isHead = (match: Match): match is HeadMatch => (HEAD as readonly string[]).includes(match.kind);

function device({ kind, negate, ifname, wildcard }: DeviceMatch): NftStatement[] {
  const field = kind === 'in-device' ? 'iifname' : 'oifname';
  // `+` alone holds for every device; its negation is stored as a name that no device has (add_iniface).
  const name = wildcard ? (ifname === '' ? 'INVAL/D' : `${ifname}*`) : ifname;
  const unlike = negate && !(wildcard && ifname === '');
  return [expression(`${field} ${unequal(unlike)}"${name}"`)];
}

function protocol({ negate, protocol: number }: ProtocolMatch): NftStatement[] {
  if (number === 0) return [];
  return [expression(`meta l4proto ${unequal(negate)}${protocolName(number)}`)];
}

function address({ kind, negate, address: value, mask }: AddressMatch): NftStatement[] {
  const family = typeof value === 'number' ? 'ip' : 'ip6';
  const field = `${family} ${kind === 'source' ? 'saddr' : 'daddr'}`;
  const length = maskLength(mask);
  if (length === undefined) {
    const operator = negate ? '!=' : '==';
    return [expression(`${field} & ${formatAddress(mask)} ${operator} ${formatAddress(value)}`)];
  }
  const prefix = length === (typeof value === 'number' ? 32 : 128) ? '' : `/${length}`;
  return [expression(`${field} ${unequal(negate)}${formatAddress(value)}${prefix}`)];
}

function fragment({ negate }: FragmentMatch): NftStatement[] {
  return [expression(`ip frag-off & 8191 ${negate ? '==' : '!='} 0`)];
}

function headStatements(match: HeadMatch): NftStatement[] {
  switch (match.kind) {
    case 'in-device':
    case 'out-device':
      return device(match);
    case 'protocol':
      return protocol(match);
    case 'source':
    case 'destination':
      return address(match);
    case 'fragment':
      return fragment(match);
  }
}

/** `-i`, `-o`, `-p`, `-s`, `-d` and `-f` of a rule. */
export function nftHead(matches: readonly Match[]): NftStatement[] {
  const head = matches.filter(isHead);
  return HEAD.flatMap((kind) => head.filter((match) => match.kind === kind)).flatMap(headStatements);
}

const FLAG_NAMES = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg'];

/** `fin,syn`, in bit order; empty for none. */
export function tcpFlagNames(flags: number): string {
  return FLAG_NAMES.filter((_name, bit) => (flags >> bit) & 1).join(',');
}

function tcpFlags({ negate, mask, set }: NonNullable<TcpMatch['flags']>): NftStatement {
  if (set === 0) return expression(`tcp flags ${negate ? '' : '! '}${tcpFlagNames(mask)}`);
  return expression(`tcp flags ${unequal(negate)}${tcpFlagNames(set)} / ${tcpFlagNames(mask)}`);
}

function ports(field: string, test: PortTest | undefined): NftStatement[] {
  if (test === undefined) return [];
  const { negate, from, to } = test;
  // Not even negated, when nothing holds (add_nft_tcpudp).
  if (from === 0 && to === 0xffff) return [];
  if (from === to || from > 0) return [expression(`${field} ${unequal(negate)}${numberOrRange(test)}`)];
  return [expression(`${field} ${negate ? '>' : '<='} ${to}`)];
}

const holdsForAll = (test: PortTest | undefined) =>
  test === undefined || (test.from === 0 && test.to === 0xffff && !test.negate);

/**
 * The ports and flags of `-m tcp` and `-m udp`; undefined where iptables-nft keeps the xtables extension, because
 * the match tests a TCP option, or nothing.
 */
export function nftTransport(match: TcpMatch | PortsMatch): NftStatement[] | undefined {
  const flags = match.kind === 'tcp' ? match.flags : undefined;
  if (match.kind === 'tcp' && match.option !== undefined) return undefined;
  const testsFlags = flags !== undefined && (flags.mask !== 0 || flags.negate);
  if (!testsFlags && holdsForAll(match.sport) && holdsForAll(match.dport)) return undefined;
  return [
    ...(flags === undefined || flags.mask === 0 ? [] : [tcpFlags(flags)]),
    ...ports(`${match.kind} sport`, match.sport),
    ...ports(`${match.kind} dport`, match.dport),
  ];
}

const markText = (mark: number) => `0x${mark.toString(16).padStart(8, '0')}`;

/** `-m mark`. */
export function nftMark({ negate, value, mask }: MarkMatch): NftStatement {
  const wanted = markText(value);
  if (mask === 0xffffffff) return expression(`meta mark ${unequal(negate)}${wanted}`);
  // No bits to compare are taken for a prefix of no length.
  if (mask === 0) return expression(`meta mark ${unequal(negate)}${wanted}/0`);
  return expression(`meta mark & ${markText(mask)} ${negate ? '!=' : '=='} ${wanted}`);
}

/** nft's names of the units of time. */
export const NFT_UNITS: Readonly<Record<LimitUnit, string>> = {
  sec: 'second',
  min: 'minute',
  hour: 'hour',
  day: 'day',
};

/** What nft takes for granted and does not print. */
const DEFAULT_BURST = 5;

/** `-m limit`. */
export function nftLimit({ rate, burst }: LimitMatch): NftStatement {
  const text = burst === 0 || burst === DEFAULT_BURST ? '' : ` burst ${burst} packets`;
  return statement(`limit rate ${rate.average}/${NFT_UNITS[rate.unit]}${text}`);
}
