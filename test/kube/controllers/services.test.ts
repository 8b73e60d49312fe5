import { describe, expect, it } from 'vitest';
import { assignLoadBalancers } from '../../../src/kube/controllers/load-balancer.ts';
import { assignClusterIps } from '../../../src/kube/controllers/service-addresses.ts';
import { assignNodePorts } from '../../../src/kube/controllers/service-ports.ts';
import type { Service } from '../../../src/kube/objects.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { decodeOne, refusalOf } from '../manifest-text.ts';

const service = (name: string, spec: string, status = '{}'): Service =>
  decodeOne(
    'Service',
    `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}], ${spec}}\nstatus: ${status}\n`,
  );

const V4 = { subnets: [parseIpPrefix('10.96.0.0/16')], explicit: false };
const V6 = { subnets: [parseIpPrefix('fd00:10:96::/112')], explicit: false };
const DUAL = { subnets: [...V4.subnets, ...V6.subnets], explicit: false };

const addresses = (services: readonly Service[]) => services.map(({ spec }) => spec.clusterIPs);
const one = (spec: string, network = V4) => assignClusterIps([service('web', spec)], network)[0]?.spec;

describe('clusterIPs', () => {
  it('come from above the static band, lowest first, around those given', () => {
    const services = [
      service('a', ''),
      service('b', 'clusterIP: 10.96.1.2'),
      service('c', ''),
      service('d', ''),
    ];
    expect(addresses(assignClusterIps(services, V4))).toEqual([
      ['10.96.1.1'],
      ['10.96.1.2'],
      ['10.96.1.3'],
      ['10.96.1.4'],
    ]);
  });

  it('fall back on the static band, but not on the first address, the network and the broadcast address', () => {
    const small = { subnets: [parseIpPrefix('10.96.0.0/29')], explicit: false };
    const services = Array.from({ length: 5 }, (_, i) => service(`s${i}`, ''));
    expect(addresses(assignClusterIps(services, small))).toEqual(
      [2, 3, 4, 5, 6].map((n) => [`10.96.0.${n}`]),
    );
    const more = [...services, service('more', '')];
    expect(refusalOf(() => assignClusterIps(more, small))).toBe(
      'in.yaml:1: Service default/more: no cluster IP is left in 10.96.0.0/29',
    );
  });

  it.each<[string, string, typeof V4, object]>([
    [
      'single-stack by default',
      '',
      DUAL,
      { ipFamilies: ['IPv4'], clusterIPs: ['10.96.1.1'], clusterIP: '10.96.1.1' },
    ],
    [
      'in the cluster’s first family',
      '',
      { ...DUAL, subnets: [...DUAL.subnets].reverse() },
      { ipFamilies: ['IPv6'] },
    ],
    ['in the family asked for', 'ipFamilies: [IPv6]', DUAL, { clusterIPs: ['fd00:10:96::101'] }],
    [
      'PreferDualStack',
      'ipFamilyPolicy: PreferDualStack',
      DUAL,
      { ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['10.96.1.1', 'fd00:10:96::101'] },
    ],
    [
      'PreferDualStack, IPv6 first',
      'ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6]',
      DUAL,
      { ipFamilies: ['IPv6', 'IPv4'], clusterIP: 'fd00:10:96::101' },
    ],
    [
      'PreferDualStack in a cluster of one family',
      'ipFamilyPolicy: PreferDualStack',
      V4,
      { ipFamilies: ['IPv4'], clusterIPs: ['10.96.1.1'] },
    ],
    ['RequireDualStack', 'ipFamilyPolicy: RequireDualStack', DUAL, { ipFamilies: ['IPv4', 'IPv6'] }],
    [
      'two families without a policy',
      'ipFamilies: [IPv6, IPv4]',
      DUAL,
      { clusterIPs: ['fd00:10:96::101', '10.96.1.1'] },
    ],
    [
      'the second family beside an address given',
      'ipFamilyPolicy: PreferDualStack, clusterIP: "fd00:10:96::7"',
      DUAL,
      { clusterIPs: ['fd00:10:96::7', '10.96.1.1'] },
    ],
    [
      'an address given says the family',
      'clusterIP: "fd00:10:96::7"',
      DUAL,
      { ipFamilies: ['IPv6'], clusterIPs: ['fd00:10:96::7'] },
    ],
    [
      'an address given outside the usual subnet',
      'clusterIP: 192.168.0.1',
      V4,
      { clusterIPs: ['192.168.0.1'] },
    ],
    [
      'headless Services have families only',
      'clusterIP: None',
      V4,
      { ipFamilies: ['IPv4'], clusterIPs: ['None'], clusterIP: 'None' },
    ],
    [
      'headless, both families',
      'clusterIP: None, ipFamilyPolicy: PreferDualStack',
      DUAL,
      { ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['None'] },
    ],
    ['ExternalName Services have none', 'type: ExternalName', V4, { ipFamilies: [], clusterIPs: [] }],
    [
      'an API server’s object is complete',
      'ipFamilyPolicy: PreferDualStack, clusterIPs: [10.96.0.7]',
      DUAL,
      { ipFamilies: ['IPv4'], clusterIPs: ['10.96.0.7'] },
    ],
  ])('%s', (_, spec, network, expected) => {
    expect(one(spec, network)).toMatchObject(expected);
  });

  it.each<[string, Service[], typeof V4, string]>([
    [
      'one address twice',
      [service('a', 'clusterIP: 10.96.0.7'), service('b', 'clusterIPs: [10.96.0.7]')],
      V4,
      'in.yaml:4: Service default/b: spec.clusterIPs[0]: failed to allocate IP 10.96.0.7: it is allocated to Service default/a (in.yaml:1)',
    ],
    [
      'one address twice, spelt differently',
      [service('a', 'clusterIP: "fd00::7"'), service('b', 'clusterIP: "FD00:0::7"')],
      V4,
      'it is allocated to Service default/a',
    ],
    [
      'an address outside the subnet the user named',
      [service('a', 'clusterIP: 10.97.0.7')],
      { ...V4, explicit: true },
      'the provided IP (10.97.0.7) is not in the valid range, 10.96.0.0/16',
    ],
    [
      'a family the cluster lacks',
      [service('a', 'ipFamilies: [IPv6]')],
      V4,
      'in.yaml:4: Service default/a: spec.ipFamilies[0]: IPv6 is not configured on this cluster',
    ],
    [
      'both families in a cluster of one',
      [service('a', 'ipFamilyPolicy: RequireDualStack')],
      V4,
      'spec.ipFamilyPolicy: this cluster is not configured for dual-stack services',
    ],
  ])('refuses %s', (_, services, network, message) => {
    expect(refusalOf(() => assignClusterIps(services, network))).toContain(message);
  });

  it('lets ExternalName and headless Services share nothing', () => {
    const services = [
      service('a', 'clusterIP: None'),
      service('b', 'clusterIP: None'),
      service('c', 'type: ExternalName'),
    ];
    expect(refusalOf(() => assignClusterIps(services, V4))).toBe('accepted');
  });
});

