/** The nodes of a cluster with their addresses and pod networks. */
import { allocateNodeSubnets } from '../cni/ipam/node-subnets.ts';
import { assignNodeAddresses, nodeIps } from '../kube/controllers/node-addresses.ts';
import { defaultNodes, kindNodes } from '../kube/controllers/nodes.ts';
import { originWithin } from '../kube/manifest/manifest.ts';
import type { Node, Origin } from '../kube/objects.ts';
import { describeObject } from '../kube/refusal.ts';
import { InputError } from '../sim/input-error.ts';
import { formatIpAddress } from '../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import type { ClusterNetworks } from './derive-networks.ts';
import type { GivenObjects } from './load-objects.ts';
import { DEFAULT_TOPOLOGY } from './topology.ts';

export interface ClusterNodes {
  readonly nodes: readonly Node[];
  /** Each node's pod networks, at most one a family, by node name. */
  readonly podCIDRs: ReadonlyMap<string, readonly IpPrefix[]>;
}

/** Of what nobody wrote. */
const NOWHERE: Origin = { file: '(default)', line: 0 };

/** The nodes that other objects speak of. */
function namedNodes({ pods, endpointSlices, config }: GivenObjects): Set<string> {
  const names = [
    config?.hostnameOverride,
    ...pods.map((pod) => pod.spec.nodeName),
    ...endpointSlices.flatMap(({ endpoints }) => endpoints.map(({ nodeName }) => nodeName)),
  ];
  return new Set(names.filter((name) => name !== undefined));
}

/** Nodes given, those that a kind file lists beside them, or the default ones. */
function allNodes(given: GivenObjects): readonly Node[] {
  const { nodes, kindCluster } = given;
  if (kindCluster === undefined) return nodes.length > 0 ? nodes : defaultNodes(namedNodes(given), NOWHERE);
  // A kind file without a list of nodes stands for one node, unless Node objects say otherwise.
  if (nodes.length > 0 && kindCluster.nodes.length === 0) return nodes;
  const names = new Set(nodes.map((node) => node.metadata.name));
  return [...nodes, ...kindNodes(kindCluster).filter((node) => !names.has(node.metadata.name))];
}

function checkTopologyNodes(
  { topology, topologyOrigin = NOWHERE }: GivenObjects,
  nodes: readonly Node[],
): void {
  const names = nodes.map((node) => node.metadata.name);
  for (const [index, name] of [...(topology?.nodes.keys() ?? [])].entries()) {
    if (names.includes(name)) continue;
    const { file, line } = originWithin(topologyOrigin, ['nodes', index]);
    throw new InputError(`Topology: there is no Node ${name}; the nodes are ${names.join(', ')}`, {
      file,
      line,
    });
  }
}

/** Machines outside have addresses of their own. */
function checkHosts({ topology }: GivenObjects, nodes: readonly Node[]): void {
  const owners = new Map(
    nodes.flatMap((node) => nodeIps(node).map((ip) => [formatIpAddress(ip), describeObject(node)])),
  );
  for (const { name, addresses, origin } of topology?.hosts ?? []) {
    for (const text of addresses.map(({ address }) => formatIpAddress(address))) {
      const owner = owners.get(text);
      if (owner !== undefined) {
        const where = { file: origin.file, line: origin.line };
        throw new InputError(`Topology: host ${name}: ${text} is the address of ${owner} too`, where);
      }
      owners.set(text, `host ${name}`);
    }
  }
}

/** Completes the nodes. Throws InputError for clashes among what is given and for networks that run out. */
export function deriveNodes(given: GivenObjects, networks: ClusterNetworks): ClusterNodes {
  const { nodeNetwork, hosts } = given.topology ?? DEFAULT_TOPOLOGY;
  const reserved = [
    ...nodeNetwork.gateways,
    ...hosts.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
  ];
  const nodes = assignNodeAddresses(allNodes(given), { subnets: networks.nodeSubnets, reserved });
  checkTopologyNodes(given, nodes);
  checkHosts(given, nodes);
  const requests = nodes.map(({ metadata, spec, origin }) => ({
    nodeName: metadata.name,
    given: spec.podCIDRs.map(parseIpPrefix),
    origin: spec.podCIDRs.length > 0 ? originWithin(origin, ['spec', 'podCIDRs']) : origin,
  }));
  const podCIDRs = allocateNodeSubnets(requests, networks.podSubnets);
  return {
    nodes: nodes.map((node) => {
      const cidrs = (podCIDRs.get(node.metadata.name) ?? []).map(formatIpPrefix);
      return node.spec.podCIDRs.length > 0 ? node : { ...node, spec: { ...node.spec, podCIDRs: cidrs } };
    }),
    podCIDRs,
  };
}
