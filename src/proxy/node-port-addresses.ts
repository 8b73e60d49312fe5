/**
 * On which of a node's addresses node ports are served (nodePortAddresses), and whether loopback is among
 * them. Source: pkg/proxy/util/nodeport_addresses.go, Kubernetes 1.30.
 */
import { familyOf, type IpAddress, type IpFamily } from '../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix, prefixContains } from '../wire/ip-prefix.ts';

export type NodePortAddresses =
  /** Any address of the node. */
  | { readonly kind: 'all' }
  /** These alone; none is possible, and then no node port is reachable. */
  | { readonly kind: 'some'; readonly addresses: readonly IpAddress[] };

const LOOPBACK_NET = parseIpPrefix('127.0.0.0/8');
const ZERO_PREFIX: Readonly<Record<IpFamily, IpPrefix>> = {
  ipv4: parseIpPrefix('0.0.0.0/0'),
  ipv6: parseIpPrefix('::/0'),
};

/** The networks in which node ports are served; the whole family when the configuration names none of it. */
export function nodePortNetworks(configured: readonly IpPrefix[], family: IpFamily): readonly IpPrefix[] {
  const networks = configured.filter(({ address }) => familyOf(address) === family);
  return networks.length === 0 ? [ZERO_PREFIX[family]] : networks;
}

/** True when some of `networks` lies in 127.0.0.0/8 or reaches over its first address; never for IPv6. */
export function reachesIpv4Loopback(networks: readonly IpPrefix[]): boolean {
  return networks.some(
    (network) =>
      prefixContains(LOOPBACK_NET, network.address) || prefixContains(network, LOOPBACK_NET.address),
  );
}

function isLoopback(address: IpAddress): boolean {
  if (familyOf(address) === 'ipv4') return prefixContains(LOOPBACK_NET, address);
  return prefixContains(parseIpPrefix('::1/128'), address);
}

/**
 * The choice among the node's `local` addresses. Loopback serves node ports only on IPv4 and only when
 * `localhostNodePorts` is effective.
 */
export function nodePortAddresses(
  networks: readonly IpPrefix[],
  {
    local,
    localhostNodePorts,
  }: { readonly local: readonly IpAddress[]; readonly localhostNodePorts: boolean },
): NodePortAddresses {
  if (networks.some(({ length }) => length === 0)) return { kind: 'all' };
  const addresses = local.filter(
    (address) =>
      networks.some((network) => prefixContains(network, address)) &&
      (!isLoopback(address) || (localhostNodePorts && familyOf(address) === 'ipv4')),
  );
  return { kind: 'some', addresses };
}