const RANGE = { first: 30000, last: 32767 };

function ports(services: readonly Service[], range = RANGE): [number[], number][] {
  return assignNodePorts(services, range).map(({ spec }) => [
    spec.ports.map(({ nodePort }) => nodePort),
    spec.healthCheckNodePort,
  ]);
}

describe('node ports', () => {
  it.each<[string, Service[], [number[], number][]]>([
    ['ClusterIP has none', [service('a', '')], [[[0], 0]]],
    ['NodePort', [service('a', 'type: NodePort')], [[[30000], 0]]],
    ['LoadBalancer', [service('a', 'type: LoadBalancer')], [[[30000], 0]]],
    [
      'LoadBalancer that wants none',
      [service('a', 'type: LoadBalancer, allocateLoadBalancerNodePorts: false')],
      [[[0], 0]],
    ],
    [
      'LoadBalancer that an API server has completed',
      [service('a', 'type: LoadBalancer, clusterIPs: [10.96.0.1]')],
      [[[0], 0]],
    ],
    [
      'the health check of a Local LoadBalancer',
      [service('a', 'type: LoadBalancer, externalTrafficPolicy: Local')],
      [[[30000], 30001]],
    ],
    [
      'a health check given',
      [service('a', 'type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30000')],
      [[[30001], 30000]],
    ],
    [
      'no health check for NodePort',
      [service('a', 'type: NodePort, externalTrafficPolicy: Local')],
      [[[30000], 0]],
    ],
  ])('%s', (_, services, expected) => {
    expect(ports(services)).toEqual(expected);
  });

  const withPorts = (name: string, list: string, type = 'NodePort') =>
    decodeOne(
      'Service',
      `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec:\n  type: ${type}\n  ports: ${list}\n`,
    );

  it('are shared by one port of two protocols', () => {
    expect(
      ports([
        withPorts('dns', '[{name: a, port: 53}, {name: b, port: 53, protocol: UDP}, {name: c, port: 54}]'),
      ]),
    ).toEqual([[[30000, 30000, 30001], 0]]);
    expect(
      ports([withPorts('dns', '[{name: a, port: 53, nodePort: 30053}, {name: b, port: 53, protocol: UDP}]')]),
    ).toEqual([[[30053, 30053], 0]]);
  });

  it('respect those given by later Services', () => {
    expect(ports([withPorts('a', '[{port: 1}]'), withPorts('b', '[{port: 1, nodePort: 30000}]')])).toEqual([
      [[30001], 0],
      [[30000], 0],
    ]);
  });

  it.each<[string, () => Service[], string]>([
    [
      'a port below the range',
      () => [withPorts('a', '[{port: 1, nodePort: 80}]')],
      'in.yaml:6: Service default/a: spec.ports[0].nodePort: 80 is not in the valid range; the range of valid ports is 30000-32767',
    ],
    [
      'a port above the range',
      () => [withPorts('a', '[{port: 1, nodePort: 32768}]')],
      '32768 is not in the valid range',
    ],
    [
      'a port of two Services',
      () => [
        withPorts('a', '[{port: 1, nodePort: 30001}]'),
        withPorts('b', '[{port: 1, nodePort: 30001, protocol: UDP}]'),
      ],
      'in.yaml:6: Service default/b: spec.ports[0].nodePort: port 30001 is already allocated to Service default/a (in.yaml:1)',
    ],
    [
      'a health check on a node port',
      () => [
        withPorts('a', '[{port: 1, nodePort: 30001}]'),
        service('b', 'type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30001'),
      ],
      'Service default/b: spec.healthCheckNodePort: port 30001 is already allocated to Service default/a',
    ],
  ])('refuses %s', (_, services, message) => {
    expect(refusalOf(() => ports(services()))).toContain(message);
  });

  it('run out', () => {
    const run = () =>
      ports([withPorts('a', '[{name: a, port: 1}, {name: b, port: 2}, {name: c, port: 3}]')], {
        first: 30000,
        last: 30001,
      });
    expect(refusalOf(run)).toBe('in.yaml:1: Service default/a: no node port is left in 30000-30001');
  });
});

