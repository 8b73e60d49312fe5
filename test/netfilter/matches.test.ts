/** Every match: what it takes, what it leaves, what it remembers. */
import { describe } from 'vitest';
import { type Situation, situations } from './situation.ts';

const yes = (match: string, packet: string): Situation => ({
  name: `${match} takes ${packet}`,
  rules: `*mangle\n-A FORWARD ${match}\n-A INPUT ${match}`,
  steps: [{ packet, matched: [packet.includes('> O') ? 'mangle INPUT 1' : 'mangle FORWARD 1'] }],
});
const no = (match: string, packet: string): Situation => ({
  ...yes(match, packet),
  name: `${match} leaves ${packet}`,
  steps: [{ packet, matched: [] }],
});

const UDP = 'e1 udp C:1000 > S:53';
const TCP = 'e1 tcp C:1000 > S:80';

describe('headers', () => {
  situations([
    yes('-s 10.0.1.0/24', UDP),
    no('! -s 10.0.1.0/24', UDP),
    yes('-s 0.0.0.9/0.0.0.255', UDP),
    yes('-i e+', UDP),
    no('-i e', UDP),
    {
      name: '-o e2',
      rules: '*mangle\n-A FORWARD -o e2\n-A FORWARD -o e1',
      steps: [{ packet: UDP, matched: ['mangle FORWARD 1'] }],
    },
    yes('-p udp', UDP),
    no('-p tcp', UDP),
    yes('-p tcp -m tcp --dport 80:90', TCP),
    no('-p tcp -m tcp ! --dport 80:90', TCP),
    yes('-p tcp -m tcp --sport 1000', TCP),
    yes('-p tcp --syn', `${TCP} SPEC`),
    no('-p tcp --syn', `${TCP} SA`),
    no('-p tcp -m tcp --tcp-option 2', TCP),
    yes('-p tcp -m tcp ! --tcp-option 2', TCP),
    yes('-p tcp -m tcp --tcp-flags ALL ALL', `${TCP} FSRPAUEC`),
    yes('-p udp -m multiport --ports 53,99', UDP),
    yes('-p udp -m multiport --ports 1000', UDP),
    no('-p udp -m multiport ! --ports 53', UDP),
    no('-p udp -m multiport --sports 53', UDP),
    yes('-p icmp -m icmp --icmp-type 8', 'e1 icmp 8/3 C > S'),
    no('-p icmp -m icmp --icmp-type 8/0', 'e1 icmp 8/3 C > S'),
    yes('-p icmp -m icmp --icmp-type any', 'e1 icmp 3/1 C > S'),
    no('-p icmp -m icmp ! --icmp-type 8', 'e1 icmp 8/3 C > S'),
    yes('-m iprange --src-range 10.0.1.5-10.0.1.10', UDP),
    no('-m iprange ! --src-range 10.0.1.5-10.0.1.10', UDP),
    yes('-m length --length 28', UDP),
    no('-m length --length 29:', UDP),
    yes('-m ttl --ttl-gt 9', `${UDP} ttl=64`),
    yes('-m dscp --dscp 0x02', `${UDP} tos=8`),
    yes('-m tos --tos 0x08/0xff', `${UDP} tos=8`),
    yes('-m mark --mark 0', UDP),
    yes('-m pkttype --pkt-type unicast', UDP),
    no('-m physdev --physdev-in e1', UDP),
    yes('-p sctp -m sctp --dport 2', 'e1 sctp C:1 > S:2'),
  ]);
});

describe('sets', () => {
  const sets = `create nets hash:net family inet
add nets 10.0.1.0/24
add nets 10.0.1.128/25 nomatch
create ports hash:ip,port family inet
add ports 10.0.2.9,udp:53
create names bitmap:port range 0-65535
add names 80
`;
  const inSet = (match: string, packet: string, matched: boolean): Situation => ({
    name: `${match} ${matched ? 'takes' : 'leaves'} ${packet}`,
    sets,
    rules: `*mangle\n-A FORWARD ${match}`,
    steps: [{ packet, matched: matched ? ['mangle FORWARD 1'] : [] }],
  });
  situations([
    inSet('-m set --match-set nets src', UDP, true),
    inSet('-m set --match-set nets dst', UDP, false),
    inSet('-m set ! --match-set nets dst', UDP, true),
    inSet('-m set --match-set nets src', 'e1 udp 10.0.1.200:1 > S:2', false),
    inSet('-m set --match-set ports dst,dst', UDP, true),
    inSet('-m set --match-set ports dst,src', UDP, false),
    inSet('-m set --match-set ports dst,dst', 'e1 tcp C:1 > S:53', false),
    inSet('-m set --match-set names dst', TCP, true),
    inSet('-m set --match-set names dst', 'e1 icmp 8/0 C > S', false),
    {
      name: 'a set that nobody loaded makes the fate unknown',
      rules: '*filter\n-A FORWARD -m set --match-set nets src -j DROP',
      steps: [{ packet: UDP, fate: 'unknown unsupported: -m set' }],
    },
  ]);
});

