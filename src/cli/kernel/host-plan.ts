/** The host to build in the kernel, in the engine's own words, so that both are told the same. */
import type { Device } from '../../netstack/device.ts';
import type { Route } from '../../netstack/route-table.ts';
import type { IpFamily } from '../../wire/ip-address.ts';

export interface HostPlan {
  /** In the order in which they are made. `lo` is always there; listing it adds its further addresses. */
  readonly devices: readonly Device[];
  /** Besides those that the addresses bring along. */
  readonly routes: readonly Route[];
  /** Further files under /proc/sys/net and what to write there, in order (conntrack's timeouts). */
  readonly sysctls?: readonly (readonly [path: string, value: string])[];
  /** `ipset save` text. */
  readonly sets?: string;
}

export type KernelBackend = 'nft' | 'legacy';

export interface RulesText {
  readonly family: IpFamily;
  /** As `iptables-save` or `ip6tables-save` prints it; loaded in order, each replacing the tables it names. */
  readonly text: string;
}
