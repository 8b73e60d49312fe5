/** A node comes to life: its uplink, and a veth for each of its pods. */
import { applyNodeNetwork } from '../../cni/networks/apply-network.ts';
import { attachPod, podDeviceName } from '../../cni/networks/attach-pod.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import type { Route } from '../../netstack/route-table.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { hostPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import { localMac, type MacAddress } from '../../wire/mac.ts';
import type { StaticRoute } from '../topology.ts';
import type { ClusterNetwork } from './cluster-network.ts';
import { mapHostPorts } from './host-ports.ts';
import type { NodePlan } from './plan-nodes.ts';
import { everywhere, POD_DEVICE, planPod } from './plan-pods.ts';
import type { NetworkPod } from './pod-endpoints.ts';

/** Docker's own scheme: 02:42 and the IPv4 address. */
export function addressMac(addresses: readonly IpAddress[], otherwise: MacAddress): MacAddress {
  const v4 = addresses.find((address) => typeof address === 'number');
  return typeof v4 === 'number' ? localMac(0x0242, v4) : otherwise;
}

/** The MAC address of a node's uplink. */
export function nodeMac({ ownAddresses }: NodePlan): MacAddress {
  const [first] = ownAddresses;
  const low = typeof first === 'object' ? first.w3 ^ first.w1 : 0;
  return addressMac(ownAddresses, localMac(0x0242, low));
}

/** Behind every other route. */
const NO_POD_METRIC = 0xffffffff;

function staticRoute({ device, ...route }: StaticRoute, uplink: string): Route {
  return { ...route, device: route.type === 'unicast' ? (device ?? uplink) : '' };
}

/** The way out, to nodes that are not on the link, and what somebody added by hand. */
function nodeRoutes({ plan }: ClusterNetwork, node: NodePlan, uplink: string): Route[] {
  const { topology, podCIDRs } = plan.cluster;
  const { name } = node.object.metadata;
  const unicast = { type: 'unicast', device: uplink, metric: 0 } as const;
  const isOnLink = (address: IpAddress) =>
    topology.nodeNetwork.subnets.some((prefix) => prefixContains(prefix, address));
  const elsewhere = plan.nodes.flatMap(({ ownAddresses }) => ownAddresses.filter((each) => !isOnLink(each)));
  return [
    ...elsewhere.map((address): Route => ({ ...unicast, prefix: hostPrefix(address) })),
    ...topology.nodeNetwork.gateways.map((gateway): Route => {
      return { ...unicast, prefix: everywhere(gateway), gateway };
    }),
    // Addresses in its own pod networks that no pod has are nobody's.
    ...(podCIDRs.get(name) ?? []).map((prefix): Route => {
      return { type: 'unreachable', prefix, device: '', metric: NO_POD_METRIC };
    }),
    ...(topology.nodes.get(name)?.routes ?? []).map((route) => staticRoute(route, uplink)),
  ];
}

function attach(network: ClusterNetwork, node: Namespace, plan: NodePlan, pod: NetworkPod): void {
  const { podPrefix } = network.plan.cluster.topology.devices;
  const planned = plan.network();
  const pair = attachPod(node, planned, {
    device: podDeviceName(planned.pods, pod, podPrefix),
    podDevice: POD_DEVICE,
    addresses: pod.addresses,
    namespace: () => network.makeNamespace(planPod(pod), {}),
    impairments: network.impairments(pod.label),
  });
  network.announcePod(pod.label, () => pair.far().namespace);
}

/** Makes the namespace of `plan` in `network`, with its devices, addresses and routes. */
export function buildNode(network: ClusterNetwork, plan: NodePlan): Namespace {
  const { topology } = network.plan.cluster;
  const namespace = network.makeNamespace(plan, plan.sysctls);
  const impairments = network.impairments(plan.label);
  const uplink = network.nodeNetwork.plug(namespace, {
    name: topology.devices.uplink,
    mac: nodeMac(plan),
    mtu: topology.nodeNetwork.mtu,
    up: true,
    impairments: { in: impairments, out: impairments },
  });
  for (const address of plan.uplinkAddresses) namespace.addAddress(uplink, address);
  for (const route of nodeRoutes(network, plan, uplink.name)) namespace.addRoute(route);
  applyNodeNetwork(namespace, plan.network());
  // Whoever set a sysctl by hand has the last word.
  for (const [name, value] of Object.entries(plan.sysctls)) namespace.setSysctl(name, value);
  for (const pod of plan.guests) attach(network, namespace, plan, pod);
  mapHostPorts(namespace, plan);
  return namespace;
}
