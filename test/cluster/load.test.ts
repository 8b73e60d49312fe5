import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ClusterObjects } from '../../src/cluster/derive.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { formatIpPrefix } from '../../src/wire/ip-prefix.ts';
import { refusalOf } from '../kube/manifest-text.ts';

const ROOT = join(import.meta.dirname, '../..');
const REFERENCE = 'test/conformance/kube-proxy';

const load = (...texts: string[]): ClusterObjects =>
  loadCluster(texts.map((text, index) => ({ file: `${index === 0 ? 'in' : `in${index + 1}`}.yaml`, text })));

const loadFile = (file: string): ClusterObjects =>
  loadCluster([{ file, text: readFileSync(join(ROOT, file), 'utf8') }]);

const KIND = 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n';
const THREE = `${KIND}nodes: [{role: control-plane}, {role: worker}, {role: worker}]\n`;
const TOPOLOGY = 'apiVersion: kubewire.dev/v1alpha1\nkind: Topology\n';
const PROXY = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';

const node = (name: string, rest = '') => `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\n${rest}\n`;
const pod = (name: string, rest = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, labels: {app: web}}\n${rest}\n`;
const service = (name: string, spec = '') =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}], ${spec}}\n`;

/** `name address podCIDR`, a line a node. */
function nodes({ nodes, podCIDRs }: ClusterObjects): string[] {
  return nodes.map(({ metadata, status }) => {
    const ips = status.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
    const cidrs = (podCIDRs.get(metadata.name) ?? []).map(formatIpPrefix);
    return `${metadata.name} ${ips.join(',')} ${cidrs.join(',')}`;
  });
}

/** `name node address`, a line a pod. */
function pods(cluster: ClusterObjects): string[] {
  return cluster.pods.map(
    ({ metadata, spec, status }) =>
      `${metadata.name} ${spec.nodeName ?? '-'} ${status.podIPs.join(',') || '-'}`,
  );
}

describe('a cluster given in full', () => {
  const cases = ['iptables', 'nftables'].flatMap((mode) =>
    readdirSync(join(ROOT, REFERENCE, mode)).map((name) => `${REFERENCE}/${mode}/${name}/cluster.yaml`),
  );
  it.each(cases)('%s is used as it is', (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const count = (kind: string) => text.split('\n').filter((line) => line === `kind: ${kind}`).length;
    const cluster = loadFile(file);
    expect(cluster.nodes.length).toBe(count('Node'));
    expect(cluster.services.length).toBe(count('Service'));
    expect(cluster.endpointSlices.length).toBe(count('EndpointSlice'));
    expect(cluster.pods).toEqual([]);
    for (const { spec } of cluster.services) {
      if (!text.includes('nodePort')) expect(spec.ports.every(({ nodePort }) => nodePort === 0)).toBe(true);
      if (!text.includes('healthCheckNodePort')) expect(spec.healthCheckNodePort).toBe(0);
    }
    for (const { metadata, status } of cluster.services) {
      const written = text.includes('ingress') || status.loadBalancer.ingress.length === 0;
      expect({ name: metadata.name, written }).toEqual({ name: metadata.name, written: true });
    }
  });

  it('keeps what the API leaves open', () => {
    const cluster = loadFile(`${REFERENCE}/iptables/dual-stack/cluster.yaml`);
    expect(cluster.config.clusterCIDRs.map(formatIpPrefix)).toEqual(['10.244.0.0/16', 'fd00:10:244::/56']);
    expect(cluster.config.hostnameOverride).toBe('worker-1');
    expect(nodes(cluster)).toEqual([
      'worker-1 172.18.0.2,fd00:18::2 10.244.1.0/24,fd00:10:244:1::/64',
      'worker-2 172.18.0.3,fd00:18::3 10.244.2.0/24,fd00:10:244:2::/64',
      'worker-3 172.18.0.4,fd00:18::4 10.244.3.0/24,fd00:10:244:3::/64',
    ]);
  });
});

