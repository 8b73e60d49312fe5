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
/** XT_CONNLABEL_MAXBIT. */
const MAX_LABEL = 127;

/** The value of `--option` in the text of an extension; undefined without it. */
function optionValue(text: string, option: string): string | undefined {
  const found = new RegExp(`--${option}[ =]+(?:"([^"]*)"|(\\S+))`).exec(text);
  return found === null ? undefined : (found[1] ?? found[2]);
}

/** Option values that only the kernel looks at, by extension. */
const VALUE_CHECKS: Readonly<Record<string, (text: string) => string | undefined>> = {
  IDLETIMER: (text) =>
    optionValue(text, 'timeout') === '0' ? 'the timeout is 0; give 1 or more seconds' : undefined,
  NFQUEUE: (text) =>
    optionValue(text, 'queue-balance') === '0:65535' ? 'more queues than 65535; take one less' : undefined,
  SNPT: prefixLengths,
  DNPT: prefixLengths,
  ULOG: () => 'the kernel has had no ULOG since 3.17; use -j NFLOG',
  cgroup: (text) => {
    const asked = ['--cgroup', '--path'].filter((option) => text.includes(option));
    return asked.length === 1 ? undefined : 'give one of --cgroup and --path';
  },
  connlabel: (text) =>
    Number(optionValue(text, 'label')) > MAX_LABEL ? `the label is larger than ${MAX_LABEL}` : undefined,
  string: (text) => {
    const algorithm = optionValue(text, 'algo') ?? 'bm';
    if (!SEARCH_ALGORITHMS.includes(algorithm)) return `no search algorithm '${algorithm}'; write bm or kmp`;
    return optionValue(text, 'string') === '' ? 'the text to look for is empty' : undefined;
  },
};

/** Both prefixes of a network prefix translation must be of one length (RFC 6296 §3.1, as the kernel has it). */
function prefixLengths(text: string): string | undefined {
  const [from, to] = ['src-pfx', 'dst-pfx'].map((option) => optionValue(text, option)?.split('/')[1]);
  return from === to ? undefined : 'the two prefixes differ in length; give them one length';
}

function valueProblem(use: Match | Target): string | undefined {
  if (use.kind !== 'unknown' || !Object.hasOwn(VALUE_CHECKS, use.name)) return undefined;
  const problem = VALUE_CHECKS[use.name]?.(use.text);
  return problem === undefined ? undefined : `${use.name}: ${problem}`;
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
