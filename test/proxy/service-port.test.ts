import { describe, expect, test } from 'vitest';
import { isExternallyAccessible, type ServicePort, servicePortsOf } from '../../src/proxy/service-port.ts';
import { formatIpAddress, type IpFamily } from '../../src/wire/ip-address.ts';
import { formatIpPrefix } from '../../src/wire/ip-prefix.ts';
import { httpPort, type ServiceFields, service } from './objects.ts';

function portsOf(given: ServiceFields, family: IpFamily = 'ipv4'): readonly ServicePort[] {
  return servicePortsOf(service(given), family);
}

function portOf(given: ServiceFields, family: IpFamily = 'ipv4'): ServicePort {
  const [port] = portsOf(given, family);
  if (port === undefined) throw new Error('skipped');
  return port;
}

describe('which Services it leaves alone', () => {
  test.each<{ what: string; given: ServiceFields; family?: IpFamily; ports: number }>([
    { what: 'an ordinary one', given: {}, ports: 1 },
    { what: 'headless', given: { clusterIP: 'None' }, ports: 0 },
    { what: 'no clusterIP yet', given: { clusterIP: '', clusterIPs: [] }, ports: 0 },
    { what: 'ExternalName, also with a clusterIP', given: { type: 'ExternalName' }, ports: 0 },
    {
      what: 'for another proxy',
      given: { labels: { 'service.kubernetes.io/service-proxy-name': 'other' } },
      ports: 0,
    },
    {
      what: 'for another proxy, empty label',
      given: { labels: { 'service.kubernetes.io/service-proxy-name': '' } },
      ports: 0,
    },
    { what: 'labelled headless', given: { labels: { 'service.kubernetes.io/headless': '' } }, ports: 0 },
    { what: 'no clusterIP in the family', given: {}, family: 'ipv6', ports: 0 },
  ])('$what: $ports', ({ given, family, ports }) => {
    expect(portsOf(given, family)).toHaveLength(ports);
  });
});

describe('the clusterIP of a family', () => {
  test.each<{ what: string; given: ServiceFields; ipv4: string; ipv6: string }>([
    { what: 'IPv4 alone', given: { clusterIP: '10.96.0.1' }, ipv4: '10.96.0.1', ipv6: '' },
    {
      what: 'both, IPv6 first',
      given: { clusterIPs: ['fd00::1', '10.96.0.1'], ipFamilies: ['IPv6', 'IPv4'], clusterIP: 'fd00::1' },
      ipv4: '10.96.0.1',
      ipv6: 'fd00::1',
    },
    {
      what: 'no ipFamilies: by the clusterIP itself',
      given: { clusterIP: 'fd00::1', clusterIPs: ['fd00::1', '10.96.0.1'], ipFamilies: [] },
      ipv4: '',
      ipv6: 'fd00::1',
    },
    {
      what: 'a family without its entry',
      given: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ipFamilies: ['IPv4', 'IPv6'] },
      ipv4: '10.96.0.1',
      ipv6: '',
    },
    {
      what: 'leading zeros are decimal',
      given: { clusterIP: '010.001.002.003', clusterIPs: ['010.001.002.003'], ipFamilies: ['IPv4'] },
      ipv4: '10.1.2.3',
      ipv6: '',
    },
  ])('$what', ({ given, ...expected }) => {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const [port] = portsOf(given, family);
      expect(port === undefined ? '' : formatIpAddress(port.clusterIp)).toBe(expected[family]);
    }
  });
});

describe('addresses of the other family, of no family, and twice', () => {
  const externalIPs = ['198.51.100.1', 'fd00::9', '', ' ', '198.51.100.1', '010.0.0.1', '1.2.3'];
  const ingress = [
    { ip: '192.0.2.1' },
    { ip: '192.0.2.2', ipMode: 'VIP' },
    { ip: '192.0.2.3', ipMode: 'Proxy' },
    { hostname: 'lb.example.org' },
    { ip: '2001:DB8::1' },
    { ip: '192.0.2.1' },
  ];
  const loadBalancerSourceRanges = [' 10.1.2.3/8 ', '', '2001:db8:cafe::1/48', 'x/8', '203.0.113.0/24'];
  const given: ServiceFields = {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1', 'fd00::1'],
    ipFamilies: ['IPv4', 'IPv6'],
    externalIPs,
    ingress,
    loadBalancerSourceRanges,
  };

  test.each([
    {
      family: 'ipv4',
      external: ['198.51.100.1', '198.51.100.1', '10.0.0.1'],
      vips: ['192.0.2.1', '192.0.2.2', '192.0.2.1'],
      ranges: ['10.0.0.0/8', '203.0.113.0/24'],
    },
    { family: 'ipv6', external: ['fd00::9'], vips: ['2001:db8::1'], ranges: ['2001:db8:cafe::/48'] },
  ] as const)('$family', ({ family, external, vips, ranges }) => {
    const port = portOf(given, family);
    expect(port.externalIps.map(formatIpAddress)).toEqual(external);
    expect(port.loadBalancerVips.map(formatIpAddress)).toEqual(vips);
    expect(port.sourceRanges.map(formatIpPrefix)).toEqual(ranges);
  });
});

