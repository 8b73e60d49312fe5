/** The rig itself: does it see what the kernel does, all of it, and does it leave nothing behind? */
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { describeFate, observedFate } from '../../src/cli/kernel/compare.ts';
import { KernelHost } from '../../src/cli/kernel/kernel-host.ts';
import { type Injection, Observer } from '../../src/cli/kernel/observe.ts';
import { ProgramFailed } from '../../src/cli/kernel/programs.ts';
import { DEFAULT_CONNTRACK } from '../../src/netfilter/conntrack/timeouts.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../src/netstack/device.ts';
import { ipLength } from '../../src/wire/headers.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { NO_BYTES, type Packet, type Transport } from '../../src/wire/packet.ts';

function device(name: string, ...addresses: string[]): Device {
  return { ...DEFAULT_DEVICE_SYSCTLS, name, addresses: addresses.map(parseInterfaceAddress) };
}

const DEVICES = [device('e1', '10.0.1.1/24', 'fd00:1::1/64'), device('e2', '10.0.2.1/24', 'fd00:2::1/64')];
const ROUTES = [
  { type: 'blackhole', prefix: parseIpPrefix('198.18.0.0/24'), device: 'lo', metric: 0 },
] as const;

const UDP: Transport = { kind: 'udp', sport: 4444, dport: 53, data: Uint8Array.of(1, 2, 3) };
const SYN: Transport = {
  kind: 'tcp',
  sport: 4444,
  dport: 80,
  seq: 100,
  ack: 0,
  flags: 2,
  window: 1000,
  options: NO_BYTES,
  data: NO_BYTES,
};
const ECHO: Transport = { kind: 'icmp', type: 8, code: 0, id: 7, sequence: 1, data: NO_BYTES };
const ECHO6: Transport = { ...ECHO, type: 128 };

function packet(src: string, dst: string, transport: Transport, ttl = 64): Packet {
  const v6 = src.includes(':');
  return {
    src: parseIpAddress(src),
    dst: parseIpAddress(dst),
    ttl,
    tos: 0,
    id: v6 ? 0 : 77,
    dontFragment: false,
    transport,
  };
}

let host: KernelHost | undefined;

function build(rules = '', backend: 'nft' | 'legacy' = 'nft'): Observer {
  host = KernelHost.build({
    host: { devices: DEVICES, routes: ROUTES, conntrack: DEFAULT_CONNTRACK },
    rules: rules === '' ? [] : [{ family: 'ipv4', text: rules, file: 'rules' }],
    backend,
  });
  return new Observer(host);
}

afterEach(() => {
  host?.close();
  host = undefined;
});

const from = (device: string, ...args: Parameters<typeof packet>): Injection => ({
  device,
  packet: packet(...args),
});
const made = (...args: Parameters<typeof packet>): Injection => ({ packet: packet(...args) });