describe('nodes', () => {
  it.each<[string, string[], string[]]>([
    [
      'of a kind file',
      [THREE],
      [
        'kind-control-plane 172.18.0.2 10.244.0.0/24',
        'kind-worker 172.18.0.3 10.244.1.0/24',
        'kind-worker2 172.18.0.4 10.244.2.0/24',
      ],
    ],
    ['of a kind file without any', [`${KIND}name: lab\n`], ['lab-control-plane 172.18.0.2 10.244.0.0/24']],
    [
      'of an IPv6 kind file',
      [`${KIND}networking: {ipFamily: ipv6}\n`],
      ['kind-control-plane fc00:f853:ccd:e793::2 fd00:10:244::/64'],
    ],
    [
      'of a dual-stack kind file',
      [`${KIND}networking: {ipFamily: dual}\n`],
      ['kind-control-plane 172.18.0.2,fc00:f853:ccd:e793::2 10.244.0.0/24,fd00:10:244::/64'],
    ],
    [
      'by default',
      [service('web')],
      [
        'kind-control-plane 172.18.0.2 10.244.0.0/24',
        'kind-worker 172.18.0.3 10.244.1.0/24',
        'kind-worker2 172.18.0.4 10.244.2.0/24',
      ],
    ],
    [
      'by default, when others name some of them',
      [pod('p', 'spec: {nodeName: kind-worker2}')],
      [
        'kind-control-plane 172.18.0.2 10.244.0.0/24',
        'kind-worker 172.18.0.3 10.244.1.0/24',
        'kind-worker2 172.18.0.4 10.244.2.0/24',
      ],
    ],
    [
      'that others name',
      [`${PROXY}hostnameOverride: a\n`, pod('p', 'spec: {nodeName: b}')],
      ['a 172.18.0.2 10.244.0.0/24', 'b 172.18.0.3 10.244.1.0/24'],
    ],
    [
      'given, without addresses',
      [node('a'), node('b', 'spec: {podCIDR: 10.244.0.0/24}')],
      ['a 172.18.0.2 10.244.1.0/24', 'b 172.18.0.3 10.244.0.0/24'],
    ],
    [
      'given, some with addresses',
      [node('a'), node('b', 'status: {addresses: [{type: InternalIP, address: 172.18.0.2}]}')],
      ['a 172.18.0.3 10.244.0.0/24', 'b 172.18.0.2 10.244.1.0/24'],
    ],
    [
      'given with an ExternalIP alone',
      [
        node('a', 'status: {addresses: [{type: ExternalIP, address: 203.0.113.7}]}'),
        pod('p', 'spec: {hostNetwork: true}'),
      ],
      ['a  10.244.0.0/24'],
    ],
    ['given beside a kind file that lists none', [KIND, node('a')], ['a 172.18.0.2 10.244.0.0/24']],
    [
      'given beside a kind file that lists them',
      [THREE, node('kind-worker', 'spec: {podCIDR: 10.244.9.0/24}')],
      [
        'kind-worker 172.18.0.2 10.244.9.0/24',
        'kind-control-plane 172.18.0.3 10.244.0.0/24',
        'kind-worker2 172.18.0.4 10.244.1.0/24',
      ],
    ],
    [
      'around the hosts and the router',
      [
        `${TOPOLOGY}nodeNetwork: {subnets: [10.0.0.0/24], gateways: [10.0.0.2]}\nhosts: [{name: h, addresses: [10.0.0.3]}]\n`,
        node('a'),
      ],
      ['a 10.0.0.4 10.244.0.0/24'],
    ],
    [
      'with the pod networks of the Topology',
      [`${TOPOLOGY}podSubnets: [192.168.0.0/20]\n`, node('a')],
      ['a 172.18.0.2 192.168.0.0/24'],
    ],
    [
      'with those of kube-proxy’s configuration',
      [`${PROXY}clusterCIDR: "10.9.0.0/16,fd09::/56"\n`, node('a')],
      ['a 172.18.0.2,fc00:f853:ccd:e793::2 10.9.0.0/24,fd09::/64'],
    ],
    [
      'not with one that cannot be cut',
      [`${PROXY}clusterCIDR: 10.0.0.0/4\n`, node('a')],
      ['a 172.18.0.2 10.244.0.0/24'],
    ],
  ])('%s', (_, texts, expected) => {
    expect(nodes(load(...texts))).toEqual(expected);
  });

  it('have kind’s labels and taints', () => {
    const [controlPlane, worker] = load(THREE).nodes;
    expect(controlPlane?.spec.taints).toEqual([
      { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
    ]);
    expect(controlPlane?.metadata.labels).toHaveProperty(['node-role.kubernetes.io/control-plane'], '');
    expect(worker?.spec.taints).toEqual([]);
    expect(worker?.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'kind-worker' });
    expect(load(KIND).nodes[0]?.spec.taints).toEqual([]);
    expect(
      load(`${KIND}nodes: [{role: control-plane, labels: {a: b}}]\n`).nodes[0]?.metadata.labels,
    ).toMatchObject({ a: 'b' });
  });

  it.each<[string, string[], string]>([
    [
      'overlapping podCIDRs',
      [node('a', 'spec: {podCIDR: 10.244.1.0/24}'), node('b', 'spec:\n  podCIDR: 10.244.1.0/25')],
      'in2.yaml:4: Node b: podCIDR 10.244.1.0/25 overlaps 10.244.1.0/24 of Node a (in.yaml:4)',
    ],
    [
      'one address twice',
      [
        node('a', 'status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}'),
        node('b', 'status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}'),
      ],
      'in2.yaml:4: Node b: status.addresses: 10.0.0.1 is the address of Node a (in.yaml:1) too',
    ],
    [
      'sysctls of an unknown node',
      [`${TOPOLOGY}nodes:\n- {name: kind-worker}\n- {name: worker-9}\n`],
      'in.yaml:5: Topology: there is no Node worker-9; the nodes are kind-control-plane, kind-worker, kind-worker2',
    ],
    [
      'a host with the address of a node',
      [
        `${TOPOLOGY}hosts:\n- {name: laptop, addresses: [172.18.0.9]}\n`,
        node('a', 'status: {addresses: [{type: InternalIP, address: 172.18.0.9}]}'),
      ],
      'in.yaml:4: Topology: host laptop: 172.18.0.9 is the address of Node a too',
    ],
    [
      'two hosts with one address',
      [`${TOPOLOGY}hosts:\n- {name: a, addresses: [192.0.2.1]}\n- {name: b, addresses: [192.0.2.1/24]}\n`],
      'in.yaml:5: Topology: host b: 192.0.2.1 is the address of host a too',
    ],
    [
      'more nodes than the network has addresses',
      [
        `${TOPOLOGY}nodeNetwork: {subnets: [10.0.0.0/29]}\n`,
        ...Array.from({ length: 6 }, (_, i) => node(`n${i}`)),
      ],
      'Node n5: no address is left in the node network 10.0.0.0/29',
    ],
    [
      'a pod subnet too small for the nodes',
      [`${KIND}networking: {podSubnet: 10.244.0.0/24}\nnodes: [{role: control-plane}, {role: worker}]\n`],
      'in.yaml:4: no pod subnet is left in 10.244.0.0/24 for Node kind-worker',
    ],
  ])('refuse %s', (_, texts, message) => {
    expect(refusalOf(() => load(...texts))).toContain(message);
  });
});

