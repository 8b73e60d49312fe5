/** Targets that change the packet: `-j TOS`, `DSCP`, `TTL`, `HL`, `TCPMSS`, `CHECKSUM`. */
import type { Target } from '../../netfilter/target.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { dscpOption, formatByte, readTos } from '../dscp-text.ts';
import { defineExtension, type OptionUse } from '../match-module.ts';
import { parseNumber } from '../numbers.ts';
import type { TargetModule } from '../target-module.ts';

type TargetOf<Kind extends Target['kind']> = Extract<Target, { readonly kind: Kind }>;
type TtlTarget = Extract<Target, { readonly kind: 'ttl' | 'hl' }>;

interface TosDraft {
  set?: { readonly value: number; readonly mask: number };
}

function storeTos(
  draft: TosDraft,
  use: OptionUse,
  set: { readonly value: number; readonly mask: number },
): void {
  if (draft.set !== undefined)
    throw use.context.error('-j TOS takes one of --set-, --and-, --or- and --xor-tos');
  draft.set = set;
}

const readByte = (use: OptionUse) => parseNumber(use.context, use.option, use.text, { max: 0xff });

const TOS = defineExtension<TosDraft, Target>({
  name: 'TOS',
  options: {
    'set-tos': { values: 1, read: (draft, use) => storeTos(draft, use, readTos(use)) },
    'and-tos': {
      values: 1,
      read: (draft, use) => storeTos(draft, use, { value: 0, mask: ~readByte(use) & 0xff }),
    },
    'or-tos': {
      values: 1,
      read: (draft, use) => {
        const bits = readByte(use);
        storeTos(draft, use, { value: bits, mask: bits });
      },
    },
    'xor-tos': { values: 1, read: (draft, use) => storeTos(draft, use, { value: readByte(use), mask: 0 }) },
  },
  draft: () => ({}),
  finish: ({ set }, context) => {
    if (set === undefined) throw context.error('-j TOS needs --set-tos, --and-tos, --or-tos or --xor-tos');
    return { kind: 'tos', ...set };
  },
});

const DSCP = defineExtension<{ value?: number }, Target>({
  name: 'DSCP',
  options: {
    ...dscpOption<{ value?: number }>('set-dscp', false, (draft, value, use) => {
      if (draft.value !== undefined)
        throw use.context.error('--set-dscp and --set-dscp-class exclude each other');
      draft.value = value;
    }),
  },
  draft: () => ({}),
  finish: ({ value }, context) => {
    if (value === undefined) throw context.error('-j DSCP needs --set-dscp or --set-dscp-class');
    return { kind: 'dscp', value };
  },
});

interface TtlDraft {
  op?: TtlTarget['op'];
  value: number;
}

function ttlModule(name: 'TTL' | 'HL', kind: 'ttl' | 'hl'): TargetModule {
  const option = (op: TtlTarget['op']) =>
    ({
      values: 1,
      read: (draft: TtlDraft, use: OptionUse) => {
        if (draft.op !== undefined) throw use.context.error(`-j ${name} takes one of its options`);
        draft.op = op;
        draft.value = parseNumber(use.context, use.option, use.text, { min: op === 'set' ? 0 : 1, max: 255 });
      },
    }) as const;
  return defineExtension<TtlDraft, Target>({
    name,
    family: kind === 'ttl' ? 'ipv4' : 'ipv6',
    options: {
      [`${kind}-set`]: option('set'),
      [`${kind}-inc`]: option('inc'),
      [`${kind}-dec`]: option('dec'),
    },
    draft: () => ({ value: 0 }),
    finish: ({ op, value }, context) => {
      if (op === undefined)
        throw context.error(`-j ${name} needs --${kind}-set, --${kind}-inc or --${kind}-dec`);
      return { kind, op, value };
    },
  });
}

/** What the MSS is clamped by, besides the path's MTU. */
const IP_HEADER = { ipv4: 20, ipv6: 40 } as const;

const TCPMSS = defineExtension<{ clampToPmtu: boolean; value?: number }, Target>({
  name: 'TCPMSS',
  protocol: PROTOCOL.tcp,
  options: {
    'set-mss': {
      values: 1,
      read: (draft, use) => {
        const max = 0xffff - IP_HEADER[use.context.family];
        draft.value = parseNumber(use.context, use.option, use.text, { max });
      },
    },
    'clamp-mss-to-pmtu': {
      values: 0,
      read: (draft) => {
        draft.clampToPmtu = true;
      },
    },
  },
  draft: () => ({ clampToPmtu: false }),
  finish: ({ clampToPmtu, value }, context) => {
    if (clampToPmtu) return { kind: 'tcpmss', clampToPmtu };
    if (value === undefined) throw context.error('-j TCPMSS needs --set-mss or --clamp-mss-to-pmtu');
    return { kind: 'tcpmss', clampToPmtu, value };
  },
});

const CHECKSUM = defineExtension<{ fill: boolean }, Target>({
  name: 'CHECKSUM',
  options: {
    'checksum-fill': {
      values: 0,
      read: (draft) => {
        draft.fill = true;
      },
    },
  },
  draft: () => ({ fill: false }),
  finish: ({ fill }, context) => {
    if (!fill) throw context.error('-j CHECKSUM needs --checksum-fill');
    return { kind: 'checksum' };
  },
});

export const PACKET_TARGET_MODULES: readonly TargetModule[] = [
  TOS,
  DSCP,
  ttlModule('TTL', 'ttl'),
  ttlModule('HL', 'hl'),
  TCPMSS,
  CHECKSUM,
];

/** `-j TOS --set-tos VALUE/MASK`. */
export function formatTosTarget(target: TargetOf<'tos'>): string {
  return `-j TOS --set-tos ${formatByte(target.value)}/${formatByte(target.mask)}`;
}

/** `-j DSCP --set-dscp VALUE`. */
export function formatDscpTarget(target: TargetOf<'dscp'>): string {
  return `-j DSCP --set-dscp ${formatByte(target.value)}`;
}

/** `-j TTL …`, `-j HL …`. */
export function formatTtlTarget(target: TtlTarget): string {
  return `-j ${target.kind.toUpperCase()} --${target.kind}-${target.op} ${target.value}`;
}

/** `-j TCPMSS …`. */
export function formatTcpmss(target: TargetOf<'tcpmss'>): string {
  return target.clampToPmtu ? '-j TCPMSS --clamp-mss-to-pmtu' : `-j TCPMSS --set-mss ${target.value ?? 0}`;
}
