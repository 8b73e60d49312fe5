import { describe, expect, test } from 'vitest';
import type { EndpointSlice } from '../../src/kube/objects.ts';
import { collectEndpoints, type Endpoint } from '../../src/proxy/endpoints.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { endpoint, slice } from './objects.ts';

const HTTP = 'default/web:http/TCP';

function endpointsOf(
  slices: readonly EndpointSlice[],
  key = HTTP,
  family: IpFamily = 'ipv4',
): readonly Endpoint[] {
  return collectEndpoints(slices, { family, proxyNode: 'worker-1' }).get(key) ?? [];
}

const texts = (endpoints: readonly Endpoint[]) => endpoints.map(({ text }) => text);

describe('order is that of the text, byte by byte', () => {
  test.each([
    {
      family: 'ipv4',
      addressType: 'IPv4',
      addresses: ['10.244.1.9', '10.244.1.10', '10.244.1.100'],
      sorted: ['10.244.1.100:8080', '10.244.1.10:8080', '10.244.1.9:8080'],
    },
    {
      family: 'ipv6',
      addressType: 'IPv6',
      addresses: ['fd00::a', 'fd00::10', 'FD00:10:1:0:0::6'],
      sorted: ['[FD00:10:1:0:0::6]:8080', '[fd00::10]:8080', '[fd00::a]:8080'],
    },
  ] as const)('$family', ({ family, addressType, addresses, sorted }) => {
    const slices = [
      slice(
        addresses.map((address) => endpoint(address)),
        { addressType },
      ),
    ];
    expect(texts(endpointsOf(slices, HTTP, family))).toEqual(sorted);
  });
});

describe('conditions: nil ready and serving mean yes, nil terminating no', () => {
  const yes = { ready: true, serving: true, terminating: false };
  test.each([
    { conditions: {}, expected: yes },
    { conditions: { ready: false }, expected: { ...yes, ready: false } },
    { conditions: { serving: false }, expected: { ...yes, serving: false } },
    { conditions: { terminating: true }, expected: { ...yes, terminating: true } },
  ])('$conditions', ({ conditions, expected }) => {
    expect(endpointsOf([slice([endpoint('10.244.1.5', { conditions })])])).toMatchObject([expected]);
  });
});

describe('local is what names this node', () => {
  test.each([
    { nodeName: 'worker-1', local: true },
    { nodeName: 'worker-2', local: false },
    { nodeName: undefined, local: false },
  ])('$nodeName: $local', ({ nodeName, local }) => {
    const one = endpoint('10.244.1.5', nodeName === undefined ? {} : { nodeName });
    expect(endpointsOf([slice([one])])).toMatchObject([{ local }]);
  });
});

