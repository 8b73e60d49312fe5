/** The nodes of the emulated cluster as plans: addresses, sysctls, the rules of everybody who programs some. */

import type { NetworkNode, NodeNetworkPlan } from '../../cni/networks/network.ts';
import { planNodeNetwork } from '../../cni/networks/plan-network.ts';
import type { PluginRules } from '../../cni/plugins/plugin-rules.ts';
import type { PolicyIndex } from '../../cni/policy/policy-index.ts';
import type { Node } from '../../kube/objects.ts';
import type { IpSet } from '../../netfilter/ip-set.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { proxySettings } from '../../proxy/settings.ts';
import { parseIpsetSave } from '../../ruletext/ipset-save.ts';
import { toRuleSet } from '../../ruletext/load-rules.ts';
import { InputError } from '../../sim/input-error.ts';
import {
  addressBits,
  familyOf,
  type IpAddress,
  type IpFamily,
  tryParseIpAddress,
} from '../../wire/ip-address.ts';
import { type InterfaceAddress, prefixContains } from '../../wire/ip-prefix.ts';
import type { ClusterObjects } from '../derive.ts';
import { type Sysctls, sysctlsOf } from '../topology.ts';
import { networkInput } from './cluster-network-choice.ts';
import { type HostPlan, once } from './host-plan.ts';
import { listensNowhere, listensOn } from './listeners.ts';
import type { NetworkPod } from './pod-endpoints.ts';
import type { RuleShelf } from './rule-shelf.ts';

const FAMILIES: readonly IpFamily[] = ['ipv4', 'ipv6'];

export interface NodePlan extends HostPlan {
  readonly kind: 'node';
  readonly object: Node;
  /** In the order of its status. */
  readonly uplinkAddresses: readonly InterfaceAddress[];
  /** What is set on it, by dotted names, over what Linux has by default. */
  readonly sysctls: Sysctls;
  /** Its rules with those that plugins have programmed for single pods. */
  readonly rulesWith: (plugins: PluginRules) => readonly RuleSet[];
  /** What the cluster network gives it: made late, as it grows with the number of nodes. */
  readonly network: () => NodeNetworkPlan;
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

/** `address` with the prefix length of the node network it lies in, or alone. */
function onNodeNetwork(address: IpAddress, { topology }: ClusterObjects): InterfaceAddress {
  const subnet = topology.nodeNetwork.subnets.find((prefix) => prefixContains(prefix, address));
  return { address, length: subnet?.length ?? addressBits(familyOf(address)) };
}

interface NodeRuleSources {
  readonly own: NodeNetworkPlan;
  readonly sysctls: Sysctls;
  /** What plugins have programmed for single pods. */
  readonly plugins?: PluginRules;
}

/** The rules of everybody who programs some on a node, in the order in which they do. */
function rulesOf(
  { cluster, node, shelf, policies }: NodePlanInput,
  { own, sysctls, plugins }: NodeRuleSources,
): RuleSet[] {
  const { name } = node.metadata;
  const added = cluster.topology.nodes.get(name)?.rules ?? [];
  return FAMILIES.map((family) => {
    const proxyRules = generateIptablesRules({
      configuration: cluster.config,
      node,
      services: cluster.services,
      endpointSlices: cluster.endpointSlices,
      family,
      sysctls,
    });
    const texts = [
      { text: proxyRules, by: 'kube-proxy' },
      { text: own.rules[family], by: own.network },
      { text: plugins?.text(family) ?? '', by: 'CNI plugins' },
      { text: policies?.nodeRules(name, family).rules ?? '', by: 'network policies' },
    ];
    return shelf.read(
      texts.map(({ text, by }) => ({ text, file: `${by}'s rules of node ${name}` })),
      { family, added: added.filter((rules) => rules.family === family) },
    );
  });
}

/** The sets that these rules look into. */
function setsOf({ node, policies }: NodePlanInput, own: NodeNetworkPlan): ReadonlyMap<string, IpSet> {
  const { name } = node.metadata;
  return new Map([
    ...parseIpsetSave(own.sets, `${own.network}'s sets of node ${name}`),
    ...FAMILIES.flatMap((family) => [...(policies?.loadedSets(name, family) ?? [])]),
  ]);
}

export interface NodePlanInput {
  readonly cluster: ClusterObjects;
  readonly node: Node;
  /** The pods on this node. */
  readonly pods: readonly NetworkPod[];
  /** Shared by all nodes. */
  readonly shelf: RuleShelf;
  /** Shared by all nodes; undefined where nobody enforces policies. */
  readonly policies: PolicyIndex | undefined;
  readonly peers: () => readonly NetworkNode[];
}

/** Plans `input.node`. Throws InputError when the node has no address. */
export function planNode(input: NodePlanInput): NodePlan {
  const { cluster, node, pods } = input;
  const { name } = node.metadata;
  const own = nodeAddresses(node);
  if (own.length === 0) throw new InputError(`Node ${name} has no InternalIP address`, node.origin);
  const sysctls = nodeSysctls(cluster, node);
  const uplinkAddresses = own.map((address) => onNodeNetwork(address, cluster));
  const network = once(() =>
    planNodeNetwork(networkInput(cluster, { node, uplinkAddresses, nodes: input.peers() })),
  );
  const ports = pods.filter((pod) => pod.hostNetwork).flatMap((pod) => pod.ports);
  return {
    label: `node/${name}`,
    kind: 'node',
    object: node,
    ownAddresses: own,
    uplinkAddresses,
    network,
    sysctls,
    guests: pods.filter((pod) => !pod.hostNetwork),
    listens: ports.length === 0 ? listensNowhere : listensOn(ports),
    rules: once(() => rulesOf(input, { own: network(), sysctls })),
    rulesWith: (plugins) => rulesOf(input, { own: network(), sysctls, plugins }),
    legacyRules: (cluster.topology.nodes.get(name)?.legacyRules ?? []).map((saved) => toRuleSet(saved)),
    sets: once(() => setsOf(input, network())),
  };
}
