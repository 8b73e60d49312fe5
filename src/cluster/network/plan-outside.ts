/**
 * The world around the nodes: the router of the node network, which stands for everything between the
 * cluster and its clients, and hosts beyond it. The router knows the way to pods, and sends the addresses of
 * load balancers and the externalIPs to a node, as an outer load balancer or a static route would.
 */
import type { Node, Service } from '../../kube/objects.ts';
import { tryParseSloppyIp } from '../../kube/sloppy-address.ts';
import type { Route } from '../../netstack/route-table.ts';
import { familyOf, type IpAddress, ipv6, parseIpAddress } from '../../wire/ip-address.ts';
import { hostPrefix, type InterfaceAddress, prefixContains, prefixOf } from '../../wire/ip-prefix.ts';
import type { ClusterObjects } from '../derive.ts';
import type { OutsideHost } from '../topology.ts';
import { type HostPlan, NO_RULES } from './host-plan.ts';
import { listensEverywhere, listensNowhere } from './listeners.ts';
import { nodeAddresses } from './plan-nodes.ts';
import { everywhere } from './plan-pods.ts';

export const ROUTER = 'router';
/** The router's devices: towards the nodes, and towards everybody else. */
export const ROUTER_LAN = 'lan0';
export const ROUTER_WAN = 'wan0';
/** An outside host's own name for its device. */
export const OUTSIDE_DEVICE = 'eth0';

/** The router's address for hosts that are only known by their own: link-local, so it clashes with nobody. */
const LINK_LOCAL_GATEWAYS: readonly IpAddress[] = [parseIpAddress('169.254.0.1'), ipv6(0xfe800000, 0, 0, 1)];

/** A host beyond the router, or on the node network itself. */
export interface OutsidePeer {
  readonly label: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly gateways: readonly IpAddress[];
  /** On the node network, where nodes reach it without the router. */
  readonly onNodeNetwork: boolean;
}

/** A host that the topology names. */
export function namedPeer({ name, addresses, gateways }: OutsideHost, cluster: ClusterObjects): OutsidePeer {
  const { subnets, gateways: routers } = cluster.topology.nodeNetwork;
  const onNodeNetwork = addresses.some(({ address }) =>
    subnets.some((prefix) => prefixContains(prefix, address)),
  );
  const fallback = onNodeNetwork ? routers : LINK_LOCAL_GATEWAYS;
  return {
    label: `host/${name}`,
    addresses,
    gateways: gateways.length === 0 ? fallback : gateways,
    onNodeNetwork,
  };
}

/** A client or server of which nothing but the address is known. */
export function anonymousPeer(label: string, address: IpAddress): OutsidePeer {
  return { label, addresses: [hostPrefix(address)], gateways: LINK_LOCAL_GATEWAYS, onNodeNetwork: false };
}

export interface OutsidePlan extends HostPlan {
  readonly kind: 'outside';
  readonly peer: OutsidePeer;
}

export function planPeer(peer: OutsidePeer): OutsidePlan {
  return {
    label: peer.label,
    kind: 'outside',
    peer,
    ownAddresses: peer.addresses.map(({ address }) => address),
    listens: listensEverywhere,
    rules: NO_RULES,
  };
}

const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** Nodes that have a ready endpoint of `service`: those that pass its health check under policy Local. */
function nodesWithEndpoints(service: Service, { endpointSlices }: ClusterObjects): Set<string> {
  const { namespace, name } = service.metadata;
  const slices = endpointSlices.filter(
    ({ metadata }) =>
      metadata.namespace === namespace && metadata.labels['kubernetes.io/service-name'] === name,
  );
  const ready = slices.flatMap(({ endpoints }) =>
    endpoints.filter(({ conditions }) => conditions.ready !== false),
  );
  return new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
}

/**
 * The node that an outer load balancer sends `service`'s traffic to: the first that passes the health check.
 * When none does, still the first ready one: so the network looks before the load balancer has noticed.
 */
