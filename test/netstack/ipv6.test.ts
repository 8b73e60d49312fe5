/** IPv6: routing, scopes, groups, source choice, REJECT, NAT, tracking, as ip6tables and the kernel have them. */
import { describe } from 'vitest';
import { type Situation, situations } from '../netfilter/situation.ts';

const at = (name: string, packet: string, fate: string, left?: readonly string[]): Situation => ({
  name,
  family: 'ipv6',
  steps: [{ packet, fate, ...(left === undefined ? {} : { left }) }],
});

describe('an IPv6 packet', () => {
  situations([
    at('is forwarded', 'e1 udp C6:1 > S6:2', 'forwarded e2 udp C6:1 > S6:2 ttl=63'),
    at('with hop limit 1', 'e1 udp C6:1 > S6:2 ttl=1', 'rejected icmp-3-0 e1', [
      'e1 icmp 3/0 fd00:1::1:1 > C6 ttl=64',
    ]),
    at('without a route', 'e1 udp C6:1 > [2001:db8::9]:2', 'rejected icmp-1-0 e1'),
    at('to an unreachable route', 'e1 udp C6:1 > [2001:db8:a::9]:2', 'rejected icmp-1-0 e1'),
    at('to a prohibited route', 'e1 udp C6:1 > [2001:db8:b::9]:2', 'rejected icmp-1-1 e1'),
    at('to a blackhole', 'e1 udp C6:1 > [2001:db8:c::9]:2', 'dropped blackhole'),
    at('to this host', 'e1 udp C6:1 > P6:2', 'delivered udp C6:1 > P6:2 ttl=64', [
      'e1 icmp 1/4 P6 > C6 ttl=64',
    ]),
    at(
      'to the subnet-router anycast address',
      'e1 udp C6:1 > [fd00:2::]:2',
      'delivered udp C6:1 > fd00:2:::2 ttl=64',
      ['e1 icmp 1/4 fd00:2:: > C6 ttl=64'],
    ),
    at(
      'echo to all nodes is answered',
      'e1 icmp 128/0 C6 > ff02::1 icmpId=3',
      'delivered icmp 128/0 C6 > ff02::1 id=3 ttl=64',
      ['e1 icmp 129/0 fd00:1::1:1 > C6 id=3 ttl=64'],
    ),
    at('to a group nobody joined', 'e1 udp C6:1 > [ff0e::1]:2', 'dropped multicast-not-joined'),
    at('to an interface-local group', 'e1 udp C6:1 > [ff01::1]:2', 'dropped martian'),
    at('from ::1', 'e1 udp [::1]:1 > S6:2', 'dropped martian'),
    at('to ::1', 'e1 udp C6:1 > [::1]:2', 'dropped martian'),
    at('from a group', 'e1 udp [ff02::5]:1 > S6:2', 'dropped martian'),
    at('from nobody, to be forwarded', 'e1 udp [::]:1 > S6:2', 'dropped martian'),
    at(
      'from nobody, to this host, gets no answer',
      'e1 udp [::]:1 > O6:2',
      'delivered udp :::1 > O6:2 ttl=64',
      [],
    ),
    at(
      'from an address of this host is no martian',
      'e1 udp P6:1 > S6:2',
      'forwarded e2 udp P6:1 > S6:2 ttl=63',
    ),
    at('link-local does not leave its link', 'e1 udp [fe80::9]:1 > S6:2', 'rejected icmp-1-2 e1', [
      'e1 icmp 1/2 fe80::1 > fe80::9 ttl=64',
    ]),
    at(
      'link-local to the same link',
      'e1 udp [fe80::9]:1 > [fe80::77]:2',
      'forwarded e1 udp fe80::9:1 > fe80::77:2 ttl=63',
    ),
    at('to a link-local address of another device', 'e2 udp [fe80::9]:1 > [fe80::1]:2', 'dropped no-route'),
    at('of an unknown protocol', 'e1 89 C6 > O6 payload=abcd', 'delivered 89 C6 > O6 ttl=64', [
      'e1 icmp 4/1 O6 > C6 ttl=64',
    ]),
    {
      name: 'is not forwarded when no device forwards',
      family: 'ipv6',
      host: 'interfaces:\n- {name: e1, addresses: ["fd00:1::1/64"]}\n- {name: e2, addresses: ["fd00:2::1/64"]}\nipForward: 0\n',
      steps: [
        { packet: 'e1 udp C6:1 > S6:2 ttl=1', fate: 'dropped forwarding-off' },
        { packet: 'e1 udp C6:1 > [2001:db8::9]:2', fate: 'rejected icmp-1-0 e1' },
      ],
    },
  ]);
});

describe('REJECT in IPv6', () => {
  const code = (name: string, number: number): Situation => ({
    name,
    family: 'ipv6',
    rules: `*filter\n-A FORWARD -j REJECT --reject-with ${name}\n-A INPUT -j REJECT`,
    steps: [
      {
        packet: 'e1 tcp C6:1 > S6:2',
        fate: `rejected icmp-1-${number} e1`,
        left: [`e1 icmp 1/${number} fd00:1::1:1 > C6 ttl=64`],
      },
      { packet: 'e1 icmp 1/0 C6 > S6 {udp S6:1 > C6:2}', fate: 'dropped rule' },
      { packet: 'e1 icmp 100/0 C6 > S6', fate: 'dropped rule' },
      { packet: 'e1 icmp 200/0 C6 > S6', fate: `rejected icmp-1-${number} e1` },
      { packet: 'e1 udp C6:1 > [ff02::1]:2', fate: 'dropped rule' },
      { packet: 'e1 udp [::]:1 > O6:2', fate: 'dropped rule' },
    ],
  });
  situations([
    code('icmp6-no-route', 0),
    code('icmp6-adm-prohibited', 1),
    code('icmp6-addr-unreachable', 3),
    code('icmp6-port-unreachable', 4),
    code('icmp6-policy-fail', 5),
    code('icmp6-reject-route', 6),
    {
      name: 'tcp-reset',
      family: 'ipv6',
      rules: '*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset',
      steps: [
        { packet: 'e1 tcp C6:1 > S6:2', fate: 'rejected tcp-reset e1', left: ['e1 tcp S6:2 > C6:1 ttl=64'] },
      ],
    },
  ]);
});

