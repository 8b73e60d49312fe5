/** A cluster of any size, as kube-proxy's rules for one of its nodes. The same sizes give the same rules. */
import { DEFAULT_KUBE_PROXY_CONFIGURATION } from '../../kube/kube-proxy-configuration.ts';
import type { EndpointSlice, Node, Service } from '../../kube/objects.ts';
import type { Table } from '../../netfilter/rule-set.ts';
import { generateIptablesRules, type RulesInput } from '../../proxy/iptables/generate.ts';
import { toRuleSet } from '../../ruletext/load-rules.ts';
import { parseRules } from '../../ruletext/parse-rules.ts';
import { formatIpAddress, type IpAddress, type IpFamily, ipv6 } from '../../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';

export interface Size {
  readonly services: number;
  /** Of each Service. */
  readonly endpoints: number;
  readonly family: IpFamily;
}

const NODES = 3;
const NAMESPACE_SERVICES = 100;
const SERVICE_NET = 0x0a600000; // 10.96.0.0/11: two million Services
const POD_NET = 0x64400000; // 100.64.0.0/10: four million pods
const CLUSTER_CIDRS = ['100.64.0.0/10', 'fd64::/16'].map(parseIpPrefix);
export const SERVICE_PORT = 80;
const TARGET_PORT = 8080;

/** The clusterIP of Service number `index`. */
export function serviceAddress(index: number, family: IpFamily): IpAddress {
  return family === 'ipv4' ? SERVICE_NET + index + 1 : ipv6(0xfd960000, 0, 0, index + 1);
}

/** The address of pod number `index`; the first of the net is the node's. */
export function podAddress(index: number, family: IpFamily): IpAddress {
  return family === 'ipv4' ? POD_NET + index + 2 : ipv6(0xfd640000, 0, 0, index + 2);
}

const origin = { file: 'bench', line: 1 };

/** Names in whose order the rules stand: that of the indexes, whatever the size. */
function serviceName(index: number): { readonly name: string; readonly namespace: string } {
  const digits = (value: number) => String(value).padStart(7, '0');
  return { name: `svc-${digits(index)}`, namespace: `ns-${digits(Math.floor(index / NAMESPACE_SERVICES))}` };
}

function metadata(name: string, namespace: string, labels: Readonly<Record<string, string>> = {}) {
  return { name, namespace, labels, annotations: {} };
}

/** Whose rules are asked for. */
export const NODE: Node = {
  kind: 'Node',
  metadata: metadata('worker-1', ''),
  origin,
  spec: { podCIDRs: ['100.64.0.0/24', 'fd64::/64'], unschedulable: false, taints: [] },
  status: {
    addresses: [
      { type: 'InternalIP', address: '172.18.0.2' },
      { type: 'InternalIP', address: 'fd18::2' },
    ],
    ready: true,
  },
};

/** The node's own addresses. */
export const LOCAL_ADDRESSES: readonly IpPrefix[] = [
  '127.0.0.0/8',
  '172.18.0.2/32',
  '::1/128',
  'fd18::2/128',
].map(parseIpPrefix);

/** Service number `index`. */
export function service(index: number, family: IpFamily): Service {
  const clusterIP = formatIpAddress(serviceAddress(index, family));
  const { name, namespace } = serviceName(index);
  return {
    kind: 'Service',
    metadata: metadata(name, namespace),
    origin,
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [family === 'ipv4' ? 'IPv4' : 'IPv6'],
      ports: [{ name: 'http', protocol: 'TCP', port: SERVICE_PORT, targetPort: TARGET_PORT, nodePort: 0 }],
      externalIPs: [],
      loadBalancerSourceRanges: [],
      sessionAffinity: 'None',
      sessionAffinityTimeout: 10800,
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      healthCheckNodePort: 0,
      publishNotReadyAddresses: false,
      allocateLoadBalancerNodePorts: true,
    },
    status: { loadBalancer: { ingress: [] } },
  };
}

/** The slice of Service number `index`; its pods are numbered from `firstPod`. */
export function endpointSlice(
  index: number,
  { endpoints, family }: Size,
  firstPod = index * endpoints,
): EndpointSlice {
  const { name, namespace } = serviceName(index);
  return {
    kind: 'EndpointSlice',
    metadata: metadata(`${name}-a`, namespace, { 'kubernetes.io/service-name': name }),
    origin,
    addressType: family === 'ipv4' ? 'IPv4' : 'IPv6',
    ports: [{ name: 'http', protocol: 'TCP', port: TARGET_PORT }],
    endpoints: Array.from({ length: endpoints }, (_, n) => ({
      addresses: [formatIpAddress(podAddress(firstPod + n, family))],
      conditions: { ready: true },
      nodeName: `worker-${(n % NODES) + 1}`,
      zoneHints: [],
    })),
  };
}

/** What the proxy of one node is given. */
export function clusterOf(size: Size): RulesInput & {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
} {
  const indexes = Array.from({ length: size.services }, (_, index) => index);
  return {
    configuration: { ...DEFAULT_KUBE_PROXY_CONFIGURATION, clusterCIDRs: CLUSTER_CIDRS },
    node: NODE,
    family: size.family,
    services: indexes.map((index) => service(index, size.family)),
    endpointSlices: indexes.map((index) => endpointSlice(index, size)),
  };
}

/** kube-proxy's rules for a cluster of `size`, as text. */
export function rulesText(size: Size): string {
  return generateIptablesRules(clusterOf(size));
}

/** The nat table that `text` loads. */
export function natTable(text: string, family: IpFamily): Table {
  const nat = toRuleSet(parseRules(text, { family })).tables.get('nat');
  if (nat === undefined) throw new RangeError('the rules have no nat table');
  return nat;
}
