/**
 * The emulated cluster before the first packet: every host's plan and how their devices are wired.
 *
 *   pod ══veth══ node ──node network── node ══veth══ pod
 *                         │
 *                       router ── outside hosts
 *
 * Plans are values that no packet changes, so many runs (every outcome of an exploration) share one.
 */

import { formatIpAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { ClusterObjects } from '../derive.ts';
import type { HostPlan } from './host-plan.ts';
import { planNode, podGateways, vethName } from './plan-nodes.ts';
import {
  anonymousPeer,
  namedPeer,
  OUTSIDE_DEVICE,
  type OutsidePeer,
  planPeer,
  planRouter,
  ROUTER,
  ROUTER_LAN,
  ROUTER_WAN,
  routerAddresses,
} from './plan-outside.ts';
import { POD_DEVICE, planPod } from './plan-pods.ts';
import { type NetworkPod, networkPods } from './pod-endpoints.ts';
import { Segment, Wiring } from './wiring.ts';

export interface NetworkPlan {
  readonly cluster: ClusterObjects;
  readonly hosts: ReadonlyMap<string, HostPlan>;
  readonly pods: readonly NetworkPod[];
  readonly wiring: Wiring;
}

function groupByNode(pods: readonly NetworkPod[]): ReadonlyMap<string, readonly NetworkPod[]> {
  const groups = new Map<string, NetworkPod[]>();
  for (const pod of pods) {
    const group = groups.get(pod.node);
    if (group === undefined) groups.set(pod.node, [pod]);
    else group.push(pod);
  }
  return groups;
}

function peersOf(cluster: ClusterObjects, strangers: readonly IpAddress[]): OutsidePeer[] {
  const named = cluster.topology.hosts.map((host) => namedPeer(host, cluster));
  const known = (address: IpAddress) =>
    named.some(({ addresses }) => addresses.some((own) => sameAddress(own.address, address)));
  const anonymous = strangers
    .filter((address) => !known(address))
    .map((address) => anonymousPeer(`external/${formatIpAddress(address)}`, address));
  return [...named, ...anonymous];
}

/**
 * Plans the network of `cluster`. `strangers` are addresses outside it that take part without being
 * described anywhere. Throws InputError for a plugin that is not emulated and for nodes without addresses.
 */
export function planNetwork(cluster: ClusterObjects, strangers: readonly IpAddress[] = []): NetworkPlan {
  const { uplink, podPrefix } = cluster.topology.devices;
  const hosts = new Map<string, HostPlan>();
  const wiring = new Wiring();
  const nodeNetwork = new Segment('node network');
  const outside = new Segment('outside');
  const plug = (plan: HostPlan, device: string, segment: Segment, addresses = plan.ownAddresses) =>
    wiring.plug({ host: plan.label, device }, segment, addresses);

  const pods = networkPods(cluster);
  const byNode = groupByNode(pods);
  for (const node of cluster.nodes) {
    const { name } = node.metadata;
    const guests = byNode.get(name) ?? [];
    const gateways = podGateways(cluster, name);
    const plan = planNode({ cluster, node, pods: guests });
    hosts.set(plan.label, plan);
    plug(plan, uplink, nodeNetwork);
    for (const pod of guests) {
      // A pod on the host's network is the node itself.
      if (pod.hostNetwork) continue;
      const podPlan = planPod(pod, gateways);
      hosts.set(podPlan.label, podPlan);
      const veth = new Segment(`veth of ${pod.label}`);
      plug(plan, vethName(podPrefix, pod), veth, gateways);
      plug(podPlan, POD_DEVICE, veth);
    }
  }
  const peers = peersOf(cluster, strangers);
  for (const peer of peers) {
    const plan = planPeer(peer);
    hosts.set(plan.label, plan);
    plug(plan, OUTSIDE_DEVICE, peer.onNodeNetwork ? nodeNetwork : outside);
  }
  const router = planRouter(cluster, peers);
  hosts.set(ROUTER, router);
  const { lan, wan } = routerAddresses(cluster, peers);
  plug(router, ROUTER_LAN, nodeNetwork, lan);
  plug(router, ROUTER_WAN, outside, wan);
  return { cluster, hosts, pods, wiring };
}
