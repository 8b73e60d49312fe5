/**
 * What netfilter asks of the host it runs on: questions about addresses and devices that only the routing
 * side can answer. `netstack` implements it.
 */
import type { IpAddress } from '../wire/ip-address.ts';
import type { AddressType } from './match.ts';
import type { Skb } from './skb.ts';
import type { DropReason } from './verdict.ts';

export interface HostView {
  /**
   * True when `address` is of one of `types` (xt_addrtype). With `device`, only that device's addresses are
   * considered (`--limit-iface-in`, `--limit-iface-out`).
   */
  isOfType(address: IpAddress, types: readonly AddressType[], device?: string): boolean;
  /** The address MASQUERADE takes on `device` towards `nextHop`; undefined when there is none. */
  masqueradeAddress(device: string, nextHop: IpAddress): IpAddress | undefined;
  /** The address REDIRECT sends packets to: the first of `device`, or loopback for local packets (undefined). */
  redirectAddress(device: string | undefined, like: IpAddress): IpAddress | undefined;
  /** The MTU of the device the packet leaves by or of the one that leads back, the smaller; undefined: no limit. */
  narrowestMtu?(skb: Skb): number | undefined;
  /** Why a packet made here that has got another destination cannot go there (ip_route_me_harder); undefined: it can. */
  wayFault?(skb: Skb): DropReason | undefined;
}
