/** Hosts and routers between them: TTL, MTU, neighbours, rp_filter. The kernel beside the emulator. */
import { describe } from 'vitest';
import { differential } from './network/differential.ts';
import type { NamespaceSpec, NetworkSpec } from './network/network-spec.ts';
import { ping, send, sendPieces, tcp, udp, wait } from './network/packets.ts';
import { FORWARDS, onOneWire } from './network/topologies.ts';

/** Without icmp_ratelimit=0, which would empty the bucket that answers about missing routes draw from. */
const NO_LIMIT = { 'net.ipv4.icmp_ratemask': 0, 'net.ipv6.icmp.ratelimit': 0 } as const;

/** a (10.0.0.1) - r (10.0.0.254, 10.0.1.254) - s (10.0.1.253, 10.0.2.254) - b (10.0.2.1), IPv6 alike. */
function chain(
  parts: Partial<Record<'a' | 'r' | 's' | 'b', NamespaceSpec>> = {},
  middle = 1500,
): NetworkSpec {
  const { a, r, s, b } = parts;
  return {
    namespaces: {
      a: {
        routes: [
          { to: 'default', via: '10.0.0.254' },
          { to: 'default', via: 'fd00:0::fe' },
        ],
        ...a,
        devices: { eth0: { addresses: ['10.0.0.1/24', 'fd00:0::1/64', 'fe80::1/64'] }, ...a?.devices },
      },
      r: {
        routes: [
          { to: '10.0.2.0/24', via: '10.0.1.253' },
          { to: 'fd00:2::/64', via: 'fd00:1::fd' },
        ],
        ...r,
        devices: {
          eth0: { addresses: ['10.0.0.254/24', 'fd00:0::fe/64', 'fe80::fe/64'] },
          eth1: { addresses: ['10.0.1.254/24', 'fd00:1::fe/64', 'fe80::fe/64'], mtu: middle },
          ...r?.devices,
        },
        sysctls: { ...FORWARDS, ...r?.sysctls },
      },
      s: {
        routes: [
          { to: '10.0.0.0/24', via: '10.0.1.254' },
          { to: 'fd00:0::/64', via: 'fd00:1::fe' },
        ],
        ...s,
        devices: {
          eth0: { addresses: ['10.0.1.253/24', 'fd00:1::fd/64', 'fe80::fd/64'], mtu: middle },
          eth1: { addresses: ['10.0.2.254/24', 'fd00:2::fe/64', 'fe80::fe/64'] },
          ...s?.devices,
        },
        sysctls: { ...FORWARDS, ...s?.sysctls },
      },
      b: {
        routes: [
          { to: 'default', via: '10.0.2.254' },
          { to: 'default', via: 'fd00:2::fe' },
        ],
        ...b,
        devices: { eth0: { addresses: ['10.0.2.1/24', 'fd00:2::1/64', 'fe80::1/64'] }, ...b?.devices },
      },
    },
    wires: [
      ['a/eth0', 'r/eth0'],
      ['r/eth1', 's/eth0'],
      ['s/eth1', 'b/eth0'],
    ],
  };
}

