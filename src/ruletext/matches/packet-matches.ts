/** Matches on the IP header and the frame: `-m length`, `ttl`, `hl`, `tos`, `dscp`, `physdev`, `pkttype`. */
import type {
  DscpMatch,
  LengthMatch,
  NumberRange,
  PhysdevMatch,
  PkttypeMatch,
  TosMatch,
  TtlMatch,
} from '../../netfilter/match.ts';
import { dscpOption, formatByte, readTos } from '../dscp-text.ts';
import { defineExtension, type MatchModule, type OptionUse } from '../match-module.ts';
import { bang, formatRange, parseNumber, tryParseNumber } from '../numbers.ts';

/** IFNAMSIZ less the terminator. */
const MAX_IFNAME = 15;

function readLength(use: OptionUse): NumberRange {
  const parts = use.text.split(':');
  const number = (text: string, missing: number) => (text === '' ? missing : tryParseNumber(text, 0, 0xffff));
  const from = number(parts[0] ?? '', 0);
  const to = parts.length === 1 ? from : number(parts[1] ?? '', 0xffff);
  if (parts.length > 2 || from === undefined || to === undefined) {
    throw use.context.error(`bad value '${use.text}' for --length; expected LENGTH or LOW:HIGH, up to 65535`);
  }
  return { from, to };
}

const LENGTH = defineExtension<{ test?: Omit<LengthMatch, 'kind'> }, LengthMatch>({
  name: 'length',
  options: {
    length: {
      values: 1,
      invert: true,
      read: (draft, use) => {
        draft.test = { negate: use.negate, length: readLength(use) };
      },
    },
  },
  draft: () => ({}),
  finish: ({ test }, context) => {
    if (test === undefined) throw context.error('-m length needs --length');
    return { kind: 'length', ...test };
  },
});

interface TtlDraft {
  test?: Pick<TtlMatch, 'operator' | 'value'>;
}

function ttlModule(kind: TtlMatch['kind']): MatchModule {
  const option = (operator: 'eq' | 'lt' | 'gt') =>
    ({
      values: 1,
      invert: operator === 'eq',
      read: (draft: TtlDraft, use: OptionUse) => {
        if (draft.test !== undefined) throw use.context.error(`-m ${kind} takes one of its options`);
        const value = parseNumber(use.context, use.option, use.text, { max: 255 });
        draft.test = { operator: use.negate ? 'ne' : operator, value };
      },
    }) as const;
  const eq = option('eq');
  return defineExtension<TtlDraft, TtlMatch>({
    name: kind,
    family: kind === 'ttl' ? 'ipv4' : 'ipv6',
    options: { [`${kind}-eq`]: eq, [kind]: eq, [`${kind}-lt`]: option('lt'), [`${kind}-gt`]: option('gt') },
    draft: () => ({}),
    finish: ({ test }, context) => {
      if (test === undefined)
        throw context.error(`-m ${kind} needs --${kind}-eq, --${kind}-lt or --${kind}-gt`);
      return { kind, ...test };
    },
  });
}

const TOS = defineExtension<{ test?: Omit<TosMatch, 'kind'> }, TosMatch>({
  name: 'tos',
  options: {
    tos: {
      values: 1,
      invert: true,
      read: (draft, use) => {
        draft.test = { negate: use.negate, ...readTos(use) };
      },
    },
  },
  draft: () => ({}),
  finish: ({ test }, context) => {
    if (test === undefined) throw context.error('-m tos needs --tos');
    return { kind: 'tos', ...test };
  },
});

const DSCP = defineExtension<{ test?: Omit<DscpMatch, 'kind'> }, DscpMatch>({
  name: 'dscp',
  options: {
    ...dscpOption<{ test?: Omit<DscpMatch, 'kind'> }>('dscp', true, (draft, value, use) => {
      if (draft.test !== undefined) throw use.context.error('--dscp and --dscp-class exclude each other');
      draft.test = { negate: use.negate, value };
    }),
  },
  draft: () => ({}),
  finish: ({ test }, context) => {
    if (test === undefined) throw context.error('-m dscp needs --dscp or --dscp-class');
    return { kind: 'dscp', ...test };
  },
});

type PhysdevDraft = { -readonly [Key in keyof Omit<PhysdevMatch, 'kind'>]: PhysdevMatch[Key] };

