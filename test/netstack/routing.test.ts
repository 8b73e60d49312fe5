/** Whose packet it is: routes, martians, reverse paths, broadcasts, and what the host says. */
import { describe } from 'vitest';
import { type Situation, situations } from '../netfilter/situation.ts';

const devices = (extra = '', more = '') => `interfaces:
- {name: e1, addresses: [10.0.1.1/24]${extra}}
- {name: e2, addresses: [10.0.2.1/24]}
- {name: e3, addresses: [10.0.3.1/24]}
- {name: bare${extra}}
routes:
- {dst: 192.0.2.0/24, type: unreachable}
- {dst: 192.0.3.0/24, type: prohibit}
- {dst: 192.0.4.0/24, type: blackhole}
- {dst: 192.0.5.0/24, type: throw}
- {dst: 198.51.100.0/24, via: 10.0.2.254, dev: e2}
${more}`;

const at = (name: string, host: string, packet: string, fate: string): Situation => ({
  name,
  host,
  steps: [{ packet, fate }],
});

describe('a route that refuses', () => {
  const host = devices();
  situations([
    at('no route', host, 'e1 udp C:1 > 9.9.9.9:2', 'rejected icmp-3-0 e1'),
    at('unreachable', host, 'e1 udp C:1 > 192.0.2.9:2', 'rejected icmp-3-1 e1'),
    at('prohibit', host, 'e1 udp C:1 > 192.0.3.9:2', 'rejected icmp-3-13 e1'),
    at('blackhole', host, 'e1 udp C:1 > 192.0.4.9:2', 'dropped blackhole'),
    at('throw', host, 'e1 udp C:1 > 192.0.5.9:2', 'rejected icmp-3-0 e1'),
    at('no route wins over the TTL', host, 'e1 udp C:1 > 9.9.9.9:2 ttl=1', 'rejected icmp-3-0 e1'),
    at('nobody answers an ICMP error', host, 'e1 icmp 3/1 C > 9.9.9.9', 'dropped no-route'),
    at('a local packet without a route', host, 'local udp O1:1 > 9.9.9.9:2', 'dropped no-route'),
    at('TTL 1 to another host', host, 'e1 udp C:1 > S:2 ttl=1', 'rejected icmp-11-0 e1'),
    at('TTL 0 to this host', host, 'e1 tcp C:1 > O2:2 R ttl=0', 'delivered tcp C:1 > O2:2 ttl=0'),
    at('TTL 1 made here', host, 'local udp O1:1 > S:2 ttl=1', 'sent e2 udp O1:1 > S:2 ttl=1'),
    at('a gateway', host, 'e1 udp C:1 > 198.51.100.7:2', 'forwarded e2 udp C:1 > 198.51.100.7:2 ttl=63'),
    at(
      'out of the device it came in on',
      host,
      'e1 udp C:1 > 10.0.1.77:2',
      'forwarded e1 udp C:1 > 10.0.1.77:2 ttl=63',
    ),
    at('ip_forward=0', devices('', 'ipForward: 0\n'), 'e1 udp C:1 > S:2 ttl=1', 'dropped forwarding-off'),
    at(
      'ip_forward=0 and no route',
      devices('', 'ipForward: 0\n'),
      'e1 udp C:1 > 9.9.9.9:2',
      'dropped forwarding-off',
    ),
    at(
      'the incoming device does not forward',
      devices(', forwarding: 0'),
      'e1 udp C:1 > S:2',
      'dropped forwarding-off',
    ),
    at(
      'the outgoing device does not',
      devices(', forwarding: 0'),
      'e2 udp S:1 > C:2',
      'forwarded e1 udp S:1 > C:2 ttl=63',
    ),
  ]);
});

describe('a source', () => {
  const host = devices();
  const to = (src: string, fate: string, name = src) => at(name, host, `e1 udp ${src}:1 > S:2`, fate);
  const passes = (src: string) => to(src, `forwarded e2 udp ${src}:1 > S:2 ttl=63`);
  situations([
    to('0.0.0.0', 'dropped martian'),
    to('255.255.255.255', 'dropped martian'),
    to('224.0.0.9', 'dropped martian'),
    to('127.0.0.9', 'dropped martian'),
    to('10.0.1.1', 'dropped martian', 'an address of this device'),
    to('10.0.3.1', 'dropped martian', 'an address of another device'),
    passes('10.0.1.255'),
    passes('0.1.2.3'),
    passes('240.0.0.1'),
    passes('169.254.7.7'),
    passes('10.0.2.77'),
    passes('9.9.9.9'),
    at(
      'of the host with accept_local',
      devices(', acceptLocal: 1'),
      'e1 udp 10.0.3.1:1 > S:2',
      'forwarded e2 udp 10.0.3.1:1 > S:2 ttl=63',
    ),
    at(
      '127.0.0.9 with route_localnet',
      devices('', 'routeLocalnet: 1\n'),
      'e1 udp 127.0.0.9:1 > S:2',
      'forwarded e2 udp 127.0.0.9:1 > S:2 ttl=63',
    ),
  ]);
});

