/** Policy routing rules (`ip rule`): which table a packet's route is looked up in. */
import type { IpPrefix } from '../wire/ip-prefix.ts';

export const ROUTING_TABLE = { default: 253, main: 254, local: 255 } as const;

export interface PolicyRule {
  /** Lower is asked first. */
  readonly priority: number;
  readonly from?: IpPrefix;
  readonly to?: IpPrefix;
  /** The packet's mark under `mask` equals `mark`. */
  readonly fwmark?: { readonly mark: number; readonly mask: number };
  /** The device it came in on; `lo` for packets made here. */
  readonly iif?: string;
  readonly table: number;
  /** By default the rules of the address family of `from`, `to`; IPv4 when neither says. */
  readonly family?: 'ipv4' | 'ipv6';
}