describe('without rules', () => {
  const cases: readonly [string, Injection, string][] = [
    [
      'forwards',
      from('e1', '10.0.1.9', '10.0.2.9', UDP),
      'forwarded through e2: 10.0.1.9:4444 > 10.0.2.9:53 udp data 010203 ttl 63 id 77',
    ],
    [
      'forwards IPv6',
      from('e1', 'fd00:1::9', 'fd00:2::9', UDP),
      'forwarded through e2: [fd00:1::9]:4444 > [fd00:2::9]:53 udp data 010203 ttl 63 id 0',
    ],
    [
      'delivers, and its own answer is none of the verdict',
      from('e1', '10.0.1.9', '10.0.1.1', ECHO),
      'delivered: 10.0.1.9 > 10.0.1.1 icmp 8/0 id 7 seq 1 ttl 64 id 77',
    ],
    [
      'delivers IPv6',
      from('e1', 'fd00:1::9', 'fd00:1::1', ECHO6),
      'delivered: fd00:1::9 > fd00:1::1 icmp 128/0 id 7 seq 1 ttl 64 id 0',
    ],
    [
      'delivers to a closed port',
      from('e1', '10.0.1.9', '10.0.1.1', SYN),
      'delivered: 10.0.1.9:4444 > 10.0.1.1:80 tcp SYN seq 100 ack 0 win 1000 ttl 64 id 77',
    ],
    [
      'refuses what has no route',
      from('e1', '10.0.1.9', '8.8.8.8', UDP),
      'rejected with icmp-3-0 through e1',
    ],
    [
      'refuses IPv6 without a route',
      from('e1', 'fd00:1::9', 'fd00:9::9', UDP),
      'rejected with icmp-1-0 through e1',
    ],
    [
      'refuses an expired ttl',
      from('e1', '10.0.1.9', '10.0.2.9', UDP, 1),
      'rejected with icmp-11-0 through e1',
    ],
    [
      'refuses an expired hop limit',
      from('e1', 'fd00:1::9', 'fd00:2::9', UDP, 1),
      'rejected with icmp-3-0 through e1',
    ],
    ['drops into a blackhole', from('e1', '10.0.1.9', '198.18.0.1', UDP), 'dropped'],
    ['drops martians', from('e1', '127.0.0.1', '10.0.2.9', UDP), 'dropped'],
    [
      'sends',
      made('10.0.2.1', '10.0.2.9', UDP),
      'sent through e2: 10.0.2.1:4444 > 10.0.2.9:53 udp data 010203 ttl 64 id 77',
    ],
    [
      'sends IPv6',
      made('fd00:2::1', 'fd00:2::9', UDP),
      'sent through e2: [fd00:2::1]:4444 > [fd00:2::9]:53 udp data 010203 ttl 64 id 0',
    ],
    [
      'sends to itself',
      made('10.0.2.1', '10.0.1.1', UDP),
      'delivered: 10.0.2.1:4444 > 10.0.1.1:53 udp data 010203 ttl 64 id 77',
    ],
  ];
  it.each(cases)('%s', (_, injection, expected) => {
    expect(describeFate(observedFate(injection, build().observe(injection)))).toBe(expected);
  });

  it('tells why a local packet cannot be sent', () => {
    expect(build().observe(made('10.0.2.1', '8.8.8.8', UDP)).error).toBe('ENETUNREACH');
  });

  it('tracks no connections: looking on turns nothing on', () => {
    const observer = build();
    observer.observe(from('e1', '10.0.1.9', '10.0.2.9', UDP));
    observer.observe(from('e1', '10.0.1.9', '10.0.1.1', ECHO));
    expect(observer.conntrack('ipv4')).toEqual([]);
  });

  it('sees the answers too', () => {
    const { sent } = build().observe(from('e1', '10.0.1.9', '10.0.1.1', ECHO));
    expect(sent).toMatchObject([
      { device: 'e1', original: false, packet: { transport: { type: 0, id: 7 } } },
    ]);
  });
});

describe.each(['nft', 'legacy'] as const)('with rules loaded by iptables-%s-restore', (backend) => {
  const RULES = `*nat
-A PREROUTING -d 10.9.9.9 -p udp -j DNAT --to-destination 10.0.2.9:5353
-A POSTROUTING -o e2 -j MASQUERADE
COMMIT
*filter
-A INPUT -p tcp --dport 80 -j DROP
-A FORWARD -p tcp -j REJECT --reject-with tcp-reset
-A OUTPUT -p tcp --dport 81 -j REJECT
COMMIT
`;
  it('sees translation and its entry', () => {
    const observer = build(RULES, backend);
    const injection = from('e1', '10.0.1.9', '10.9.9.9', UDP);
    expect(describeFate(observedFate(injection, observer.observe(injection)))).toBe(
      'forwarded through e2: 10.0.2.1:4444 > 10.0.2.9:5353 udp data 010203 ttl 63 id 77',
    );
    expect(observer.conntrack('ipv4')).toMatchObject([
      {
        protocol: 17,
        original: { dst: parseIpAddress('10.9.9.9'), dport: 53 },
        reply: { src: parseIpAddress('10.0.2.9'), dst: parseIpAddress('10.0.2.1'), sport: 5353 },
        seenReply: false,
      },
    ]);
  });
  it('sees a reset', () => {
    const injection = from('e1', '10.0.1.9', '10.0.2.9', SYN);
    expect(observedFate(injection, build(RULES, backend).observe(injection))).toEqual({
      kind: 'rejected',
      refusal: { kind: 'tcp-reset' },
      device: 'e1',
    });
  });
  it('sees a drop before delivery', () => {
    const injection = from('e1', '10.0.1.9', '10.0.1.1', SYN);
    expect(build(RULES, backend).observe(injection)).toEqual({ sent: [], delivered: [] });
  });
  it('sees a local packet refused through lo', () => {
    const injection = made('10.0.2.1', '10.0.2.9', { ...SYN, dport: 81 });
    const observation = build(RULES, backend).observe(injection);
    expect(observation.error).toBe('EPERM');
    expect(observedFate(injection, observation)).toEqual({
      kind: 'rejected',
      refusal: { kind: 'icmp', type: 3, code: 3 },
      device: 'lo',
    });
  });
});

