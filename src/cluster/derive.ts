/** What the control plane would add to the objects given, step by step; each step is a function of its own. */
import {
  DEFAULT_KUBE_PROXY_CONFIGURATION,
  type KubeProxyConfiguration,
} from '../kube/kube-proxy-configuration.ts';
import type { EndpointSlice, Node, OtherObject, Pod, Service, Workload } from '../kube/objects.ts';
import { type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import type { GivenObjects } from './collect.ts';
import { DEFAULT_TOPOLOGY, type Topology } from './topology.ts';

/** A whole cluster as objects: nothing in it is left to be allocated. */
export interface ClusterObjects {
  readonly config: KubeProxyConfiguration;
  readonly topology: Topology;
  readonly nodes: readonly Node[];
  /** Each node's pod networks, at most one a family, by node name. */
  readonly podCIDRs: ReadonlyMap<string, readonly IpPrefix[]>;
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly others: readonly OtherObject[];
}

/** Completes `given`. Throws InputError where the given objects contradict one another. */
export function deriveCluster(given: GivenObjects): ClusterObjects {
  const podCIDRs = new Map(
    given.nodes.map((node) => [node.metadata.name, node.spec.podCIDRs.map(parseIpPrefix)] as const),
  );
  return {
    config: given.config ?? DEFAULT_KUBE_PROXY_CONFIGURATION,
    topology: given.topology ?? DEFAULT_TOPOLOGY,
    nodes: given.nodes,
    podCIDRs,
    pods: given.pods,
    workloads: given.workloads,
    services: given.services,
    endpointSlices: given.endpointSlices,
    others: given.others,
  };
}
