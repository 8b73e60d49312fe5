/**
 * The nodes of the emulated cluster: an uplink on the node network, a veth for each pod (as kind's ptp plugin
 * plumbs them), routes to the other nodes' pods, and the rules that kube-proxy programs.
 */
import type { Node } from '../../kube/objects.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { AddressBook } from '../../netstack/addressing.ts';
import { type Device, LOOPBACK } from '../../netstack/device.ts';
import type { Route } from '../../netstack/route-table.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { proxySettings } from '../../proxy/settings.ts';
import { toRuleSet } from '../../ruletext/load-rules.ts';
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
import { hostPrefix, type InterfaceAddress, prefixContains } from '../../wire/ip-prefix.ts';
import type { ClusterObjects } from '../derive.ts';
import { type Sysctls, sysctlsOf } from '../topology.ts';
import { type HostPlan, once } from './host-plan.ts';
import { listensNowhere, listensOn } from './listeners.ts';
import type { NetworkPod } from './pod-endpoints.ts';
import { conntrackSysctls, deviceSysctls } from './sysctls.ts';

const FAMILIES: readonly IpFamily[] = ['ipv4', 'ipv6'];

/** A pod's own subnet route to an address nobody has: as when the bridge's neighbour lookup fails. */
const UNREACHABLE_METRIC = 0xffffffff;

export interface NodePlanInput {
  readonly cluster: ClusterObjects;
  readonly node: Node;
  /** The pods on this node. */
  readonly pods: readonly NetworkPod[];
}

/** The node's addresses that are IP addresses (not host names), in the order of its status. */
export function nodeAddresses(node: Node): IpAddress[] {
  const ips = node.status.addresses.filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP');
  return ips.flatMap(({ address }) => tryParseIpAddress(address) ?? []);
}

/** The sysctls in force on `node`: everybody's, then its own, then what its kube-proxy sets. */
function nodeSysctls({ topology, config }: ClusterObjects, node: Node): Sysctls {
  const given = sysctlsOf(topology, node.metadata.name);
  const settings = proxySettings({ configuration: config, node, family: 'ipv4', sysctls: given });
  return {
    ...given,
    // kube-proxy serves node ports on loopback only with this; it sets it at start.
    ...(settings.localhostNodePorts ? { 'net.ipv4.conf.all.route_localnet': '1' } : {}),
    ...(config.conntrack.tcpBeLiberal ? { 'net.netfilter.nf_conntrack_tcp_be_liberal': '1' } : {}),
  };
}

/** `veth` and a hash of the pod's name: stable, however many pods come and go beside it. */
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

/** The router of the node network for `family`. */
export function nodeGateway({ topology }: ClusterObjects, family: IpFamily): IpAddress | undefined {
  return topology.nodeNetwork.gateways.find((address) => familyOf(address) === family);
}

function routesToOthers({ cluster, node }: NodePlanInput, uplink: string): Route[] {
  const routes: Route[] = [];
  const unicast = { type: 'unicast', device: uplink, metric: 0 } as const;
  for (const other of cluster.nodes) {
    if (other === node) continue;
    const addresses = nodeAddresses(other);
    for (const address of addresses) {
      const onLink = cluster.topology.nodeNetwork.subnets.some((prefix) => prefixContains(prefix, address));
      if (!onLink) routes.push({ ...unicast, prefix: hostPrefix(address) });
    }
    for (const prefix of cluster.podCIDRs.get(other.metadata.name) ?? []) {
      const gateway = addresses.find((address) => familyOf(address) === familyOf(prefix.address));
      if (gateway !== undefined) routes.push({ ...unicast, prefix, gateway });
    }
  }
  return routes;
}

function defaultRoutes(cluster: ClusterObjects, device: string): Route[] {
  return cluster.topology.nodeNetwork.gateways.map((gateway) => ({
    type: 'unicast',
    prefix: {
      address: typeof gateway === 'number' ? 0 : { w0: 0, w1: 0, w2: 0, w3: 0 },
      length: 0,
    },
    device,
    gateway,
    metric: 0,
  }));
}

/** kube-proxy's rules, through the same text as a user's file. */
function rulesOf(cluster: ClusterObjects, node: Node, sysctls: Sysctls): RuleSet[] {
  return FAMILIES.map((family) => {
    const text = generateIptablesRules({
      configuration: cluster.config,
      node,
      services: cluster.services,
      endpointSlices: cluster.endpointSlices,
      family,
      sysctls,
    });
    return toRuleSet(parseRules(text, { file: `rules of node ${node.metadata.name}`, family }));
  });
}

function nodeAddressBook(input: NodePlanInput, sysctls: Sysctls): AddressBook {
  const { cluster, node, pods } = input;
  const { uplink, podPrefix } = cluster.topology.devices;
  const subnets = cluster.podCIDRs.get(node.metadata.name) ?? [];
  const gateways = podGateways(cluster, node.metadata.name).map(hostPrefix);
  const guests = pods.filter((pod) => !pod.hostNetwork);
  const device = (name: string, addresses: readonly InterfaceAddress[]): Device => ({
    ...deviceSysctls(sysctls, name),
    name,
    addresses,
  });
  const uplinkAddresses = nodeAddresses(node).map((address) => onNodeNetwork(address, cluster));
  const devices = [
    { ...LOOPBACK, ...deviceSysctls(sysctls, 'lo') },
    device(uplink, uplinkAddresses),
    ...guests.map((pod) => device(vethName(podPrefix, pod), gateways)),
  ];
  const toPods = guests.flatMap((pod) =>
    pod.addresses.map((address): Route => {
      const prefix = hostPrefix(address);
      return { type: 'unicast', prefix, device: vethName(podPrefix, pod), metric: 0 };
    }),
  );
  const toNobody = subnets.map((prefix): Route => {
    return { type: 'unreachable', prefix, device: '', metric: UNREACHABLE_METRIC };
  });
  const routes = [
    ...toPods,
    ...toNobody,
    ...routesToOthers(input, uplink),
    ...defaultRoutes(cluster, uplink),
  ];
  return new AddressBook(devices, routes);
}

/** Plans `input.node`. Throws InputError when the node has no address. */
export function planNode(input: NodePlanInput): HostPlan {
  const { cluster, node, pods } = input;
  const { name } = node.metadata;
  const own = nodeAddresses(node);
  if (own.length === 0) throw new InputError(`Node ${name} has no InternalIP address`, node.origin);
  const sysctls = nodeSysctls(cluster, node);
  const ports = pods.filter((pod) => pod.hostNetwork).flatMap((pod) => pod.ports);
  return {
    label: `node/${name}`,
    kind: 'node',
    ownAddresses: own,
    listens: ports.length === 0 ? listensNowhere : listensOn(ports),
    addresses: once(() => nodeAddressBook(input, sysctls)),
    rules: once(() => rulesOf(cluster, node, sysctls)),
    conntrack: conntrackSysctls(sysctls),
  };
}
