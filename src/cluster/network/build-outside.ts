/** The router and the hosts around the cluster come to life. */
import type { Namespace } from '../../netstack/namespace.ts';
import { familyOf } from '../../wire/ip-address.ts';
import { hostPrefix } from '../../wire/ip-prefix.ts';
import { localMac, type MacAddress } from '../../wire/mac.ts';
import { addressMac } from './build-node.ts';
import type { ClusterNetwork } from './cluster-network.ts';
import type { HostPlan } from './host-plan.ts';
import { OUTSIDE_DEVICE, type OutsidePlan, ROUTER_LAN, ROUTER_WAN, type RouterPlan } from './plan-outside.ts';
import { everywhere } from './plan-pods.ts';

/** The MAC address of a host outside, or of a device of the router. */
export function outsideMac({ label, ownAddresses }: HostPlan, device: string): MacAddress {
  let hash = 0;
  for (const char of `${label} ${device}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  const drawn = localMac(0x0a58, hash);
  return device === ROUTER_WAN ? drawn : addressMac(ownAddresses, drawn);
}

/** Makes the namespace of a host outside: one device, everything else through its gateways. */
export function buildPeer(network: ClusterNetwork, plan: OutsidePlan): Namespace {
  const { peer } = plan;
  const namespace = network.makeNamespace(plan, {});
  const impairments = network.impairments(plan.label);
  const segment = peer.onNodeNetwork ? network.nodeNetwork : network.outside;
  const device = segment.plug(namespace, {
    name: OUTSIDE_DEVICE,
    mac: outsideMac(plan, OUTSIDE_DEVICE),
    mtu: network.plan.cluster.topology.nodeNetwork.mtu,
    up: true,
    impairments: { in: impairments, out: impairments },
  });
  for (const address of peer.addresses) namespace.addAddress(device, address);
  const via = { type: 'unicast', device: device.name, metric: 0 } as const;
  for (const gateway of peer.gateways) {
    if (!peer.addresses.some(({ address }) => familyOf(address) === familyOf(gateway))) continue;
    namespace.addRoute({ ...via, prefix: hostPrefix(gateway) });
    namespace.addRoute({ ...via, prefix: everywhere(gateway), gateway });
  }
  return namespace;
}

const ROUTER_SYSCTLS = { 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' };

/** Makes the router between the node network and everybody else. */
export function buildRouter(network: ClusterNetwork, plan: RouterPlan): Namespace {
  const { mtu } = network.plan.cluster.topology.nodeNetwork;
  const namespace = network.makeNamespace(plan, ROUTER_SYSCTLS);
  for (const [segment, name, addresses] of [
    [network.nodeNetwork, ROUTER_LAN, plan.lanAddresses],
    [network.outside, ROUTER_WAN, plan.wanAddresses],
  ] as const) {
    const device = segment.plug(namespace, { name, mac: outsideMac(plan, name), mtu, up: true });
    for (const address of addresses) namespace.addAddress(device, address);
  }
  for (const route of plan.routes()) namespace.addRoute(route);
  return namespace;
}