describe('load balancers', () => {
  const range = (first: string, last: string) => ({
    first: parseIpAddress(first),
    last: parseIpAddress(last),
  });
  const pool = [range('192.0.2.10', '192.0.2.12'), range('2001:db8::10', '2001:db8::20')];
  const LB = 'type: LoadBalancer';
  const assign = (services: readonly Service[], from = pool) =>
    assignLoadBalancers(assignClusterIps(services, DUAL), from).map(({ status }) =>
      status.loadBalancer.ingress.map(({ ip, hostname }) => ip ?? hostname),
    );

  it.each<[string, Service[], (string | undefined)[][]]>([
    ['one after another', [service('a', LB), service('b', LB)], [['192.0.2.10'], ['192.0.2.11']]],
    ['none for other types', [service('a', 'type: NodePort')], [[]]],
    [
      'the ingress given',
      [service('a', LB, '{loadBalancer: {ingress: [{hostname: lb.example.org}]}}')],
      [['lb.example.org']],
    ],
    ['the address asked for', [service('a', `${LB}, loadBalancerIP: 198.51.100.1`)], [['198.51.100.1']]],
    [
      'not an address in use',
      [
        service('a', LB),
        service('b', LB, '{loadBalancer: {ingress: [{ip: 192.0.2.10}]}}'),
        service('c', `${LB}, externalIPs: [192.0.2.11]`),
      ],
      [['192.0.2.12'], ['192.0.2.10'], []],
    ],
    [
      'one of each family',
      [service('a', `${LB}, ipFamilyPolicy: RequireDualStack`)],
      [['192.0.2.10', '2001:db8::10']],
    ],
    [
      'pending when the pool is empty',
      [1, 2, 3, 4].map((n) => service(`s${n}`, LB)),
      [['192.0.2.10'], ['192.0.2.11'], ['192.0.2.12'], []],
    ],
    [
      'what an API server left pending keeps to its pool',
      [service('a', `${LB}, clusterIPs: [10.96.0.9], loadBalancerIP: 198.51.100.1`)],
      [['192.0.2.10']],
    ],
  ])('%s', (_, services, expected) => {
    expect(assign(services)).toEqual(expected);
  });

  it('stay pending without a pool', () => {
    expect(assign([service('a', LB)], [])).toEqual([[]]);
  });
});