describe('addrtype', () => {
  const type = (dst: string, types: string, matched: readonly string[]): Situation => ({
    name: `${dst} is ${types}`,
    rules: `*raw
-A PREROUTING -m addrtype --dst-type LOCAL
-A PREROUTING -m addrtype --dst-type UNICAST
-A PREROUTING -m addrtype --dst-type BROADCAST
-A PREROUTING -m addrtype --dst-type MULTICAST
-A PREROUTING -m addrtype --dst-type LOCAL --limit-iface-in`,
    steps: [{ packet: `e1 udp C:1 > ${dst}:2`, matched }],
  });
  situations([
    type('10.0.1.1', 'LOCAL, of this device too', ['raw PREROUTING 1', 'raw PREROUTING 5']),
    type('10.0.2.1', 'LOCAL, not of this device', ['raw PREROUTING 1']),
    type('127.9.9.9', 'LOCAL', ['raw PREROUTING 1']),
    type('10.0.2.9', 'UNICAST', ['raw PREROUTING 2']),
    type('9.9.9.9', 'UNICAST', ['raw PREROUTING 2']),
    type('10.0.2.255', 'BROADCAST', ['raw PREROUTING 3']),
    type('255.255.255.255', 'BROADCAST', ['raw PREROUTING 3']),
    type('224.0.0.1', 'MULTICAST', ['raw PREROUTING 4']),
    type('127.255.255.255', 'BROADCAST', ['raw PREROUTING 3']),
  ]);
});

describe('matches that remember', () => {
  const hit = (packet: string, wait = 0) => ({ packet, wait, matched: ['mangle FORWARD 1'] });
  const miss = (packet: string, wait = 0) => ({ packet, wait, matched: [] });
  const mangle = (match: string) => `*mangle\n-A FORWARD ${match}`;
  const syn = (port: number) => `e1 tcp C:${port} > S:80 S seq=${port}`;
  situations([
    {
      name: 'nth counts from 0',
      rules: mangle('-m statistic --mode nth --every 3 --packet 2'),
      steps: [miss(UDP), miss(UDP), hit(UDP), miss(UDP), miss(UDP), hit(UDP)],
    },
    {
      name: 'stateful matches count even when a later one fails',
      rules: mangle('-m statistic --mode nth --every 2 --packet 1 -p udp -m udp --dport 53'),
      steps: [miss('e1 udp C:1000 > S:54'), hit(UDP), miss(UDP), miss('e1 udp C:1000 > S:54')],
    },
    {
      name: 'limit begins full and refills',
      rules: mangle('-m limit --limit 2/sec --limit-burst 2'),
      steps: [hit(UDP), hit(UDP), miss(UDP), hit(UDP, 0.55), miss(UDP)],
    },
    {
      name: 'hashlimit has a bucket a source',
      rules: mangle(
        '-m hashlimit --hashlimit-above 1/min --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name h',
      ),
      steps: [miss(UDP), hit(UDP), miss('e1 udp 10.0.1.10:1 > S:2'), hit(UDP)],
    },
    {
      name: 'recent: set by one rule, seen by another, forgotten by time',
      rules:
        '*mangle\n-A FORWARD -m recent --rcheck --seconds 2 --name l\n-A FORWARD -p tcp -m recent --set --name l',
      steps: [
        { packet: UDP, matched: [] },
        { packet: TCP, matched: ['mangle FORWARD 2'] },
        { packet: UDP, matched: ['mangle FORWARD 1'] },
        { packet: UDP, wait: 2, matched: ['mangle FORWARD 1'] },
        { packet: UDP, wait: 0.1, matched: [] },
      ],
    },
    {
      name: 'recent: hitcount counts earlier packets',
      rules:
        '*mangle\n-A FORWARD -m recent --rcheck --hitcount 2 --name l\n-A FORWARD -m recent --set --name l',
      steps: [
        { packet: UDP, matched: ['mangle FORWARD 2'] },
        { packet: UDP, matched: ['mangle FORWARD 2'] },
        { packet: UDP, matched: ['mangle FORWARD 1', 'mangle FORWARD 2'] },
      ],
    },
    {
      name: 'recent: --remove matches what is listed, once',
      rules:
        '*mangle\n-A FORWARD -p udp -m recent --remove --name l\n-A FORWARD -p tcp -m recent --set --name l',
      steps: [
        { packet: UDP, matched: [] },
        { packet: TCP },
        { packet: UDP, matched: ['mangle FORWARD 1'] },
        { packet: UDP, matched: [] },
      ],
    },
    {
      name: 'connlimit: a dropped flow stays counted until a new one cleans up',
      rules: '*filter\n-A FORWARD -p tcp -m connlimit --connlimit-above 2 --connlimit-mask 32 -j DROP',
      steps: [
        { packet: syn(1), matched: [] },
        { packet: syn(2), matched: [] },
        { packet: syn(3), fate: 'dropped rule' },
        { packet: syn(1), fate: 'dropped rule' },
      ],
    },
    {
      name: 'connlimit: an ASSURED flow cleans up and passes',
      rules: '*filter\n-A FORWARD -p tcp -m connlimit --connlimit-above 2 --connlimit-mask 32 -j DROP',
      steps: [
        { packet: syn(1) },
        { packet: 'e2 tcp S:80 > C:1 SA seq=9 ack=2' },
        { packet: 'e1 tcp C:1 > S:80 A seq=2 ack=10' },
        { packet: syn(2), matched: [] },
        { packet: syn(3), fate: 'dropped rule' },
        { packet: 'e1 tcp C:1 > S:80 A seq=2 ack=10', matched: [] },
      ],
    },
    {
      name: '--ctexpire of a first packet is 0',
      rules: '*mangle\n-A FORWARD -m conntrack --ctexpire 0\n-A FORWARD -m conntrack --ctexpire 25:30',
      steps: [
        { packet: UDP, matched: ['mangle FORWARD 1'] },
        { packet: UDP, matched: ['mangle FORWARD 2'] },
      ],
    },
    {
      name: 'an unknown match makes the fate unknown only when it is reached',
      rules: '*filter\n-A FORWARD -p tcp -m u32 --u32 "0x0=0x1" -j DROP',
      steps: [
        { packet: UDP, fate: 'forwarded e2 udp C:1000 > S:53 ttl=63' },
        { packet: TCP, fate: 'unknown unsupported: -m u32' },
      ],
    },
  ]);
});

