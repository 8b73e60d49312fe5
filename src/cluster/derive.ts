/**
 * From the objects given to those of a whole cluster. Given objects are used as they are; what is missing is
 * added as the control plane would add it, one step after another, each a function of its own:
 *
 *     networks → nodes (addresses, pod networks) → pods of workloads → nodes and addresses of pods
 *              → Service addresses, node ports, load balancers → EndpointSlices
 */
import { deriveEndpointSlices, SERVICE_NAME_LABEL } from '../kube/controllers/endpoint-slices.ts';
import { assignLoadBalancers } from '../kube/controllers/load-balancer.ts';
import { mirrorEndpoints } from '../kube/controllers/mirror-endpoints.ts';
import { assignClusterIps } from '../kube/controllers/service-addresses.ts';
import { assignNodePorts } from '../kube/controllers/service-ports.ts';
import { growWorkloads } from '../kube/controllers/workloads.ts';
import {
  DEFAULT_KUBE_PROXY_CONFIGURATION,
  type KubeProxyConfiguration,
} from '../kube/kube-proxy-configuration.ts';
import type {
  EndpointSlice,
  NetworkPolicy,
  Node,
  ObjectMeta,
  OtherObject,
  Pod,
  Service,
  Workload,
} from '../kube/objects.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { type ClusterNetworks, clusterNetworks } from './derive-networks.ts';
import { deriveNodes } from './derive-nodes.ts';
import { placePods } from './derive-pods.ts';
import type { GivenObjects } from './load-objects.ts';
import { DEFAULT_TOPOLOGY, type Topology } from './topology.ts';

/** A whole cluster as objects: nothing in it is left to be allocated. */
export interface ClusterObjects {
  readonly config: KubeProxyConfiguration;
  readonly topology: Topology;
  /** One a family, the primary family first. */
  readonly podSubnets: readonly IpPrefix[];
  readonly serviceSubnets: readonly IpPrefix[];
  readonly nodes: readonly Node[];
  /** Each node's pod networks, at most one a family, by node name. */
  readonly podCIDRs: ReadonlyMap<string, readonly IpPrefix[]>;
  /** A pod that no node may run is Pending and has neither a node nor an address. */
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly others: readonly OtherObject[];
}

/** As kubeadm and kind configure kube-proxy: pods are known by the cluster's pod networks. */
function kubeProxyConfiguration({ config, kindCluster }: GivenObjects, podSubnets: readonly IpPrefix[]) {
  if (config !== undefined) return config;
  const mode = kindCluster?.networking.kubeProxyMode ?? DEFAULT_KUBE_PROXY_CONFIGURATION.mode;
  return { ...DEFAULT_KUBE_PROXY_CONFIGURATION, mode, clusterCIDRs: podSubnets };
}

function deriveServices(
  given: GivenObjects,
  { services: network }: ClusterNetworks,
  topology: Topology,
): Service[] {
  const addressed = assignClusterIps(given.services, network);
  const withPorts = assignNodePorts(addressed, topology.nodePortRange);
  return assignLoadBalancers(withPorts, topology.loadBalancerPool);
}

const serviceKey = ({ namespace, name }: ObjectMeta) => `${namespace}/${name}`;
const sliceOwner = ({ metadata }: EndpointSlice) =>
  `${metadata.namespace}/${metadata.labels[SERVICE_NAME_LABEL] ?? ''}`;

/** Slices given, Endpoints mirrored where no slice is given, and slices of selectors where there is neither. */
function deriveSlices(
  given: GivenObjects,
  services: readonly Service[],
  { pods, nodes }: Pick<ClusterObjects, 'pods' | 'nodes'>,
): EndpointSlice[] {
  const owners = new Set(given.endpointSlices.map(sliceOwner));
  const mirrored = given.endpoints
    .filter(({ metadata }) => !owners.has(serviceKey(metadata)))
    .flatMap(mirrorEndpoints);
  const slices = [...given.endpointSlices, ...mirrored];
  for (const slice of mirrored) owners.add(sliceOwner(slice));
  const taken = new Set(slices.map(({ metadata }) => serviceKey(metadata)));
  const without = services.filter(({ metadata }) => !owners.has(serviceKey(metadata)));
  return [...slices, ...deriveEndpointSlices(without, { pods, nodes }, taken)];
}

/** Completes `given`. Throws InputError where the given objects contradict one another. */
export function deriveCluster(given: GivenObjects): ClusterObjects {
  const topology = given.topology ?? DEFAULT_TOPOLOGY;
  const networks = clusterNetworks(given);
  const clusterNodes = deriveNodes(given, networks);
  const { nodes, podCIDRs } = clusterNodes;
  const grown = growWorkloads({ workloads: given.workloads, pods: given.pods }, nodes);
  const pods = placePods(grown.pods, clusterNodes, given.endpointSlices);
  const services = deriveServices(given, networks, topology);
  return {
    config: kubeProxyConfiguration(given, networks.podSubnets),
    topology,
    podSubnets: networks.podSubnets,
    serviceSubnets: networks.services.subnets,
    nodes,
    podCIDRs,
    pods,
    workloads: grown.workloads,
    services,
    endpointSlices: deriveSlices(given, services, { pods, nodes }),
    networkPolicies: given.networkPolicies,
    others: given.others,
  };
}
