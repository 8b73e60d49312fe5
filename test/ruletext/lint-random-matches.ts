/** Matches and packets from a world so small that they often have to do with each other. */
import { ConntrackEntry } from '../../src/netfilter/conntrack/entry.ts';
import { Skb } from '../../src/netfilter/skb.ts';
import type { Random } from '../../src/sim/random.ts';
import { type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES, type Transport } from '../../src/wire/packet.ts';

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}

const ADDRESSES: Readonly<Record<IpFamily, readonly string[]>> = {
  ipv4: ['10.0.0.1', '10.0.0.2', '10.0.0.130', '10.0.1.1', '10.1.0.1', '192.168.0.1'],
  ipv6: ['fd00::1', 'fd00::2', 'fd00::82', 'fd00:0:0:1::1', 'fd01::1', '2001:db8::1'],
};
const NETWORKS: Readonly<Record<IpFamily, readonly string[]>> = {
  ipv4: [
    ...[
      '10.0.0.1',
      '10.0.0.2/31',
      '10.0.0.0/25',
      '10.0.0.128/25',
      '10.0.0.0/24',
      '10.0.0.0/16',
      '10.0.0.0/8',
    ],
    ...['192.168.0.0/16', '0.0.0.0/1', '10.0.0.1/255.0.0.255', '0.0.0.1/0.0.0.255'],
  ],
  ipv6: [
    ...['fd00::1', 'fd00::2/127', 'fd00::/121', 'fd00::80/121', 'fd00::/64', 'fd00::/16', 'fd00::/8'],
    ...['2001:db8::/32', '::/1', 'fd00::1/ff00::ff', '::1/::ff'],
  ],
};
const RANGES: Readonly<Record<IpFamily, readonly string[]>> = {
  ipv4: ['10.0.0.0-10.0.0.127', '10.0.0.0-10.0.0.255', '10.0.0.1-10.0.0.1', '10.0.0.2-10.1.0.0'],
  ipv6: ['fd00::-fd00::7f', 'fd00::-fd00::ff', 'fd00::1-fd00::1', 'fd00::2-fd00:0:0:1::'],
};
const DEVICES = ['eth0', 'eth1', 'et', 'veth0'];
const DEVICE_TESTS = ['eth0', 'eth1', 'eth+', 'et+', 'et', 'veth+', 'e+'];
const PORTS = ['80', '443', '53'];
const PORT_TESTS = ['80', '443', '53', '80:443', '1:100', '0:1023', '81:65535', '53:80'];
const STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT'];
const MARKS = ['0x1', '0x1/0x1', '0x3/0x3', '0x2/0x3', '0x0/0x2', '0x10/0x30', '0x0/0x0', '0x4/0x3'];

type Maker = (random: Random, family: IpFamily) => string;

const not = (random: Random) => (random.below(100) < 25 ? '! ' : '');

function some(random: Random, list: readonly string[]): string {
  const chosen = list.filter(() => random.below(3) === 0);
  return (chosen.length === 0 ? [pick(random, list)] : chosen).join(',');
}

function portMatch(random: Random, module: string): string {
  const ends = [0, 1].flatMap((end) =>
    random.below(2) === 0
      ? [`${not(random)}--${end === 0 ? 'sport' : 'dport'} ${pick(random, PORT_TESTS)}`]
      : [],
  );
  return `-m ${module} ${ends.join(' ')}`;
}

const TCP_FLAGS = ['SYN SYN', 'SYN,ACK SYN', 'SYN,RST,ACK,FIN SYN', 'ACK ACK', 'ALL NONE', 'SYN,FIN NONE'];

/** By protocol: what may stand beside `-p`. */
const TRANSPORT: Readonly<Record<'tcp' | 'udp' | 'icmp', readonly Maker[]>> = {
  tcp: [
    (random) => portMatch(random, 'tcp'),
    (random) => `-m tcp ${not(random)}--tcp-flags ${pick(random, TCP_FLAGS)}`,
    (random) =>
      `-m multiport ${not(random)}--${pick(random, ['sports', 'dports', 'ports'])} ${some(random, PORT_TESTS)}`,
  ],
  udp: [
    (random) => portMatch(random, 'udp'),
    (random) =>
      `-m multiport ${not(random)}--${pick(random, ['sports', 'dports', 'ports'])} ${some(random, PORT_TESTS)}`,
  ],
  icmp: [
    (random, family) => {
      const types = ['8', '8/0', '0', '3', '3/1', ...(family === 'ipv4' ? ['any'] : [])];
      const name = family === 'ipv4' ? 'icmp' : 'icmpv6';
      return `-m ${family === 'ipv4' ? 'icmp' : 'icmp6'} ${not(random)}--${name}-type ${pick(random, types)}`;
    },
  ],
};

