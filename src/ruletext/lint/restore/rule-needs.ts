/** What the kernel wants to see beside a match or target that is kept as text (the modules' checkentry). */
import type { Match } from '../../../netfilter/match.ts';
import type { Rule } from '../../../netfilter/rule-set.ts';
import type { Target } from '../../../netfilter/target.ts';
import type { IpFamily } from '../../../wire/ip-address.ts';
import { PROTOCOL } from '../../../wire/protocol.ts';
import { protocolName } from '../../protocols.ts';

const DCCP = 33;
const IPCOMP = 108;
const MOBILITY = 135;

/** The protocols of which the rule must name one with `-p`, unnegated. */
const NEEDS_PROTOCOL: Readonly<Record<string, readonly number[]>> = {
  dccp: [DCCP],
  esp: [PROTOCOL.esp],
  ipcomp: [IPCOMP],
  mh: [MOBILITY],
  osf: [PROTOCOL.tcp],
  sctp: [PROTOCOL.sctp],
  tcpmss: [PROTOCOL.tcp],
  SYNPROXY: [PROTOCOL.tcp],
  TCPOPTSTRIP: [PROTOCOL.tcp],
  TPROXY: [PROTOCOL.tcp, PROTOCOL.udp],
};

/** Conntrack's helpers and the protocols that they are there for. */
const HELPERS: Readonly<Record<string, readonly number[]>> = {
  'H.245': [PROTOCOL.tcp],
  'Q.931': [PROTOCOL.tcp],
  RAS: [PROTOCOL.udp],
  amanda: [PROTOCOL.udp],
  ftp: [PROTOCOL.tcp],
  irc: [PROTOCOL.tcp],
  'netbios-ns': [PROTOCOL.udp],
  pptp: [PROTOCOL.tcp],
  sane: [PROTOCOL.tcp],
  sip: [PROTOCOL.tcp, PROTOCOL.udp],
  snmp: [PROTOCOL.udp],
  snmp_trap: [PROTOCOL.udp],
  tftp: [PROTOCOL.udp],
};

interface Need {
  readonly what: string;
  readonly protocols: readonly number[];
}

function needOf(use: Match | Target, family: IpFamily): Need | undefined {
  if (use.kind === 'ct') {
    const helper = /--helper (\S+)/.exec(use.text)?.[1];
    const protocols = helper === undefined ? undefined : HELPERS[helper];
    return protocols === undefined ? undefined : { what: `-j CT --helper ${helper}`, protocols };
  }
  if (use.kind !== 'unknown') return undefined;
  const { name, text } = use;
  // In IPv6 AH is an extension header, found wherever it stands.
  if (name === 'ah') return family === 'ipv4' ? { what: '-m ah', protocols: [PROTOCOL.ah] } : undefined;
  if (name.toLowerCase() === 'ecn' && text.includes('--ecn-tcp-'))
    return { what: name, protocols: [PROTOCOL.tcp] };
  const protocols = NEEDS_PROTOCOL[name];
  return protocols === undefined ? undefined : { what: name, protocols };
}

const SEARCH_ALGORITHMS: readonly string[] = ['bm', 'kmp', 'fsm'];

/** Option values that only the kernel looks at. */
function valueProblem(use: Match | Target): string | undefined {
  if (use.kind !== 'unknown') return undefined;
  const { name, text } = use;
  if (name === 'string') {
    const algorithm = /--algo[ =]+"?([^"\s]+)/.exec(text)?.[1] ?? '';
    if (!SEARCH_ALGORITHMS.includes(algorithm)) {
      return `the kernel has no search algorithm '${algorithm}' for -m string; write --algo bm or kmp`;
    }
  }
  if (name === 'cgroup' && text === '') return '-m cgroup asks nothing; give --cgroup or --path';
  if (name === 'ULOG') return 'the kernel has had no ULOG since 3.17; use -j NFLOG';
  return undefined;
}

/** What the kernel misses in `rule` for `use`, one of its matches or its target; undefined: nothing. */
export function kernelProblem(use: Match | Target, rule: Rule, family: IpFamily): string | undefined {
  const need = needOf(use, family);
  if (need !== undefined) {
    const named = rule.matches.find((match) => match.kind === 'protocol');
    const fits = named?.kind === 'protocol' && !named.negate && need.protocols.includes(named.protocol);
    const wanted = need.protocols.map((protocol) => `-p ${protocolName(protocol)}`).join(' or ');
    if (!fits) return `${need.what} needs ${wanted} in the same rule`;
  }
  return valueProblem(use);
}
