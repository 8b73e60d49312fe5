/** Protocol names of `-p` and `--ctproto`: iptables' own first, then IANA's. */
import { tryParseNumber } from './numbers.ts';
import type { RuleContext } from './rule-context.ts';

/** libxtables/xtables.c, xtables_chain_protos: of several names, saves print the first. */
const BUILT_IN: readonly (readonly [string, number])[] = [
  ['tcp', 6],
  ['sctp', 132],
  ['udp', 17],
  ['udplite', 136],
  ['icmp', 1],
  ['ipv6-icmp', 58],
  ['icmpv6', 58],
  ['esp', 50],
  ['ah', 51],
  ['mobility-header', 135],
  ['ipv6-mh', 135],
  ['mh', 135],
  ['all', 0],
];

/** As /etc/protocols has them. */
const ASSIGNED = `
  ip=0 hopopt=0 icmp=1 igmp=2 ggp=3 ipencap=4 st=5 tcp=6 egp=8 igp=9 pup=12 udp=17 hmp=20 xns-idp=22 rdp=27
  iso-tp4=29 dccp=33 xtp=36 ddp=37 idpr-cmtp=38 ipv6=41 ipv6-route=43 ipv6-frag=44 idrp=45 rsvp=46 gre=47
  esp=50 ah=51 skip=57 ipv6-icmp=58 ipv6-nonxt=59 ipv6-opts=60 rspf=73 vmtp=81 eigrp=88 ospf=89 ax.25=93
  ipip=94 etherip=97 encap=98 pim=103 ipcomp=108 vrrp=112 l2tp=115 isis=124 sctp=132 fc=133
  mobility-header=135 udplite=136 mpls-in-ip=137 manet=138 hip=139 shim6=140 wesp=141 rohc=142 ethernet=143
`;

const assigned = ASSIGNED.trim()
  .split(/\s+/)
  .map((entry) => {
    const [name = '', number = ''] = entry.split('=');
    return [name, Number(number)] as const;
  });

const NUMBER_BY_NAME: ReadonlyMap<string, number> = new Map([...assigned, ...BUILT_IN]);
const BUILT_IN_NAMES: ReadonlyMap<number, string> = new Map(
  [...BUILT_IN].reverse().map(([name, number]) => [number, name]),
);
const NAME_BY_NUMBER: ReadonlyMap<number, string> = new Map([
  ...[...assigned].reverse().map(([name, number]) => [number, name] as const),
  ...BUILT_IN_NAMES,
]);

/** The module that `-p` of this protocol lets a rule use without `-m`, if there is one. */
const IMPLIED_MODULE: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'icmp6'],
  [132, 'sctp'],
  [135, 'mh'],
  [136, 'udplite'],
]);

/**
 * A protocol by name or number, and how a save spells it. iptables' own names stand for their numbers. Of
 * others the spelling is kept: saves print `gre` up to 1.8.10 and where /etc/protocols knows it, and `47`
 * after that, and every version takes both. Complains about `what` otherwise.
 */
export function parseProtocol(
  context: RuleContext,
  what: string,
  text: string,
): { readonly protocol: number; readonly name: string } {
  const number = tryParseNumber(text, 0, 255);
  if (number !== undefined) return { protocol: number, name: BUILT_IN_NAMES.get(number) ?? String(number) };
  const named = NUMBER_BY_NAME.get(text) ?? NUMBER_BY_NAME.get(text.toLowerCase());
  if (named === undefined) {
    throw context.error(
      `unknown protocol '${text}' for ${what}; expected a number from 0 to 255 or a name such as tcp`,
    );
  }
  return { protocol: named, name: BUILT_IN_NAMES.get(named) ?? text };
}

/** A name of protocol `number`, iptables' own or the assigned one; its digits when it has none. */
export function protocolName(number: number): string {
  return NAME_BY_NUMBER.get(number) ?? String(number);
}

/** The match module that `-p` of protocol `number` implies for options like `--dport`. */
export function impliedModule(number: number): string | undefined {
  return IMPLIED_MODULE.get(number);
}
