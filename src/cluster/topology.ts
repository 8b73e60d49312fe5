/**
 * kubewire.dev/v1alpha1 Topology: what a cluster's network needs and Kubernetes has no word for. Everything
 * in it is optional, and one such object may be given. Its whole vocabulary:
 *
 *     apiVersion: kubewire.dev/v1alpha1
 *     kind: Topology
 *     nodeNetwork:                      # the network the nodes are on
 *       subnets: [172.18.0.0/16]        #   one a family
 *       gateways: [172.18.0.1]          #   its router, one a family; by default the first address
 *       mtu: 1500
 *     cni:                              # what plumbs the pods and joins the nodes
 *       plugin: kindnet                 #   kindnet, flannel, calico, or ptp: kindnet's wiring without its rules
 *       mtu: 1450                       #   of the pods' devices; by default what the plugin chooses
 *       hairpinMode: true               #   of a bridge's ports, where the plugin has a bridge
 *       backend: vxlan                  #   flannel: vxlan, host-gw; calico: ipip, ipip-cross-subnet, none
 *       masquerade: true                #   what leaves the pod networks
 *     devices:                          # names, where rules or people look at them
 *       uplink: eth0                    #   a node's device on the node network
 *       podPrefix: veth                 #   what the node's side of a pod's veth is called
 *     sysctls: {net.ipv4.ip_forward: 1} # on every node
 *     nodes:                            # one node's own
 *     - name: worker-1
 *       sysctls: {net.ipv4.conf.all.rp_filter: 1}
 *       routes: [{dst: 192.0.2.0/24, via: 172.18.0.9}]   # over those of the plugin; also dev, metric, type
 *       iptables: |                     #   iptables-restore text, loaded behind the rules of kube-proxy and
 *         *filter                       #   the plugin; ip6tables likewise
 *         :FORWARD DROP [0:0]
 *         COMMIT
 *       iptablesLegacy: ""              #   what iptables-legacy holds beside them; ip6tablesLegacy likewise
 *     hosts:                            # machines outside the cluster
 *     - {name: laptop, addresses: [192.0.2.10/24], gateways: [192.0.2.1]}
 *     links:                            # what a wire is like, seen from one end; by default perfect
 *     - {at: node/worker-1, latency: 2ms, jitter: 1ms, loss: 5%, reorder: 1%, duplicate: 1%,
 *        bandwidth: 100Mbit, queue: 1000, mtu: 1400, up: true}
 *     loadBalancer:                     # who answers for Services of type LoadBalancer
 *       pool: [192.0.2.10-192.0.2.50]   #   addresses to hand out (ranges, CIDRs); without it they stay pending
 *     serviceSubnets: [10.96.0.0/16]    # one a family
 *     podSubnets: [10.244.0.0/16]
 *     serviceNodePortRange: 30000-32767
 *
 * Unknown fields are errors: a misspelt one would leave the emulation different from what was meant.
 */
import type { NetworkBackend } from '../cni/networks/network.ts';
import type { AddressRange } from '../kube/controllers/load-balancer.ts';
import type { Origin } from '../kube/objects.ts';
import type { SavedRules } from '../ruletext/saved-rules.ts';
import { type IpAddress, parseIpAddress } from '../wire/ip-address.ts';
import { type InterfaceAddress, type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';

/** The cluster networks that are emulated. */
export const CNI_PLUGINS = ['kindnet', 'flannel', 'calico', 'ptp'] as const;

export type CniPlugin = (typeof CNI_PLUGINS)[number];

export interface CniChoice {
  readonly plugin: CniPlugin;
  /** Of the pods' devices, in bytes. */
  readonly mtu?: number;
  readonly hairpinMode?: boolean;
  /** How packets travel between nodes, where the plugin offers a choice. */
  readonly backend?: NetworkBackend;
  /** Whether what leaves the pod networks is masqueraded. */
  readonly masquerade?: boolean;
}

export type Sysctls = Readonly<Record<string, string>>;

/** A route that somebody added by hand. */
export interface StaticRoute {
  readonly type: 'unicast' | 'unreachable' | 'prohibit' | 'blackhole' | 'throw';
  readonly prefix: IpPrefix;
  readonly gateway?: IpAddress;
  /** By default the uplink. */
  readonly device?: string;
  readonly metric: number;
}

/** What one node has of its own. */
export interface NodeSettings {
  readonly sysctls: Sysctls;
  readonly routes: readonly StaticRoute[];
  /** At most one a family. */
  readonly rules: readonly SavedRules[];
  /** What the legacy iptables holds beside them; at most one a family. */
  readonly legacyRules: readonly SavedRules[];
}

/** What one end's wire is like, in both directions. Absent: no such flaw. */
export interface LinkSettings {
  /** `pod/NAMESPACE/NAME`, `node/NAME` or `host/NAME`: whose uplink it is. */
  readonly at: string;
  /** Seconds, each way. */
  readonly latency?: number;
  readonly jitter?: number;
  /** Shares of the frames, from 0 to 1. */
  readonly loss?: number;
  readonly reorder?: number;
  readonly duplicate?: number;
  /** Bits a second. */
  readonly bandwidth?: number;
  /** Frames that may wait for their turn. */
  readonly queue?: number;
  readonly mtu?: number;
  readonly up?: boolean;
  readonly origin: Origin;
}

/** A machine that is no node. */
export interface OutsideHost {
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Where it sends what is not on its own link, at most one a family. Empty: the node network's gateway. */
  readonly gateways: readonly IpAddress[];
  readonly origin: Origin;
}

export interface Topology {
  readonly nodeNetwork: {
    readonly subnets: readonly IpPrefix[];
    readonly gateways: readonly IpAddress[];
    readonly mtu: number;
  };
  readonly cni: CniChoice;
  readonly devices: { readonly uplink: string; readonly podPrefix: string };
  readonly sysctls: Sysctls;
  /** By node name; a node's own sysctls go over the common ones. */
  readonly nodes: ReadonlyMap<string, NodeSettings>;
  readonly hosts: readonly OutsideHost[];
  readonly links: readonly LinkSettings[];
  readonly loadBalancerPool: readonly AddressRange[];
  /** Empty unless given. */
  readonly serviceSubnets: readonly IpPrefix[];
  readonly podSubnets: readonly IpPrefix[];
  /** Both ends included. */
  readonly nodePortRange: { readonly first: number; readonly last: number };
}

/** Docker's default network of a kind cluster, and the names kind's CNI and others use. */
export const DEFAULT_TOPOLOGY: Topology = {
  nodeNetwork: {
    subnets: [parseIpPrefix('172.18.0.0/16'), parseIpPrefix('fc00:f853:ccd:e793::/64')],
    gateways: [parseIpAddress('172.18.0.1'), parseIpAddress('fc00:f853:ccd:e793::1')],
    mtu: 1500,
  },
  cni: { plugin: 'kindnet' },
  devices: { uplink: 'eth0', podPrefix: 'veth' },
  sysctls: {},
  nodes: new Map(),
  hosts: [],
  links: [],
  loadBalancerPool: [],
  serviceSubnets: [],
  podSubnets: [],
  nodePortRange: { first: 30000, last: 32767 },
};

/** The sysctls that `topology` sets on the node called `node`: everybody's, its own over them. */
export function sysctlsOf(topology: Topology, node: string): Sysctls {
  return { ...topology.sysctls, ...topology.nodes.get(node)?.sysctls };
}
