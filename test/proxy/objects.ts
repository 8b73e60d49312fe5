/** API objects for tests, complete with the API's defaults; each call gives what differs. */
import {
  DEFAULT_KUBE_PROXY_CONFIGURATION,
  type KubeProxyConfiguration,
} from '../../src/kube/kube-proxy-configuration.ts';
import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
  LoadBalancerIngress,
  Node,
  NodeAddress,
  Service,
  ServicePort,
} from '../../src/kube/objects.ts';
import { generateIptablesRules } from '../../src/proxy/iptables/generate.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../src/wire/ip-prefix.ts';

const origin = { file: 'test.yaml', line: 1 };

type Labels = Readonly<Record<string, string>>;

export interface Labelled {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

function metadata({ name = 'web', namespace = 'default', labels = {}, annotations = {} }: Labelled) {
  return { name, namespace, labels, annotations };
}

export function node(
  given: {
    name?: string;
    labels?: Labels;
    podCIDRs?: readonly string[];
    addresses?: readonly NodeAddress[];
  } = {},
): Node {
  const { name = 'worker-1', labels = { 'topology.kubernetes.io/zone': 'zone-a' } } = given;
  return {
    kind: 'Node',
    metadata: metadata({ name, namespace: '', labels }),
    origin,
    spec: { podCIDRs: given.podCIDRs ?? ['10.244.1.0/24'], unschedulable: false, taints: [] },
    status: {
      addresses: given.addresses ?? [{ type: 'InternalIP', address: '172.18.0.2' }],
      ready: true,
    },
  };
}

export const httpPort: ServicePort = {
  name: 'http',
  protocol: 'TCP',
  port: 80,
  targetPort: 8080,
  nodePort: 0,
};

export type ServiceFields = Labelled &
  Partial<Service['spec']> & { readonly ingress?: readonly LoadBalancerIngress[] };

export function service(given: ServiceFields = {}): Service {
  const { name, namespace, labels, annotations, ingress = [], ...spec } = given;
  const clusterIP = spec.clusterIP ?? spec.clusterIPs?.[0] ?? '10.96.0.10';
  return {
    kind: 'Service',
    metadata: metadata(given),
    origin,
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [clusterIP.includes(':') ? 'IPv6' : 'IPv4'],
      ports: [httpPort],
      externalIPs: [],
      loadBalancerSourceRanges: [],
      sessionAffinity: 'None',
      sessionAffinityTimeout: 10800,
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      healthCheckNodePort: 0,
      publishNotReadyAddresses: false,
      allocateLoadBalancerNodePorts: true,
      ...spec,
    },
    status: { loadBalancer: { ingress } },
  };
}

/** Ready unless `conditions` says otherwise. */
export function endpoint(address: string, given: Partial<Endpoint> = {}): Endpoint {
  return { addresses: [address], conditions: {}, zoneHints: [], ...given };
}

export type SliceFields = Labelled & {
  readonly service?: string;
  readonly addressType?: string;
  readonly ports?: readonly EndpointPort[];
};

export function slice(endpoints: readonly Endpoint[], given: SliceFields = {}): EndpointSlice {
  const { service: owner = 'web', labels = {}, addressType = 'IPv4' } = given;
  return {
    kind: 'EndpointSlice',
    metadata: metadata({
      ...given,
      name: given.name ?? `${owner}-a`,
      labels: { 'kubernetes.io/service-name': owner, ...labels },
    }),
    origin,
    addressType,
    ports: given.ports ?? [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints,
  };
}

/** The defaults, with clusterCIDR 10.244.0.0/16. */
export function configuration(given: Partial<KubeProxyConfiguration> = {}): KubeProxyConfiguration {
  return { ...DEFAULT_KUBE_PROXY_CONFIGURATION, clusterCIDRs: [parseIpPrefix('10.244.0.0/16')], ...given };
}

/** Other iptables options than the default ones. */
export function iptablesOptions(
  given: Partial<KubeProxyConfiguration['iptables']>,
): Pick<KubeProxyConfiguration, 'iptables'> {
  return { iptables: { ...DEFAULT_KUBE_PROXY_CONFIGURATION.iptables, ...given } };
}

export interface Situation {
  readonly configuration?: KubeProxyConfiguration;
  readonly node?: Node;
  readonly services?: readonly Service[];
  readonly slices?: readonly EndpointSlice[];
  readonly family?: IpFamily;
  readonly sysctls?: Readonly<Record<string, string>>;
}

/** The rule lines of `chain` in `table`, `-A CHAIN ` cut off. */
export function rulesIn(table: string, chain: string, situation: Situation): readonly string[] {
  const [section = ''] = new RegExp(`^\\*${table}\n[\\s\\S]*?^COMMIT$`, 'm').exec(generate(situation)) ?? [];
  const start = `-A ${chain} `;
  return section.split('\n').flatMap((line) => (line.startsWith(start) ? [line.slice(start.length)] : []));
}

/** All chains of `table`. */
export function chainsIn(table: string, situation: Situation): readonly string[] {
  const [section = ''] = new RegExp(`^\\*${table}\n[\\s\\S]*?^COMMIT$`, 'm').exec(generate(situation)) ?? [];
  return section.split('\n').flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []);
}

export function generate(situation: Situation): string {
  return generateIptablesRules({
    configuration: situation.configuration ?? configuration(),
    node: situation.node ?? node(),
    services: situation.services ?? [],
    endpointSlices: situation.slices ?? [],
    family: situation.family ?? 'ipv4',
    ...(situation.sysctls === undefined ? {} : { sysctls: situation.sysctls }),
  });
}
