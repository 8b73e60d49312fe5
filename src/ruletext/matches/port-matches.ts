/** `-m tcp`, `udp`, `udplite`, `sctp`, `dccp` and `multiport`. */
import type { MultiportMatch, NumberRange, PortsMatch, PortTest, TcpMatch } from '../../netfilter/match.ts';
import { PROTOCOL, TCP_FLAG } from '../../wire/protocol.ts';
import { defineExtension, type MatchModule, type Options, type OptionUse } from '../match-module.ts';
import { bang, formatRange, type PortDialect, parseNumber, parsePort, parsePortRange } from '../numbers.ts';
import { protocolName } from '../protocols.ts';
import type { RuleContext } from '../rule-context.ts';

interface PortsDraft {
  sport?: PortTest;
  dport?: PortTest;
}

function portOption(end: 'sport' | 'dport', dialect: PortDialect) {
  return {
    values: 1,
    invert: true,
    read: (draft: PortsDraft, use: OptionUse) => {
      draft[end] = { negate: use.negate, ...parsePortRange(use.context, use.option, use.text, dialect) };
    },
  } as const;
}

function portOptions(dialect: PortDialect): Options<PortsDraft> {
  const sport = portOption('sport', dialect);
  const dport = portOption('dport', dialect);
  return { 'source-port': sport, sport, 'destination-port': dport, dport };
}

/** A test for any port at all is no test; saves of tcp and udp leave it out. */
function portTests(given: PortsDraft): PortsDraft {
  const { sport, dport } = given;
  const draft: PortsDraft = {};
  if (sport !== undefined && !isEveryPort(sport)) draft.sport = sport;
  if (dport !== undefined && !isEveryPort(dport)) draft.dport = dport;
  return draft;
}

function isEveryPort(test: PortTest): boolean {
  return !test.negate && test.from === 0 && test.to === 0xffff;
}

interface PortsSpec {
  readonly kind: PortsMatch['kind'];
  readonly protocol: number;
  readonly dialect: PortDialect;
  /** Options that are not modelled. */
  readonly others?: Options<PortsDraft>;
  readonly keepsEveryPort: boolean;
}

function portsModule({ kind, protocol, dialect, others, keepsEveryPort }: PortsSpec): MatchModule {
  return defineExtension<PortsDraft, PortsMatch>({
    name: kind,
    protocol,
    options: { ...portOptions(dialect), ...others },
    draft: () => ({}),
    finish: (draft) => ({ kind, ...(keepsEveryPort ? draft : portTests(draft)) }),
  });
}

const DCCP = 33;
const UNMODELLED = { values: 1, invert: true } as const;

/** Flags that `--tcp-flags` can name; ECE and CWR have no names there. */
const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const;
const ALL_FLAGS = 0x3f;
const FLAG_BITS: ReadonlyMap<string, number> = new Map([
  ...FLAG_NAMES.map((name) => [name, TCP_FLAG[name]] as const),
  ['ALL', ALL_FLAGS],
  ['NONE', 0],
]);

function readFlags(use: OptionUse, list: string): number {
  let bits = 0;
  for (const name of list.split(',')) {
    if (name === '') continue;
    const bit = FLAG_BITS.get(name.toUpperCase());
    if (bit === undefined) {
      throw use.context.error(
        `unknown TCP flag '${name}' in --tcp-flags; expected a list of ${FLAG_NAMES.join(', ')}, ALL or NONE`,
      );
    }
    bits |= bit;
  }
  return bits;
}

interface TcpDraft extends PortsDraft {
  flags?: NonNullable<TcpMatch['flags']>;
  option?: NonNullable<TcpMatch['option']>;
}

const SYN_MASK = TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK;

const TCP_OPTIONS: Options<TcpDraft> = {
  ...portOptions({ services: 'tcp' }),
  syn: {
    values: 0,
    invert: true,
    read: (draft, use) => {
      draft.flags = { negate: use.negate, mask: SYN_MASK, set: TCP_FLAG.SYN };
    },
  },
  'tcp-flags': {
    values: 2,
    invert: true,
    read: (draft, use) => {
      draft.flags = { negate: use.negate, mask: readFlags(use, use.text), set: readFlags(use, use.second) };
    },
  },
  'tcp-option': {
    values: 1,
    invert: true,
    read: (draft, use) => {
      const number = parseNumber(use.context, use.option, use.text, { min: 1, max: 255 });
      draft.option = { negate: use.negate, number };
    },
  },
};

interface MultiportDraft {
  which?: MultiportMatch['which'];
  negate: boolean;
  ports: readonly NumberRange[];
}

/** XT_MULTI_PORTS: a range takes two places. */
const MULTIPORT_PLACES = 15;

const MULTIPORT_PROTOCOLS: ReadonlySet<number> = new Set([
  PROTOCOL.tcp,
  PROTOCOL.udp,
  DCCP,
  PROTOCOL.sctp,
  PROTOCOL.udplite,
]);

