import { IPv4CidrRange } from 'ip-num';
import { describe, expect, it } from 'vitest';
import { allocateNodeSubnets } from '../../src/cni/ipam/node-subnets.ts';
import { PodAddresses } from '../../src/cni/ipam/pod-addresses.ts';
import { rangeOf } from '../../src/cni/ipam/range.ts';
import { SubnetIndex } from '../../src/cni/ipam/subnet-index.ts';
import { Random } from '../../src/sim/random.ts';
import { formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix, parseIpPrefix, prefixContains, prefixesOverlap } from '../../src/wire/ip-prefix.ts';
import { refusalOf } from '../kube/manifest-text.ts';

const origin = { file: 'in.yaml', line: 7 };

function subnets(given: readonly (readonly string[])[], networks: readonly string[]): string[][] {
  const requests = given.map((cidrs, index) => ({
    nodeName: `n${index + 1}`,
    given: cidrs.map(parseIpPrefix),
    origin: { file: 'in.yaml', line: index + 1 },
  }));
  const allocated = allocateNodeSubnets(requests, networks.map(parseIpPrefix));
  return [...allocated.values()].map((prefixes) => prefixes.map(formatIpPrefix));
}

describe('ranges', () => {
  it.each<[string, string, number, number]>([
    ['10.244.1.0/24', '10.244.1.1', 1, 254],
    ['10.244.1.128/25', '10.244.1.129', 1, 126],
    ['10.0.0.0/30', '10.0.0.1', 1, 2],
    ['10.244.0.0/16', '10.244.0.1', 1, 65534],
    ['fd00:10:244:1::/64', 'fd00:10:244:1::1', 1, 0xffffffff],
    ['fd00::/126', 'fd00::1', 1, 3],
  ])('%s', (subnet, gateway, first, last) => {
    const range = rangeOf(parseIpPrefix(subnet));
    expect([formatIpAddress(range.gateway), range.firstOffset, range.lastOffset]).toEqual([
      gateway,
      first,
      last,
    ]);
  });

  it.each(['10.0.0.0/31', '10.0.0.0/32', 'fd00::/127', 'fd00::/128'])('%s is too small', (subnet) => {
    expect(refusalOf(() => rangeOf(parseIpPrefix(subnet)))).toBe(
      `the pod network ${subnet} is too small: it has no room for pods`,
    );
  });
});

describe('node subnets', () => {
  it.each<[string, string[][], string[], string[][]]>([
    [
      'in node order',
      [[], [], []],
      ['10.244.0.0/16'],
      [['10.244.0.0/24'], ['10.244.1.0/24'], ['10.244.2.0/24']],
    ],
    [
      'around those given',
      [[], ['10.244.1.0/24'], [], []],
      ['10.244.0.0/16'],
      [['10.244.0.0/24'], ['10.244.1.0/24'], ['10.244.2.0/24'], ['10.244.3.0/24']],
    ],
    [
      'around a larger one',
      [['10.244.0.0/23'], []],
      ['10.244.0.0/16'],
      [['10.244.0.0/23'], ['10.244.2.0/24']],
    ],
    [
      'around smaller ones',
      [['10.244.0.64/26'], ['10.244.1.192/26'], []],
      ['10.244.0.0/16'],
      [['10.244.0.64/26'], ['10.244.1.192/26'], ['10.244.2.0/24']],
    ],
    [
      'given ones from elsewhere',
      [['192.168.7.0/24'], []],
      ['10.244.0.0/16'],
      [['192.168.7.0/24'], ['10.244.0.0/24']],
    ],
    ['IPv6', [[], []], ['fd00:10:244::/56'], [['fd00:10:244::/64'], ['fd00:10:244:1::/64']]],
    [
      'both families',
      [[], []],
      ['10.244.0.0/16', 'fd00:10:244::/56'],
      [
        ['10.244.0.0/24', 'fd00:10:244::/64'],
        ['10.244.1.0/24', 'fd00:10:244:1::/64'],
      ],
    ],
    ['exactly one node’s', [[]], ['10.244.7.0/24'], [['10.244.7.0/24']]],
    ['not aligned to an octet', [[], []], ['10.244.6.0/23'], [['10.244.6.0/24'], ['10.244.7.0/24']]],
  ])('%s', (_, given, networks, expected) => {
    expect(subnets(given, networks)).toEqual(expected);
  });

  it('fills an IPv6 network to the last block', () => {
    const all = subnets(
      Array.from({ length: 256 }, () => []),
      ['fd00:10:244::/56'],
    );
    expect(all[255]).toEqual(['fd00:10:244:ff::/64']);
  });

  it.each<[string, string[][], string[], string]>([
    [
      'two nodes with one network',
      [['10.244.1.0/24'], ['10.244.1.0/24']],
      ['10.244.0.0/16'],
      'in.yaml:2: Node n2: podCIDR 10.244.1.0/24 overlaps 10.244.1.0/24 of Node n1 (in.yaml:1)',
    ],
    [
      'one network inside another',
      [['10.244.0.0/16'], [], ['10.244.9.0/24']],
      ['10.244.0.0/16'],
      'in.yaml:3: Node n3: podCIDR 10.244.9.0/24 overlaps 10.244.0.0/16 of Node n1 (in.yaml:1)',
    ],
    [
      'IPv6 overlap',
      [
        ['10.244.1.0/24', 'fd00::/64'],
        ['10.244.2.0/24', 'fd00::/60'],
      ],
      ['10.244.0.0/16'],
      'podCIDR fd00::/60 overlaps fd00::/64 of Node n1',
    ],
    [
      'one node too many',
      [[], [], []],
      ['10.244.0.0/23'],
      'in.yaml:3: no pod subnet is left in 10.244.0.0/23 for Node n3',
    ],
    [
      'a network smaller than a block',
      [[]],
      ['10.244.0.0/25'],
      "the pod subnet 10.244.0.0/25 is smaller than one node's /24",
    ],
    [
      'a network of too many blocks',
      [[]],
      ['fd00::/47'],
      'the pod subnet fd00::/47 is too large for a /64 a node; the largest is a /48',
    ],
  ])('refuses %s', (_, given, networks, message) => {
    expect(refusalOf(() => subnets(given, networks))).toContain(message);
  });

  it('never overlap, at random', () => {
    const seed = 4711;
    const random = new Random(seed);
    for (let round = 0; round < 50; round++) {
      const given = Array.from({ length: 1 + random.below(20) }, (_, index) =>
        random.below(3) === 0 ? [`10.244.${index * 4 + random.below(4)}.0/24`] : [],
      );
      const all = subnets(given, ['10.244.0.0/16']).map(([cidr]) => parseIpPrefix(cidr ?? ''));
      for (const [i, a] of all.entries()) {
        expect(
          IPv4CidrRange.fromCidr('10.244.0.0/16').contains(IPv4CidrRange.fromCidr(formatIpPrefix(a))),
        ).toBe(true);
        for (const b of all.slice(i + 1))
          expect({ seed, round, overlap: prefixesOverlap(a, b) }).toEqual({ seed, round, overlap: false });
      }
    }
  });
});

