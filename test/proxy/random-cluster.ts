/**
 * Random clusters in API form, such as the API server would accept: every feature kube-proxy's rules depend
 * on, alone and mixed. The same seed gives the same objects.
 */
import { Random } from '../../src/sim/random.ts';

export type ApiObject = Record<string, unknown> & { kind: string };

export interface RandomCluster {
  readonly seed: number;
  /** The node whose rules to generate. */
  readonly node: string;
  readonly objects: readonly ApiObject[];
}

type Family = 'IPv4' | 'IPv6';

class Draw {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  some<T>(choices: readonly T[], percent: number): T[] {
    return choices.filter(() => this.chance(percent));
  }
}

const ZONES = ['zone-a', 'zone-b', 'zone-c'] as const;
const NODES = ['worker-1', 'worker-2', 'worker-3'] as const;

function makeNode(draw: Draw, index: number): ApiObject {
  const name = NODES[index] ?? NODES[0];
  const addresses = [
    { type: 'InternalIP', address: `172.18.0.${index + 2}` },
    ...(draw.chance(60) ? [{ type: 'InternalIP', address: `fd00:18::${index + 2}` }] : []),
    ...(draw.chance(30) ? [{ type: 'ExternalIP', address: `203.0.113.${index + 2}` }] : []),
    ...(draw.chance(30) ? [{ type: 'InternalIP', address: `192.168.7.${index + 2}` }] : []),
    { type: 'Hostname', address: name },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: draw.chance(80) ? { 'topology.kubernetes.io/zone': ZONES[index] } : {},
    },
    spec: {
      podCIDR: `10.244.${index + 1}.0/24`,
      podCIDRs: [`10.244.${index + 1}.0/24`, ...(draw.chance(70) ? [`fd00:10:244:${index + 1}::/64`] : [])],
    },
    status: { addresses, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

function makeConfiguration(draw: Draw): ApiObject {
  const mode = draw.pick([
    'ClusterCIDR',
    'ClusterCIDR',
    'ClusterCIDR',
    'NodeCIDR',
    'BridgeInterface',
    'InterfaceNamePrefix',
  ]);
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    hostnameOverride: draw.pick(['worker-1', 'worker-2', ' Worker-1 ']),
    clusterCIDR: draw.pick([
      '10.244.0.0/16',
      '10.244.0.0/16,fd00:10:244::/56',
      'fd00:10:244::/56,10.244.0.0/16',
      'fd00:10:244::/56',
      '',
      '10.0.0.0/8',
    ]),
    ...(draw.chance(70) ? { detectLocalMode: mode } : {}),
    detectLocal: { bridgeInterface: 'cni0', interfaceNamePrefix: draw.pick(['veth', 'cali', 'eni']) },
    ...(draw.chance(40)
      ? {
          nodePortAddresses: draw.pick([
            ['172.18.0.0/16'],
            ['192.168.0.0/16', 'fd00:18::/64'],
            ['127.0.0.0/8'],
            ['127.0.0.0/8', '172.18.0.0/24', '::1/128'],
            ['0.0.0.0/0'],
            ['203.0.113.0/24', '0.0.0.0/0'],
            ['::/0'],
            ['198.18.0.0/15'],
            ['126.0.0.0/7'],
          ]),
        }
      : {}),
    ...(draw.chance(20) ? { bindAddress: draw.pick(['0.0.0.0', '::', '172.18.0.9', 'fd00:18::9']) } : {}),
    ...(draw.chance(20) ? { conntrack: { tcpBeLiberal: draw.chance(50) } } : {}),
    iptables: {
      ...(draw.chance(30) ? { masqueradeAll: draw.chance(60) } : {}),
      ...(draw.chance(30) ? { masqueradeBit: draw.pick([0, 5, 14, 15, 30, 31]) } : {}),
      ...(draw.chance(30) ? { localhostNodePorts: draw.chance(40) } : {}),
    },
  };
}

interface ServiceShape {
  readonly name: string;
  readonly namespace: string;
  readonly families: readonly Family[];
  readonly ports: readonly { readonly name?: string; readonly protocol: string; readonly port: number }[];
}

function makePorts(draw: Draw): ServiceShape['ports'] {
  const protocol = () => draw.pick(['TCP', 'TCP', 'UDP', 'SCTP']);
  if (draw.chance(30)) return [{ protocol: protocol(), port: draw.between(1, 65535) }];
  return ['http', 'metrics', 'dns']
    .slice(0, draw.between(1, 3))
    .map((name, index) => ({ name, protocol: protocol(), port: 80 + index * 1000 + draw.below(900) }));
}

function makeAffinity(draw: Draw): Record<string, unknown> {
  if (draw.chance(75)) return { sessionAffinity: 'None' };
  const timeoutSeconds = draw.between(1, 86400);
  return {
    sessionAffinity: 'ClientIP',
    ...(draw.chance(60) ? { sessionAffinityConfig: { clientIP: { timeoutSeconds } } } : {}),
  };
}

function makeService(draw: Draw, shape: ServiceShape, index: number): ApiObject {
  const { families } = shape;
  const v4 = `10.96.${index}.${draw.between(1, 250)}`;
  const v6 = `fd00:96::${(index + 1).toString(16)}:${draw.between(1, 999)}`;
  const clusterIPs = families.map((family) => (family === 'IPv4' ? v4 : v6));
  const type = draw.pick(['ClusterIP', 'ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer']);
  const external = type === 'ClusterIP' ? draw.chance(30) : true;
  const withNodePorts = type === 'NodePort' || (type === 'LoadBalancer' && draw.chance(70));
  const externalPolicy = draw.pick(['Cluster', 'Local']);
  const ingress = draw.some(
    [
      { ip: `192.0.2.${index + 1}`, ipMode: 'VIP' },
      { ip: `192.0.2.${index + 101}` },
      { ip: `2001:db8::${index + 1}`, ipMode: 'VIP' },
      { ip: `198.51.100.${index + 1}`, ipMode: 'Proxy' },
      { hostname: 'lb.example.org' },
      { ip: `192.0.2.${index + 1}`, ipMode: 'VIP' },
    ],
    45,
  );
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: shape.name,
      namespace: shape.namespace,
      ...(draw.chance(5)
        ? {
            labels: {
              [draw.pick(['service.kubernetes.io/headless', 'service.kubernetes.io/service-proxy-name'])]: '',
            },
          }
        : {}),
      ...(draw.chance(35)
        ? {
            annotations: {
              [draw.pick([
                'service.kubernetes.io/topology-mode',
                'service.kubernetes.io/topology-aware-hints',
              ])]: draw.pick(['Auto', 'auto', 'Disabled', 'disabled', '', 'DISABLED']),
            },
          }
        : {}),
    },
    spec: {
      type,
      clusterIP: clusterIPs[0],
      clusterIPs,
      ipFamilies: families,
      ports: shape.ports.map(({ name, protocol, port }, n) => ({
        ...(name === undefined ? {} : { name }),
        protocol,
        port,
        targetPort: 8080,
        ...(withNodePorts ? { nodePort: 30000 + index * 10 + n } : {}),
      })),
      ...(external && draw.chance(40)
        ? {
            externalIPs: draw.some(
              [
                `198.51.100.${index + 101}`,
                `2001:db8:1::${index + 1}`,
                `198.51.100.${index + 201}`,
                `198.51.100.${index + 101}`,
              ],
              60,
            ),
          }
        : {}),
      ...makeAffinity(draw),
      internalTrafficPolicy: draw.pick(['Cluster', 'Cluster', 'Local']),
      ...(type === 'ClusterIP' ? {} : { externalTrafficPolicy: externalPolicy }),
      ...(type === 'LoadBalancer' && externalPolicy === 'Local'
        ? { healthCheckNodePort: 32000 + index }
        : {}),
      ...(type === 'LoadBalancer' && draw.chance(50)
        ? {
            loadBalancerSourceRanges: draw.some(
              [
                '203.0.113.0/24',
                ' 10.1.2.3/8 ',
                '172.18.0.0/16',
                '2001:db8:cafe::/48',
                'fd00:18::/64',
                '0.0.0.0/0',
              ],
              40,
            ),
          }
        : {}),
    },
    status: type === 'LoadBalancer' ? { loadBalancer: { ingress } } : { loadBalancer: {} },
  };
}

