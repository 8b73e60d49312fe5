/** The grammars of matches that are kept as text. Names as after `-m`; those that are missing (ipvs, rateest) are not checked. */
import type { IpFamily } from '../../../wire/ip-address.ts';
import { tryParseNumber } from '../../numbers.ts';
import { type ExtensionGrammar, FLAG } from './extension-grammar.ts';
import { MOBILITY_TYPES } from './mobility-types.ts';
import { bpfProblem, HEX_STRING, U32_EXPRESSION } from './program-values.ts';
import {
  HOST,
  HOST_MASK,
  listOf,
  MAC,
  number,
  oneOf,
  orderedRange,
  pattern,
  text,
  U8,
  U16,
  U32,
  U32_RANGE,
  U64,
  VALUE_MASK,
  type ValueForm,
} from './value-forms.ts';

/** UINT32_MAX means nobody. */
const MAX_USER = 0xfffffffe;

/** A number, a range of them, or a name that only the host can look up. */
const USER: ValueForm = {
  expected: 'a user or group: a number, a range N-M or a name',
  accepts: (value) =>
    /^[A-Za-z_]/.test(value) ||
    (value.split(/[-:]/).length <= 2 &&
      value.split(/[-:]/).every((part) => tryParseNumber(part, 0, MAX_USER) !== undefined)),
};
const DATE = pattern(
  'a date from 1970 to 2038: YYYY[-MM[-DD[Thh[:mm[:ss]]]]]',
  /(19[789]\d|20[012]\d|203[0-8])(-(0?\d|1[0-2])(-([012]?\d|3[01])(T([01]?\d|2[0-3])(:[0-5]?\d(:[0-5]?\d)?)?)?)?)?/,
);
const TIME = pattern('a time: hh:mm[:ss]', /([01]?\d|2[0-3]):[0-5]?\d(:[0-5]?\d)?/);
const WEEKDAY = pattern('a day: Mon to Sun, or 1 to 7', /[1-9]\d*|(Mo|Tu|We|Th|Fr|Sa|Su).*/);
const MONTHDAY = pattern('a day of the month', /[012]?\d|3[01]/);
const SCTP_CHUNKS = pattern(
  'ALL, NONE or a comma list of chunk types',
  /ALL|NONE|(DATA(:[iube]+)?|(ABORT|SHUTDOWN_COMPLETE)(:t+)?|INIT|INIT_ACK|SACK|HEARTBEAT|HEARTBEAT_ACK|SHUTDOWN|SHUTDOWN_ACK|ERROR|COOKIE_ECHO|COOKIE_ACK|ECN_ECNE|ECN_CWR|ASCONF|ASCONF_ACK|FORWARD_TSN|,)+/i,
);
const IPV6_HEADERS = listOf(
  oneOf(
    ...[
      'hop-by-hop',
      'hop',
      'hopopt',
      'dst',
      'ipv6-opts',
      'route',
      'ipv6-route',
      'frag',
      'ipv6-frag',
      'auth',
      'ah',
    ],
    ...['esp', 'none', 'ipv6-nonxt', 'prot', 'protocol', '0', '60', '43', '44', '51', '50', '59', '255'],
  ),
);
const HEADER_OPTIONS = listOf(pattern('an option TYPE or TYPE:LENGTH', /\d+(:\d+)?/));
const DCCP_TYPES = listOf(
  oneOf(
    ...['REQUEST', 'RESPONSE', 'DATA', 'ACK', 'DATAACK', 'CLOSEREQ', 'CLOSE', 'RESET', 'SYNC', 'SYNCACK'],
    'INVALID',
  ),
);
const SRH_COMPARISONS = ['hdr-len', 'segs-left', 'last-entry'].flatMap((field) =>
  ['eq', 'gt', 'lt'].map((operator) => `srh-${field}-${operator}`),
);
const SRH_HOSTS = ['srh-psid', 'srh-nsid', 'srh-lsid'];
const SRH_OPTIONS = ['srh-next-hdr', ...SRH_COMPARISONS, 'srh-tag', ...SRH_HOSTS];

/** With `--strict` each element of the policy needs something to say. */
function policyProblem(given: ReadonlyMap<string, readonly string[]>): string | undefined {
  const elements = ['reqid', 'spi', 'tunnel-src', 'tunnel-dst', 'proto', 'mode'];
  const none = given.get('pol')?.[0] === 'none';
  if (none && given.has('strict')) return '--pol none and --strict exclude each other';
  if (given.has('strict') && !elements.some((element) => given.has(element))) {
    return `--strict needs one of ${elements.map((element) => `--${element}`).join(', ')}`;
  }
  const tunnel = given.has('tunnel-src') || given.has('tunnel-dst');
  return tunnel && given.get('mode')?.[0] !== 'tunnel'
    ? '--tunnel-src and --tunnel-dst need --mode tunnel'
    : undefined;
}