describe('external policy Local', () => {
  test.each<{ what: string; given: ServiceFields; local: boolean }>([
    { what: 'LoadBalancer', given: { type: 'LoadBalancer' }, local: true },
    { what: 'NodePort', given: { type: 'NodePort' }, local: true },
    { what: 'ClusterIP', given: {}, local: false },
    { what: 'ClusterIP with externalIPs', given: { externalIPs: ['198.51.100.1'] }, local: true },
    {
      what: 'ClusterIP with externalIPs of the other family',
      given: { externalIPs: ['fd00::9'] },
      local: true,
    },
  ])('$what: $local', ({ given, local }) => {
    expect(portOf({ externalTrafficPolicy: 'Local', ...given }).externalPolicyLocal).toBe(local);
    expect(portOf(given).externalPolicyLocal).toBe(false);
  });
});

describe('the health-check node port', () => {
  const asked: ServiceFields = { healthCheckNodePort: 32100 };
  test.each<{ what: string; given: ServiceFields; port: number }>([
    {
      what: 'LoadBalancer, Local',
      given: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      port: 32100,
    },
    { what: 'LoadBalancer, Cluster', given: { type: 'LoadBalancer' }, port: 0 },
    { what: 'NodePort, Local', given: { type: 'NodePort', externalTrafficPolicy: 'Local' }, port: 0 },
    {
      what: 'ClusterIP, Local, externalIPs',
      given: { externalTrafficPolicy: 'Local', externalIPs: ['198.51.100.1'] },
      port: 0,
    },
  ])('$what: $port', ({ given, port }) => {
    expect(portOf({ ...asked, ...given }).healthCheckNodePort).toBe(port);
  });
});

describe('the topology annotation', () => {
  const old = 'service.kubernetes.io/topology-aware-hints';
  const mode = 'service.kubernetes.io/topology-mode';
  test.each<{ annotations: Record<string, string>; value: string }>([
    { annotations: {}, value: '' },
    { annotations: { [mode]: 'Auto' }, value: 'Auto' },
    { annotations: { [old]: 'auto' }, value: 'auto' },
    { annotations: { [old]: 'auto', [mode]: 'Disabled' }, value: 'auto' },
    { annotations: { [old]: '', [mode]: 'Auto' }, value: '' },
  ])('$annotations: "$value"', ({ annotations, value }) => {
    expect(portOf({ annotations }).hintsAnnotation).toBe(value);
  });
});

test('affinity has its timeout, and only when it is on', () => {
  expect(portOf({ sessionAffinity: 'ClientIP', sessionAffinityTimeout: 7 }).affinitySeconds).toBe(7);
  expect(portOf({ sessionAffinityTimeout: 7 }).affinitySeconds).toBeUndefined();
});

test('ports keep their names, protocols and numbers', () => {
  const ports = portsOf({
    type: 'NodePort',
    ports: [
      { ...httpPort, nodePort: 30080 },
      { name: '', protocol: 'UDP', port: 53, targetPort: 53, nodePort: 0 },
      { name: 'sig', protocol: 'SCTP', port: 2905, targetPort: 'sig', nodePort: 0 },
    ],
  });
  expect(ports.map(({ name, protocol, port, nodePort }) => ({ name, protocol, port, nodePort }))).toEqual([
    { name: 'default/web:http', protocol: 'tcp', port: 80, nodePort: 30080 },
    { name: 'default/web', protocol: 'udp', port: 53, nodePort: 0 },
    { name: 'default/web:sig', protocol: 'sctp', port: 2905, nodePort: 0 },
  ]);
  expect(ports.map(isExternallyAccessible)).toEqual([true, false, false]);
  expect(new Set(ports.map(({ key }) => key)).size).toBe(3);
});

test('a clusterIP that is none is an input error with its place', () => {
  const wrong = service({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1'], ipFamilies: ['IPv4'] });
  expect(() => servicePortsOf(wrong, 'ipv4')).toThrow(
    "clusterIP 'fd00::1' of Service default/web: expected an IPv4 address",
  );
});