function podAddress(draw: Draw, family: Family, node: number): string {
  const last = draw.between(2, 20);
  if (family === 'IPv4') return `10.244.${node + 1}.${last}`;
  return draw.chance(20) ? `FD00:10:244:${node + 1}:0:0::${last}` : `fd00:10:244:${node + 1}::${last}`;
}

function makeEndpoint(draw: Draw, family: Family, hinted: boolean): Record<string, unknown> {
  const node = draw.below(NODES.length);
  const conditions = draw.pick([
    { ready: true, serving: true, terminating: false },
    { ready: true, serving: true, terminating: false },
    { ready: true },
    {},
    { ready: false, serving: true, terminating: true },
    { ready: false, serving: false, terminating: true },
    { ready: false, serving: true, terminating: false },
    { ready: false },
    { ready: true, serving: false, terminating: true },
  ]);
  return {
    addresses: [podAddress(draw, family, node)],
    conditions,
    ...(draw.chance(90) ? { nodeName: NODES[node] } : {}),
    zone: ZONES[node],
    ...(hinted && draw.chance(95)
      ? { hints: { forZones: draw.some(ZONES, 50).map((name) => ({ name })) } }
      : {}),
  };
}

function makeSlices(draw: Draw, shape: ServiceShape): ApiObject[] {
  const slices: ApiObject[] = [];
  for (const family of shape.families) {
    const hinted = draw.chance(50);
    for (let n = draw.below(4); n > 0; n--) {
      const ports = shape.ports.map(({ name, protocol }, index) => ({
        name: draw.chance(95) ? (name ?? '') : `other-${index}`,
        protocol,
        port: draw.chance(80) ? 8080 : 9090,
      }));
      slices.push({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${shape.name}-${family.toLowerCase()}-${n}`,
          namespace: shape.namespace,
          labels: {
            'kubernetes.io/service-name': shape.name,
            ...(draw.chance(3) ? { 'service.kubernetes.io/headless': '' } : {}),
          },
        },
        addressType: family,
        ports,
        endpoints: Array.from({ length: draw.below(6) }, () => makeEndpoint(draw, family, hinted)),
      });
    }
  }
  return slices;
}

/** A cluster of three nodes and up to a dozen Services. */
export function randomCluster(seed: number): RandomCluster {
  const draw = new Draw(seed);
  const configuration = makeConfiguration(draw);
  const nodes = NODES.map((_, index) => makeNode(draw, index));
  const workloads = Array.from({ length: draw.between(1, 12) }, (_, index) => {
    const families = draw.pick<readonly Family[]>([
      ['IPv4'],
      ['IPv4'],
      ['IPv6'],
      ['IPv4', 'IPv6'],
      ['IPv6', 'IPv4'],
    ]);
    const shape = {
      name: `svc-${index}`,
      namespace: draw.pick(['default', 'kube-system', 'a-b']),
      families,
      ports: makePorts(draw),
    };
    return [makeService(draw, shape, index), ...makeSlices(draw, shape)];
  });
  const hostname = String(configuration.hostnameOverride).trim().toLowerCase();
  return { seed, node: hostname, objects: [configuration, ...nodes, ...workloads.flat()] };
}

/** The objects as one manifest; JSON is YAML. */
export function manifestOf({ objects }: RandomCluster): string {
  return objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('');
}