function clusterProblem(given: ReadonlyMap<string, readonly string[]>): string | undefined {
  const nodes = Number(given.get('cluster-total-nodes')?.[0]);
  return Number(given.get('cluster-local-node')?.[0]) > nodes
    ? '--cluster-local-node is larger than --cluster-total-nodes'
    : undefined;
}

/** The options about type 0 want it said before. */
function routingProblem(given: ReadonlyMap<string, readonly string[]>): string | undefined {
  const aboutType0 = ['rt-0-res', 'rt-0-addrs', 'rt-0-not-strict'].find((option) => given.has(option));
  if (aboutType0 === undefined || given.get('rt-type')?.[0] === '0') return undefined;
  return `--${aboutType0} needs --rt-type 0 before it`;
}

const BOTH_FAMILIES: Readonly<Record<string, ExtensionGrammar>> = {
  bpf: {
    options: { bytecode: [text()], 'object-pinned': [text()] },
    required: [['bytecode', 'object-pinned']],
    also: (given) => bpfProblem(given.get('bytecode')?.[0]),
  },
  cgroup: {
    options: { cgroup: [U32], path: [text()] },
    invertible: ['cgroup', 'path'],
  },
  cluster: {
    options: {
      'cluster-total-nodes': [number(32, 1)],
      'cluster-local-node': [number(32, 1)],
      'cluster-local-nodemask': [number(32, 1)],
      'cluster-hash-seed': [U32],
    },
    invertible: ['cluster-local-node', 'cluster-local-nodemask'],
    required: [
      ['cluster-total-nodes'],
      ['cluster-hash-seed'],
      ['cluster-local-node', 'cluster-local-nodemask'],
    ],
    exclusive: [['cluster-local-node', 'cluster-local-nodemask']],
    also: clusterProblem,
  },
  connbytes: {
    options: {
      connbytes: [pattern('N or LOW:HIGH', /\d+(:\d*)?|:\d+/)],
      'connbytes-dir': [oneOf('original', 'reply', 'both')],
      'connbytes-mode': [oneOf('packets', 'bytes', 'avgpkt')],
    },
    invertible: ['connbytes'],
    required: [['connbytes'], ['connbytes-dir'], ['connbytes-mode']],
  },
  connlabel: { options: { label: [text()], set: FLAG }, invertible: ['label'], required: [['label']] },
  cpu: { options: { cpu: [U32] }, invertible: ['cpu'], required: [['cpu']] },
  dccp: {
    options: {
      'source-port': [text()],
      sport: [text()],
      'destination-port': [text()],
      dport: [text()],
      'dccp-types': [DCCP_TYPES],
      'dccp-option': [number(255, 1)],
    },
    invertible: ['source-port', 'sport', 'destination-port', 'dport', 'dccp-types', 'dccp-option'],
  },
  devgroup: {
    options: { 'src-group': [VALUE_MASK], 'dst-group': [VALUE_MASK] },
    invertible: ['src-group', 'dst-group'],
    required: [['src-group', 'dst-group']],
  },
  ecn: {
    options: { 'ecn-tcp-cwr': FLAG, 'ecn-tcp-ece': FLAG, 'ecn-ip-ect': [number(3)] },
    invertible: ['ecn-tcp-cwr', 'ecn-tcp-ece', 'ecn-ip-ect'],
    required: [['ecn-tcp-cwr', 'ecn-tcp-ece', 'ecn-ip-ect']],
  },
  esp: { options: { espspi: [U32_RANGE] }, invertible: ['espspi'] },
  helper: { options: { helper: [text()] }, invertible: ['helper'], required: [['helper']] },
  ipcomp: { options: { ipcompspi: [U32_RANGE], compres: FLAG }, invertible: ['ipcompspi'] },
  mac: { options: { 'mac-source': [MAC] }, invertible: ['mac-source'], required: [['mac-source']] },
  owner: {
    options: { 'uid-owner': [USER], 'gid-owner': [USER], 'socket-exists': FLAG, 'suppl-groups': FLAG },
    invertible: ['uid-owner', 'gid-owner', 'socket-exists'],
    required: [['uid-owner', 'gid-owner', 'socket-exists']],
    goesWith: [['suppl-groups', 'gid-owner']],
  },
  policy: {
    options: {
      dir: [oneOf('in', 'out')],
      pol: [oneOf('none', 'ipsec')],
      strict: FLAG,
      reqid: [U32],
      spi: [U32],
      'tunnel-src': [HOST_MASK],
      'tunnel-dst': [HOST_MASK],
      proto: [pattern('esp, ah or ipcomp', /esp|ah|ipcomp|50|51|108/i)],
      mode: [oneOf('transport', 'tunnel')],
      next: FLAG,
    },
    invertible: ['reqid', 'spi', 'tunnel-src', 'tunnel-dst', 'proto', 'mode'],
    repeatable: ['reqid', 'spi', 'tunnel-src', 'tunnel-dst', 'proto', 'mode', 'next'],
    required: [['dir']],
    goesWith: [['next', 'strict']],
    also: policyProblem,
  },
  quota: { options: { quota: [U64] }, invertible: ['quota'], required: [['quota']] },
  rpfilter: { options: { loose: FLAG, validmark: FLAG, 'accept-local': FLAG, invert: FLAG } },
  sctp: {
    options: {
      'source-port': [text()],
      sport: [text()],
      'destination-port': [text()],
      dport: [text()],
      'chunk-types': [pattern('ANY, ALL or ONLY', /any|all|only/i), SCTP_CHUNKS],
    },
    invertible: ['source-port', 'sport', 'destination-port', 'dport', 'chunk-types'],
  },
  socket: { options: { transparent: FLAG, nowildcard: FLAG, 'restore-skmark': FLAG } },
  string: {
    options: {
      from: [U16],
      to: [U16],
      algo: [text()],
      string: [text(128)],
      'hex-string': [HEX_STRING],
      icase: FLAG,
    },
    invertible: ['string', 'hex-string'],
    required: [['algo'], ['string', 'hex-string']],
    exclusive: [['string', 'hex-string']],
  },
  tcpmss: { options: { mss: [orderedRange(0xffff)] }, invertible: ['mss'], required: [['mss']] },
  time: {
    options: {
      datestart: [DATE],
      datestop: [DATE],
      timestart: [TIME],
      timestop: [TIME],
      contiguous: FLAG,
      weekdays: [listOf(WEEKDAY)],
      monthdays: [listOf(MONTHDAY)],
      localtz: FLAG,
      utc: FLAG,
      kerneltz: FLAG,
    },
    invertible: ['weekdays', 'monthdays'],
    exclusive: [
      ['localtz', 'utc'],
      ['utc', 'kerneltz'],
    ],
  },
  u32: { options: { u32: [U32_EXPRESSION] }, invertible: ['u32'], required: [['u32']] },
};

