/**
 * Matches that iptables-nft 1.8.9 stores as extensions of xtables, as nft 1.0.6 prints them: with what the
 * extension's own translation says (libxtables 1.8.9, the `xlate` of each), else by its name alone.
 */
import type { AddrtypeMatch, IprangeMatch, Match, MultiportMatch, PortsMatch } from '../netfilter/match.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { formatAddress } from './address-text.ts';
import { formatByte } from './dscp-text.ts';
import { ICMP_TYPE_NAMES, ICMPV6_TYPE_NAMES } from './icmp-types.ts';
import { translateConntrack, translateState } from './nft-list-conntrack.ts';
import { translateHashlimit } from './nft-list-hashlimit.ts';
import { tcpFlagNames } from './nft-list-native.ts';
import { numberOrRange, unequal } from './nft-list-statement.ts';
import { translateUnmodelledMatch } from './nft-list-unmodelled.ts';
import { formatHex } from './numbers.ts';
import { protocolName } from './protocols.ts';

export interface TranslationContext {
  readonly family: IpFamily;
  /** The number of `-p`; 0 without it. */
  readonly protocol: number;
}

/** Undefined where the extension has no translation for what the rule says. */
type Translate<M> = (match: M, context: TranslationContext) => string | undefined;
type OfKind<Kind, Union extends Match = Match> = Union extends unknown
  ? Kind extends Union['kind']
    ? Union
    : never
  : never;

const ip = (family: IpFamily) => (family === 'ipv4' ? 'ip' : 'ip6');

function transportPorts({ kind, sport, dport }: PortsMatch): string[] {
  return [
    ...(sport === undefined ? [] : [`${kind} sport ${unequal(sport.negate)}${numberOrRange(sport)}`]),
    ...(dport === undefined ? [] : [`${kind} dport ${unequal(dport.negate)}${numberOrRange(dport)}`]),
  ];
}

const skipsPorts = (test: PortsMatch['sport']) =>
  test === undefined || (test.from === 0 && test.to === 0xffff);

/** `-m tcp` where it is no expression: it tests an option, or nothing. */
function tcp({ sport, dport, option, flags }: OfKind<'tcp'>): string {
  const ports: PortsMatch = {
    kind: 'udp',
    ...(sport === undefined || skipsPorts(sport) ? {} : { sport }),
    ...(dport === undefined || skipsPorts(dport) ? {} : { dport }),
  };
  const flagText = ({ negate, set, mask }: NonNullable<typeof flags>) =>
    `tcp flags ${unequal(negate)}${tcpFlagNames(set) || '0x0'} / ${tcpFlagNames(mask) || '0x0'}`;
  return [
    ...transportPorts(ports).map((text) => text.replace('udp', 'tcp')),
    ...(option === undefined ? [] : [`tcp option ${option.number} ${option.negate ? 'missing' : 'exists'}`]),
    ...(flags === undefined || (flags.mask === 0 && !flags.negate) ? [] : [flagText(flags)]),
  ].join(' ');
}

function multiport({ which, negate, ports }: MultiportMatch, { protocol }: TranslationContext): string {
  const name = protocolName(protocol);
  if (which === 'either') {
    // The translation knows neither ranges nor the negation here.
    const single = ports.flatMap(({ from, to }) => (from === to ? [from] : [from, to]));
    const pairs = single.map((port) => `0-65535 . ${port}, ${port} . 0-65535`);
    return `${name} sport . ${name} dport { ${pairs.join(', ')} }`;
  }
  const list = ports.map(numberOrRange).join(', ');
  const value = ports.length > 1 ? `{ ${list} }` : list;
  return `${name} ${which === 'source' ? 'sport' : 'dport'} ${unequal(negate)}${value}`;
}

/** Of a type with one code there is no translation. */
function icmpType({ kind, test }: OfKind<'icmp'>, names: typeof ICMP_TYPE_NAMES): string | undefined {
  if (test === undefined) return undefined;
  if (test.code.from !== 0 || test.code.to !== 255) return undefined;
  const name = names.find(({ type, code }) => type === test.type && code.to === 255)?.name;
  if (name === undefined) return undefined;
  return `${kind === 'icmp' ? 'icmp' : 'icmpv6'} type ${unequal(test.negate)}${name}`;
}

/** Neighbour discovery has nft's own names (libip6t_icmp6.c, icmp6_type_xlate_array). */
const NEIGHBOUR_DISCOVERY: Readonly<Record<number, string>> = {
  133: 'nd-router-solicit',
  134: 'nd-router-advert',
  135: 'nd-neighbor-solicit',
  136: 'nd-neighbor-advert',
  137: 'nd-redirect',
};
const ICMPV6_NAMES: typeof ICMPV6_TYPE_NAMES = [
  ...Object.entries(NEIGHBOUR_DISCOVERY).map(([type, name]) => ({
    name,
    type: Number(type),
    code: { from: 0, to: 255 },
  })),
  ...ICMPV6_TYPE_NAMES,
];

