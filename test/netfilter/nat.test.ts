/** NAT: when it is decided, which tuple a flow gets, how answers and errors find back. */
import { describe } from 'vitest';
import { situations } from './situation.ts';

const dnat = '*nat\n-A PREROUTING -d VIP -p udp -j DNAT --to-destination 10.0.2.9:5353';
const both = `${dnat}\n-A POSTROUTING -o e2 -j SNAT --to-source 10.0.2.1`;

describe('translation', () => {
  situations([
    {
      name: 'DNAT, and the answer comes from the virtual address',
      rules: dnat,
      steps: [
        {
          packet: 'e1 udp C:4444 > VIP:53',
          fate: 'forwarded e2 udp C:4444 > S:5353 ttl=63',
          entries: ['C:4444 > VIP:53 | S:5353 > C:4444 UNREPLIED 30'],
        },
        { packet: 'e2 udp S:5353 > C:4444', fate: 'forwarded e1 udp VIP:53 > C:4444 ttl=63' },
      ],
    },
    {
      name: 'of an ICMP error: outside and inside, a router in the middle too',
      rules: both,
      steps: [
        { packet: 'e1 udp C:4444 > VIP:53', fate: 'forwarded e2 udp O2:4444 > S:5353 ttl=63' },
        {
          packet: 'e2 icmp 3/1 R > O2 {udp O2:4444 > S:5353}',
          state: 'RELATED',
          fate: 'forwarded e1 icmp 3/1 VIP > C ttl=63',
        },
        {
          packet: 'e1 icmp 11/0 10.0.1.77 > VIP {udp VIP:53 > C:4444}',
          state: 'RELATED',
          fate: 'forwarded e2 icmp 11/0 O2 > S ttl=63',
        },
      ],
    },
    {
      name: 'is decided once: later packets do not meet the rules',
      rules: dnat,
      steps: [
        { packet: 'e1 udp C:1 > VIP:53', matched: ['nat PREROUTING 1'] },
        { packet: 'e1 udp C:1 > VIP:53', matched: [] },
      ],
    },
    {
      name: 'INVALID packets keep their addresses',
      rules: '*nat\n-A POSTROUTING -o e2 -j MASQUERADE',
      steps: [
        { packet: 'e1 tcp C:1 > S:81 S', fate: 'forwarded e2 tcp O2:1 > S:81 ttl=63' },
        { packet: 'e1 tcp C:1 > S:81 A', state: 'INVALID', fate: 'forwarded e2 tcp C:1 > S:81 ttl=63' },
      ],
    },
    {
      name: 'hairpin with MASQUERADE',
      rules:
        '*nat\n-A PREROUTING -d VIP -p tcp -j DNAT --to-destination 10.0.1.20:8080\n-A POSTROUTING -o e1 -j MASQUERADE',
      steps: [
        {
          packet: 'e1 tcp 10.0.1.20:1000 > VIP:80',
          fate: 'forwarded e1 tcp O1:1000 > 10.0.1.20:8080 ttl=63',
        },
      ],
    },
    {
      name: 'hairpin without: the backend sees itself',
      rules: '*nat\n-A PREROUTING -d VIP -p tcp -j DNAT --to-destination 10.0.1.20:8080',
      steps: [
        {
          packet: 'e1 tcp 10.0.1.20:1000 > VIP:80',
          fate: 'forwarded e1 tcp 10.0.1.20:1000 > 10.0.1.20:8080 ttl=63',
        },
      ],
    },
    {
      name: 'DNAT to loopback is martian without route_localnet',
      rules: '*nat\n-A PREROUTING -d VIP -p tcp -j DNAT --to-destination 127.0.0.1',
      steps: [{ packet: 'e1 tcp C:1 > VIP:80', fate: 'dropped martian' }],
    },
    {
      name: 'a loopback source does not leave by a device without route_localnet',
      rules:
        '*nat\n-A OUTPUT -d 127.0.0.1 -p udp -j DNAT --to-destination 10.0.2.9\n-A POSTROUTING -j MASQUERADE',
      steps: [{ packet: 'local udp 127.0.0.1:1 > 127.0.0.1:53', fate: 'dropped martian' }],
    },
    {
      name: 'a REDIRECT takes the first address of the incoming device',
      rules: '*nat\n-A PREROUTING -p tcp -j REDIRECT --to-ports 15001',
      steps: [{ packet: 'e1 tcp C:1 > S:80', fate: 'delivered tcp C:1 > O1:15001 ttl=64' }],
    },
    {
      name: 'a REDIRECT of local packets goes to 127.0.0.1',
      rules: '*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001',
      steps: [{ packet: 'local tcp O1:1 > S:80', fate: 'delivered tcp O1:1 > 127.0.0.1:15001 ttl=64' }],
    },
    {
      name: 'REDIRECT on a device without addresses drops',
      rules: '*nat\n-A PREROUTING -p tcp -j REDIRECT',
      host: 'interfaces:\n- {name: e1}\n- {name: e2, addresses: [10.0.2.1/24]}\n',
      steps: [{ packet: 'e1 tcp C:1 > S:80', fate: 'dropped nat-no-address' }],
    },
  ]);
});

