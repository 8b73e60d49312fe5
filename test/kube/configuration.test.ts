import { describe, expect, it } from 'vitest';
import { rootCursor } from '../../src/kube/decode/cursor.ts';
import { parseDuration } from '../../src/kube/decode/duration.ts';
import { decodeKindCluster } from '../../src/kube/decode/kind-cluster.ts';
import { decodeKubeProxyConfiguration } from '../../src/kube/decode/kube-proxy-configuration.ts';
import { kindNodeNames } from '../../src/kube/kind-cluster.ts';
import {
  clusterCidrOf,
  DEFAULT_KUBE_PROXY_CONFIGURATION,
  type KubeProxyConfiguration,
} from '../../src/kube/kube-proxy-configuration.ts';
import { parseManifests } from '../../src/kube/manifest/manifest.ts';
import { formatIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix } from '../../src/wire/ip-prefix.ts';
import { refusalOf } from './manifest-text.ts';

function cursorOf(text: string) {
  const [manifest] = parseManifests(text, 'in.yaml');
  if (manifest === undefined) throw new Error('no manifest');
  return rootCursor(manifest);
}

const proxy = (rest: string): KubeProxyConfiguration =>
  decodeKubeProxyConfiguration(
    cursorOf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${rest}`),
  );

const kind = (rest: string) =>
  decodeKindCluster(cursorOf(`apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n${rest}`));

describe('KubeProxyConfiguration', () => {
  it('has kube-proxy’s defaults', () => {
    expect(proxy('')).toEqual(DEFAULT_KUBE_PROXY_CONFIGURATION);
    expect(DEFAULT_KUBE_PROXY_CONFIGURATION).toMatchObject({
      mode: 'iptables',
      detectLocal: { mode: 'ClusterCIDR' },
      iptables: {
        masqueradeBit: 14,
        masqueradeAll: false,
        localhostNodePorts: true,
        syncPeriod: 30,
        minSyncPeriod: 1,
      },
      nftables: { masqueradeBit: 14, masqueradeAll: false, syncPeriod: 30, minSyncPeriod: 1 },
      conntrack: { tcpBeLiberal: false, tcpEstablishedTimeout: 86400, tcpCloseWaitTimeout: 3600 },
    });
  });

  it('reads what kubeadm writes, where unset is empty, null or zero', () => {
    const written = `
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection: {acceptContentTypes: "", burst: 0, contentType: "", kubeconfig: /var/lib/kube-proxy/kubeconfig.conf, qps: 0}
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack: {maxPerCore: 0, min: null, tcpBeLiberal: false, tcpCloseWaitTimeout: null, tcpEstablishedTimeout: null}
detectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables: {localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 1s, syncPeriod: 0s}
ipvs: {excludeCIDRs: null, minSyncPeriod: 0s, scheduler: "", strictARP: false}
mode: ""
nftables: {masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
nodePortAddresses: null
oomScoreAdj: null
winkernel: {enableDSR: false}
`;
    const config = proxy(written);
    expect({ ...config, clusterCIDRs: [], conntrack: { ...config.conntrack, maxPerCore: 32768 } }).toEqual(
      DEFAULT_KUBE_PROXY_CONFIGURATION,
    );
    expect(config.clusterCIDRs.map(formatIpPrefix)).toEqual(['10.244.0.0/16']);
  });

  it.each<[string, string, object]>([
    [
      'the hostname, trimmed and lower-cased',
      'hostnameOverride: " Worker-1 "',
      { hostnameOverride: 'worker-1' },
    ],
    [
      'nftables with its gate',
      'mode: nftables\nfeatureGates: {NFTablesProxyMode: true}',
      { mode: 'nftables', featureGates: { NFTablesProxyMode: true } },
    ],
    ['nftables as of 1.31, without a gate', 'mode: nftables', { mode: 'nftables' }],
    [
      'a bridge',
      'detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}',
      { detectLocal: { mode: 'BridgeInterface', bridgeInterface: 'cni0' } },
    ],
    [
      'a prefix',
      'detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: veth}',
      { detectLocal: { mode: 'InterfaceNamePrefix', interfaceNamePrefix: 'veth' } },
    ],
    ['the node’s network', 'detectLocalMode: NodeCIDR', { detectLocal: { mode: 'NodeCIDR' } }],
    [
      'the masquerade bits',
      'iptables: {masqueradeBit: 0, masqueradeAll: true}\nnftables: {masqueradeBit: 31}',
      { iptables: { masqueradeBit: 0, masqueradeAll: true }, nftables: { masqueradeBit: 31 } },
    ],
    [
      'periods',
      'iptables: {syncPeriod: 1m30s, minSyncPeriod: 500ms}',
      { iptables: { syncPeriod: 90, minSyncPeriod: 0.5 } },
    ],
    [
      'conntrack',
      'conntrack: {tcpBeLiberal: true, udpTimeout: 30s}',
      { conntrack: { tcpBeLiberal: true, udpTimeout: 30 } },
    ],
    [
      'localhost node ports off',
      'iptables: {localhostNodePorts: false}',
      { iptables: { localhostNodePorts: false } },
    ],
  ])('%s', (_, text, expected) => {
    expect(proxy(text)).toMatchObject(expected);
  });

  it('reads CIDRs as kube-proxy does, host bits dropped', () => {
    const config = proxy(
      'clusterCIDR: "fd00:10:244::1/56,10.244.3.0/16"\nnodePortAddresses: [172.18.0.2/16, "::/0", 010.0.0.0/8]\nbindAddress: "::"',
    );
    expect(config.clusterCIDRs.map(formatIpPrefix)).toEqual(['fd00:10:244::/56', '10.244.0.0/16']);
    expect(config.nodePortAddresses.map(formatIpPrefix)).toEqual(['172.18.0.0/16', '::/0', '10.0.0.0/8']);
    expect(formatIpAddress(config.bindAddress)).toBe('::');
    expect(clusterCidrOf(config, 'ipv4')?.length).toBe(16);
    expect(clusterCidrOf(proxy(''), 'ipv4')).toBeUndefined();
  });

  it.each<[string, string, string]>([
    ['an empty bridge name', 'detectLocalMode: BridgeInterface', 'detectLocal.bridgeInterface: is required'],
    [
      'an empty prefix',
      'detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: ""}',
      '4: KubeProxyConfiguration: detectLocal.interfaceNamePrefix: is required',
    ],
    [
      'an unknown detector',
      'detectLocalMode: nodeCIDR',
      '"nodeCIDR" is not one of ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix',
    ],
    [
      'an unknown mode',
      'mode: ebpf',
      '3: KubeProxyConfiguration: mode: "ebpf" is not one of iptables, nftables, ipvs',
    ],
    ['ipvs', 'mode: ipvs', 'mode: ipvs is not emulated'],
    [
      'nftables with its gate off',
      'mode: nftables\nfeatureGates: {NFTablesProxyMode: false}',
      'needs the feature gate NFTablesProxyMode',
    ],
    ['a CIDR that is none', 'clusterCIDR: 10.244.0.0', '"10.244.0.0" is not a CIDR'],
    [
      'two CIDRs of one family',
      'clusterCIDR: "10.244.0.0/16,10.245.0.0/16"',
      'expected one CIDR, or one of each IP family',
    ],
    [
      'three CIDRs',
      'clusterCIDR: "10.244.0.0/16,fd00::/56,10.245.0.0/16"',
      'expected one CIDR, or one of each IP family',
    ],
    ['a blank between CIDRs', 'clusterCIDR: "10.244.0.0/16, fd00::/56"', '" fd00::/56" is not a CIDR'],
    [
      'primary, which 1.30 does not know',
      'nodePortAddresses: [primary]',
      'nodePortAddresses[0]: "primary" is not a CIDR',
    ],
    [
      'bit 32',
      'iptables: {masqueradeBit: 32}',
      '3: KubeProxyConfiguration: iptables.masqueradeBit: 32 is not between 0 and 31',
    ],
    ['bit -1', 'nftables: {masqueradeBit: -1}', '-1 is not between 0 and 31'],
    ['a bad period', 'iptables: {syncPeriod: 30}', 'expected a string, found 30 (quote it)'],
    ['a period without a unit', 'iptables: {syncPeriod: "30"}', '"30" is not a duration, such as 30s'],
    [
      'minSyncPeriod above syncPeriod',
      'iptables: {syncPeriod: 10s, minSyncPeriod: 20s}',
      'must be greater than or equal to minSyncPeriod',
    ],
    ['a negative timeout', 'conntrack: {udpTimeout: -1s}', 'conntrack.udpTimeout: must not be negative'],
    ['a blank hostname', 'hostnameOverride: "  "', 'is blank; expected the name of a node'],
    ['a bad bind address', 'bindAddress: localhost', '"localhost" is not an IP address'],
    ['a gate that is no boolean', 'featureGates: {X: "true"}', 'featureGates.X: expected true or false'],
  ])('refuses %s', (_, text, message) => {
    expect(refusalOf(() => proxy(text))).toContain(message);
  });
});

describe('durations', () => {
  it.each<[string, number | undefined]>([
    ['0', 0],
    ['0s', 0],
    ['30s', 30],
    ['1h2m3s', 3723],
    ['1.5h', 5400],
    ['.5s', 0.5],
    ['100ms', 0.1],
    ['1us', 1e-6],
    ['1µs', 1e-6],
    ['-5s', -5],
    ['+5s', 5],
    ['', undefined],
    ['5', undefined],
    ['s', undefined],
    ['1d', undefined],
    ['1s ', undefined],
    ['1m 2s', undefined],
  ])('%s', (text, seconds) => {
    const parsed = parseDuration(text);
    if (seconds === undefined) expect(parsed).toBeUndefined();
    else expect(parsed).toBeCloseTo(seconds, 12);
  });
});

describe('kind Cluster', () => {
  it.each<[string, string[], string[]]>([
    ['', ['10.244.0.0/16'], ['10.96.0.0/16']],
    ['networking: {ipFamily: ipv6}', ['fd00:10:244::/56'], ['fd00:10:96::/112']],
    [
      'networking: {ipFamily: dual}',
      ['10.244.0.0/16', 'fd00:10:244::/56'],
      ['10.96.0.0/16', 'fd00:10:96::/112'],
    ],
    ['networking: {podSubnet: 10.0.0.0/16, serviceSubnet: 10.1.0.0/16}', ['10.0.0.0/16'], ['10.1.0.0/16']],
    [
      'networking: {ipFamily: dual, podSubnet: "fd01::/56,10.0.0.0/16"}',
      ['fd01::/56', '10.0.0.0/16'],
      ['10.96.0.0/16', 'fd00:10:96::/112'],
    ],
  ])('%s', (text, pods, services) => {
    const { networking } = kind(text);
    expect(networking.podSubnets.map(formatIpPrefix)).toEqual(pods);
    expect(networking.serviceSubnets.map(formatIpPrefix)).toEqual(services);
  });

  it('reads nodes with their labels and lines', () => {
    const cluster = kind(
      'name: lab\nnodes:\n- role: control-plane\n  image: x\n- role: worker\n  labels: {zone: a}\n  extraPortMappings: [{containerPort: 80}]\n',
    );
    expect(cluster.name).toBe('lab');
    expect(cluster.nodes.map(({ role, labels, origin }) => [role, { ...labels }, origin.line])).toEqual([
      ['control-plane', {}, 5],
      ['worker', { zone: 'a' }, 7],
    ]);
  });

  it('names nodes as kind does', () => {
    const roles = ['control-plane', 'control-plane', 'worker', 'worker', 'worker'] as const;
    expect(kindNodeNames('kind', roles)).toEqual([
      'kind-control-plane',
      'kind-control-plane2',
      'kind-worker',
      'kind-worker2',
      'kind-worker3',
    ]);
  });

  it.each<[string, string, string]>([
    ['an unknown field', 'netwroking: {}', '3: Cluster: netwroking: unknown field; did you mean networking?'],
    [
      'a field in the wrong case',
      'networking: {podsubnet: 10.0.0.0/16}',
      'networking.podsubnet: unknown field; did you mean podSubnet?',
    ],
    [
      'an unknown role',
      'nodes: [{role: master}]',
      'nodes[0].role: "master" is not one of control-plane, worker',
    ],
    ['workers alone', 'nodes: [{role: worker}]', 'must contain at least one control-plane node'],
    [
      'host bits',
      'networking: {podSubnet: 10.244.1.0/16}',
      "'10.244.1.0/16' has host bits set; the network is 10.244.0.0/16",
    ],
    [
      'one network for two families',
      'networking: {ipFamily: dual, podSubnet: 10.0.0.0/16}',
      'ipFamily dual needs one ipv4 network and one ipv6 network',
    ],
    [
      'a network of the other family',
      'networking: {podSubnet: "fd00::/56"}',
      'ipFamily ipv4 needs one ipv4 network',
    ],
    ['ipvs', 'networking: {kubeProxyMode: ipvs}', 'networking.kubeProxyMode: ipvs is not emulated'],
    ['an unknown family', 'networking: {ipFamily: IPv4}', '"IPv4" is not one of ipv4, ipv6, dual'],
  ])('refuses %s', (_, text, message) => {
    expect(refusalOf(() => kind(text))).toContain(message);
  });
});