function addrtype({ source, destination, limitDevice }: AddrtypeMatch): string {
  const types = (source ?? destination)?.types.map((type) => type.toLowerCase()) ?? [];
  const negate = source?.negate === true || destination?.negate === true;
  const device = limitDevice === undefined ? '' : `. ${limitDevice === 'in' ? 'iif' : 'oif'} `;
  const list = types.length > 1 ? `{ ${types.join(', ')} }` : types.join('');
  return `fib ${source === undefined ? 'daddr' : 'saddr'} ${device}type ${unequal(negate)}${list}`;
}

function iprange({ source, destination }: IprangeMatch, { family }: TranslationContext): string {
  const side = (name: string, range: typeof source) =>
    range === undefined
      ? []
      : [
          `${ip(family)} ${name} ${unequal(range.negate)}${formatAddress(range.from)}-${formatAddress(range.to)}`,
        ];
  return [...side('saddr', source), ...side('daddr', destination)].join(' ');
}

function statistic(match: OfKind<'statistic'>): string {
  if (match.mode === 'nth') return `numgen inc mod ${match.every} ${unequal(match.negate)}${match.packet}`;
  return `meta random & 2147483647 ${match.negate ? '>=' : '<'} ${match.probability}`;
}

function connmark({ negate, value, mask }: OfKind<'connmark'>): string {
  if (mask === 0xffffffff) return `ct mark ${unequal(negate)}${formatHex(value)}`;
  return `ct mark and ${formatHex(mask)} ${negate ? '!=' : '=='} ${formatHex(value)}`;
}

const HOP_TESTS = { eq: '', ne: '!= ', lt: 'lt ', gt: 'gt ' } as const;
const PACKET_TYPES = { unicast: 'unicast', broadcast: 'broadcast', multicast: 'multicast' } as const;
const untranslated = () => undefined;

const TRANSLATIONS: { readonly [K in XtMatch['kind']]: Translate<OfKind<K>> } = {
  tcp,
  udp: () => '',
  udplite: untranslated,
  sctp: (match) => (match.sport || match.dport ? transportPorts(match).join(' ') : undefined),
  dccp: (match) => transportPorts(match).join(' '),
  multiport,
  icmp: (match) => (match.test?.type === 255 ? 'ip protocol icmp' : icmpType(match, ICMP_TYPE_NAMES)),
  icmp6: (match) => icmpType(match, ICMPV6_NAMES),
  // An expression of nft's own: see nft-list-native.ts.
  mark: untranslated,
  connmark,
  conntrack: translateConntrack,
  state: translateState,
  addrtype,
  statistic,
  recent: untranslated,
  // It becomes a comment of the rule's in nft's own syntax, and is not printed here.
  comment: () => '',
  hashlimit: (match, { family }) => translateHashlimit(match, family),
  connlimit: untranslated,
  iprange,
  length: ({ negate, length }) => `meta length ${unequal(negate)}${numberOrRange(length)}`,
  ttl: ({ operator, value }) => `ip ttl ${HOP_TESTS[operator]}${value}`,
  hl: ({ operator, value }) => `ip6 hoplimit ${HOP_TESTS[operator]}${value}`,
  tos: untranslated,
  dscp: ({ negate, value }, { family }) => `${ip(family)} dscp ${unequal(negate)}${formatByte(value)}`,
  physdev: untranslated,
  set: untranslated,
  pkttype: ({ negate, type }) =>
    `pkttype ${unequal(negate)}${type === 'otherhost' ? '3' : PACKET_TYPES[type]}`,
  nfacct: untranslated,
  unknown: (match) => translateUnmodelledMatch(match),
};

/** Matches that may be an extension of xtables. */
export type XtMatch = Exclude<
  Match,
  {
    readonly kind: 'source' | 'destination' | 'in-device' | 'out-device' | 'protocol' | 'fragment' | 'limit';
  }
>;

/** What nft prints for `match`: empty for a comment, `xt match NAME` where there is no translation. */
export function nftXtMatch(match: XtMatch, context: TranslationContext): string {
  // The table is keyed by `kind`, so the entry takes exactly this member of the union.
  const translate = TRANSLATIONS[match.kind] as Translate<XtMatch>;
  const name = match.kind === 'unknown' ? match.name : match.kind;
  return translate(match, context)?.trimEnd() ?? `xt match ${name}`;
}
