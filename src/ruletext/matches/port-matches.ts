/** `-m tcp`, `udp`, `udplite`, `sctp`, `dccp` and `multiport`. */
import type { MultiportMatch, NumberRange, PortsMatch, PortTest, TcpMatch } from '../../netfilter/match.ts';
import { PROTOCOL, TCP_FLAG } from '../../wire/protocol.ts';
import { defineExtension, type MatchModule, type Options, type OptionUse } from '../match-module.ts';
import { bang, formatRange, parseNumber, parsePort, parsePortTest } from '../numbers.ts';
import type { RuleContext } from '../rule-context.ts';

interface PortsDraft {
  sport?: PortTest;
  dport?: PortTest;
}

const readPort = (use: OptionUse) => parsePortTest(use.context, use.option, use.text, use.negate);

/** A test for any port at all is no test; saves leave it out. */
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
const sport = {
  values: 1,
  invert: true,
  read: (draft: PortsDraft, use: OptionUse) => {
    draft.sport = readPort(use);
  },
} as const;
const dport = {
  values: 1,
  invert: true,
  read: (draft: PortsDraft, use: OptionUse) => {
    draft.dport = readPort(use);
  },
} as const;

const PORTS: Options<PortsDraft> = {
  'source-port': sport,
  sport,
  'destination-port': dport,
  dport,
};

function portsModule(
  kind: PortsMatch['kind'],
  protocol: number,
  others: Options<PortsDraft> = {},
): MatchModule {
  return defineExtension<PortsDraft, PortsMatch>({
    name: kind,
    protocol,
    options: { ...PORTS, ...others },
    draft: () => ({}),
    finish: (draft) => ({ kind, ...portTests(draft) }),
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
  ...PORTS,
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
  const colon = text.indexOf(':');
  const from = parsePort(context, option, colon < 0 ? text : text.slice(0, colon));
  if (colon < 0) return { from, to: from };
  const to = parsePort(context, option, text.slice(colon + 1));
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
  portsModule('udp', PROTOCOL.udp),
  portsModule('udplite', PROTOCOL.udplite),
  portsModule('sctp', PROTOCOL.sctp, { 'chunk-types': { values: 2, invert: true } }),
  portsModule('dccp', DCCP, { 'dccp-types': UNMODELLED, 'dccp-option': UNMODELLED }),
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

function portOptions(match: PortsMatch | TcpMatch): string {
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
  return `-m ${match.kind}${portOptions(match)}`;
}

/** `-m tcp …`. */
export function formatTcp(match: TcpMatch): string {
  let text = `-m tcp${portOptions(match)}`;
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
