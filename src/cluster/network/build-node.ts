/** A node comes to life: its uplink, and a veth for each of its pods. */
import type { Interface } from '../../netstack/link/interface.ts';
import { createVethPair } from '../../netstack/link/veth.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import type { Route } from '../../netstack/route-table.ts';
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import { hostPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import { localMac, type MacAddress } from '../../wire/mac.ts';
import type { StaticRoute } from '../topology.ts';
import type { ClusterNetwork } from './cluster-network.ts';
import { type NodePlan, nodeAddresses, podGateways, vethName } from './plan-nodes.ts';
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

/** Routes to the other nodes' addresses and pods, and the way out. */
function nodeRoutes({ plan }: ClusterNetwork, node: NodePlan, uplink: string): Route[] {
  const { topology, podCIDRs } = plan.cluster;
  const unicast = { type: 'unicast', device: uplink, metric: 0 } as const;
  const routes: Route[] = [];
  for (const other of plan.nodes) {
    if (other === node) continue;
    const addresses = nodeAddresses(other.object);
    for (const address of addresses) {
      const onLink = topology.nodeNetwork.subnets.some((prefix) => prefixContains(prefix, address));
      if (!onLink) routes.push({ ...unicast, prefix: hostPrefix(address) });
    }
    for (const prefix of podCIDRs.get(other.object.metadata.name) ?? []) {
      const gateway = addresses.find((address) => familyOf(address) === familyOf(prefix.address));
      if (gateway !== undefined) routes.push({ ...unicast, prefix, gateway });
    }
  }
  for (const gateway of topology.nodeNetwork.gateways) {
    routes.push({ ...unicast, prefix: everywhere(gateway), gateway });
  }
  // Addresses in its own pod networks that no pod has are nobody's.
  for (const prefix of podCIDRs.get(node.object.metadata.name) ?? []) {
    routes.push({ type: 'unreachable', prefix, device: '', metric: NO_POD_METRIC });
  }
  const own = topology.nodes.get(node.object.metadata.name)?.routes ?? [];
  return [...routes, ...own.map((route) => staticRoute(route, uplink))];
}

function configurePod(
  namespace: Namespace,
  device: Interface,
  pod: NetworkPod,
  gateways: readonly IpAddress[],
) {
  for (const address of pod.addresses) namespace.addAddress(device, hostPrefix(address));
  for (const gateway of gateways) {
    if (!pod.addresses.some((address) => familyOf(address) === familyOf(gateway))) continue;
    const via = { type: 'unicast', device: device.name, metric: 0 } as const;
    namespace.addRoute({ ...via, prefix: hostPrefix(gateway) });
    namespace.addRoute({ ...via, prefix: everywhere(gateway), gateway });
  }
}

function attachPod(network: ClusterNetwork, node: Namespace, plan: NodePlan, pod: NetworkPod): void {
  const { cluster } = network.plan;
  const { podPrefix } = cluster.topology.devices;
  const gateways = podGateways(cluster, plan.object.metadata.name);
  const impairments = network.impairments(pod.label);
  const mtu = cluster.topology.cni.mtu ?? cluster.topology.nodeNetwork.mtu;
  const pair = createVethPair(
    { namespace: node, name: vethName(podPrefix, pod), mtu, up: true, impairments },
    () => {
      const namespace = network.makeNamespace(planPod(pod), {});
      const made = (device: Interface) => configurePod(namespace, device, pod, gateways);
      return { namespace, name: POD_DEVICE, mtu, up: true, impairments, made };
    },
  );
  for (const gateway of gateways) node.addAddress(pair.near, hostPrefix(gateway));
  for (const address of pod.addresses) {
    node.addRoute({ type: 'unicast', prefix: hostPrefix(address), device: pair.near.name, metric: 0 });
  }
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
  for (const pod of plan.guests) attachPod(network, namespace, plan, pod);
  return namespace;
}