describe('rp_filter', () => {
  const strict = devices('', 'rpFilter: 1\n');
  const loose = devices('', 'rpFilter: 2\n');
  situations([
    at('strict: the right device', strict, 'e1 udp C:1 > S:2', 'forwarded e2 udp C:1 > S:2 ttl=63'),
    at('strict: another device', strict, 'e1 udp 10.0.3.9:1 > S:2', 'dropped rp_filter'),
    at('strict: no route back', strict, 'e1 udp 9.9.9.9:1 > S:2', 'dropped rp_filter'),
    at('strict: an unreachable source', strict, 'e1 udp 192.0.2.9:1 > S:2', 'dropped rp_filter'),
    at(
      'strict: no route on is answered before',
      strict,
      'e1 udp 10.0.2.9:1 > 9.9.9.9:2',
      'rejected icmp-3-0 e2',
    ),
    at('strict: a group from elsewhere', strict, 'e1 udp 10.0.2.9:1 > 224.0.0.1:2', 'dropped rp_filter'),
    at('loose: another device', loose, 'e1 udp 10.0.3.9:1 > S:2', 'forwarded e2 udp 10.0.3.9:1 > S:2 ttl=63'),
    at('loose: no route back', loose, 'e1 udp 9.9.9.9:1 > S:2', 'dropped rp_filter'),
    at('loose: a device without addresses', loose, 'bare udp C:1 > S:2', 'dropped rp_filter'),
    at(
      'strict: 0.0.0.0 to everybody',
      strict,
      'e1 udp 0.0.0.0:68 > 255.255.255.255:67',
      'delivered udp 0.0.0.0:68 > 255.255.255.255:67 ttl=64',
    ),
  ]);
});

describe('a destination', () => {
  const host = devices();
  const to = (dst: string, fate: string) => at(dst, host, `e1 udp C:1 > ${dst}:2`, fate);
  const delivered = (dst: string) => to(dst, `delivered udp C:1 > ${dst}:2 ttl=64`);
  situations([
    delivered('10.0.1.1'),
    delivered('10.0.3.1'),
    delivered('10.0.1.255'),
    delivered('10.0.2.255'),
    delivered('255.255.255.255'),
    delivered('224.0.0.1'),
    to('10.0.2.0', 'forwarded e2 udp C:1 > 10.0.2.0:2 ttl=63'),
    to('0.0.0.0', 'dropped martian'),
    to('239.1.1.1', 'dropped multicast-not-joined'),
    to('127.0.0.1', 'dropped martian'),
    {
      name: 'made here for everybody leaves and comes back',
      rules: '*mangle\n-A POSTROUTING\n-A INPUT',
      host,
      steps: [
        {
          packet: 'local udp O1:1 > 10.0.1.255:2',
          fate: 'sent e1 udp O1:1 > 10.0.1.255:2 ttl=64',
          matched: ['mangle POSTROUTING 1', 'mangle INPUT 1', 'mangle POSTROUTING 1'],
        },
      ],
    },
  ]);
});

describe('the host says', () => {
  const host = devices();
  const says = (name: string, packet: string, left: readonly string[]): Situation => ({
    name,
    host,
    steps: [{ packet, left }],
  });
  situations([
    says('echo reply with the same code', 'e1 icmp 8/5 C > O2 icmpId=7', ['e1 icmp 0/5 O2 > C id=7 ttl=64']),
    says('nothing to an echo to everybody', 'e1 icmp 8/0 C > 10.0.1.255', []),
    says('nothing to a time stamp without one', 'e1 icmp 13/0 C > O1', []),
    says('time stamp reply', 'e1 icmp 13/0 C > O1 payload=abcdefghijkl', ['e1 icmp 14/0 O1 > C ttl=64']),
    says('a reset', 'e1 tcp C:1 > O2:2 S', ['e1 tcp O2:2 > C:1 ttl=64']),
    says('nothing to a reset', 'e1 tcp C:1 > O2:2 R', []),
    says('port unreachable', 'e1 udp C:1 > O2:2', ['e1 icmp 3/3 O2 > C ttl=64']),
    says('nothing to a datagram for everybody', 'e1 udp C:1 > 10.0.1.255:2', []),
    says('protocol unreachable', 'e1 esp C > O2 payload=abcd', ['e1 icmp 3/2 O2 > C ttl=64']),
    says('nothing to IGMP', 'e1 2 C > O2 payload=abcd', []),
  ]);
});