describe('the tuple', () => {
  const snat = (range: string, rest = '-p udp ') =>
    `*nat\n-A POSTROUTING -o e2 ${rest}-j SNAT --to-source ${range}`;
  situations([
    {
      name: 'one port serves one flow to a destination',
      rules: snat('10.0.2.100:2000'),
      steps: [
        { packet: 'e1 udp C:1 > S:2', fate: 'forwarded e2 udp 10.0.2.100:2000 > S:2 ttl=63' },
        { packet: 'e1 udp C:2 > S:2', fate: 'dropped conntrack-clash' },
        { packet: 'e1 udp C:2 > S:3', fate: 'forwarded e2 udp 10.0.2.100:2000 > S:3 ttl=63' },
      ],
    },
    {
      name: 'protocols without ports have one flow to a destination',
      rules: snat('10.0.2.100', ''),
      steps: [
        { packet: 'e1 esp C > S', fate: 'forwarded e2 50 10.0.2.100 > S ttl=63' },
        { packet: 'e1 esp 10.0.1.10 > S', fate: 'dropped conntrack-clash' },
      ],
    },
    {
      name: 'a destination port range gives its ports in order',
      rules:
        '*nat\n-A PREROUTING -d VIP -p udp -j DNAT --to-destination 10.0.2.9:7000-7001\n-A POSTROUTING -p udp -j SNAT --to-source 10.0.2.100:9',
      steps: [
        { packet: 'e1 udp C:1 > VIP:53', fate: 'forwarded e2 udp 10.0.2.100:9 > S:7000 ttl=63' },
        { packet: 'e1 udp C:1 > VIP:7001', fate: 'forwarded e2 udp 10.0.2.100:9 > S:7001 ttl=63' },
      ],
    },
    {
      name: 'a port inside the destination range is kept',
      rules: '*nat\n-A PREROUTING -d VIP -p udp -j DNAT --to-destination 10.0.2.9:7000-7009',
      steps: [{ packet: 'e1 udp C:1 > VIP:7005', fate: 'forwarded e2 udp C:1 > S:7005 ttl=63' }],
    },
    {
      name: 'an ICMP clash of destinations moves the id, from 0 on',
      rules: '*nat\n-A PREROUTING -d 10.9.9.0/24 -j DNAT --to-destination 10.0.2.9',
      steps: [
        { packet: 'e1 icmp 8/0 C > 10.9.9.1 icmpId=5', fate: 'forwarded e2 icmp 8/0 C > S id=5 ttl=63' },
        { packet: 'e1 icmp 8/0 C > 10.9.9.2 icmpId=5', fate: 'forwarded e2 icmp 8/0 C > S ttl=63' },
      ],
    },
    {
      name: 'a finished TCP flow makes way for a later SYN with a higher number only',
      rules: '*nat\n-A POSTROUTING -o e2 -p tcp -j SNAT --to-source 10.0.2.100:2000',
      steps: [
        { packet: 'e1 tcp C:1 > S:80 S seq=1000' },
        { packet: 'e2 tcp S:80 > 10.0.2.100:2000 SA seq=5 ack=1001' },
        { packet: 'e1 tcp C:1 > S:80 A seq=1001 ack=6' },
        { packet: 'e1 tcp C:1 > S:80 R seq=1001' },
        { packet: 'e1 tcp C:2 > S:80 S seq=10', fate: 'dropped conntrack-clash' },
        { packet: 'e1 tcp C:2 > S:80 S seq=9000', fate: 'forwarded e2 tcp 10.0.2.100:2000 > S:80 ttl=63' },
      ],
    },
  ]);
});
