import { describe, expect, test } from 'vitest';
import type { KubeProxyConfiguration } from '../../src/kube/kube-proxy-configuration.ts';
import type { NodeAddress } from '../../src/kube/objects.ts';
import type { LocalDetector } from '../../src/proxy/local-detector.ts';
import { type ProxySettings, proxySettings, type SettingsInput } from '../../src/proxy/settings.ts';
import { formatIpAddress, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { configuration, iptablesOptions, node } from './objects.ts';

function settings(
  given: Partial<KubeProxyConfiguration>,
  { family = 'ipv4', ...rest }: Partial<SettingsInput> & { family?: IpFamily } = {},
): ProxySettings {
  return proxySettings({ configuration: configuration(given), node: node(), family, ...rest });
}

function describeDetector(detector: LocalDetector): string {
  switch (detector.kind) {
    case 'none':
      return 'none';
    case 'source':
      return formatIpPrefix(detector.prefix);
    case 'interface':
      return detector.ifname;
    case 'interface-prefix':
      return `${detector.ifnamePrefix}+`;
  }
}

describe('the local detector', () => {
  const dual = [parseIpPrefix('fd00:10:244::/56'), parseIpPrefix('10.244.0.0/16')];
  test.each<{ what: string; given: Partial<KubeProxyConfiguration>; ipv4: string; ipv6: string }>([
    { what: 'ClusterCIDR of one family', given: {}, ipv4: '10.244.0.0/16', ipv6: 'none' },
    {
      what: 'ClusterCIDR of both, IPv6 first',
      given: { clusterCIDRs: dual },
      ipv4: '10.244.0.0/16',
      ipv6: 'fd00:10:244::/56',
    },
    { what: 'no ClusterCIDR', given: { clusterCIDRs: [] }, ipv4: 'none', ipv6: 'none' },
    {
      what: 'NodeCIDR',
      given: { detectLocal: { mode: 'NodeCIDR' }, clusterCIDRs: dual },
      ipv4: '10.244.1.0/24',
      ipv6: 'fd00:10:244:1::/64',
    },
    {
      what: 'BridgeInterface',
      given: { detectLocal: { mode: 'BridgeInterface', bridgeInterface: 'cni0' } },
      ipv4: 'cni0',
      ipv6: 'cni0',
    },
    {
      what: 'InterfaceNamePrefix',
      given: { detectLocal: { mode: 'InterfaceNamePrefix', interfaceNamePrefix: 'veth' } },
      ipv4: 'veth+',
      ipv6: 'veth+',
    },
  ])('$what', ({ given, ...expected }) => {
    const dualStack = node({ podCIDRs: ['10.244.1.0/24', 'fd00:10:244:1::/64'] });
    for (const family of ['ipv4', 'ipv6'] as const) {
      const { localDetector } = settings(given, { family, node: dualStack });
      expect(describeDetector(localDetector)).toBe(expected[family]);
    }
  });

  test.each<KubeProxyConfiguration['detectLocal']>([
    { mode: 'BridgeInterface', bridgeInterface: 'a-name-of-16-abc' },
    { mode: 'InterfaceNamePrefix', interfaceNamePrefix: 'a-name-of-15-ab' },
  ])('$mode with a name too long for a device', (detectLocal) => {
    expect(() => settings({ detectLocal })).toThrow(
      /^detectLocal: iptables does not take the device name 'a-name-of-1/,
    );
  });

  test('NodeCIDR of a node without a network of the family', () => {
    const given = { detectLocal: { mode: 'NodeCIDR' } } as const;
    expect(settings(given, { family: 'ipv6' }).localDetector).toEqual({ kind: 'none' });
  });
});

describe('the node address', () => {
  const both: readonly NodeAddress[] = [
    { type: 'Hostname', address: 'worker-1' },
    { type: 'ExternalIP', address: '203.0.113.2' },
    { type: 'InternalIP', address: '172.18.0.2' },
    { type: 'InternalIP', address: '192.168.7.2' },
    { type: 'ExternalIP', address: '2001:db8::2' },
  ];
  test.each<{ what: string; addresses: readonly NodeAddress[]; bind?: string; ipv4: string; ipv6: string }>([
    { what: 'InternalIP before ExternalIP', addresses: both, ipv4: '172.18.0.2', ipv6: '2001:db8::2' },
    { what: 'none: loopback', addresses: [], ipv4: '127.0.0.1', ipv6: '::1' },
    { what: 'bindAddress', addresses: both, bind: '172.18.0.9', ipv4: '172.18.0.9', ipv6: '2001:db8::2' },
    {
      what: 'bindAddress 0.0.0.0',
      addresses: both,
      bind: '0.0.0.0',
      ipv4: '172.18.0.2',
      ipv6: '2001:db8::2',
    },
    { what: 'bindAddress ::', addresses: both, bind: '::', ipv4: '172.18.0.2', ipv6: '2001:db8::2' },
    { what: 'bindAddress of IPv6', addresses: both, bind: 'fd00::9', ipv4: '172.18.0.2', ipv6: 'fd00::9' },
  ])('$what', ({ addresses, bind, ...expected }) => {
    const given = bind === undefined ? {} : { bindAddress: parseIpAddress(bind) };
    for (const family of ['ipv4', 'ipv6'] as const) {
      const { nodeIp } = settings(given, { family, node: node({ addresses }) });
      expect(formatIpAddress(nodeIp)).toBe(expected[family]);
    }
  });
});

describe('nodePortAddresses', () => {
  const addresses: readonly NodeAddress[] = [
    { type: 'InternalIP', address: '172.18.0.2' },
    { type: 'InternalIP', address: 'fd00:18::2' },
    { type: 'ExternalIP', address: '192.168.7.2' },
    { type: 'ExternalIP', address: '172.18.0.2' },
    { type: 'Hostname', address: 'worker-1' },
  ];
  interface Row {
    readonly cidrs: readonly string[];
    readonly localhost?: boolean;
    readonly family?: IpFamily;
    /** 'all', or the addresses. */
    readonly served: 'all' | readonly string[];
    /** Whether localhostNodePorts is effective. */
    readonly effective: boolean;
  }
  test.each<Row>([
    { cidrs: [], served: 'all', effective: true },
    { cidrs: [], localhost: false, served: 'all', effective: false },
    { cidrs: [], family: 'ipv6', served: 'all', effective: false },
    { cidrs: ['fd00::/8'], served: 'all', effective: true },
    { cidrs: ['fd00::/8'], family: 'ipv6', served: ['fd00:18::2'], effective: false },
    { cidrs: ['172.18.0.0/16'], family: 'ipv6', served: 'all', effective: false },
    { cidrs: ['172.18.0.0/16'], served: ['172.18.0.2'], effective: false },
    { cidrs: ['192.168.0.0/16', '172.18.0.2/32'], served: ['172.18.0.2', '192.168.7.2'], effective: false },
    { cidrs: ['198.18.0.0/15'], served: [], effective: false },
    { cidrs: ['127.0.0.0/8'], served: ['127.0.0.1'], effective: true },
    { cidrs: ['127.0.0.0/8'], localhost: false, served: [], effective: false },
    { cidrs: ['127.0.0.1/32', '172.18.0.0/16'], served: ['172.18.0.2', '127.0.0.1'], effective: true },
    { cidrs: ['127.1.0.0/16'], served: [], effective: true },
    { cidrs: ['126.0.0.0/7'], served: ['127.0.0.1'], effective: true },
    { cidrs: ['128.0.0.0/1'], served: ['172.18.0.2', '192.168.7.2'], effective: false },
    { cidrs: ['0.0.0.0/0'], served: 'all', effective: true },
    { cidrs: ['172.18.0.0/16', '0.0.0.0/0'], served: 'all', effective: true },
    { cidrs: ['::/0'], served: 'all', effective: true },
    { cidrs: ['::/0'], family: 'ipv6', served: 'all', effective: false },
    { cidrs: ['::1/128', 'fd00:18::/64'], family: 'ipv6', served: ['fd00:18::2'], effective: false },
    { cidrs: ['::1/128'], family: 'ipv6', served: [], effective: false },
  ])('$cidrs, localhostNodePorts $localhost, $family', (row) => {
    const { cidrs, localhost = true, family = 'ipv4', served, effective } = row;
    const given = {
      nodePortAddresses: cidrs.map(parseIpPrefix),
      ...iptablesOptions({ localhostNodePorts: localhost }),
    };
    const result = settings(given, { family, node: node({ addresses }) });
    const { nodePortAddresses } = result;
    const printed =
      nodePortAddresses.kind === 'all' ? 'all' : nodePortAddresses.addresses.map(formatIpAddress);
    expect({ served: printed, effective: result.localhostNodePorts }).toEqual({ served, effective });
  });
});

describe('marks', () => {
  test.each([
    { masqueradeBit: 0, mark: 1 },
    { masqueradeBit: 14, mark: 0x4000 },
    { masqueradeBit: 31, mark: 0x80000000 },
  ])('bit $masqueradeBit', ({ masqueradeBit, mark }) => {
    expect(settings(iptablesOptions({ masqueradeBit })).masqueradeMark).toBe(mark);
  });
});

describe('packets in state INVALID', () => {
  const { conntrack } = configuration();
  const liberal = { conntrack: { ...conntrack, tcpBeLiberal: true } };
  const sysctl = 'net.netfilter.nf_conntrack_tcp_be_liberal';
  test.each<{
    what: string;
    given: Partial<KubeProxyConfiguration>;
    sysctls?: Record<string, string>;
    drops: boolean;
  }>([
    { what: 'by default', given: {}, drops: true },
    { what: 'tcpBeLiberal', given: liberal, drops: false },
    { what: 'the sysctl already set', given: {}, sysctls: { [sysctl]: '1' }, drops: false },
    { what: 'the sysctl 0', given: {}, sysctls: { [sysctl]: '0' }, drops: true },
  ])('$what: dropped $drops', ({ given, sysctls, drops }) => {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const extra = sysctls === undefined ? { family } : { family, sysctls };
      expect(settings(given, extra).dropsInvalid).toBe(drops);
    }
  });
});

describe('feature gates', () => {
  test.each([
    { featureGates: {}, hintsUse: 'by-annotation' },
    { featureGates: { ServiceTrafficDistribution: true }, hintsUse: 'always' },
    { featureGates: { AllAlpha: true }, hintsUse: 'always' },
    { featureGates: { AllAlpha: true, ServiceTrafficDistribution: false }, hintsUse: 'by-annotation' },
    { featureGates: { TopologyAwareHints: false }, hintsUse: 'never' },
    { featureGates: { AllBeta: false }, hintsUse: 'never' },
    { featureGates: { AllBeta: false, TopologyAwareHints: true }, hintsUse: 'by-annotation' },
  ])('$featureGates: hints $hintsUse', ({ featureGates, hintsUse }) => {
    expect(settings({ featureGates }).topology).toEqual({ zone: 'zone-a', hintsUse });
  });
});
