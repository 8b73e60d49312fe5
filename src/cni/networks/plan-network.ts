/** What one node gets, by the name of the network. */
import { planCalico } from './calico.ts';
import { planFlannel } from './flannel.ts';
import { planKindnet } from './kindnet.ts';
import type { ClusterNetwork, NetworkInput, NodeNetworkPlan } from './network.ts';

const PLANS: Readonly<Record<ClusterNetwork, (input: NetworkInput) => NodeNetworkPlan>> = {
  kindnet: planKindnet,
  flannel: planFlannel,
  calico: planCalico,
};

/**
 * Plans what `input.network` gives `input.node`: pure, linear in the number of nodes. A pod network of a family
 * in which another node has no address, or this one no pods, gets no route there.
 */
export function planNodeNetwork(input: NetworkInput): NodeNetworkPlan {
  return PLANS[input.network](input);
}
