/** `-m tcp`, `udp`, `udplite`, `sctp`, `dccp` and `multiport`. */
import type { MultiportMatch, NumberRange, PortsMatch, PortTest, TcpMatch } from '../../netfilter/match.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { defineExtension, type MatchModule, type Options, type OptionUse } from '../match-module.ts';
import { bang, formatRange, parseNumber, parsePortRange, parsePortTest } from '../numbers.ts';

interface PortsDraft {
  sport?: PortTest;
  dport?: PortTest;
}

const readPort = (use: OptionUse) => parsePortTest(use.context, use.option, use.text, use.negate);
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

function portsModule(kind: PortsMatch['kind'], others: Options<PortsDraft> = {}): MatchModule {
  return defineExtension<PortsDraft, PortsMatch>({
    name: kind,
    options: { ...PORTS, ...others },
    draft: () => ({}),
    finish: (draft) => ({ kind, ...draft }),
  });
}

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

function multiport(which: MultiportMatch['which']) {
  return {
    values: 1,
    invert: true,
    read: (draft: MultiportDraft, use: OptionUse) => {
      if (draft.which !== undefined)
        throw use.context.error('multiport takes one of --sports, --dports and --ports');
      draft.which = which;
      draft.negate = use.negate;
      draft.ports = use.text.split(',').map((part) => parsePortRange(use.context, use.option, part));
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
    options: TCP_OPTIONS,
    draft: () => ({}),
    finish: (draft) => ({ kind: 'tcp', ...draft }),
  }),
  portsModule('udp'),
  portsModule('udplite'),
  portsModule('sctp', { 'chunk-types': { values: 2, invert: true } }),
  portsModule('dccp', { 'dccp-types': UNMODELLED, 'dccp-option': UNMODELLED }),
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
      const protocol = context.protocol;
      if (protocol === undefined || protocol.negate || !MULTIPORT_PROTOCOLS.has(protocol.number)) {
        throw context.error('-m multiport needs -p tcp, udp, udplite, sctp or dccp');
      }
      return { kind: 'multiport', which, negate, ports };
    },
  }),
];

const MULTIPORT_PROTOCOLS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

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