const ANYWHERE: readonly Maker[] = [
  (random, family) => `${not(random)}-s ${pick(random, NETWORKS[family])}`,
  (random, family) => `${not(random)}-d ${pick(random, NETWORKS[family])}`,
  (random) => `${not(random)}-i ${pick(random, DEVICE_TESTS)}`,
  (random) => `${not(random)}-o ${pick(random, DEVICE_TESTS)}`,
  (random, family) => `-m iprange ${not(random)}--src-range ${pick(random, RANGES[family])}`,
  (random, family) => `-m iprange ${not(random)}--dst-range ${pick(random, RANGES[family])}`,
  (random) => `-m mark ${not(random)}--mark ${pick(random, MARKS)}`,
  (random) => `-m connmark ${not(random)}--mark ${pick(random, MARKS)}`,
  (random) => `-m conntrack ${not(random)}--ctstate ${some(random, STATES)}`,
  (random) => `-m state ${not(random)}--state ${some(random, STATES.slice(0, 5))}`,
  (random) => `-m conntrack ${not(random)}--ctstatus ${some(random, ['ASSURED', 'SEEN_REPLY', 'CONFIRMED'])}`,
  (random, family) => `-m conntrack ${not(random)}--ctorigdst ${pick(random, ADDRESSES[family])}`,
  (random, family) =>
    `-m conntrack --ctstate ${some(random, STATES)} ${not(random)}--ctorigsrc ${pick(random, ADDRESSES[family])}`,
  (random) => `-m conntrack --ctdir ${pick(random, ['ORIGINAL', 'REPLY'])}`,
  (random) => `-m conntrack ${not(random)}--ctorigdstport ${pick(random, PORT_TESTS)}`,
  (random) => `-m addrtype ${not(random)}--dst-type ${some(random, ['LOCAL', 'UNICAST', 'MULTICAST'])}`,
  (random) => `-m addrtype ${not(random)}--src-type ${some(random, ['LOCAL', 'UNICAST'])}`,
  (random) => `-m length ${not(random)}--length ${pick(random, ['0:50', '40', '41:100', '0:100'])}`,
  (random, family) => {
    const name = family === 'ipv4' ? 'ttl' : 'hl';
    return `-m ${name} --${name}-${pick(random, ['eq', 'lt', 'gt'])} ${pick(random, ['1', '63', '64', '65'])}`;
  },
  (random) => `-m tos ${not(random)}--tos ${pick(random, ['0x10/0x10', '0x10', '0x0/0x3f', '0x18/0x1c'])}`,
  (random) => `-m dscp ${not(random)}--dscp ${pick(random, ['0', '4', '6'])}`,
  (random) => `-m pkttype ${not(random)}--pkt-type ${pick(random, ['unicast', 'broadcast'])}`,
  () => '-m comment --comment x',
];

/** Which options iptables takes once only; of the others a rule may have several matches. */
const ONCE = /^(?:! )?-([sdiop]) /;

export interface RandomMatches {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | undefined;
  readonly texts: readonly string[];
}

/** Some matches that may stand together in one rule. */
export function randomMatches(random: Random, family: IpFamily): RandomMatches {
  const protocol = pick(random, ['tcp', 'udp', 'icmp', undefined, undefined] as const);
  const makers = [
    ...ANYWHERE,
    ...(protocol === undefined ? [] : [...TRANSPORT[protocol], ...TRANSPORT[protocol]]),
  ];
  const texts: string[] = [];
  const taken = new Set<string>();
  for (let left = random.below(5); left > 0; left--) {
    const text = pick(random, makers)(random, family);
    const option = ONCE.exec(text)?.[1];
    if (option !== undefined && taken.has(option)) continue;
    if (option !== undefined) taken.add(option);
    texts.push(text);
  }
  return { protocol, texts };
}

/** The rule line of `matches`. */
export function ruleText({ protocol, texts }: RandomMatches, family: IpFamily): string {
  const name = protocol === 'icmp' && family === 'ipv6' ? 'ipv6-icmp' : protocol;
  return [...(name === undefined ? [] : [`-p ${name}`]), ...texts].join(' ');
}

function randomTransport(random: Random): Transport {
  const sport = Number(pick(random, PORTS));
  const dport = Number(pick(random, PORTS));
  switch (random.below(4)) {
    case 0:
    case 1: {
      const flags = pick(random, [2, 18, 16, 1, 0]);
      return {
        kind: 'tcp',
        sport,
        dport,
        seq: 0,
        ack: 0,
        flags,
        window: 0,
        options: NO_BYTES,
        data: NO_BYTES,
      };
    }
    case 2:
      return { kind: 'udp', sport, dport, data: NO_BYTES };
    default: {
      const type = pick(random, [8, 0, 3]);
      return { kind: 'icmp', type, code: random.below(2), id: 1, sequence: 1, data: NO_BYTES };
    }
  }
}

/** A packet somewhere in FORWARD, with or without a flow. */
export function randomSkb(random: Random, family: IpFamily): Skb {
  const address = () => parseIpAddress(pick(random, ADDRESSES[family]));
  const skb = new Skb(
    {
      src: address(),
      dst: address(),
      ttl: pick(random, [1, 63, 64, 65]),
      tos: pick(random, [0, 0x10, 0x18]),
      id: 0,
      dontFragment: false,
      transport: randomTransport(random),
    },
    pick(random, DEVICES),
  );
  skb.outDevice = pick(random, DEVICES);
  skb.mark = random.below(64);
  skb.packetType = pick(random, ['host', 'broadcast'] as const);
  skb.untracked = random.below(8) === 0;
  if (skb.untracked || random.below(4) === 0) return skb;
  const tuple = () => ({
    protocol: 6,
    src: address(),
    dst: address(),
    sport: Number(pick(random, PORTS)),
    dport: Number(pick(random, PORTS)),
  });
  const entry = new ConntrackEntry(tuple(), tuple());
  entry.mark = random.below(64);
  entry.sourceNat = random.below(3) === 0;
  entry.destinationNat = random.below(3) === 0;
  entry.seenReply = random.below(2) === 0;
  entry.assured = random.below(2) === 0;
  entry.confirmed = random.below(2) === 0;
  skb.ct = {
    entry,
    direction: pick(random, ['original', 'reply'] as const),
    state: pick(random, ['NEW', 'ESTABLISHED', 'RELATED'] as const),
  };
  return skb;
}