function physdevName(key: 'inDevice' | 'outDevice') {
  return {
    values: 1,
    invert: true,
    read: (draft: PhysdevDraft, use: OptionUse) => {
      const { text, negate } = use;
      if (text.length > MAX_IFNAME) {
        throw use.context.error(`device name '${text}' is longer than ${MAX_IFNAME} characters`);
      }
      const wildcard = text.endsWith('+');
      draft[key] = { negate, ifname: wildcard ? text.slice(0, -1) : text, wildcard };
    },
  } as const;
}

function physdevFlag(key: 'isIn' | 'isOut' | 'isBridged') {
  return {
    values: 0,
    invert: true,
    read: (draft: PhysdevDraft, use: OptionUse) => {
      draft[key] = { negate: use.negate };
    },
  } as const;
}

const PHYSDEV = defineExtension<PhysdevDraft, PhysdevMatch>({
  name: 'physdev',
  options: {
    'physdev-in': physdevName('inDevice'),
    'physdev-out': physdevName('outDevice'),
    'physdev-is-in': physdevFlag('isIn'),
    'physdev-is-out': physdevFlag('isOut'),
    'physdev-is-bridged': physdevFlag('isBridged'),
  },
  draft: () => ({}),
  finish: (draft, context) => {
    if (Object.keys(draft).length === 0) throw context.error('-m physdev needs at least one of its options');
    return { kind: 'physdev', ...draft };
  },
});

const PACKET_TYPES: ReadonlyMap<string, PkttypeMatch['type']> = new Map([
  ['unicast', 'unicast'],
  ['broadcast', 'broadcast'],
  ['multicast', 'multicast'],
  ['otherhost', 'otherhost'],
  ['bcast', 'broadcast'],
  ['mcast', 'multicast'],
  ['host', 'unicast'],
]);

const PKTTYPE = defineExtension<{ test?: Omit<PkttypeMatch, 'kind'> }, PkttypeMatch>({
  name: 'pkttype',
  options: {
    'pkt-type': {
      values: 1,
      invert: true,
      read: (draft, use) => {
        const type = PACKET_TYPES.get(use.text.toLowerCase());
        if (type === undefined) {
          throw use.context.error(
            `bad packet type '${use.text}'; expected unicast, broadcast, multicast or otherhost`,
          );
        }
        draft.test = { negate: use.negate, type };
      },
    },
  },
  draft: () => ({}),
  finish: ({ test }, context) => {
    if (test === undefined) throw context.error('-m pkttype needs --pkt-type');
    return { kind: 'pkttype', ...test };
  },
});

export const PACKET_MATCH_MODULES: readonly MatchModule[] = [
  LENGTH,
  ttlModule('ttl'),
  ttlModule('hl'),
  TOS,
  DSCP,
  PHYSDEV,
  PKTTYPE,
];

/** `-m length --length …`. */
export function formatLength(match: LengthMatch): string {
  return `-m length ${bang(match.negate)}--length ${formatRange(match.length)}`;
}

/** `-m ttl …`, `-m hl …`. */
export function formatTtl(match: TtlMatch): string {
  const { kind, operator, value } = match;
  return `-m ${kind} ${operator === 'ne' ? `! --${kind}-eq` : `--${kind}-${operator}`} ${value}`;
}

/** `-m tos --tos VALUE/MASK`. */
export function formatTos(match: TosMatch): string {
  return `-m tos ${bang(match.negate)}--tos ${formatByte(match.value)}/${formatByte(match.mask)}`;
}

/** `-m dscp --dscp VALUE`. */
export function formatDscp(match: DscpMatch): string {
  return `-m dscp ${bang(match.negate)}--dscp ${formatByte(match.value)}`;
}

function formatName(option: string, test: PhysdevMatch['inDevice']): string {
  return test === undefined
    ? ''
    : ` ${bang(test.negate)}--${option} ${test.ifname}${test.wildcard ? '+' : ''}`;
}

function formatFlag(option: string, test: PhysdevMatch['isIn']): string {
  return test === undefined ? '' : ` ${bang(test.negate)}--${option}`;
}

/** `-m physdev …`. */
export function formatPhysdev(match: PhysdevMatch): string {
  return (
    '-m physdev' +
    formatFlag('physdev-is-in', match.isIn) +
    formatName('physdev-in', match.inDevice) +
    formatFlag('physdev-is-out', match.isOut) +
    formatName('physdev-out', match.outDevice) +
    formatFlag('physdev-is-bridged', match.isBridged)
  );
}

/** `-m pkttype --pkt-type …`. */
export function formatPkttype(match: PkttypeMatch): string {
  return `-m pkttype ${bang(match.negate)}--pkt-type ${match.type}`;
}
