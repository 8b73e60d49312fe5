/**
 * Where the kernel lets a target or match stand: in which tables, and on the way from which built-in chains.
 * Measured with both back ends; where they differ (TRACE, which legacy keeps to raw) the freer one holds.
 */
import type { Match } from '../netfilter/match.ts';
import type { TableName } from '../netfilter/rule-set.ts';
import type { Target } from '../netfilter/target.ts';
import type { IpFamily } from '../wire/ip-address.ts';

export interface Placement {
  /** As messages name it. */
  readonly what: string;
  /** Absent: any. */
  readonly tables?: readonly TableName[];
  /** Built-in chains that may lead here; absent: any. */
  readonly chains?: readonly string[];
}

const ANYWHERE = undefined;

function onlyMangle(what: string): Placement {
  return { what, tables: ['mangle'] };
}

const TARGETS: { readonly [Kind in Target['kind']]?: Placement } = {
  snat: { what: '-j SNAT', tables: ['nat'], chains: ['INPUT', 'POSTROUTING'] },
  dnat: { what: '-j DNAT', tables: ['nat'], chains: ['PREROUTING', 'OUTPUT'] },
  masquerade: { what: '-j MASQUERADE', tables: ['nat'], chains: ['POSTROUTING'] },
  redirect: { what: '-j REDIRECT', tables: ['nat'], chains: ['PREROUTING', 'OUTPUT'] },
  reject: { what: '-j REJECT', tables: ['filter'] },
  ct: { what: '-j CT', tables: ['raw'] },
  notrack: { what: '-j NOTRACK', tables: ['raw'] },
  tos: onlyMangle('-j TOS'),
  dscp: onlyMangle('-j DSCP'),
  ttl: onlyMangle('-j TTL'),
  hl: onlyMangle('-j HL'),
  checksum: onlyMangle('-j CHECKSUM'),
};

const CLAMP: Placement = { what: '--clamp-mss-to-pmtu', chains: ['FORWARD', 'OUTPUT', 'POSTROUTING'] };
const LIMIT_IN: Placement = { what: '--limit-iface-in', chains: ['PREROUTING', 'INPUT', 'FORWARD'] };
const LIMIT_OUT: Placement = { what: '--limit-iface-out', chains: ['FORWARD', 'OUTPUT', 'POSTROUTING'] };
const PHYSDEV_OUT: Placement = {
  what: '--physdev-out and --physdev-is-out without --physdev-is-bridged',
  chains: ['PREROUTING', 'INPUT', 'FORWARD', 'POSTROUTING'],
};

/** Where `target` may stand; undefined: anywhere. */
export function targetPlacement(target: Target): Placement | undefined {
  if (target.kind === 'tcpmss') return target.clampToPmtu ? CLAMP : ANYWHERE;
  return TARGETS[target.kind];
}

/** Where `match` may stand; undefined: anywhere. */
export function matchPlacement(match: Match): Placement | undefined {
  if (match.kind === 'addrtype') {
    if (match.limitDevice === undefined) return ANYWHERE;
    return match.limitDevice === 'in' ? LIMIT_IN : LIMIT_OUT;
  }
  if (match.kind === 'physdev') {
    const asksOut = match.outDevice !== undefined || match.isOut !== undefined;
    const bridged = match.isBridged !== undefined && !match.isBridged.negate;
    return asksOut && !bridged ? PHYSDEV_OUT : ANYWHERE;
  }
  return ANYWHERE;
}

/** Address types that xt_addrtype refuses for IPv6 (addrtype_mt_checkentry_v1). */
const NOT_IPV6 = ['BROADCAST', 'BLACKHOLE', 'PROHIBIT', 'THROW', 'NAT', 'XRESOLVE'] as const;

/** What is wrong with `match` in rules of `family`, or undefined. */
export function familyProblem(match: Match, family: IpFamily): string | undefined {
  if (match.kind !== 'addrtype' || family === 'ipv4') return undefined;
  const types = [...(match.source?.types ?? []), ...(match.destination?.types ?? [])];
  const wrong = NOT_IPV6.find((type) => types.includes(type));
  return wrong === undefined ? undefined : `address type ${wrong} is not for IPv6`;
}
