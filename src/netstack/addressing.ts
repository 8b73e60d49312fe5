/**
 * A host's devices, addresses and routes, which do not change while packets pass, and the questions asked of
 * them: what type an address is, which address speaks for a device, which groups the host has joined.
 */
import type { HostView } from '../netfilter/host-view.ts';
import type { AddressType } from '../netfilter/match.ts';
import type { Skb } from '../netfilter/skb.ts';
import type { DropReason } from '../netfilter/verdict.ts';
import { familyOf, type IpAddress, type Ipv6Address, ipv6, sameAddress } from '../wire/ip-address.ts';
import { isOfType } from './address-type.ts';
import { type Device, forwardsIpv6, LOOPBACK } from './device.ts';
import { routeOutput } from './output-route.ts';
import type { PolicyRule } from './policy-rule.ts';
import { type Route, RouteTable, routesOfDevice } from './route-table.ts';
import { selectIpv4 } from './select-ipv4.ts';
import { GLOBAL_SCOPE, ipv6AddressList, ipv6Scope, selectIpv6 } from './select-ipv6.ts';

/**
 * The address that packets leaving by `device` towards `target` carry when nothing else says so
 * (inet_select_addr; ipv6_dev_get_saddr).
 */
export function selectAddress(
  devices: ReadonlyMap<string, Device>,
  device: string,
  target: IpAddress,
): IpAddress | undefined {
  return typeof target === 'number'
    ? selectIpv4(devices, device, target)
    : selectIpv6(devices, device, target);
}

/** True when `address` is assigned to one of the devices. */
export function isAssigned(devices: ReadonlyMap<string, Device>, address: IpAddress): boolean {
  for (const device of devices.values()) {
    if (device.addresses.some((own) => sameAddress(own.address, address))) return true;
  }
  return false;
}

const LOOPBACK_ADDRESS = { ipv4: 0x7f000001, ipv6: ipv6(0, 0, 0, 1) } as const;

/** 224.0.0.1, ff02::1 and ff02::2: every host, and every router, is a member. */
const ALL_HOSTS_V4 = 0xe0000001;
const ALL_NODES_V6 = ipv6(0xff020000, 0, 0, 1);
const ALL_ROUTERS_V6 = ipv6(0xff020000, 0, 0, 2);

/** The group on which neighbours look for `address` (RFC 4291 §2.7.1). */
function solicitedNodeGroup(address: Ipv6Address): Ipv6Address {
  return ipv6(0xff020000, 0, 1, 0xff000000 | (address.w3 & 0xffffff));
}

export class AddressBook implements HostView {
  readonly devices: ReadonlyMap<string, Device>;
  readonly routes: RouteTable;
  /** net.ipv6.conf.all.forwarding: IPv6 forwards on all devices or on none. */
  readonly forwardsIpv6: boolean;

  /**
   * `routes` come on top of those that the devices' addresses bring along; lo is added when missing. `rules`:
   * all policy rules by family, when they are not those of a new namespace.
   */
  constructor(
    devices: readonly Device[],
    routes: readonly Route[],
    rules?: Readonly<Record<'ipv4' | 'ipv6', readonly PolicyRule[]>>,
  ) {
    const listed = devices.find((device) => device.name === 'lo');
    // A description of lo adds to what every loopback device has.
    const missing = LOOPBACK.addresses.filter(
      ({ address }) => !listed?.addresses.some((own) => sameAddress(own.address, address)),
    );
    const lo: Device = { ...LOOPBACK, ...listed, addresses: [...missing, ...(listed?.addresses ?? [])] };
    // lo is the first device of every namespace.
    const all = [lo, ...devices.filter((device) => device !== listed)];
    this.devices = new Map(all.map((device) => [device.name, device]));
    this.routes = new RouteTable([...all.flatMap(routesOfDevice), ...routes], rules);
    this.forwardsIpv6 = devices.some((device) => device.name !== 'lo' && forwardsIpv6(device));
  }

  isOfType(address: IpAddress, types: readonly AddressType[], device?: string): boolean {
    return isOfType(address, types, { routes: this.routes, devices: this.devices, device });
  }

  masqueradeAddress(device: string, nextHop: IpAddress): IpAddress | undefined {
    return selectAddress(this.devices, device, nextHop);
  }

  narrowestMtu({ packet: { src }, outDevice = '' }: Skb): number | undefined {
    const back = this.routes.lookup(src);
    const backDevice = back?.type === 'local' ? 'lo' : (back?.device ?? 'lo');
    const mtus = [outDevice, backDevice].flatMap((device) => this.devices.get(device)?.mtu ?? []);
    return mtus.length === 0 ? undefined : Math.min(...mtus);
  }

  wayFault({ packet: { src, dst }, outDevice, mark }: Skb): DropReason | undefined {
    const question = { dst, src, mark, from: src, ...(outDevice === undefined ? {} : { link: outDevice }) };
    const decision = routeOutput(question, this);
    return decision.kind === 'drop' ? decision.reason : undefined;
  }

  redirectAddress(device: string | undefined, like: IpAddress): IpAddress | undefined {
    if (device === undefined) return LOOPBACK_ADDRESS[familyOf(like)];
    const own = this.devices.get(device);
    if (own === undefined) return undefined;
    if (typeof like === 'number')
      return own.addresses.find(({ address }) => typeof address === 'number')?.address;
    // Link-local and site-local destinations want an address of their scope, others any (nf_nat_redirect.c).
    const scope = ipv6Scope(like);
    const list = ipv6AddressList(own);
    return (scope === GLOBAL_SCOPE ? list[0] : list.find(({ address }) => ipv6Scope(address) === scope))
      ?.address;
  }

  /** Groups joined on a device (by name) beyond those that its addresses bring along. */
  alsoJoined: ((group: Ipv6Address, device: string) => boolean) | undefined;

  /** Whether packets to the multicast group `group` that come in on `device` are for this host. */
  hasJoined(group: IpAddress, device: Device): boolean {
    if (typeof group === 'number') return group === ALL_HOSTS_V4;
    if (sameAddress(group, ALL_NODES_V6)) return true;
    if (sameAddress(group, ALL_ROUTERS_V6)) return forwardsIpv6(device);
    if (this.alsoJoined?.(group, device.name) === true) return true;
    return device.addresses.some(
      ({ address }) => typeof address !== 'number' && sameAddress(solicitedNodeGroup(address), group),
    );
  }
}