describe('kube-proxy’s configuration', () => {
  it('is kind’s when none is given', () => {
    const { config } = load(`${KIND}networking: {kubeProxyMode: nftables, ipFamily: dual}\n`);
    expect(config.mode).toBe('nftables');
    expect(config.clusterCIDRs.map(formatIpPrefix)).toEqual(['10.244.0.0/16', 'fd00:10:244::/56']);
  });

  it('is left alone when it is given', () => {
    expect(
      load(`${PROXY}mode: iptables\n`, `${KIND}networking: {kubeProxyMode: nftables}\n`).config,
    ).toMatchObject({ mode: 'iptables', clusterCIDRs: [] });
  });
});

describe('pods', () => {
  const at = (ip: string, spec = '') => `spec: {${spec}}\nstatus: {podIP: ${ip}}`;
  it.each<[string, string[], string[]]>([
    [
      'go round the workers',
      [THREE, pod('a'), pod('b'), pod('c')],
      ['a kind-worker 10.244.1.2', 'b kind-worker2 10.244.2.2', 'c kind-worker 10.244.1.3'],
    ],
    [
      'get addresses around those given',
      [
        THREE,
        pod('a'),
        pod('b', at('10.244.1.2', 'nodeName: kind-worker')),
        pod('c', at('10.244.1.3', 'nodeName: kind-worker')),
      ],
      ['a kind-worker 10.244.1.4', 'b kind-worker 10.244.1.2', 'c kind-worker 10.244.1.3'],
    ],
    ['are where their address says', [THREE, pod('a', at('10.244.2.7'))], ['a kind-worker2 10.244.2.7']],
    [
      'of the host network have the node’s address',
      [THREE, pod('a', 'spec: {hostNetwork: true}')],
      ['a kind-worker 172.18.0.3'],
    ],
    [
      'of the host network have one of each family',
      [`${KIND}networking: {ipFamily: dual}\n`, pod('a', 'spec: {hostNetwork: true}')],
      ['a kind-control-plane 172.18.0.2,fc00:f853:ccd:e793::2'],
    ],
    [
      'have an address of each family',
      [`${KIND}networking: {ipFamily: dual}\n`, pod('a')],
      ['a kind-control-plane 10.244.0.2,fd00:10:244::2'],
    ],
    ['that no node may run have none', [THREE, pod('a', 'spec: {nodeSelector: {x: z}}')], ['a - -']],
    ['that have finished have none', [THREE, pod('a', 'status: {phase: Succeeded}')], ['a - -']],
    [
      'keep off addresses of endpoints',
      [
        THREE,
        pod('a'),
        'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\naddressType: IPv4\nendpoints: [{addresses: [10.244.1.2]}]\n',
      ],
      ['a kind-worker 10.244.1.3'],
    ],
    [
      'take the address of the endpoint that means them',
      [
        THREE,
        pod('a'),
        'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\naddressType: IPv4\nendpoints: [{addresses: [10.244.2.9], targetRef: {kind: Pod, name: a}}]\n',
      ],
      ['a kind-worker2 10.244.2.9'],
    ],
    [
      'of a Deployment',
      [
        THREE,
        'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n',
      ],
      ['db-0 kind-worker 10.244.1.2', 'db-1 kind-worker2 10.244.2.2'],
    ],
    [
      'of a DaemonSet stand on their nodes',
      [
        THREE,
        'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: db}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true}}}\n',
      ],
      [
        expect.stringMatching(/^db-.{5} kind-worker 172.18.0.3$/),
        expect.stringMatching(/^db-.{5} kind-worker2 172.18.0.4$/),
      ],
    ],
  ])('%s', (_, texts, expected) => {
    expect(pods(load(...texts))).toEqual(expected);
  });

  it('are Running and ready unless they say otherwise', () => {
    const cluster = load(
      THREE,
      pod('a'),
      pod('b', 'status: {phase: Pending}'),
      pod('c', "status: {conditions: [{type: Ready, status: 'False'}]}"),
      pod('d', 'spec: {nodeSelector: {x: z}}'),
    );
    expect(cluster.pods.map(({ status }) => [status.phase, status.ready])).toEqual([
      ['Running', true],
      ['Pending', false],
      ['Running', false],
      ['Pending', false],
    ]);
  });

  it.each<[string, string[], string]>([
    [
      'an unknown node',
      [THREE, pod('a', 'spec:\n  nodeName: worker-9')],
      'in2.yaml:5: Pod default/a: spec.nodeName: there is no Node worker-9; the nodes are kind-control-plane, kind-worker, kind-worker2',
    ],
    [
      'one address twice',
      [
        THREE,
        pod('a', at('10.244.1.2', 'nodeName: kind-worker')),
        pod('b', at('10.244.1.2', 'nodeName: kind-worker')),
      ],
      'Pod default/b: status.podIPs[0]: 10.244.1.2 is the address of Pod default/a (in2.yaml:1) too',
    ],
    [
      'a pod too many',
      [
        `${KIND}networking: {podSubnet: 10.244.0.0/24}\n`,
        'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 254, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n',
      ],
      'in2.yaml:1: no address is left in 10.244.0.0/24, the pod network of Node kind-control-plane',
    ],
  ])('refuse %s', (_, texts, message) => {
    expect(refusalOf(() => load(...texts))).toContain(message);
  });

  it('may share an address when one of them has finished, or both have the host’s', () => {
    const finished = pod('a', 'spec: {nodeName: kind-worker}\nstatus: {phase: Failed, podIP: 10.244.1.2}');
    expect(refusalOf(() => load(THREE, finished, pod('b', at('10.244.1.2', 'nodeName: kind-worker'))))).toBe(
      'accepted',
    );
    const host = (name: string) => pod(name, at('172.18.0.3', 'nodeName: kind-worker, hostNetwork: true'));
    expect(refusalOf(() => load(THREE, host('a'), host('b')))).toBe('accepted');
  });
});