describe('what belongs to the service port', () => {
  const pod = [endpoint('10.244.1.5')];
  const http = { name: 'http', protocol: 'TCP', port: 8080 } as const;
  test.each<{ what: string; slices: EndpointSlice[]; expected: string[]; key?: string }>([
    { what: 'same name and protocol', slices: [slice(pod)], expected: ['10.244.1.5:8080'] },
    { what: 'other port name', slices: [slice(pod, { ports: [{ ...http, name: 'web' }] })], expected: [] },
    { what: 'other protocol', slices: [slice(pod, { ports: [{ ...http, protocol: 'UDP' }] })], expected: [] },
    { what: 'null name', slices: [slice(pod, { ports: [{ protocol: 'TCP', port: 8080 }] })], expected: [] },
    {
      what: 'unnamed to unnamed',
      slices: [slice(pod, { ports: [{ ...http, name: '' }] })],
      key: 'default/web/TCP',
      expected: ['10.244.1.5:8080'],
    },
    { what: 'port 0', slices: [slice(pod, { ports: [{ ...http, port: 0 }] })], expected: [] },
    { what: 'null port', slices: [slice(pod, { ports: [{ name: 'http', protocol: 'TCP' }] })], expected: [] },
    {
      what: 'one name, two numbers: both',
      slices: [slice(pod, { ports: [http, { ...http, port: 9090 }] })],
      expected: ['10.244.1.5:8080', '10.244.1.5:9090'],
    },
    { what: 'other namespace', slices: [slice(pod, { namespace: 'kube-system' })], expected: [] },
    { what: 'other Service', slices: [slice(pod, { service: 'db' })], expected: [] },
    {
      what: 'no owner',
      slices: [slice(pod, { labels: { 'kubernetes.io/service-name': '' } })],
      expected: [],
    },
    { what: 'FQDN', slices: [slice([endpoint('a.example')], { addressType: 'FQDN' })], expected: [] },
    {
      what: 'labelled headless',
      slices: [slice(pod, { labels: { 'service.kubernetes.io/headless': 'false' } })],
      expected: [],
    },
    {
      what: 'for another proxy',
      slices: [slice(pod, { labels: { 'service.kubernetes.io/service-proxy-name': 'x' } })],
      expected: [],
    },
    {
      what: 'IPv6 text in an IPv4 slice',
      slices: [slice([endpoint('fd00::5'), endpoint('10.244.1.6')])],
      expected: ['10.244.1.6:8080'],
    },
    {
      what: 'the first address alone',
      slices: [slice([endpoint('10.244.1.5', { addresses: ['10.244.1.5', '10.244.1.6'] })])],
      expected: ['10.244.1.5:8080'],
    },
    {
      what: 'no address at all',
      slices: [slice([endpoint('', { addresses: [] }), endpoint('10.244.1.6')])],
      expected: ['10.244.1.6:8080'],
    },
    {
      what: 'several slices together',
      slices: [slice([endpoint('10.244.2.6')], { name: 'b' }), slice(pod, { name: 'a' })],
      expected: ['10.244.1.5:8080', '10.244.2.6:8080'],
    },
  ])('$what', ({ slices, expected, key }) => {
    expect(texts(endpointsOf(slices, key))).toEqual(expected);
  });

  test('an IPv4 address is not in an IPv6 slice', () => {
    const slices = [slice([endpoint('10.244.1.5'), endpoint('fd00::5')], { addressType: 'IPv6' })];
    expect(texts(endpointsOf(slices, HTTP, 'ipv6'))).toEqual(['[fd00::5]:8080']);
    expect(endpointsOf(slices)).toEqual([]);
  });
});

describe('the same address and port twice is one endpoint', () => {
  const ready = endpoint('10.244.1.5');
  const gone = endpoint('10.244.1.5', { conditions: { ready: false } });
  const here = endpoint('10.244.1.5', { conditions: { ready: false }, nodeName: 'worker-1' });
  test.each([
    { what: 'the first counts', slices: [[ready], [gone]], expected: { ready: true, local: false } },
    { what: 'the first counts, turned', slices: [[gone], [ready]], expected: { ready: false, local: false } },
    {
      what: 'a later local one replaces it',
      slices: [[ready], [here]],
      expected: { ready: false, local: true },
    },
    { what: 'a local one stays', slices: [[here], [ready]], expected: { ready: false, local: true } },
    { what: 'within one slice', slices: [[ready, here]], expected: { ready: false, local: true } },
  ])('$what', ({ slices, expected }) => {
    const given = slices.map((endpoints, index) => slice(endpoints, { name: `web-${index}` }));
    expect(endpointsOf(given)).toMatchObject([expected]);
    // Slices are taken by name, whatever order they were read in.
    expect(endpointsOf(given.toReversed())).toMatchObject([expected]);
  });

  test('spelt differently they are two', () => {
    const spellings = ['fd00::5', 'FD00::5', 'fd00:0::5'];
    const slices = [
      slice(
        spellings.map((address) => endpoint(address)),
        { addressType: 'IPv6' },
      ),
    ];
    expect(endpointsOf(slices, HTTP, 'ipv6')).toHaveLength(3);
  });
});