for (const [family, a, b, nowhere] of [
  ['IPv4', '10.0.0.1', '10.0.2.1', '10.0.9.9'],
  ['IPv6', 'fd00:0::1', 'fd00:2::1', 'fd00:9::9'],
] as const) {
  describe(`${family} through two routers`, () => {
    differential([
      {
        title: 'ping and closed ports',
        network: chain(),
        steps: [send('a', ping(a, b)), send('a', udp(a, b)), send('a', tcp(a, b))],
      },
      {
        title: 'TTL 1, 2, 3',
        network: chain(),
        steps: [1, 2, 3].map((ttl) => send('a', udp(a, b, { ttl, dport: 33434 + ttl }))),
      },
      {
        title: 'errors are limited in rate',
        network: chain(),
        steps: [
          ...Array.from({ length: 9 }, () => send('a', udp(a, b, { ttl: 1 }))),
          wait(1.1),
          send('a', udp(a, b, { ttl: 1 })),
        ],
      },
      {
        title: 'no route',
        network: chain(),
        steps: [send('a', ping(a, nowhere)), send('a', tcp(a, nowhere))],
      },
      {
        title: 'a smaller MTU in the middle, DF',
        network: chain({}, 1400),
        steps: [
          ping(a, b, { size: 1400, df: true }),
          ping(a, b, { size: 1400, df: true }),
          ping(a, b, { size: 1300, df: true }),
        ].map((p) => send('a', p)),
      },
      {
        title: 'a smaller MTU in the middle, no DF',
        network: chain({ r: { sysctls: NO_LIMIT } }, 1400),
        steps: [
          send('a', ping(a, b, { size: 1400 })),
          send('a', udp(a, b, { size: 1440 })),
          send('b', udp(b, a, { size: 1440 })),
        ],
      },
      {
        title: 'fragments on their way',
        network: chain({}, 1400),
        steps: sendPieces('a', udp(a, b, { size: 2500 }), [1288]),
      },
      {
        title: 'a routed MTU',
        network: chain({
          r: {
            routes: [
              { to: '10.0.2.0/24', via: '10.0.1.253', mtu: 1300 },
              { to: 'fd00:2::/64', via: 'fd00:1::fd', mtu: 1300 },
            ],
          },
        }),
        steps: [send('a', ping(a, b, { size: 1400, df: true })), send('a', ping(a, b, { size: 1400 }))],
      },
      {
        title: 'a reply that does not fit: the sender of the reply learns it',
        network: chain(
          { a: { devices: { eth0: { addresses: ['10.0.0.1/24', 'fd00:0::1/64', 'fe80::1/64'] } } } },
          1300,
        ),
        steps: [
          send('b', ping(b, a, { size: 1200 })),
          send('b', ping(b, a, { size: 1300, df: true })),
          send('b', ping(b, a, { size: 1300, df: true })),
        ],
      },
      {
        title: 'the next hop is not there',
        network: chain({
          b: { devices: { eth0: { addresses: ['10.0.2.7/24', 'fd00:2::7/64', 'fe80::7/64'] } } },
        }),
        steps: [send('a', ping(a, b)), send('a', udp(a, b)), wait(3.5), send('a', udp(a, b)), wait(3.5)],
      },
      {
        title: 'forwarding is off',
        network: chain({ r: { sysctls: { 'net.ipv4.ip_forward': 0, 'net.ipv6.conf.all.forwarding': 0 } } }),
        steps: [
          send('a', ping(a, b)),
          send('a', udp(a, b, { ttl: 1 })),
          send('a', ping(a, family === 'IPv4' ? '10.0.1.254' : 'fd00:1::fe')),
        ],
      },
      {
        title: 'a device goes down, and up again',
        network: chain(),
        steps: [
          send('a', ping(a, b)),
          { kind: 'link', at: 's', device: 'eth1', up: false },
          send('a', ping(a, b)),
          { kind: 'link', at: 's', device: 'eth1', up: true },
          wait(1),
          send('a', ping(a, b)),
        ],
      },
      {
        title: 'unreachable, prohibit, blackhole, throw',
        network: chain({
          r: {
            routes: (['unreachable', 'prohibit', 'blackhole', 'throw'] as const).map((type, index) => ({
              to: `${type} ${family === 'IPv4' ? `10.9.${index}.0/24` : `fd09:${index}::/64`}`,
            })),
            sysctls: NO_LIMIT,
          },
        }),
        steps: [0, 1, 2, 3].map((index) =>
          send('a', udp(a, family === 'IPv4' ? `10.9.${index}.1` : `fd09:${index}::1`)),
        ),
      },
      {
        title: 'to every address of the routers',
        network: chain(),
        steps: (family === 'IPv4'
          ? ['10.0.0.254', '10.0.1.254', '10.0.1.253', '10.0.2.254']
          : ['fd00:0::fe', 'fd00:1::fe', 'fd00:1::fd', 'fd00:2::fe']
        ).map((to) => send('a', ping(a, to))),
      },
    ]);
  });
}