describe('Services', () => {
  const endpoints = (cluster: ClusterObjects) =>
    cluster.endpointSlices.map(
      ({ metadata, endpoints }) =>
        `${metadata.labels['kubernetes.io/service-name']} ${endpoints.flatMap(({ addresses }) => addresses).join(',')}`,
    );

  it('get addresses, ports and endpoints', () => {
    const cluster = load(THREE, pod('a'), pod('b'), service('web', 'type: NodePort'));
    expect(cluster.services[0]?.spec).toMatchObject({
      clusterIP: '10.96.1.1',
      ipFamilies: ['IPv4'],
      ports: [{ nodePort: 30000 }],
    });
    expect(endpoints(cluster)).toEqual(['web 10.244.1.2,10.244.2.2']);
  });

  it('draw from the subnets of kind and of the Topology', () => {
    expect(
      load(`${KIND}networking: {serviceSubnet: 10.55.0.0/16}\n`, service('web')).services[0]?.spec.clusterIP,
    ).toBe('10.55.1.1');
    expect(
      load(
        `${TOPOLOGY}serviceSubnets: [10.66.0.0/16]\nserviceNodePortRange: 20000-20010\n`,
        service('web', 'type: NodePort'),
      ).services[0]?.spec,
    ).toMatchObject({ clusterIP: '10.66.1.1', ports: [{ nodePort: 20000 }] });
  });

  it('of type LoadBalancer get an address of the pool, or stay pending', () => {
    const ingress = (cluster: ClusterObjects) => cluster.services[0]?.status.loadBalancer.ingress;
    expect(ingress(load(service('web', 'type: LoadBalancer')))).toEqual([]);
    expect(
      ingress(
        load(`${TOPOLOGY}loadBalancer: {pool: [192.0.2.8/29]}\n`, service('web', 'type: LoadBalancer')),
      ),
    ).toEqual([{ ip: '192.0.2.8', ipMode: 'VIP' }]);
  });

  it('keep slices that are given, and Endpoints where there are none', () => {
    const slice =
      'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\nendpoints: [{addresses: [192.0.2.1]}]\n';
    const endpointsObject =
      'apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: 192.0.2.2}], ports: [{port: 80}]}]\n';
    expect(endpoints(load(THREE, pod('a'), service('web'), slice))).toEqual(['web 192.0.2.1']);
    expect(endpoints(load(THREE, pod('a'), service('web'), slice, endpointsObject))).toEqual([
      'web 192.0.2.1',
    ]);
    expect(endpoints(load(THREE, pod('a'), service('web'), endpointsObject))).toEqual(['web 192.0.2.2']);
    expect(
      endpoints(
        load(THREE, pod('a'), service('web'), slice.replace('{name: s,', '{name: s, namespace: other,')),
      ),
    ).toEqual(['web 192.0.2.1', 'web 10.244.1.2']);
  });

  it.each<[string, string[], string]>([
    [
      'a clusterIP outside the subnet that the kind file names',
      [`${KIND}networking: {serviceSubnet: 10.55.0.0/16}\n`, service('web', 'clusterIP: 10.96.0.1')],
      'the provided IP (10.96.0.1) is not in the valid range, 10.55.0.0/16',
    ],
    [
      'a nodePort outside the range',
      [
        service('web')
          .replace('targetPort: 8080', 'nodePort: 80')
          .replace('selector', 'type: NodePort, selector'),
      ],
      'Service default/web: spec.ports[0].nodePort: 80 is not in the valid range; the range of valid ports is 30000-32767',
    ],
  ])('refuse %s', (_, texts, message) => {
    expect(refusalOf(() => load(...texts))).toContain(message);
  });
});