describe('NAT in IPv6', () => {
  const masquerade = (name: string, packet: string, fate: string): Situation => ({
    name,
    family: 'ipv6',
    rules: '*nat\n-A POSTROUTING -j MASQUERADE',
    steps: [{ packet, fate }],
  });
  const redirect = '*nat\n-A PREROUTING -p udp -j REDIRECT --to-ports 78\n-A OUTPUT -p udp -j REDIRECT';
  situations([
    masquerade(
      'the address of the outgoing device',
      'e1 udp C6:1 > S6:2',
      'forwarded e2 udp P6:1 > S6:2 ttl=63',
    ),
    masquerade(
      'the label of the destination decides, then the latest',
      'e2 udp S6:1 > C6:2',
      'forwarded e1 udp fd00:1::1:1:1 > C6:2 ttl=63',
    ),
    masquerade(
      'a global one for a global destination',
      'e2 udp S6:1 > [2001:db8:1::9]:2',
      'forwarded e1 udp 2001:db8:1::1:1 > 2001:db8:1::9:2 ttl=63',
    ),
    masquerade(
      'the outgoing device goes before the label',
      'e1 udp C6:1 > [2001:db8:e::9]:2',
      'forwarded e2 udp P6:1 > 2001:db8:e::9:2 ttl=63',
    ),
    {
      name: 'REDIRECT: the latest wide address',
      family: 'ipv6',
      rules: redirect,
      steps: [{ packet: 'e1 udp C6:9 > S6:77', fate: 'delivered udp C6:9 > 2001:db8:1::1:78 ttl=64' }],
    },
    {
      name: 'REDIRECT of link-local',
      family: 'ipv6',
      rules: redirect,
      steps: [
        { packet: 'e1 udp [fe80::9]:9 > [fe80::55]:77', fate: 'delivered udp fe80::9:9 > fe80::1:78 ttl=64' },
      ],
    },
    {
      name: 'REDIRECT of local packets',
      family: 'ipv6',
      rules: redirect,
      steps: [{ packet: 'local udp O6:9 > S6:77', fate: 'delivered udp O6:9 > ::1:77 ttl=64' }],
    },
    {
      name: 'DNAT from ::1 may leave: there is no route_localnet',
      family: 'ipv6',
      rules:
        '*nat\n-A OUTPUT -d ::1 -p udp -j DNAT --to-destination [fd00:2::9]:5353\n-A POSTROUTING -j MASQUERADE',
      steps: [{ packet: 'local udp [::1]:9 > [::1]:53', fate: 'sent e2 udp P6:9 > S6:5353 ttl=64' }],
    },
  ]);
});

describe('tracking and types in IPv6', () => {
  const types = `*raw
-A PREROUTING -m addrtype --dst-type LOCAL
-A PREROUTING -m addrtype --dst-type UNICAST
-A PREROUTING -m addrtype --dst-type MULTICAST
-A PREROUTING -m addrtype --dst-type ANYCAST
-A PREROUTING -m addrtype --dst-type UNREACHABLE
-A PREROUTING -m addrtype --dst-type LOCAL --limit-iface-in`;
  const type = (packet: string, numbers: readonly number[]): Situation => ({
    name: `${packet} is of types ${numbers}`,
    family: 'ipv6',
    rules: types,
    steps: [{ packet, matched: numbers.map((number) => `raw PREROUTING ${number}`) }],
  });
  const on = '*filter\n-A FORWARD -m conntrack --ctstate NEW';
  situations([
    ...[130, 133, 135, 136, 143].map((number) => ({
      name: `ICMPv6 type ${number} is never tracked`,
      family: 'ipv6' as const,
      rules: on,
      steps: [{ packet: `e1 icmp ${number}/0 C6 > S6`, state: 'UNTRACKED' }],
    })),
    {
      name: 'echo opens a flow, its error is RELATED',
      family: 'ipv6',
      rules: on,
      steps: [
        { packet: 'e1 icmp 128/0 C6 > S6 icmpId=5', state: 'NEW' },
        { packet: 'e2 icmp 1/0 fd00:2::77 > C6 {icmp 128/0 C6 > S6 icmpId=5}', state: 'RELATED' },
        { packet: 'e2 icmp 129/0 S6 > C6 icmpId=5', state: 'ESTABLISHED' },
        { packet: 'e2 icmp 129/0 S6 > C6 icmpId=6', state: 'INVALID' },
      ],
    },
    type('e1 udp C6:1 > O6:2', [1, 2, 6]),
    type('e1 udp C6:1 > P6:2', [1, 2]),
    type('e1 udp C6:1 > S6:2', [2]),
    type('e1 udp C6:1 > [fd00:1::]:2', [2, 4]),
    type('e1 udp C6:1 > [2001:db8::9]:2', [2, 5]),
  ]);
});