describe('SubnetIndex', () => {
  const index = new SubnetIndex(
    (
      [
        ['10.244.1.0/24', 'a'],
        ['10.244.2.0/25', 'b'],
        ['10.244.2.128/26', 'c'],
        ['fd00:0:0:1::/64', 'a'],
      ] as const
    ).map(([prefix, name]) => [parseIpPrefix(prefix), name] as const),
  );
  it.each<[string, string | undefined]>([
    ['10.244.1.0', 'a'],
    ['10.244.1.255', 'a'],
    ['10.244.2.127', 'b'],
    ['10.244.2.128', 'c'],
    ['10.244.2.192', undefined],
    ['10.244.3.1', undefined],
    ['fd00:0:0:1:ffff::', 'a'],
    ['fd00::', undefined],
  ])('%s', (address, expected) => {
    expect(index.find(parseIpAddress(address))).toBe(expected);
  });
});

describe('pod addresses', () => {
  const text = (addresses: readonly ReturnType<typeof parseIpAddress>[]) => addresses.map(formatIpAddress);

  it('begin after the gateway and pass over what is taken', () => {
    const pool = new PodAddresses('n1', [parseIpPrefix('10.244.1.0/24'), parseIpPrefix('fd00::/64')]);
    expect(pool.reserve(parseIpAddress('10.244.1.2'))).toBe(true);
    expect(pool.reserve(parseIpAddress('10.244.1.2'))).toBe(false);
    expect(pool.reserve(parseIpAddress('10.244.1.1'))).toBe(false);
    expect(pool.reserve(parseIpAddress('10.9.9.9'))).toBe(false);
    expect(text(pool.allocate(origin))).toEqual(['10.244.1.3', 'fd00::2']);
    expect(text(pool.allocate(origin))).toEqual(['10.244.1.4', 'fd00::3']);
  });

  it('use every address once, and none of network, gateway and broadcast', () => {
    const subnet = parseIpPrefix('10.244.1.0/24');
    const pool = new PodAddresses('n1', [subnet]);
    const all = Array.from({ length: 253 }, () => text(pool.allocate(origin))[0] ?? '');
    expect(new Set(all).size).toBe(253);
    expect(all.every((each) => prefixContains(subnet, parseIpAddress(each)))).toBe(true);
    for (const reserved of ['10.244.1.0', '10.244.1.1', '10.244.1.255']) expect(all).not.toContain(reserved);
    expect(refusalOf(() => pool.allocate(origin))).toBe(
      'in.yaml:7: no address is left in 10.244.1.0/24, the pod network of Node n1',
    );
  });

  it('take nothing when one family is exhausted', () => {
    const pool = new PodAddresses('n1', [parseIpPrefix('10.244.1.0/24'), parseIpPrefix('fd00::/126')]);
    expect(text(pool.allocate(origin))).toEqual(['10.244.1.2', 'fd00::2']);
    expect(text(pool.allocate(origin))).toEqual(['10.244.1.3', 'fd00::3']);
    expect(refusalOf(() => pool.allocate(origin))).toContain('no address is left in fd00::/126');
    expect(pool.reserve(parseIpAddress('10.244.1.4'))).toBe(true);
  });
});