describe('objects', () => {
  it.each<[string, string[], string]>([
    [
      'one object in two files',
      [service('web'), pod('web'), service('web')],
      'in3.yaml:1: Service default/web is given twice; the first is at in.yaml:1',
    ],
    [
      'one object in one file',
      [`${node('a')}---\n${node('a')}`],
      'in.yaml:6: Node a is given twice; the first is at in.yaml:1',
    ],
    [
      'two configurations',
      [PROXY, PROXY],
      'in2.yaml:1: only one KubeProxyConfiguration may be given; another is at in.yaml:1',
    ],
    ['two topologies', [TOPOLOGY, TOPOLOGY], 'only one Topology may be given'],
    [
      'an unknown kind',
      ['apiVersion: v1\nkind: Servce\nmetadata: {name: a}\n'],
      'in.yaml:1: no kind "Servce" in version "v1"',
    ],
    [
      'a configuration of the wrong version',
      [PROXY.replace('v1alpha1', 'v1alpha2')],
      'KubeProxyConfiguration is read in kubeproxy.config.k8s.io/v1alpha1',
    ],
  ])('refuse %s', (_, texts, message) => {
    expect(refusalOf(() => load(...texts))).toContain(message);
  });

  it('of one name and several kinds or namespaces live together', () => {
    const inProd = service('web').replace('{name: web}', '{name: web, namespace: prod}');
    expect(refusalOf(() => load(service('web'), inProd, pod('web')))).toBe('accepted');
  });

  it('of kinds without effect are kept', () => {
    expect(
      load('apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n').others.map(({ kind }) => kind),
    ).toEqual(['Secret']);
  });
});