/** Two ways from a to b: requests take r, replies s. a: 10.0.0.1 and 10.0.1.1; b: 10.0.2.1 and 10.0.3.1. */
function asymmetric(rpFilter: number, all = 0): NetworkSpec {
  const sysctls = (device: string) => ({
    ...FORWARDS,
    [`net.ipv4.conf.${device}.rp_filter`]: rpFilter,
    'net.ipv4.conf.all.rp_filter': all,
  });
  return {
    namespaces: {
      a: {
        devices: { eth0: { addresses: ['10.0.0.1/24'] }, eth1: { addresses: ['10.0.1.1/24'] } },
        routes: [
          { to: '10.0.2.0/24', via: '10.0.0.254' },
          { to: '10.0.3.0/24', via: '10.0.1.254' },
        ],
        sysctls: sysctls('eth1'),
      },
      r: {
        devices: { eth0: { addresses: ['10.0.0.254/24'] }, eth1: { addresses: ['10.0.2.254/24'] } },
        sysctls: FORWARDS,
      },
      s: {
        devices: { eth0: { addresses: ['10.0.1.254/24'] }, eth1: { addresses: ['10.0.3.254/24'] } },
        routes: [
          { to: '10.0.0.0/24', via: '10.0.1.1' },
          { to: '10.0.2.0/24', via: '10.0.3.1' },
        ],
        sysctls: sysctls('eth1'),
      },
      b: {
        devices: { eth0: { addresses: ['10.0.2.1/24'] }, eth1: { addresses: ['10.0.3.1/24'] } },
        routes: [
          { to: '10.0.0.0/24', via: '10.0.3.254' },
          { to: '10.0.1.0/24', via: '10.0.3.254' },
        ],
        sysctls: sysctls('eth0'),
      },
    },
    wires: [
      ['a/eth0', 'r/eth0'],
      ['r/eth1', 'b/eth0'],
      ['a/eth1', 's/eth0'],
      ['s/eth1', 'b/eth1'],
    ],
  };
}

describe('a reply by another way', () => {
  differential(
    [0, 1, 2].flatMap((value) => [
      {
        title: `rp_filter=${value}`,
        network: asymmetric(value),
        steps: [
          send('a', ping('10.0.0.1', '10.0.2.1')),
          send('a', ping('10.0.0.1', '10.0.3.1')),
          send('b', ping('10.0.2.1', '10.0.0.1')),
          send('a', udp('172.16.0.1', '10.0.2.1')),
        ],
      },
      {
        title: `rp_filter=${value} for all devices`,
        network: asymmetric(0, value),
        steps: [send('a', ping('10.0.0.1', '10.0.2.1')), send('b', udp('10.0.2.1', '10.0.0.1'))],
      },
    ]),
  );
});

describe('policy routing', () => {
  const twoTables = chain({
    r: {
      routes: [
        { to: '10.0.2.0/24', via: '10.0.1.253' },
        { to: 'default', via: '10.0.1.99', table: 100 },
        { to: 'unreachable default', table: 101 },
      ],
      rules: [
        { from: '10.0.0.1/32', to: '10.0.2.7/32', table: 100, priority: 100 },
        { iif: 'eth0', to: '10.0.2.8/32', table: 101, priority: 101 },
        { fwmark: 7, table: 101, priority: 102 },
      ],
      iptables:
        '*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -m udp --dport 7 -j MARK --set-mark 7\nCOMMIT\n',
    },
  });
  differential([
    {
      title: 'by source, by device, by mark',
      network: twoTables,
      steps: [
        send('a', ping('10.0.0.1', '10.0.2.1')),
        send('a', udp('10.0.0.1', '10.0.2.7')),
        send('a', udp('10.0.0.1', '10.0.2.8')),
        send('a', udp('10.0.0.1', '10.0.2.1', { dport: 7 })),
      ],
    },
  ]);
});

describe('who answers ARP', () => {
  const second: NamespaceSpec = {
    devices: {
      eth0: { addresses: ['10.0.0.2/24', '10.0.0.3/24', '10.1.0.1/24'] },
      lo: { addresses: ['10.2.0.1/32'] },
    },
  };
  const ask = (...targets: string[]) => targets.map((target) => send('a', ping('10.0.0.1', target)));
  const onLink = [
    { to: '10.1.0.0/24', dev: 'eth0' },
    { to: '10.2.0.0/24', dev: 'eth0' },
  ];
  const questions = [...ask('10.0.0.2', '10.0.0.3', '10.1.0.1', '10.2.0.1'), wait(3.5)];
  differential([
    ...[0, 1, 2, 8].map((value) => ({
      title: `arp_ignore=${value}`,
      network: onOneWire(
        { routes: onLink },
        { ...second, sysctls: { 'net.ipv4.conf.eth0.arp_ignore': value } },
      ),
      steps: questions,
    })),
    ...[0, 1, 2].map((value) => ({
      title: `arp_announce=${value}`,
      network: onOneWire({}, { ...second, sysctls: { 'net.ipv4.conf.eth0.arp_announce': value } }),
      steps: ['10.0.0.2', '10.0.0.3', '10.1.0.1', '10.2.0.1', '10.9.9.9'].map((src, index) =>
        send('b', udp(src, `10.0.0.${index + 20}`)),
      ),
    })),
  ]);
});
