/** REJECT: what is said, to whom, and when nothing is. */
import { describe } from 'vitest';
import { situations } from './situation.ts';

const code = (name: string, type: number, number: number) => ({
  name,
  rules: `*filter\n-A FORWARD -j REJECT --reject-with ${name}`,
  steps: [
    {
      packet: 'e1 udp C:1 > S:2',
      fate: `rejected icmp-${type}-${number} e1`,
      left: [`e1 icmp ${type}/${number} O1 > C ttl=64`],
    },
  ],
});
const silent = (name: string, packet: string, more = '') => ({
  name: `silent about ${name}`,
  rules: `*filter\n-A FORWARD ${more}-j REJECT${more === '' ? '' : ' --reject-with tcp-reset'}\n-A INPUT -j REJECT`,
  steps: [{ packet, fate: 'dropped rule', left: [] }],
});

describe('REJECT', () => {
  situations([
    code('icmp-net-unreachable', 3, 0),
    code('icmp-host-unreachable', 3, 1),
    code('icmp-proto-unreachable', 3, 2),
    code('icmp-port-unreachable', 3, 3),
    code('icmp-net-prohibited', 3, 9),
    code('icmp-host-prohibited', 3, 10),
    code('icmp-admin-prohibited', 3, 13),
    silent('an ICMP error', 'e1 icmp 3/1 C > S {udp S:1 > C:2}'),
    silent('an unknown ICMP type', 'e1 icmp 44/0 C > S'),
    silent('a broadcast', 'e1 udp C:1 > 10.0.1.255:2'),
    silent('a group', 'e1 udp C:1 > 224.0.0.1:2'),
    silent('a reset', 'e1 tcp C:1 > S:2 R', '-p tcp '),
    silent('a protocol whose payload does not sum up', 'e1 89 C > S payload=abcd'),
    {
      name: 'tcp-reset of a SYN and of an ACK',
      rules: '*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset',
      steps: [
        { packet: 'e1 tcp C:1 > S:2 S', fate: 'rejected tcp-reset e1', left: ['e1 tcp S:2 > C:1 ttl=64'] },
        { packet: 'e1 tcp C:1 > S:2 A', fate: 'rejected tcp-reset e1' },
      ],
    },
    {
      name: 'under DNAT speaks as the virtual address',
      rules:
        '*nat\n-A PREROUTING -d VIP -p udp -j DNAT --to-destination 10.0.2.9\n*filter\n-A FORWARD -j REJECT',
      steps: [
        {
          packet: 'e1 udp C:1 > VIP:2',
          fate: 'rejected icmp-3-3 e1',
          left: ['e1 icmp 3/3 VIP > C ttl=64'],
          entries: [],
        },
      ],
    },
    {
      name: 'of a local packet comes back over lo',
      rules: '*filter\n-A OUTPUT -p udp -j REJECT',
      steps: [{ packet: 'local udp O1:1 > S:2', fate: 'rejected icmp-3-3 lo', left: [] }],
    },
    {
      name: 'whose answer the own rules drop',
      rules: '*filter\n-A FORWARD -j REJECT\n-A OUTPUT -p icmp -j DROP',
      steps: [{ packet: 'e1 udp C:1 > S:2', fate: 'dropped answer-dropped', left: [] }],
    },
    {
      name: 'whose reset INPUT rejects in turn: the flow stays as its SYN left it',
      rules:
        '*filter\n-A INPUT -m conntrack --ctstate RELATED -j REJECT\n-A OUTPUT -p tcp -o e2 -j REJECT --reject-with tcp-reset',
      steps: [
        {
          packet: 'local tcp O1:500 > S:1000 S',
          fate: 'rejected icmp-3-3 e2',
          left: ['e2 icmp 3/3 O1 > S ttl=64'],
          entries: ['O1:500 > S:1000 | S:1000 > O1:500 SYN_SENT UNREPLIED 120'],
        },
      ],
    },
    {
      name: 'with a reset ends the flow',
      rules:
        '*filter\n-A FORWARD -p tcp --tcp-flags PSH PSH -m conntrack --ctstate ESTABLISHED -j REJECT --reject-with tcp-reset',
      steps: [
        { packet: 'e1 tcp C:1 > S:80 S seq=1' },
        { packet: 'e2 tcp S:80 > C:1 SA seq=5 ack=2' },
        { packet: 'e1 tcp C:1 > S:80 A seq=2 ack=6' },
        {
          packet: 'e1 tcp C:1 > S:80 PA seq=2 ack=6 payload=x',
          entries: ['C:1 > S:80 | S:80 > C:1 CLOSE ASSURED 10'],
        },
      ],
    },
  ]);
});