function checkMultiportProtocol(context: RuleContext): void {
  const { protocol } = context;
  if (protocol === undefined || protocol.negate || !MULTIPORT_PROTOCOLS.has(protocol.number)) {
    throw context.error('-m multiport needs -p tcp, udp, udplite, sctp or dccp before its ports');
  }
}

/** Unlike `--dport`, both ends of a range must be given, and differ. */
function readMultiportRange(use: OptionUse, text: string): NumberRange {
  const { context, option } = use;
  const dialect = { services: protocolName(context.protocol?.number ?? 0) };
  const colon = text.indexOf(':');
  const from = parsePort(context, option, colon < 0 ? text : text.slice(0, colon), dialect);
  if (colon < 0) return { from, to: from };
  const to = parsePort(context, option, text.slice(colon + 1), dialect);
  if (from >= to) throw context.error(`bad port range '${text}' for --${option}; expected LOW:HIGH`);
  return { from, to };
}

function multiport(which: MultiportMatch['which']) {
  return {
    values: 1,
    invert: true,
    read: (draft: MultiportDraft, use: OptionUse) => {
      if (draft.which !== undefined)
        throw use.context.error('multiport takes one of --sports, --dports and --ports');
      draft.which = which;
      draft.negate = use.negate;
      checkMultiportProtocol(use.context);
      draft.ports = use.text.split(',').map((part) => readMultiportRange(use, part));
      const places = draft.ports.reduce((sum, { from, to }) => sum + (from === to ? 1 : 2), 0);
      if (places > MULTIPORT_PLACES) {
        throw use.context.error(
          `too many ports for --${use.option}; expected at most 15, a range counting as two`,
        );
      }
    },
  } as const;
}

export const PORT_MATCH_MODULES: readonly MatchModule[] = [
  defineExtension<TcpDraft, TcpMatch>({
    name: 'tcp',
    protocol: PROTOCOL.tcp,
    options: TCP_OPTIONS,
    draft: () => ({}),
    finish: (draft) => {
      const { sport, dport, ...rest } = draft;
      return { kind: 'tcp', ...portTests(draft), ...rest };
    },
  }),
  portsModule({ kind: 'udp', protocol: PROTOCOL.udp, dialect: 'getaddrinfo', keepsEveryPort: false }),
  portsModule({ kind: 'udplite', protocol: PROTOCOL.udplite, dialect: 'getaddrinfo', keepsEveryPort: false }),
  portsModule({
    kind: 'sctp',
    protocol: PROTOCOL.sctp,
    dialect: { services: 'sctp' },
    others: { 'chunk-types': { values: 2, invert: true } },
    keepsEveryPort: true,
  }),
  portsModule({
    kind: 'dccp',
    protocol: DCCP,
    dialect: 'getaddrinfo',
    others: { 'dccp-types': UNMODELLED, 'dccp-option': UNMODELLED },
    keepsEveryPort: true,
  }),
  defineExtension<MultiportDraft, MultiportMatch>({
    name: 'multiport',
    options: {
      'source-ports': multiport('source'),
      sports: multiport('source'),
      'destination-ports': multiport('destination'),
      dports: multiport('destination'),
      ports: multiport('either'),
    },
    draft: () => ({ negate: false, ports: [] }),
    finish: ({ which, negate, ports }, context) => {
      if (which === undefined) throw context.error('-m multiport needs --sports, --dports or --ports');
      return { kind: 'multiport', which, negate, ports };
    },
  }),
];

function formatPortTests(match: PortsMatch | TcpMatch): string {
  let text = '';
  if (match.sport !== undefined) text += ` ${bang(match.sport.negate)}--sport ${formatRange(match.sport)}`;
  if (match.dport !== undefined) text += ` ${bang(match.dport.negate)}--dport ${formatRange(match.dport)}`;
  return text;
}

function flagList(bits: number): string {
  const names = FLAG_NAMES.filter((name) => (bits & TCP_FLAG[name]) !== 0);
  return names.length === 0 ? 'NONE' : names.join(',');
}

/** `-m udp …` and its kin. */
export function formatPorts(match: PortsMatch): string {
  return `-m ${match.kind}${formatPortTests(match)}`;
}

/** `-m tcp …`. */
export function formatTcp(match: TcpMatch): string {
  let text = `-m tcp${formatPortTests(match)}`;
  const { option, flags } = match;
  if (option !== undefined) text += ` ${bang(option.negate)}--tcp-option ${option.number}`;
  if (flags !== undefined) {
    text += ` ${bang(flags.negate)}--tcp-flags ${flagList(flags.mask)} ${flagList(flags.set)}`;
  }
  return text;
}

const MULTIPORT_OPTION = { source: '--sports', destination: '--dports', either: '--ports' } as const;

/** `-m multiport …`. */
export function formatMultiport(match: MultiportMatch): string {
  return `-m multiport ${bang(match.negate)}${MULTIPORT_OPTION[match.which]} ${match.ports.map(formatRange).join(',')}`;
}
