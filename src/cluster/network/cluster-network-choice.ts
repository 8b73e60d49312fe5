/** What the topology says of the cluster network, as its planner takes it. */
import type { NetworkInput, NetworkNode } from '../../cni/networks/network.ts';
import type { Node } from '../../kube/objects.ts';
import type { InterfaceAddress } from '../../wire/ip-prefix.ts';
import type { ClusterObjects } from '../derive.ts';
import type { CniPlugin } from '../topology.ts';

/** Networks that act on NetworkPolicies; flannel leaves that to others. */
const ENFORCES: Readonly<Record<CniPlugin, boolean>> = {
  kindnet: true,
  calico: true,
  flannel: false,
  ptp: false,
};

/** Whether `cluster`'s network acts on NetworkPolicies. */
export function enforcesPolicies({ topology }: ClusterObjects): boolean {
  return ENFORCES[topology.cni.plugin];
}

export interface NodeOnNetwork {
  readonly node: Node;
  readonly uplinkAddresses: readonly InterfaceAddress[];
  readonly nodes: readonly NetworkNode[];
}

/** The question to the planner of `cluster`'s network about one node. */
export function networkInput(
  { topology, podCIDRs, podSubnets }: ClusterObjects,
  { node, uplinkAddresses, nodes }: NodeOnNetwork,
): NetworkInput {
  const { plugin, ...options } = topology.cni;
  const { name } = node.metadata;
  return {
    // ptp is kindnet's wiring alone.
    network: plugin === 'ptp' ? 'kindnet' : plugin,
    options: plugin === 'ptp' ? { ...options, masquerade: false } : options,
    node: {
      name,
      addresses: uplinkAddresses.map(({ address }) => address),
      podCIDRs: podCIDRs.get(name) ?? [],
    },
    nodes,
    podSubnets,
    uplink: { name: topology.devices.uplink, mtu: topology.nodeNetwork.mtu, addresses: uplinkAddresses },
  };
}
