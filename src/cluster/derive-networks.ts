/** Which networks a cluster has when its files say so only in part. */
import type { ServiceNetwork } from '../kube/controllers/service-addresses.ts';
import { familyOf, type IpFamily } from '../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import type { GivenObjects } from './load-objects.ts';
import { DEFAULT_TOPOLOGY, type Topology } from './topology.ts';

/** kind's and kubeadm's usual ones. */
const POD_SUBNET: Readonly<Record<IpFamily, IpPrefix>> = {
  ipv4: parseIpPrefix('10.244.0.0/16'),
  ipv6: parseIpPrefix('fd00:10:244::/56'),
};
const SERVICE_SUBNET: Readonly<Record<IpFamily, IpPrefix>> = {
  ipv4: parseIpPrefix('10.96.0.0/16'),
  ipv6: parseIpPrefix('fd00:10:96::/112'),
};

/** Lengths that can be cut into a /24 or a /64 a node. */
const CUTTABLE: Readonly<Record<IpFamily, readonly [shortest: number, longest: number]>> = {
  ipv4: [8, 24],
  ipv6: [48, 64],
};

export interface ClusterNetworks {
  /** One a family, the primary family first. */
  readonly podSubnets: readonly IpPrefix[];
  readonly services: ServiceNetwork;
  /** Those of the node network that the cluster's families need. */
  readonly nodeSubnets: readonly IpPrefix[];
}

const familiesOf = (prefixes: readonly IpPrefix[]) => [
  ...new Set(prefixes.map(({ address }) => familyOf(address))),
];

function isCuttable({ address, length }: IpPrefix): boolean {
  const [shortest, longest] = CUTTABLE[familyOf(address)];
  return length >= shortest && length <= longest;
}

/** What the files say about pod networks, the most explicit first; undefined when they say nothing. */
function statedPodSubnets({
  topology,
  kindCluster,
  config,
  nodes,
}: GivenObjects): readonly IpPrefix[] | undefined {
  if (topology !== undefined && topology.podSubnets.length > 0) return topology.podSubnets;
  if (kindCluster !== undefined) return kindCluster.networking.podSubnets;
  // kube-proxy's word for the pod network may be wider or narrower than what nodes can be given of.
  if (config !== undefined && config.clusterCIDRs.length > 0) {
    return config.clusterCIDRs.map((prefix) =>
      isCuttable(prefix) ? prefix : POD_SUBNET[familyOf(prefix.address)],
    );
  }
  const families = familiesOf(nodes.flatMap((node) => node.spec.podCIDRs.map(parseIpPrefix)));
  return families.length === 0 ? undefined : families.map((family) => POD_SUBNET[family]);
}

function serviceNetwork(
  { topology, kindCluster }: GivenObjects,
  families: readonly IpFamily[],
): ServiceNetwork {
  if (topology !== undefined && topology.serviceSubnets.length > 0) {
    return { subnets: topology.serviceSubnets, explicit: true };
  }
  if (kindCluster !== undefined) {
    const { serviceSubnets, serviceSubnetGiven } = kindCluster.networking;
    return { subnets: serviceSubnets, explicit: serviceSubnetGiven };
  }
  return { subnets: families.map((family) => SERVICE_SUBNET[family]), explicit: false };
}

/** The networks of the cluster that `given` describes: its own, and the usual ones for what it leaves open. */
export function clusterNetworks(given: GivenObjects): ClusterNetworks {
  const podSubnets = statedPodSubnets(given) ?? [POD_SUBNET.ipv4];
  const families = familiesOf(podSubnets);
  const { nodeNetwork }: Topology = given.topology ?? DEFAULT_TOPOLOGY;
  return {
    podSubnets,
    services: serviceNetwork(given, families),
    nodeSubnets: families.flatMap(
      (family) => nodeNetwork.subnets.find((subnet) => familyOf(subnet.address) === family) ?? [],
    ),
  };
}
