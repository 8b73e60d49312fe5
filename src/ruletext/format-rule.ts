/** Rules as iptables-save prints them. */
import type { AddressMatch, DeviceMatch, Match } from '../netfilter/match.ts';
import type { Rule } from '../netfilter/rule-set.ts';
import type { Target } from '../netfilter/target.ts';
import { formatNetwork } from './address-text.ts';
import { formatAddrtype, formatIprange, formatSet } from './matches/address-matches.ts';
import { formatConntrack, formatState } from './matches/conntrack-matches.ts';
import { formatIcmp } from './matches/icmp-matches.ts';
import { formatMark } from './matches/mark-matches.ts';
import { formatComment, formatNfacct } from './matches/note-matches.ts';
import {
  formatDscp,
  formatLength,
  formatPhysdev,
  formatPkttype,
  formatTos,
  formatTtl,
} from './matches/packet-matches.ts';
import { formatMultiport, formatPorts, formatTcp } from './matches/port-matches.ts';
import { formatConnlimit, formatHashlimit, formatLimit } from './matches/rate-matches.ts';
import { formatRecent } from './matches/recent-match.ts';
import { formatStatistic } from './matches/statistic-match.ts';
import { bang } from './numbers.ts';
import { formatCt } from './targets/ct-target.ts';
import { formatLog } from './targets/log-targets.ts';
import { formatConnmarkTarget, formatMarkTarget } from './targets/mark-targets.ts';
import { formatDeviceNat, formatNat } from './targets/nat-targets.ts';
import {
  formatDscpTarget,
  formatTcpmss,
  formatTosTarget,
  formatTtlTarget,
} from './targets/packet-targets.ts';

/** The member of `Union` whose `kind` can be `Kind`. */
type OfKind<Union extends { readonly kind: string }, Kind> = Union extends unknown
  ? Kind extends Union['kind']
    ? Union
    : never
  : never;

const formatAddressMatch = (match: AddressMatch) =>
  `${bang(match.negate)}${match.kind === 'source' ? '-s' : '-d'} ${formatNetwork(match)}`;
const formatDevice = (match: DeviceMatch) =>
  `${bang(match.negate)}${match.kind === 'in-device' ? '-i' : '-o'} ${match.ifname}${match.wildcard ? '+' : ''}`;

const MATCH_TEXT: { readonly [Kind in Match['kind']]: (match: OfKind<Match, Kind>) => string } = {
  source: formatAddressMatch,
  destination: formatAddressMatch,
  'in-device': formatDevice,
  'out-device': formatDevice,
  protocol: (match) => `${bang(match.negate)}-p ${match.name}`,
  fragment: (match) => `${bang(match.negate)}-f`,
  tcp: formatTcp,
  udp: formatPorts,
  udplite: formatPorts,
  sctp: formatPorts,
  dccp: formatPorts,
  icmp: formatIcmp,
  icmp6: formatIcmp,
  limit: formatLimit,
  hashlimit: formatHashlimit,
  connlimit: formatConnlimit,
  length: formatLength,
  ttl: formatTtl,
  hl: formatTtl,
  tos: formatTos,
  dscp: formatDscp,
  physdev: formatPhysdev,
  pkttype: formatPkttype,
  multiport: formatMultiport,
  mark: formatMark,
  connmark: formatMark,
  conntrack: formatConntrack,
  state: formatState,
  addrtype: formatAddrtype,
  iprange: formatIprange,
  set: formatSet,
  statistic: formatStatistic,
  recent: formatRecent,
  comment: formatComment,
  nfacct: formatNfacct,
  unknown: (match) => (match.text === '' ? `-m ${match.name}` : `-m ${match.name} ${match.text}`),
};

const TARGET_TEXT: { readonly [Kind in Target['kind']]: (target: OfKind<Target, Kind>) => string } = {
  none: () => '',
  jump: (target) => `-j ${target.chain}`,
  goto: (target) => `-g ${target.chain}`,
  accept: () => '-j ACCEPT',
  drop: () => '-j DROP',
  return: () => '-j RETURN',
  notrack: () => '-j NOTRACK',
  reject: (target) => `-j REJECT --reject-with ${target.with}`,
  mark: formatMarkTarget,
  connmark: formatConnmarkTarget,
  snat: formatNat,
  dnat: formatNat,
  masquerade: formatDeviceNat,
  redirect: formatDeviceNat,
  log: formatLog,
  ct: formatCt,
  tos: formatTosTarget,
  dscp: formatDscpTarget,
  ttl: formatTtlTarget,
  hl: formatTtlTarget,
  tcpmss: formatTcpmss,
  checksum: () => '-j CHECKSUM --checksum-fill',
  unknown: (target) => (target.text === '' ? `-j ${target.name}` : `-j ${target.name} ${target.text}`),
};

/** One match as a save prints it: `-d 10.0.0.1/32`, `-m mark --mark 0x1`. */
export function formatMatch(match: Match): string {
  // The table is keyed by `kind`, so the entry takes exactly this member of the union.
  return (MATCH_TEXT[match.kind] as (match: Match) => string)(match);
}

/** A rule's target as a save prints it: `-j ACCEPT`; empty for a rule without one. */
export function formatTarget(target: Target): string {
  return (TARGET_TEXT[target.kind] as (target: Target) => string)(target);
}

/** The matches and the target of a rule, without chain and counters. */
export function formatRuleBody(rule: Rule): string {
  let text = '';
  for (const match of rule.matches) text += ` ${formatMatch(match)}`;
  if (rule.target.kind !== 'none') text += ` ${formatTarget(rule.target)}`;
  return text;
}

/** `-A CHAIN …`, without counters. */
export function formatRule(chain: string, rule: Rule): string {
  return `-A ${chain}${formatRuleBody(rule)}`;
}
