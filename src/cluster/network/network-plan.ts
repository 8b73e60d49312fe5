/**
 * The emulated cluster before the first packet: a plan for every host. Plans are values that no packet
 * changes, so many runs (every outcome of an exploration) share one.
 */

import type { NetworkNode } from '../../cni/networks/network.ts';
import type { PolicyIndex } from '../../cni/policy/policy-index.ts';
import type { Node } from '../../kube/objects.ts';
import { InputError } from '../../sim/input-error.ts';
import { formatIpAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { ClusterObjects } from '../derive.ts';
import type { LinkSettings } from '../topology.ts';
import { once } from './host-plan.ts';
import { type NodePlan, nodeAddresses, planNode } from './plan-nodes.ts';
import {
  anonymousPeer,
  namedPeer,
  type OutsidePeer,
  type OutsidePlan,
  planPeer,
  planRouter,
  type RouterPlan,
} from './plan-outside.ts';
import { type PodPlan, planPod } from './plan-pods.ts';
import { type NetworkPod, networkPods } from './pod-endpoints.ts';
import { policyIndex } from './policies.ts';
import { RuleShelf } from './rule-shelf.ts';

export type AnyHostPlan = NodePlan | PodPlan | OutsidePlan | RouterPlan;

export interface NetworkPlan {
  readonly cluster: ClusterObjects;
  readonly hosts: ReadonlyMap<string, AnyHostPlan>;
  readonly pods: readonly NetworkPod[];
  /** Nodes, in the order of the cluster. */
  readonly nodes: readonly NodePlan[];
  readonly router: RouterPlan;
  /** Undefined when there are no policies, or nobody who enforces them. */
  readonly policies: PolicyIndex | undefined;
  /** What wires are like, by the label of the host at their end. */
  readonly links: ReadonlyMap<string, LinkSettings>;
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

function networkNode(node: Node, { podCIDRs }: ClusterObjects): NetworkNode {
  const { name } = node.metadata;
  return { name, addresses: nodeAddresses(node), podCIDRs: podCIDRs.get(name) ?? [] };
}

function checkLinks(links: readonly LinkSettings[], hosts: ReadonlyMap<string, AnyHostPlan>): void {
  for (const { at, origin } of links) {
    if (!hosts.has(at))
      throw new InputError(`Topology: links: there is no ${at} with a wire of its own`, origin);
  }
}

/**
 * Plans the network of `cluster`. `strangers` are addresses outside it that take part without being
 * described anywhere. Throws InputError for nodes without addresses and for links of hosts there are not.
 */
export function planNetwork(cluster: ClusterObjects, strangers: readonly IpAddress[] = []): NetworkPlan {
  const pods = networkPods(cluster);
  const byNode = groupByNode(pods);
  const shared = {
    cluster,
    shelf: new RuleShelf(),
    policies: policyIndex(cluster),
    peers: once(() => cluster.nodes.map((node) => networkNode(node, cluster))),
  };
  const nodes = cluster.nodes.map((node) =>
    planNode({ ...shared, node, pods: byNode.get(node.metadata.name) ?? [] }),
  );
  const peers = peersOf(cluster, strangers);
  const router = planRouter(cluster, peers);
  const plans = [
    // A pod on the host's network is the node itself.
    ...nodes.flatMap((node): AnyHostPlan[] => [node, ...node.guests.map(planPod)]),
    ...peers.map(planPeer),
    router,
  ];
  const hosts = new Map(plans.map((plan) => [plan.label, plan]));
  const { links } = cluster.topology;
  checkLinks(links, hosts);
  const { policies } = shared;
  return {
    cluster,
    hosts,
    pods,
    nodes,
    router,
    policies,
    links: new Map(links.map((link) => [link.at, link])),
  };
}