describe('the rig', () => {
  it('attributes ten thousand packets, each to itself', () => {
    const observer = build('*nat\n-A POSTROUTING -o e2 -j MASQUERADE\nCOMMIT\n');
    for (let i = 1; i <= 10_000; i++) {
      const injection: Injection = {
        device: 'e1',
        packet: { ...packet('10.0.1.9', '10.0.2.9', { ...UDP, sport: 1024 + i }), id: i },
      };
      const { sent, delivered } = observer.observe(injection);
      if (sent.length !== 1 || delivered.length !== 0 || sent[0]?.packet.id !== i || !sent[0].original) {
        expect.fail(`packet ${i}: ${JSON.stringify({ sent, delivered })}`);
      }
    }
  });

  it('hands over large packets whole', () => {
    const data = new Uint8Array(20_000).fill(7);
    const injection = from('e1', '10.0.1.9', '10.0.2.9', { ...UDP, data });
    const { sent } = build().observe(injection);
    expect(sent.map((one) => ipLength(one.packet))).toEqual([ipLength(injection.packet)]);
  });

  it('keeps the kernel from talking of itself where rules count', async () => {
    host = KernelHost.build({
      host: { devices: DEVICES, routes: ROUTES, conntrack: DEFAULT_CONNTRACK },
      rules: [{ family: 'ipv6', text: '*mangle\n-A OUTPUT\n-A POSTROUTING\nCOMMIT\n', file: 'rules' }],
      backend: 'nft',
    });
    // Group reports come within a second of a device going up.
    await pause(1500);
    const counted = host
      .run('ip6tables-nft-save', ['-c'])
      .split('\n')
      .filter((line) => line.includes('-A '));
    expect(counted).toEqual(['[0:0] -A OUTPUT', '[0:0] -A POSTROUTING']);
  });

  it('stays out of the namespace it was called in', () => {
    const before = {
      namespace: readlinkSync('/proc/thread-self/ns/net'),
      devices: readdirSync('/sys/class/net'),
      rules: execFileSync('iptables-save').toString(),
      nft: execFileSync('nft', ['list', 'ruleset']).toString(),
    };
    build('*filter\n-A INPUT -j DROP\nCOMMIT\n');
    expect(host?.inside(() => readlinkSync('/proc/thread-self/ns/net'))).not.toBe(before.namespace);
    expect({
      namespace: readlinkSync('/proc/thread-self/ns/net'),
      devices: readdirSync('/sys/class/net'),
      rules: execFileSync('iptables-save').toString(),
      nft: execFileSync('nft', ['list', 'ruleset']).toString(),
    }).toEqual(before);
  });

  it('comes back out when the rules are refused', () => {
    const before = readlinkSync('/proc/thread-self/ns/net');
    expect(() => build('*filter\n-A INPUT -j NOSUCH\nCOMMIT\n')).toThrow(ProgramFailed);
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before);
  });
});
