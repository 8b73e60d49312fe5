/**
 * kubeproxy.config.k8s.io/v1alpha1 KubeProxyConfiguration: the fields of kube-proxy 1.30 that change what its
 * iptables and nftables modes program, with the real program's defaults and startup validation
 * (pkg/proxy/apis/config). Fields without such an effect (logging, client connection, ipvs, …) are ignored.
 */
import { familyOf, type IpAddress, type IpFamily } from '../wire/ip-address.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';

export type ProxyMode = 'iptables' | 'nftables';

/** How kube-proxy tells traffic of local pods, with the argument that the mode needs. */
export type DetectLocal =
  | { readonly mode: 'ClusterCIDR' }
  | { readonly mode: 'NodeCIDR' }
  | { readonly mode: 'BridgeInterface'; readonly bridgeInterface: string }
  | { readonly mode: 'InterfaceNamePrefix'; readonly interfaceNamePrefix: string };

/** What the iptables and nftables sections share. Periods are in seconds. */
export interface ProxierOptions {
  /** The bit of the packet mark that asks for masquerading, 0 to 31. */
  readonly masqueradeBit: number;
  readonly masqueradeAll: boolean;
  readonly syncPeriod: number;
  readonly minSyncPeriod: number;
}

export interface IptablesOptions extends ProxierOptions {
  readonly localhostNodePorts: boolean;
}

/** Timeouts are in seconds; 0 leaves the node's setting alone. */
export interface ConntrackOptions {
  readonly maxPerCore: number;
  readonly min: number;
  readonly tcpEstablishedTimeout: number;
  readonly tcpCloseWaitTimeout: number;
  /** True: nf_conntrack_tcp_be_liberal is set and the rule that drops INVALID packets is left out. */
  readonly tcpBeLiberal: boolean;
  readonly udpTimeout: number;
  readonly udpStreamTimeout: number;
}

export interface KubeProxyConfiguration {
  readonly mode: ProxyMode;
  /** Trimmed and lower-cased, as kube-proxy takes it; absent when the configuration names no node. */
  readonly hostnameOverride?: string;
  /** 0.0.0.0 unless given. */
  readonly bindAddress: IpAddress;
  /** None, one, or one of each family; host bits are cleared. */
  readonly clusterCIDRs: readonly IpPrefix[];
  readonly detectLocal: DetectLocal;
  /** Host bits are cleared; empty means every address. */
  readonly nodePortAddresses: readonly IpPrefix[];
  readonly iptables: IptablesOptions;
  readonly nftables: ProxierOptions;
  readonly conntrack: ConntrackOptions;
  readonly featureGates: Readonly<Record<string, boolean>>;
}

const DEFAULT_PROXIER: ProxierOptions = {
  masqueradeBit: 14,
  masqueradeAll: false,
  syncPeriod: 30,
  minSyncPeriod: 1,
};

/** What kube-proxy does when no configuration is given. */
export const DEFAULT_KUBE_PROXY_CONFIGURATION: KubeProxyConfiguration = {
  mode: 'iptables',
  bindAddress: 0,
  clusterCIDRs: [],
  detectLocal: { mode: 'ClusterCIDR' },
  nodePortAddresses: [],
  iptables: { ...DEFAULT_PROXIER, localhostNodePorts: true },
  nftables: DEFAULT_PROXIER,
  conntrack: {
    maxPerCore: 32768,
    min: 131072,
    tcpEstablishedTimeout: 86400,
    tcpCloseWaitTimeout: 3600,
    tcpBeLiberal: false,
    udpTimeout: 0,
    udpStreamTimeout: 0,
  },
  featureGates: {},
};

/** The cluster CIDR of `family`, when the configuration has one. */
export function clusterCidrOf(config: KubeProxyConfiguration, family: IpFamily): IpPrefix | undefined {
  return config.clusterCIDRs.find((prefix) => familyOf(prefix.address) === family);
}