describe('marks', () => {
  const mark = (rules: string, result: string): Situation => ({
    name: rules,
    rules: `*mangle\n${rules}\n-A FORWARD -m mark --mark ${result}`,
    steps: [
      {
        packet: UDP,
        matched: [...rules.split('\n').map((_, i) => `mangle PREROUTING ${i + 1}`), 'mangle FORWARD 1'],
      },
    ],
  });
  const set = '-A PREROUTING -j MARK --set-mark 0xff00';
  situations([
    mark(`${set}\n-A PREROUTING -j MARK --set-xmark 0x8100/0xf00`, '0x7100'),
    mark(`${set}\n-A PREROUTING -j MARK --set-mark 0x8100/0xf00`, '0xf100'),
    mark(`${set}\n-A PREROUTING -j MARK --and-mark 0xf000`, '0xf000'),
    mark(`${set}\n-A PREROUTING -j MARK --or-mark 0xf`, '0xff0f'),
    mark(`${set}\n-A PREROUTING -j MARK --xor-mark 0xf0f`, '0xf00f'),
    mark(
      `-A PREROUTING -j MARK --set-mark 0x1234
-A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xf0
-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffff --ctmask 0xffff`,
      '0x34',
    ),
  ]);
});

describe('control flow', () => {
  const chains = (rules: string, matched: readonly string[]): Situation => ({
    name: rules.split('\n').slice(-3).join(' / '),
    rules: `*filter\n:A -\n:B -\n:D -\n${rules}`,
    steps: [{ packet: UDP, matched }],
  });
  situations([
    chains('-A FORWARD -j A\n-A FORWARD\n-A A -j RETURN\n-A A', [
      'filter FORWARD 1',
      'filter A 1',
      'filter FORWARD 2',
    ]),
    chains('-A FORWARD -g A\n-A FORWARD\n-A A', ['filter FORWARD 1', 'filter A 1']),
    chains('-A FORWARD -j D\n-A FORWARD\n-A D -j B\n-A D\n-A B -g A\n-A B\n-A A', [
      'filter FORWARD 1',
      'filter D 1',
      'filter B 1',
      'filter A 1',
      'filter D 2',
      'filter FORWARD 2',
    ]),
    {
      name: 'RETURN in a built-in chain leaves it to the policy',
      rules: '*filter\n:FORWARD DROP\n-A FORWARD -j RETURN\n-A FORWARD -j ACCEPT',
      steps: [{ packet: UDP, fate: 'dropped policy', matched: ['filter FORWARD 1'] }],
    },
  ]);
});
