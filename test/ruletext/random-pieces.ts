/** Random matches and targets as people write them: every one of the rule model, in several spellings. */
import type { IpFamily } from '../../src/wire/ip-address.ts';
import type { RuleWriter } from './rule-writer.ts';

type Piece = (w: RuleWriter) => string;

const CT_STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED'];
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const TYPES = ['UNSPEC', 'UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'UNREACHABLE'];

/** Matches that go with any protocol. */
export const MATCHES: Readonly<Record<string, Piece>> = {
  mark: (w) => `-m mark ${w.not()}--mark ${w.mark()}`,
  connmark: (w) => `-m connmark ${w.not()}--mark ${w.mark()}`,
  comment: (w) => `-m comment --comment ${w.text()}`,
  conntrack: (w) =>
    `-m conntrack ${w.not()}--ctstate ${w.list([...CT_STATES, 'SNAT', 'DNAT'])}` +
    w.maybe(() => ` ${w.not()}--ctorigsrc ${w.network()}`, 4) +
    w.maybe(() => ` ${w.not()}--ctorigdst ${w.network()}`, 4) +
    w.maybe(() => ` ${w.not()}--ctreplsrc ${w.network()}`, 4) +
    w.maybe(() => ` ${w.not()}--ctrepldst ${w.network()}`, 4) +
    w.maybe(() => ` ${w.not()}--ctorigdstport ${w.portRange()}`, 4) +
    w.maybe(() => ` ${w.not()}--ctreplsrcport ${w.portRange()}`, 4) +
    w.maybe(() => ` ${w.not()}--ctproto ${w.pick(['tcp', '17', 'icmp', '47'])}`, 4) +
    w.maybe(
      () => ` ${w.not()}--ctstatus ${w.list(['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'])}`,
      4,
    ) +
    w.maybe(() => ` ${w.not()}--ctexpire ${w.pick(['5', '5:10', ':10', '5:'])}`, 4) +
    w.maybe(() => ` --ctdir ${w.pick(['ORIGINAL', 'reply'])}`, 4),
  state: (w) => `-m state ${w.not()}--state ${w.list(CT_STATES)}`,
  addrtype: (w) =>
    w.pick([
      () => `-m addrtype ${w.not()}--dst-type ${w.list(TYPES)}`,
      () => `-m addrtype ${w.not()}--src-type ${w.list(TYPES)} ${w.not()}--dst-type local`,
    ])(),
  statistic: (w) =>
    w.pick([
      () =>
        `-m statistic --mode random ${w.not()}--probability ${w.pick(['0.5', '1', '0', '.25', '1e-3', `0.${w.below(1e9)}`])}`,
      () => `-m statistic --mode nth ${w.not()}--every ${5 + w.below(9)} --packet ${w.below(5)}`,
    ])(),
  recent: (w) =>
    w.pick([
      () => `-m recent ${w.not()}--set --name ${w.word()}${w.maybe(() => ' --rdest')}`,
      () =>
        `-m recent ${w.not()}--rcheck --seconds ${1 + w.below(999)}${w.maybe(() => ' --reap')} --name ${w.word()}`,
      () =>
        `-m recent --update --hitcount ${1 + w.below(20)} --rttl${w.maybe(() => ` --mask ${w.address()}`)}`,
      () => `-m recent --remove --rsource`,
    ])(),
  limit: (w) => `-m limit --limit ${w.rate()}${w.maybe(() => ` --limit-burst ${1 + w.below(100)}`)}`,
  hashlimit: (w) =>
    `-m hashlimit ${w.not()}--hashlimit-${w.pick(['upto', 'above'])} ${w.rate()} --hashlimit-name ${w.word()}` +
    w.maybe(() => ` --hashlimit-mode ${w.list(['srcip', 'srcport', 'dstip', 'dstport'])}`) +
    w.maybe(() => ` --hashlimit-burst ${1 + w.below(50)}`) +
    w.maybe(() => ` --hashlimit-srcmask ${w.below(33)}`, 3) +
    w.maybe(() => ` --hashlimit-htable-expire ${1000 * (1 + w.below(100))}`, 3) +
    w.maybe(() => ` --hashlimit-htable-max ${1 + w.below(100)}`, 3),
  connlimit: (w) =>
    `-m connlimit ${w.not()}--connlimit-${w.pick(['upto', 'above'])} ${w.below(100)}` +
    w.maybe(() => ` --connlimit-mask ${w.below(33)}`) +
    w.maybe(() => ` --connlimit-${w.pick(['saddr', 'daddr'])}`),
  iprange: (w) => `-m iprange ${w.not()}--${w.pick(['src', 'dst'])}-range ${w.address()}-${w.address()}`,
  length: (w) =>
    `-m length ${w.not()}--length ${w.pick(['100', '100:200', ':200', '100:', '0x40', '0:65535'])}`,
  ttl: (w) => {
    const name = w.family === 'ipv4' ? 'ttl' : 'hl';
    return `-m ${name} ${w.pick([`${w.not()}--${name}-eq`, `--${name}-lt`, `--${name}-gt`])} ${w.number(256)}`;
  },
  tos: (w) =>
    `-m tos ${w.not()}--tos ${w.pick([w.number(256), '0x10/0x3f', 'Minimize-Delay', 'normal-service'])}`,
  dscp: (w) =>
    `-m dscp ${w.not()}${w.pick([`--dscp ${w.number(64)}`, '--dscp-class EF', '--dscp-class af21', '--dscp-class CS3'])}`,
  physdev: (w) =>
    `-m physdev ${w.not()}--physdev-in ${w.device()} ${w.not()}--physdev-is-in ${w.maybe(() => '--physdev-is-bridged')}`,
  pkttype: (w) =>
    `-m pkttype ${w.not()}--pkt-type ${w.pick(['unicast', 'broadcast', 'mcast', 'host', 'otherhost'])}`,
};

/** Protocols and what goes with each. */
export const PROTOCOLS: Readonly<Record<string, Piece>> = {
  tcp: (w) =>
    w.pick([
      () => `${w.maybe(() => '-m tcp ')}${w.not()}--dport ${w.portRange()}`,
      () => `${w.not()}--sport ${w.portRange()} ${w.not()}--destination-port ${w.portRange()}`,
      () => `-m tcp ${w.not()}--syn`,
      () => `${w.not()}--tcp-flags ${w.pick([w.list(FLAGS), 'ALL'])} ${w.pick([w.list(FLAGS), 'NONE'])}`,
      () => `${w.not()}--tcp-option ${1 + w.below(255)}`,
      () => `-m multiport ${w.not()}--${w.pick(['dports', 'sports', 'ports'])} 80,http,100:200,0x10`,
      () => '-m tcp',
      () => '',
    ])(),
  udp: (w) =>
    w.pick([
      () => `${w.not()}--dport ${w.portRange()}`,
      () => `-m udp ${w.not()}--sport ${w.portRange()} --dpor ${w.port()}`,
      () => '-m udp',
      () => '',
    ])(),
  sctp: (w) => w.pick([() => `${w.not()}--dport ${w.portRange()}`, () => ''])(),
  dccp: (w) => w.pick([() => `${w.not()}--sport ${w.portRange()}`, () => ''])(),
  icmp: (w) =>
    w.family === 'ipv4'
      ? `${w.not()}--icmp-type ${w.pick(['8', '3/4', 'any', 'echo-request', 'ping', 'fragmentation-needed', 'TTL-exceeded', '255', '0x3'])}`
      : '',
  'ipv6-icmp': (w) =>
    w.family === 'ipv6'
      ? `${w.not()}--icmpv6-type ${w.pick(['128', '1/4', 'echo-request', 'redirect', 'packet-too-big'])}`
      : '',
  gre: () => '',
  esp: () => '',
  all: () => '',
};

/** Targets by table, with the chain they are tried in; undefined: any. */
export const TARGETS: readonly {
  readonly table: string;
  readonly chain?: string;
  readonly protocol?: string;
  readonly family?: IpFamily;
  readonly text: Piece;
}[] = [
  { table: 'filter', text: (w) => `-j ${w.pick(['ACCEPT', 'DROP', 'RETURN', 'USER', 'REJECT'])}` },
  { table: 'filter', text: () => '-g USER' },
  { table: 'filter', text: () => '' },
  {
    table: 'filter',
    text: (w) =>
      `-j REJECT --reject-with ${w.family === 'ipv4' ? w.pick(['icmp-host-unreachable', 'host-unreach', 'icmp-admin-prohibited', 'icmp-net']) : w.pick(['icmp6-no-route', 'no-route', 'adm-prohibited', 'icmp6-addr-unreachable'])}`,
  },
  { table: 'filter', protocol: 'tcp', text: () => '-j REJECT --reject-with tcp-reset' },
  { table: 'mangle', text: (w) => `-j MARK --set-${w.pick(['mark', 'xmark'])} ${w.mark()}` },
  { table: 'mangle', text: (w) => `-j MARK --${w.pick(['and', 'or', 'xor'])}-mark ${w.number(0xffff)}` },
  { table: 'mangle', text: (w) => `-j CONNMARK --set-${w.pick(['mark', 'xmark'])} ${w.mark()}` },
  { table: 'mangle', text: (w) => `-j CONNMARK --${w.pick(['and', 'or', 'xor'])}-mark ${w.number(0xffff)}` },
  {
    table: 'mangle',
    text: (w) =>
      `-j CONNMARK --${w.pick(['save', 'restore'])}-mark${w.pick(['', ' --mask 0xff', ' --nfmask 0xf0 --ctmask 0x0f'])}`,
  },
  {
    table: 'mangle',
    text: (w) =>
      `-j TOS ${w.pick(['--set-tos 0x10/0x3f', '--set-tos 4', '--or-tos 3', '--and-tos 0xfc', '--set-tos Minimize-Cost'])}`,
  },
  {
    table: 'mangle',
    text: (w) => `-j DSCP ${w.pick([`--set-dscp ${w.number(64)}`, '--set-dscp-class af11'])}`,
  },
  {
    table: 'mangle',
    family: 'ipv4',
    text: (w) => `-j TTL --ttl-${w.pick(['set', 'inc', 'dec'])} ${1 + w.below(200)}`,
  },
  {
    table: 'mangle',
    family: 'ipv6',
    text: (w) => `-j HL --hl-${w.pick(['set', 'inc', 'dec'])} ${1 + w.below(200)}`,
  },
  {
    table: 'mangle',
    chain: 'FORWARD',
    protocol: 'tcp',
    text: (w) => `--tcp-flags SYN,RST SYN -j TCPMSS ${w.pick(['--clamp-mss-to-pmtu', '--set-mss 1360'])}`,
  },
  { table: 'mangle', text: () => '-j CHECKSUM --checksum-fill' },
  {
    table: 'raw',
    text: (w) =>
      `-j CT ${w.pick(['--notrack', '--zone 5', '--zone-orig 7', '--ctevents new,destroy', '--zone mark', ''])}`,
  },
  { table: 'raw', text: (w) => `-j ${w.pick(['NOTRACK', 'TRACE'])}` },
  {
    table: 'filter',
    text: (w) =>
      `-j LOG${w.maybe(() => ` --log-prefix ${w.text()}`)}${w.maybe(() => ` --log-level ${w.pick(['4', 'debug', 'info', '7'])}`)}${w.maybe(() => ' --log-uid --log-tcp-options')}`,
  },
  {
    table: 'filter',
    text: (w) =>
      `-j NFLOG --nflog-group ${w.below(9)}${w.maybe(() => ' --nflog-prefix "p: "')}${w.maybe(() => ' --nflog-threshold 5')}${w.maybe(() => ' --nflog-size 64')}`,
  },
  { table: 'filter', text: (w) => `-j AUDIT --type ${w.pick(['accept', 'DROP', 'reject'])}` },
  {
    table: 'nat',
    chain: 'POSTROUTING',
    text: (w) =>
      `-j SNAT --to-source ${w.address()}${w.maybe(() => `-${w.address()}`, 3)}${w.maybe(() => ' --random')}${w.maybe(() => ' --persistent --random-fully', 3)}`,
  },
  {
    table: 'nat',
    chain: 'POSTROUTING',
    protocol: 'udp',
    text: (w) =>
      `-j SNAT --to-source ${w.family === 'ipv4' ? w.address() : `[${w.address()}]`}:1000${w.maybe(() => '-2000')}`,
  },
  {
    table: 'nat',
    chain: 'PREROUTING',
    text: (w) => `-j DNAT --to-destination ${w.address()}${w.maybe(() => ' --persistent')}`,
  },
  {
    table: 'nat',
    chain: 'PREROUTING',
    protocol: 'tcp',
    text: (w) =>
      `-j DNAT --to-destination ${w.pick(['', w.family === 'ipv4' ? w.address() : `[${w.address()}]`])}:${w.pick(['80', '80-90', '80-90/1000', 'http'])}`,
  },
  {
    table: 'nat',
    chain: 'POSTROUTING',
    text: (w) => `-j MASQUERADE${w.maybe(() => ' --random-fully')}${w.maybe(() => ' --random', 3)}`,
  },
  { table: 'nat', chain: 'POSTROUTING', protocol: 'tcp', text: () => '-j MASQUERADE --to-ports 1024-65535' },
  {
    table: 'nat',
    chain: 'OUTPUT',
    protocol: 'udp',
    text: (w) => `-j REDIRECT --to-port${w.maybe(() => 's')} ${w.pick(['53', '53-54', 'domain'])}`,
  },
  { table: 'nat', chain: 'PREROUTING', text: (w) => `-j REDIRECT${w.maybe(() => ' --random')}` },
];
