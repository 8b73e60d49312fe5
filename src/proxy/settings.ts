/** What of a node and its kube-proxy configuration the rules depend on, in one family. */
import type { KubeProxyConfiguration } from '../kube/kube-proxy-configuration.ts';
import type { Node } from '../kube/objects.ts';
import type { IpAddress, IpFamily } from '../wire/ip-address.ts';
import { type LocalDetector, localDetectorOf } from './local-detector.ts';
import { localAddresses, nodeIpOf } from './node-addresses.ts';
import {
  type NodePortAddresses,
  nodePortAddresses,
  nodePortNetworks,
  reachesIpv4Loopback,
} from './node-port-addresses.ts';
import type { HintsUse, TopologyContext } from './topology.ts';

export interface ProxySettings {
  readonly family: IpFamily;
  /** Endpoints of this node are local. */
  readonly nodeName: string;
  readonly nodeIp: IpAddress;
  readonly topology: TopologyContext;
  readonly masqueradeAll: boolean;
  /** One bit, unsigned. */
  readonly masqueradeMark: number;
  readonly localDetector: LocalDetector;
  readonly nodePortAddresses: NodePortAddresses;
  /** True when node ports are really served on 127.0.0.1. */
  readonly localhostNodePorts: boolean;
  /** True when forwarded packets in conntrack state INVALID are dropped. */
  readonly dropsInvalid: boolean;
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

interface FeatureGate {
  readonly name: string;
  /** The gate that switches all of its stage. */
  readonly stage: 'AllAlpha' | 'AllBeta';
  readonly onByDefault: boolean;
}

/** As of Kubernetes 1.30. */
const TOPOLOGY_AWARE_HINTS: FeatureGate = { name: 'TopologyAwareHints', stage: 'AllBeta', onByDefault: true };
const TRAFFIC_DISTRIBUTION: FeatureGate = {
  name: 'ServiceTrafficDistribution',
  stage: 'AllAlpha',
  onByDefault: false,
};

function isEnabled({ featureGates }: KubeProxyConfiguration, gate: FeatureGate): boolean {
  return featureGates[gate.name] ?? featureGates[gate.stage] ?? gate.onByDefault;
}

function hintsUse(configuration: KubeProxyConfiguration): HintsUse {
  if (!isEnabled(configuration, TOPOLOGY_AWARE_HINTS)) return 'never';
  return isEnabled(configuration, TRAFFIC_DISTRIBUTION) ? 'always' : 'by-annotation';
}

/** Where the settings come from. */
export interface SettingsInput {
  readonly configuration: KubeProxyConfiguration;
  /** The node that the proxy runs on. */
  readonly node: Node;
  readonly family: IpFamily;
  /** What the node's kernel has set when the proxy starts, by dotted name; what is absent is at its default. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

const TCP_BE_LIBERAL = 'net.netfilter.nf_conntrack_tcp_be_liberal';

/** kube-proxy reads the sysctl after it has set it, if it was told to; any value but 0 counts. */
function isTcpLiberal({ configuration, sysctls }: SettingsInput): boolean {
  return configuration.conntrack.tcpBeLiberal || Number(sysctls?.[TCP_BE_LIBERAL] ?? 0) !== 0;
}

/** The settings of iptables mode. */
export function proxySettings(input: SettingsInput): ProxySettings {
  const { configuration, node, family } = input;
  const { iptables } = configuration;
  const networks = nodePortNetworks(configuration.nodePortAddresses, family);
  const localhostNodePorts =
    family === 'ipv4' && iptables.localhostNodePorts && reachesIpv4Loopback(networks);
  return {
    family,
    nodeName: node.metadata.name,
    nodeIp: nodeIpOf(node, family, configuration.bindAddress),
    topology: { zone: node.metadata.labels[ZONE_LABEL] ?? '', hintsUse: hintsUse(configuration) },
    masqueradeAll: iptables.masqueradeAll,
    masqueradeMark: (1 << iptables.masqueradeBit) >>> 0,
    localDetector: localDetectorOf(configuration, node, family),
    nodePortAddresses: nodePortAddresses(networks, {
      local: localAddresses(node, family),
      localhostNodePorts,
    }),
    localhostNodePorts,
    dropsInvalid: !isTcpLiberal(input),
  };
}
