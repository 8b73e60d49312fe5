/** What a host says and believes in neighbour discovery, as pure decisions (net/ipv6/ndisc.c). */
import { type Ipv6Address, ipv6, sameAddress } from '../../wire/ip-address.ts';
import type { MacAddress } from '../../wire/mac.ts';
import { type NdpMessage, solicitedNodeGroup } from '../../wire/ndp.ts';
import type { Interface } from '../link/interface.ts';
import { isLinkLocal, isMulticast, isUnspecified } from '../route-table.ts';

const ALL_NODES = ipv6(0xff020000, 0, 0, 1);

type Advertisement = Extract<NdpMessage, { kind: 'advertisement' }>;
type Solicitation = Extract<NdpMessage, { kind: 'solicitation' }>;

export interface Outgoing<M extends NdpMessage> {
  readonly src: Ipv6Address;
  readonly dst: Ipv6Address;
  readonly message: M;
}

function ownAddresses(device: Interface): Ipv6Address[] {
  const own = device.namespace.addresses(device).map(({ address }) => address);
  return own.filter((address) => typeof address !== 'number');
}

/** Whether `address` is one of the device's. */
export function isOnDevice(address: Ipv6Address, device: Interface): boolean {
  return ownAddresses(device).some((own) => sameAddress(own, address));
}

/**
 * How to ask for `target` (ndisc_solicit): `mac` known, the neighbour alone; else the group on which it
 * listens. `wanted` is the source of the packet that waits. Undefined when the device has no address.
 */
export function solicitationFor(
  target: Ipv6Address,
  device: Interface,
  { wanted, mac }: { readonly wanted: Ipv6Address | undefined; readonly mac: MacAddress | undefined },
): Outgoing<Solicitation> | undefined {
  const own = ownAddresses(device);
  const src =
    wanted !== undefined && own.some((address) => sameAddress(address, wanted))
      ? wanted
      : (own.find(isLinkLocal) ?? own[0]);
  if (src === undefined) return undefined;
  const dst = mac === undefined ? solicitedNodeGroup(target) : target;
  return { src, dst, message: { kind: 'solicitation', target, sourceMac: device.mac } };
}

export interface Asked {
  readonly src: Ipv6Address;
  /** Where the question was sent: a group, or the target itself. */
  readonly dst: Ipv6Address;
  readonly device: Interface;
  readonly target: Ipv6Address;
  /** Present when the address is not ours: the address of ours from which we answer for its owner. */
  readonly proxy?: Ipv6Address | undefined;
  readonly router: boolean;
}

/** The answer to a solicitation (ndisc_recv_ns). */
export function advertisementFor({
  src,
  dst,
  device,
  target,
  proxy,
  router,
}: Asked): Outgoing<Advertisement> {
  const toGroup = isMulticast(dst);
  const isProbe = isUnspecified(src);
  const message: Advertisement = {
    kind: 'advertisement',
    target,
    // Whoever asks one host alone knows its link address already.
    ...(toGroup || isProbe ? { targetMac: device.mac } : {}),
    router,
    solicited: !isProbe,
    override: proxy === undefined && (toGroup || isProbe),
  };
  return { src: proxy ?? target, dst: isProbe ? ALL_NODES : src, message };
}

/** What tells everybody on the link that `address` is here (ndisc_notify, arping -U of IPv6). */
export function announcement(
  address: Ipv6Address,
  device: Interface,
  router: boolean,
): Outgoing<Advertisement> {
  const message = { kind: 'advertisement', target: address, targetMac: device.mac, router } as const;
  return { src: address, dst: ALL_NODES, message: { ...message, solicited: false, override: true } };
}