describe('topologies', () => {
  it.each(readdirSync(join(ROOT, 'topologies')).filter((name) => name.endsWith('.yaml')))(
    '%s is complete',
    (name) => {
      const cluster = loadFile(`topologies/${name}`);
      for (const { status } of cluster.pods) expect(status.podIPs.length).toBeGreaterThan(0);
      for (const { spec, metadata } of cluster.services) {
        expect(spec.clusterIPs.length).toBe(spec.ipFamilies.length);
        const slices = cluster.endpointSlices.filter(
          (slice) => slice.metadata.labels['kubernetes.io/service-name'] === metadata.name,
        );
        expect(slices.some(({ endpoints }) => endpoints.length > 0)).toBe(true);
      }
    },
  );

  it('three-nodes.yaml is what its comments say', () => {
    const cluster = loadFile('topologies/three-nodes.yaml');
    expect(nodes(cluster)).toEqual([
      'demo-control-plane 172.18.0.2 10.244.0.0/24',
      'demo-worker 172.18.0.3 10.244.1.0/24',
      'demo-worker2 172.18.0.4 10.244.2.0/24',
    ]);
    expect(
      cluster.services.map(({ metadata, spec }) => `${metadata.name} ${spec.type} ${spec.clusterIP}`),
    ).toEqual([
      'web ClusterIP 10.96.0.10',
      'web-nodes NodePort 10.96.1.1',
      'web-public LoadBalancer 10.96.1.2',
    ]);
    expect(cluster.services[1]?.spec.ports[0]?.nodePort).toBe(30080);
    expect(cluster.services[2]?.status.loadBalancer.ingress).toEqual([{ ip: '192.0.2.10', ipMode: 'VIP' }]);
    expect(cluster.endpointSlices.map(({ endpoints }) => endpoints.length)).toEqual([3, 3, 3]);
  });
});
