/**
 * A cluster of many nodes, no two with the same rules: beside the Services of any cluster (workload.ts) there are
 * some whose traffic stays on the node (internalTrafficPolicy Local), as for agents that run on every node. So a
 * node's rules are those of any other but for the chains of those Services.
 */
import type { EndpointSlice, Service } from '../../kube/objects.ts';
import type { Chain } from '../../netfilter/rule-set.ts';
import type { RulesInput } from '../../proxy/iptables/generate.ts';
import { ownChains } from './sync-texts.ts';
import { clusterOf, endpointSlice, NODE, natTable, type Size, service } from './workload.ts';

/** Services whose traffic stays on the node. */
export const LOCAL_SERVICES = 10;

export interface ManyNodes {
  /** Of the Services that are the same for every node. */
  readonly size: Size;
  readonly nodes: number;
}

function nodeName(index: number): string {
  return `node-${index}`;
}

/** The endpoint of local Service number `local` on node number `node`: a pod of its own. */
function localSlice({ size, nodes }: ManyNodes, local: number, node: number): EndpointSlice {
  const index = size.services + local;
  const firstPod = size.services * size.endpoints + local * nodes + node;
  const slice = endpointSlice(index, { ...size, endpoints: 1 }, firstPod);
  return {
    ...slice,
    metadata: { ...slice.metadata, name: `${slice.metadata.name}-${node}` },
    endpoints: slice.endpoints.map((endpoint) => ({ ...endpoint, nodeName: nodeName(node) })),
  };
}

function localServices({ services, family }: Size): readonly Service[] {
  return Array.from({ length: LOCAL_SERVICES }, (_, local) => {
    const made = service(services + local, family);
    return { ...made, spec: { ...made.spec, internalTrafficPolicy: 'Local' as const } };
  });
}

/** What the proxy of node number `node` is given about the local Services, as far as it concerns that node. */
function localInput(many: ManyNodes, node: number): RulesInput {
  const { size } = many;
  const { configuration, family } = clusterOf({ ...size, services: 0 });
  return {
    configuration,
    family,
    node: { ...NODE, metadata: { ...NODE.metadata, name: nodeName(node) } },
    services: localServices(size),
    endpointSlices: Array.from({ length: LOCAL_SERVICES }, (_, local) => localSlice(many, local, node)),
    largeCluster: true,
  };
}

/** All that the proxy of node number `node` is given that has to do with its own rules. */
export function nodeInput(many: ManyNodes, node: number): RulesInput {
  const cluster = clusterOf(many.size);
  const local = localInput(many, node);
  return {
    ...local,
    services: [...cluster.services, ...local.services],
    endpointSlices: [...cluster.endpointSlices, ...local.endpointSlices],
  };
}

/** The chains of nat in which node number `node` differs from the others. */
export function nodeChains(many: ManyNodes, node: number): readonly Chain[] {
  const table = natTable(ownChains(localInput(many, node)), many.size.family);
  return [...table.chains.values()].filter(({ policy, name }) => policy === undefined && !/MARK/.test(name));
}