const IPV4: Readonly<Record<string, ExtensionGrammar>> = {
  ah: { options: { ahspi: [U32_RANGE] }, invertible: ['ahspi'] },
  osf: {
    options: { genre: [text()], ttl: [number(2)], log: [number(2)] },
    invertible: ['genre'],
    required: [['genre']],
  },
  realm: { options: { realm: [VALUE_MASK] }, invertible: ['realm'], required: [['realm']] },
};

const IPV6: Readonly<Record<string, ExtensionGrammar>> = {
  ah: { options: { ahspi: [U32_RANGE], ahlen: [U32], ahres: FLAG }, invertible: ['ahspi', 'ahlen'] },
  dst: { options: { 'dst-len': [U32], 'dst-opts': [HEADER_OPTIONS] }, invertible: ['dst-len'] },
  eui64: { options: {} },
  frag: {
    options: {
      fragid: [U32_RANGE],
      fraglen: [U32],
      fragres: FLAG,
      fragfirst: FLAG,
      fragmore: FLAG,
      fraglast: FLAG,
    },
    invertible: ['fragid', 'fraglen'],
    exclusive: [['fragmore', 'fraglast']],
  },
  hbh: { options: { 'hbh-len': [U32], 'hbh-opts': [HEADER_OPTIONS] }, invertible: ['hbh-len'] },
  ipv6header: {
    options: { header: [IPV6_HEADERS], soft: FLAG },
    invertible: ['header'],
    required: [['header']],
  },
  mh: { options: { 'mh-type': [MOBILITY_TYPES] }, invertible: ['mh-type'] },
  rt: {
    options: {
      'rt-type': [U32],
      'rt-segsleft': [U32_RANGE],
      'rt-len': [U32],
      'rt-0-res': FLAG,
      'rt-0-addrs': [listOf(HOST)],
      'rt-0-not-strict': FLAG,
    },
    invertible: ['rt-type', 'rt-segsleft', 'rt-len'],
    goesWith: [['rt-0-not-strict', 'rt-0-addrs']],
    also: routingProblem,
  },
  srh: {
    options: {
      ...Object.fromEntries(['srh-next-hdr', ...SRH_COMPARISONS].map((option) => [option, [U8]])),
      'srh-tag': [U16],
      ...Object.fromEntries(SRH_HOSTS.map((option) => [option, [HOST_MASK]])),
    },
    invertible: SRH_OPTIONS,
  },
};

/** The grammar of `-m name` in rules of `family`; undefined when its text is not checked. */
export function matchGrammar(name: string, family: IpFamily): ExtensionGrammar | undefined {
  const own = family === 'ipv4' ? IPV4 : IPV6;
  if (Object.hasOwn(own, name)) return own[name];
  return Object.hasOwn(BOTH_FAMILIES, name) ? BOTH_FAMILIES[name] : undefined;
}
