/**
 * kubewire.dev/v1alpha1 Topology: what a cluster's network needs and Kubernetes has no word for. Everything
 * in it is optional, and one such object may be given. Its whole vocabulary:
 *
 *     apiVersion: kubewire.dev/v1alpha1
 *     kind: Topology
 *     nodeNetwork:                      # the network the nodes are on
 *       subnets: [172.18.0.0/16]        #   one a family
 *       gateways: [172.18.0.1]          #   its router, one a family; by default the first address
 *     cni: {plugin: ptp}                # what plumbs the pods: a veth each, routed, as kind's CNI does it
 *     devices:                          # names, where rules or people look at them
 *       uplink: eth0                    #   a node's device on the node network
 *       podPrefix: veth                 #   what the node's side of a pod's veth is called
 *     sysctls: {net.ipv4.ip_forward: 1} # on every node
 *     nodes:                            # one node's own
 *     - {name: worker-1, sysctls: {net.ipv4.conf.all.rp_filter: 1}}
 *     hosts:                            # machines outside the cluster
 *     - {name: laptop, addresses: [192.0.2.10/24], gateways: [192.0.2.1]}
 *     loadBalancer:                     # who answers for Services of type LoadBalancer
 *       pool: [192.0.2.10-192.0.2.50]   #   addresses to hand out (ranges, CIDRs); without it they stay pending
 *     serviceSubnets: [10.96.0.0/16]    # one a family
 *     podSubnets: [10.244.0.0/16]
 *     serviceNodePortRange: 30000-32767
 *
 * Unknown fields are errors: a misspelt one would leave the emulation different from what was meant.
 */
import type { AddressRange } from '../kube/controllers/load-balancer.ts';
import type { Origin } from '../kube/objects.ts';
import { type IpAddress, parseIpAddress } from '../wire/ip-address.ts';
import { type InterfaceAddress, type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';

/** The plugins that are emulated. */
export const CNI_PLUGINS = ['ptp'] as const;

export type CniPlugin = (typeof CNI_PLUGINS)[number];

export type Sysctls = Readonly<Record<string, string>>;

/** A machine that is no node. */
export interface OutsideHost {
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Where it sends what is not on its own link, at most one a family. Empty: the node network's gateway. */
  readonly gateways: readonly IpAddress[];
  readonly origin: Origin;
}

export interface Topology {
  readonly nodeNetwork: { readonly subnets: readonly IpPrefix[]; readonly gateways: readonly IpAddress[] };
  readonly cni: { readonly plugin: CniPlugin };
  readonly devices: { readonly uplink: string; readonly podPrefix: string };
  readonly sysctls: Sysctls;
  /** By node name; a node's own sysctls go over the common ones. */
  readonly nodeSysctls: ReadonlyMap<string, Sysctls>;
  readonly hosts: readonly OutsideHost[];
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
  },
  cni: { plugin: 'ptp' },
  devices: { uplink: 'eth0', podPrefix: 'veth' },
  sysctls: {},
  nodeSysctls: new Map(),
  hosts: [],
  loadBalancerPool: [],
  serviceSubnets: [],
  podSubnets: [],
  nodePortRange: { first: 30000, last: 32767 },
};

/** The sysctls that `topology` sets on the node called `node`: everybody's, its own over them. */
export function sysctlsOf(topology: Topology, node: string): Sysctls {
  return { ...topology.sysctls, ...topology.nodeSysctls.get(node) };
}