export function loadBalancerNode(service: Service, cluster: ClusterObjects): Node | undefined {
  const ready = cluster.nodes.filter((node) => node.status.ready);
  const eligible = ready.filter((node) => !(EXCLUDE_LABEL in node.metadata.labels));
  const candidates = eligible.length === 0 ? ready : eligible;
  if (service.spec.externalTrafficPolicy === 'Local') {
    const healthy = nodesWithEndpoints(service, cluster);
    const local = candidates.find((node) => healthy.has(node.metadata.name));
    if (local !== undefined) return local;
  }
  return candidates[0];
}

/** The addresses of `service` that the world outside knows: load-balancer ingress and externalIPs. */
export function outerAddresses({ spec, status }: Service): IpAddress[] {
  const texts = [...status.loadBalancer.ingress.map(({ ip }) => ip ?? ''), ...spec.externalIPs];
  return texts.flatMap((text) => tryParseSloppyIp(text) ?? []);
}

function routesToServices(cluster: ClusterObjects): Route[] {
  return cluster.services.flatMap((service) => {
    const node = loadBalancerNode(service, cluster);
    if (node === undefined) return [];
    return outerAddresses(service).flatMap((address): Route[] => {
      const gateway = nodeAddresses(node).find((own) => familyOf(own) === familyOf(address));
      if (gateway === undefined) return [];
      return [{ type: 'unicast', prefix: hostPrefix(address), device: ROUTER_LAN, gateway, metric: 0 }];
    });
  });
}

function routesToPods(cluster: ClusterObjects): Route[] {
  return cluster.nodes.flatMap((node) => {
    const addresses = nodeAddresses(node);
    return (cluster.podCIDRs.get(node.metadata.name) ?? []).flatMap((prefix): Route[] => {
      const gateway = addresses.find((own) => familyOf(own) === familyOf(prefix.address));
      return gateway === undefined
        ? []
        : [{ type: 'unicast', prefix, device: ROUTER_LAN, gateway, metric: 0 }];
    });
  });
}

export interface RouterPlan extends HostPlan {
  readonly kind: 'router';
  readonly lanAddresses: readonly InterfaceAddress[];
  readonly wanAddresses: readonly InterfaceAddress[];
  /** What its devices do not bring along; made late, as it grows with the cluster. */
  readonly routes: () => readonly Route[];
}

/** The router's own addresses among the gateways that hosts outside name, with their on-link networks. */
function namedGateways(beyond: readonly OutsidePeer[]): InterfaceAddress[] {
  return beyond.flatMap(({ addresses, gateways }) =>
    gateways
      .filter((gateway) => !LINK_LOCAL_GATEWAYS.includes(gateway))
      .map((address): InterfaceAddress => {
        const around = addresses.find((peer) => prefixContains(prefixOf(peer.address, peer.length), address));
        return { address, length: around?.length ?? hostPrefix(address).length };
      }),
  );
}

/** Plans the router. What it has no route for vanishes, as private addresses do on the way through the world. */
export function planRouter(cluster: ClusterObjects, peers: readonly OutsidePeer[]): RouterPlan {
  const { subnets, gateways } = cluster.topology.nodeNetwork;
  const beyond = peers.filter((peer) => !peer.onNodeNetwork);
  const named = namedGateways(beyond);
  const toPeers = beyond.flatMap(({ addresses }) =>
    addresses.map(({ address }): Route => {
      return { type: 'unicast', prefix: hostPrefix(address), device: ROUTER_WAN, metric: 0 };
    }),
  );
  const toNobody = LINK_LOCAL_GATEWAYS.map((like): Route => {
    return { type: 'blackhole', prefix: everywhere(like), device: '', metric: 0xffffffff };
  });
  return {
    label: ROUTER,
    kind: 'router',
    lanAddresses: gateways.map((address) => ({
      address,
      length: subnets.find((prefix) => prefixContains(prefix, address))?.length ?? hostPrefix(address).length,
    })),
    wanAddresses: [...named, ...LINK_LOCAL_GATEWAYS.map(hostPrefix)],
    routes: () => [...toPeers, ...routesToServices(cluster), ...routesToPods(cluster), ...toNobody],
    ownAddresses: [...gateways, ...named.map(({ address }) => address)],
    listens: listensNowhere,
    rules: NO_RULES,
  };
}
