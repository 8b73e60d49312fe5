/** The nodes of the emulated cluster as plans: addresses, sysctls, the rules of everybody who programs some. */
import type { Node } from '../../kube/objects.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { proxySettings } from '../../proxy/settings.ts';
import { mergeRuleSets } from '../../ruletext/load-rules.ts';
import { parseRules } from '../../ruletext/parse-rules.ts';
import { InputError } from '../../sim/input-error.ts';
import {
  addressBits,
  addToAddress,
  familyOf,
  type IpAddress,
  type IpFamily,
  tryParseIpAddress,
} from '../../wire/ip-address.ts';
import { type InterfaceAddress, prefixContains } from '../../wire/ip-prefix.ts';
import type { ClusterObjects } from '../derive.ts';
import { type Sysctls, sysctlsOf } from '../topology.ts';
import { type HostPlan, once } from './host-plan.ts';
import { listensNowhere, listensOn } from './listeners.ts';
import type { NetworkPod } from './pod-endpoints.ts';

const FAMILIES: readonly IpFamily[] = ['ipv4', 'ipv6'];

export interface NodePlan extends HostPlan {
  readonly kind: 'node';
  readonly object: Node;
  /** In the order of its status. */
  readonly uplinkAddresses: readonly InterfaceAddress[];
  /** What is set on it, by dotted names, over what Linux has by default. */
  readonly sysctls: Sysctls;
  /** Those that have a network of their own, not the node's. */
  readonly guests: readonly NetworkPod[];
}

/** The node's addresses that are IP addresses (not host names), in the order of its status. */
export function nodeAddresses(node: Node): IpAddress[] {
  const ips = node.status.addresses.filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP');
  return ips.flatMap(({ address }) => tryParseIpAddress(address) ?? []);
}

/** Nodes route: whoever sets a node up switches that on. */
const FORWARDING: Sysctls = { 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' };

/** What is set on `node`: everybody's, then its own, then what its kube-proxy sets. */
function nodeSysctls({ topology, config }: ClusterObjects, node: Node): Sysctls {
  const given = { ...FORWARDING, ...sysctlsOf(topology, node.metadata.name) };
  const settings = proxySettings({ configuration: config, node, family: 'ipv4', sysctls: given });
  return {
    ...given,
    // kube-proxy serves node ports on loopback only with this; it sets it at start.
    ...(settings.localhostNodePorts ? { 'net.ipv4.conf.all.route_localnet': '1' } : {}),
    ...(config.conntrack.tcpBeLiberal ? { 'net.netfilter.nf_conntrack_tcp_be_liberal': '1' } : {}),
  };
}

/** `prefix` and a hash of the pod's name: stable, however many pods come and go beside it. */
export function vethName(prefix: string, pod: NetworkPod): string {
  let hash = 0x811c9dc5;
  for (const char of pod.label) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return `${prefix}${(hash >>> 0).toString(16).padStart(8, '0')}`.slice(0, 15);
}

/** The addresses that a node's side of every veth has: its pods' gateways, the first of each pod network. */
export function podGateways({ podCIDRs }: ClusterObjects, node: string): IpAddress[] {
  return (podCIDRs.get(node) ?? []).map(({ address }) => addToAddress(address, 1));
}

/** `address` with the prefix length of the node network it lies in, or alone. */
function onNodeNetwork(address: IpAddress, { topology }: ClusterObjects): InterfaceAddress {
  const subnet = topology.nodeNetwork.subnets.find((prefix) => prefixContains(prefix, address));
  return { address, length: subnet?.length ?? addressBits(familyOf(address)) };
}

/** kube-proxy's rules, through the same text as a user's file, and those that the topology adds. */
function rulesOf(cluster: ClusterObjects, node: Node, sysctls: Sysctls): RuleSet[] {
  const { name } = node.metadata;
  const added = cluster.topology.nodes.get(name)?.rules ?? [];
  return FAMILIES.map((family) => {
    const text = generateIptablesRules({
      configuration: cluster.config,
      node,
      services: cluster.services,
      endpointSlices: cluster.endpointSlices,
      family,
      sysctls,
    });
    const own = parseRules(text, { file: `rules of node ${name}`, family });
    return mergeRuleSets([own, ...added.filter((rules) => rules.family === family)]);
  });
}

/** Plans `node`, on which `pods` run. Throws InputError when the node has no address. */
export function planNode(cluster: ClusterObjects, node: Node, pods: readonly NetworkPod[]): NodePlan {
  const { name } = node.metadata;
  const own = nodeAddresses(node);
  if (own.length === 0) throw new InputError(`Node ${name} has no InternalIP address`, node.origin);
  const sysctls = nodeSysctls(cluster, node);
  const ports = pods.filter((pod) => pod.hostNetwork).flatMap((pod) => pod.ports);
  return {
    label: `node/${name}`,
    kind: 'node',
    object: node,
    ownAddresses: own,
    uplinkAddresses: own.map((address) => onNodeNetwork(address, cluster)),
    sysctls,
    guests: pods.filter((pod) => !pod.hostNetwork),
    listens: ports.length === 0 ? listensNowhere : listensOn(ports),
    rules: once(() => rulesOf(cluster, node, sysctls)),
  };
}
