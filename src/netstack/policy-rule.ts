/** Policy routing rules (`ip rule`; fib_rules.c): which tables a packet's route is looked up in. */
import type { IpAddress } from '../wire/ip-address.ts';
import { type IpPrefix, prefixContains } from '../wire/ip-prefix.ts';

export const ROUTING_TABLE = { default: 253, main: 254, local: 255 } as const;

export interface PolicyRule {
  /** Lower is asked first. */
  readonly priority: number;
  /** By default the family of `from` and `to`; IPv4 when neither is given. */
  readonly family?: 'ipv4' | 'ipv6';
  readonly from?: IpPrefix;
  readonly to?: IpPrefix;
  /** The packet's mark under `mask` equals `mark`. */
  readonly fwmark?: { readonly mark: number; readonly mask: number };
  /** The device it came in on; `lo` for packets made here. */
  readonly iif?: string;
  /** `not`: the rule is for packets that do not match. */
  readonly invert?: boolean;
  /** `lookup TABLE`. */
  readonly table?: number;
  /** What is said instead of a route. */
  readonly refuse?: 'unreachable' | 'prohibit' | 'blackhole';
}

/** What rules look at beside the destination. */
export interface Flow {
  /** Absent: not chosen yet (0.0.0.0 matches no `from` but the whole of the family). */
  readonly src?: IpAddress;
  readonly mark?: number;
  /** Absent: made here. */
  readonly iif?: string;
}

const lookupIn = (priority: number, table: number): PolicyRule => ({ priority, table });

/** The rules of a new namespace, of each family: IPv6 has no `default` table. */
export const DEFAULT_RULES: Readonly<Record<'ipv4' | 'ipv6', readonly PolicyRule[]>> = {
  ipv4: [
    lookupIn(0, ROUTING_TABLE.local),
    lookupIn(32_766, ROUTING_TABLE.main),
    lookupIn(32_767, ROUTING_TABLE.default),
  ],
  ipv6: [
    { ...lookupIn(0, ROUTING_TABLE.local), family: 'ipv6' },
    { ...lookupIn(32_766, ROUTING_TABLE.main), family: 'ipv6' },
  ],
};

/** The family whose packets `rule` is about. */
export function familyOfRule({ family, from, to }: PolicyRule): 'ipv4' | 'ipv6' {
  const address = from?.address ?? to?.address;
  if (address === undefined) return family ?? 'ipv4';
  return typeof address === 'number' ? 'ipv4' : 'ipv6';
}

function contains(prefix: IpPrefix, address: IpAddress | undefined): boolean {
  if (prefix.length === 0) return true;
  return address !== undefined && prefixContains(prefix, address);
}

/** Whether `rule` is for packets to `destination` of this flow. */
export function ruleMatches(
  rule: PolicyRule,
  destination: IpAddress,
  { src, mark = 0, iif = 'lo' }: Flow,
): boolean {
  const { from, to, fwmark } = rule;
  const matches =
    (from === undefined || contains(from, src)) &&
    (to === undefined || contains(to, destination)) &&
    (fwmark === undefined || ((mark ^ fwmark.mark) & fwmark.mask) === 0) &&
    (rule.iif === undefined || rule.iif === iif);
  return matches !== (rule.invert === true);
}
