/**
 * Cluster networks: what the network plugins that people run give a node, as values.
 *
 *     (this node, all nodes, pod networks, options) ──planNodeNetwork──► NodeNetworkPlan
 *     NodeNetworkPlan ──applyNodeNetwork──► the node's Namespace
 *     (plan, a pod)   ──attachPod─────────► veth, addresses and routes on both sides
 *
 * A plan says everything about one node and is made when that node is first looked at: it grows with the
 * number of nodes, so that all of them at once would grow with its square.
 */
import type { IpAddress, IpFamily } from '../../wire/ip-address.ts';
import type { InterfaceAddress, IpPrefix } from '../../wire/ip-prefix.ts';
import type { MacAddress } from '../../wire/mac.ts';

/** The cluster networks that are emulated. */
export const CLUSTER_NETWORKS = ['kindnet', 'flannel', 'calico'] as const;
export type ClusterNetwork = (typeof CLUSTER_NETWORKS)[number];

/** A node as its peers know it. */
export interface NetworkNode {
  readonly name: string;
  /** Its addresses on the node network, the preferred of a family first. */
  readonly addresses: readonly IpAddress[];
  /** At most one a family. */
  readonly podCIDRs: readonly IpPrefix[];
}

export interface NetworkOptions {
  /**
   * The MTU of pods; by default that of the uplink less what the backend's headers take (50 for VXLAN, 20 for
   * IPIP), as the real ones work it out. A larger one is the misconfiguration that loses large packets.
   */
  readonly mtu?: number;
  /**
   * How packets to other nodes travel. flannel: `vxlan` (default) or `host-gw`. calico: `ipip` (default),
   * `ipip-cross-subnet` or `none`. kindnet routes always.
   */
  readonly backend?: NetworkBackend;
  /** flannel's net-conf.json: VXLAN only between nodes that are on different subnets. */
  readonly directRouting?: boolean;
  /** By default 1. */
  readonly vni?: number;
  /** Whether what leaves the cluster is masqueraded; by default true (flannel's --ip-masq, calico's natOutgoing). */
  readonly masquerade?: boolean;
  /** flannel: hairpin_mode of the bridge's ports; by default true. */
  readonly hairpinMode?: boolean;
}

export type NetworkBackend = 'vxlan' | 'host-gw' | 'ipip' | 'ipip-cross-subnet' | 'none';

export interface NetworkInput {
  readonly network: ClusterNetwork;
  readonly options?: NetworkOptions;
  /** The node that is planned. */
  readonly node: NetworkNode;
  /** Every node of the cluster; this one may be among them. */
  readonly nodes: readonly NetworkNode[];
  /** The cluster's pod networks, at most one a family. */
  readonly podSubnets: readonly IpPrefix[];
  /** The node's device on the node network, its addresses with their on-link networks. */
  readonly uplink: {
    readonly name: string;
    readonly mtu: number;
    readonly addresses: readonly InterfaceAddress[];
  };
}

/** A device that the network adds to a node. */
export type PlannedInterface =
  | { readonly kind: 'bridge'; readonly name: string; readonly mac?: MacAddress; readonly mtu: number }
  | {
      readonly kind: 'vxlan';
      readonly name: string;
      readonly mac: MacAddress;
      readonly mtu: number;
      readonly vni: number;
      /** UDP destination port: 8472, the kernel's own choice, which flannel keeps. */
      readonly port: number;
      /** The tunnel's own end, on `device`. */
      readonly local: IpAddress;
      readonly device: string;
      readonly learning: boolean;
    }
  | {
      readonly kind: 'ipip';
      readonly name: string;
      readonly mtu: number;
      /** Absent: whatever source the route to the other end has, as tunl0 does. */
      readonly local?: IpAddress;
    };

export interface PlannedRoute {
  readonly type: 'unicast' | 'blackhole';
  readonly prefix: IpPrefix;
  /** Empty for a blackhole. */
  readonly device: string;
  readonly gateway?: IpAddress;
  /** The gateway is taken to be on the link though no route says so (`onlink`). */
  readonly onlink?: true;
  readonly src?: IpAddress;
  /** What `ip route` calls the origin of the route: `bird`, `80`. */
  readonly protocol?: string;
}

/** A neighbour that never expires. */
export interface PlannedNeighbour {
  readonly device: string;
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

/** Behind which tunnel end a MAC address is. */
export interface PlannedFdbEntry {
  readonly device: string;
  readonly mac: MacAddress;
  readonly remote: IpAddress;
}

/** How the network joins a pod to its node. */
export type PodPlumbing =
  /** The node's end has the gateway's address; everything else is routed through it. */
  | { readonly kind: 'ptp' }
  /** The node's end is a port of `bridge`, which has the gateways' addresses. */
  | {
      readonly kind: 'bridge';
      readonly bridge: string;
      readonly hairpinMode: boolean;
      /** Networks to which pods have routes beside the default. */
      readonly routes: readonly IpPrefix[];
    }
  /** The node's end has no IPv4 address and answers for every one; pods are alone on their link. */
  | { readonly kind: 'proxy-arp' };

/** Everything that a cluster network gives one node. */
export interface NodeNetworkPlan {
  readonly network: ClusterNetwork;
  readonly node: string;
  /** In the order in which they are made. */
  readonly interfaces: readonly PlannedInterface[];
  readonly addresses: readonly { readonly device: string; readonly address: InterfaceAddress }[];
  readonly routes: readonly PlannedRoute[];
  readonly neighbours: readonly PlannedNeighbour[];
  readonly fdb: readonly PlannedFdbEntry[];
  /** By their dotted names. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** As for `iptables-restore --noflush`; empty where the network programs nothing. */
  readonly rules: Readonly<Record<IpFamily, string>>;
  /** As for `ipset restore`: the sets that `rules` look into. */
  readonly sets: string;
  /** The configuration with which pods are attached (JSON, CNI specification 1.0 §1). */
  readonly conflist: string;
  readonly podCIDRs: readonly IpPrefix[];
  readonly podMtu: number;
  readonly pods: PodPlumbing;
}
