/** Two hosts on a wire and how they get to know each other: the kernel beside the emulator. */
import { describe } from 'vitest';
import { type Ipv4Address, parseIpAddress } from '../../src/wire/ip-address.ts';
import { BROADCAST_MAC, parseMac } from '../../src/wire/mac.ts';
import { differential } from './network/differential.ts';
import { macText, type NetworkSpec, type Step } from './network/network-spec.ts';
import { ping, send, tcp, udp, wait } from './network/packets.ts';
import { FORWARDS, onOneWire } from './network/topologies.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const [A_MAC, B_MAC, STRANGER] = [macText(0, 0), macText(1, 0), '02:00:00:00:99:99'];

/** An ARP message that leaves by eth0 of `at`, whatever its IP layer thinks. */
function arp(
  at: string,
  operation: 1 | 2,
  [senderMac, senderIp]: readonly [string, string],
  [targetMac, targetIp]: readonly [string, string],
  to = BROADCAST_MAC,
): Step {
  const message = {
    operation,
    senderMac: parseMac(senderMac),
    senderIp: parseIpAddress(senderIp) as Ipv4Address,
    targetMac: parseMac(targetMac),
    targetIp: parseIpAddress(targetIp) as Ipv4Address,
  };
  const frame = { source: parseMac(senderMac), destination: to, payload: { kind: 'arp', message } as const };
  return { kind: 'frame', at, device: 'eth0', frame };
}

const NOBODY = '00:00:00:00:00:00';

describe('two hosts on one wire', () => {
  differential([
    {
      title: 'ping, twice: ARP, then none',
      network: onOneWire(),
      steps: [send('a', ping(A, B)), send('a', ping(A, B))],
    },
    { title: 'closed ports', network: onOneWire(), steps: [send('a', udp(A, B)), send('a', tcp(A, B))] },
    {
      title: 'IPv6',
      network: onOneWire(),
      steps: [send('a', ping('fd00::1', 'fd00::2')), send('b', udp('fd00::2', 'fd00::1'))],
    },
    {
      title: 'nobody has the address',
      network: onOneWire(),
      steps: [send('a', ping(A, '10.0.0.3')), wait(3.5)],
    },
    {
      title: 'nobody has the IPv6 address',
      network: onOneWire(),
      steps: [send('a', ping('fd00::1', 'fd00::3')), wait(3.5)],
    },
    {
      title: 'a known neighbour is asked again after five seconds',
      network: onOneWire(),
      steps: [send('a', ping(A, B)), send('a', ping('fd00::1', 'fd00::2')), wait(6.5)],
    },
    {
      title: 'a link goes down: what was known is forgotten',
      network: onOneWire(),
      steps: [
        send('a', ping(A, B)),
        { kind: 'link', at: 'b', device: 'eth0', up: false },
        wait(1.5),
        send('a', ping(A, B)),
        { kind: 'link', at: 'b', device: 'eth0', up: true },
        wait(1.5),
        send('a', ping(A, B)),
      ],
    },
    {
      title: 'broadcast, multicast and odd destinations',
      network: onOneWire(),
      steps: [
        udp(A, '10.0.0.255'),
        ping(A, '10.0.0.255'),
        ping(A, '224.0.0.1'),
        udp(A, '255.255.255.255'),
        ping(A, A),
      ].map((packet) => send('a', packet)),
    },
  ]);
});

describe('ARP messages out of nowhere', () => {
  differential([
    {
      title: 'gratuitous: strangers stay unknown, the known are believed',
      network: onOneWire(),
      steps: [
        arp('a', 1, [A_MAC, A], [NOBODY, A]),
        send('b', ping(B, A)),
        wait(1.2),
        arp('a', 1, [STRANGER, A], [NOBODY, A]),
        send('b', udp(B, A)),
      ],
    },
    {
      title: 'a reply nobody asked for',
      network: onOneWire(),
      steps: [
        arp('a', 2, [STRANGER, '10.0.0.9'], [B_MAC, B], parseMac(B_MAC)),
        send('b', ping(B, '10.0.0.9')),
        wait(1.5),
      ],
    },
    {
      title: 'arp_accept',
      network: onOneWire({}, { sysctls: { 'net.ipv4.conf.eth0.arp_accept': 1 } }),
      steps: [arp('a', 1, [STRANGER, '10.0.0.9'], [NOBODY, '10.0.0.9']), send('b', ping(B, '10.0.0.9'))],
    },
    {
      title: 'a probe for an address (sender 0.0.0.0), and a question for another host',
      network: onOneWire(),
      steps: [
        arp('a', 1, [A_MAC, '0.0.0.0'], [NOBODY, B]),
        arp('a', 1, [A_MAC, A], [NOBODY, '10.0.0.77']),
        arp('a', 1, [A_MAC, '10.9.9.9'], [NOBODY, B]),
      ],
    },
  ]);
});

/** A router with a host on each side; its right side has the addresses that the left asks for. */
function proxying(sysctls: Readonly<Record<string, number>>, entries: readonly string[]): NetworkSpec {
  return {
    namespaces: {
      a: { devices: { eth0: { addresses: ['10.0.0.1/8', 'fd00::1/16', 'fe80::1/64'] } } },
      r: {
        devices: {
          eth0: { addresses: ['10.0.0.254/24', 'fd00::fe/64', 'fe80::fe/64'] },
          eth1: { addresses: ['10.1.0.254/24', 'fd00:1::fe/64', 'fe80::fe/64'] },
        },
        neighbours: entries.map((address) => ({ address, dev: 'eth0' })),
        sysctls: {
          ...FORWARDS,
          'net.ipv4.neigh.eth0.proxy_delay': 0,
          'net.ipv6.neigh.eth0.proxy_delay': 0,
          ...sysctls,
        },
      },
      b: {
        devices: { eth0: { addresses: ['10.1.0.1/24', 'fd00:1::1/64', 'fe80::2/64'] } },
        routes: [
          { to: 'default', via: '10.1.0.254' },
          { to: 'default', via: 'fd00:1::fe' },
        ],
      },
    },
    wires: [
      ['a/eth0', 'r/eth0'],
      ['r/eth1', 'b/eth0'],
    ],
  };
}

describe('answers for others', () => {
  const steps = [
    send('a', ping('10.0.0.1', '10.1.0.1')),
    send('a', ping('10.0.0.1', '10.2.0.1')),
    send('a', ping('10.0.0.1', '10.0.0.7')),
    send('a', ping('fd00::1', 'fd00:1::1')),
    send('a', ping('fd00::1', 'fd00:1::2')),
  ];
  const entries = ['10.1.0.1', 'fd00:1::1'];
  differential([
    { title: 'neither', network: proxying({}, []), steps },
    { title: 'proxy_arp', network: proxying({ 'net.ipv4.conf.eth0.proxy_arp': 1 }, []), steps },
    { title: 'proxy_arp_pvlan', network: proxying({ 'net.ipv4.conf.eth0.proxy_arp_pvlan': 1 }, []), steps },
    { title: 'proxy entries, proxy_ndp off', network: proxying({}, entries), steps },
    {
      title: 'proxy entries, proxy_ndp on',
      network: proxying({ 'net.ipv6.conf.eth0.proxy_ndp': 1 }, entries),
      steps,
    },
  ]);
});
