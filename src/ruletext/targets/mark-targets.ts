/** `-j MARK`, `-j CONNMARK`. Every spelling becomes one operation on the mark. */
import type { ConnmarkTarget, MarkTarget } from '../../netfilter/target.ts';
import { defineExtension, type Options, type OptionUse } from '../match-module.ts';
import { formatHex, parseValueMask, tryParseNumber } from '../numbers.ts';
import type { TargetModule } from '../target-module.ts';

interface ValueMask {
  readonly value: number;
  readonly mask: number;
}

function read32(use: OptionUse): number {
  const bits = tryParseNumber(use.text, 0, 0xffffffff);
  if (bits === undefined) {
    throw use.context.error(
      `bad value '${use.text}' for --${use.option}; expected a number up to 0xffffffff`,
    );
  }
  return bits;
}

/**
 * The `--set-*` family in terms of mark = (mark & ~mask) ^ value (libxt_MARK.c, mark_tg_parse;
 * libxt_CONNMARK.c does the same).
 */
const SET_OPTIONS: Readonly<Record<string, (use: OptionUse) => ValueMask>> = {
  'set-xmark': (use) => parseValueMask(use.context, use.option, use.text),
  'set-mark': (use) => {
    const { value, mask } = parseValueMask(use.context, use.option, use.text);
    return { value, mask: (mask | value) >>> 0 };
  },
  'and-mark': (use) => ({ value: 0, mask: ~read32(use) >>> 0 }),
  'or-mark': (use) => {
    const bits = read32(use);
    return { value: bits, mask: bits };
  },
  'xor-mark': (use) => ({ value: read32(use), mask: 0 }),
};

interface MarkDraft {
  set?: ValueMask;
}

const MARK_OPTIONS: Options<MarkDraft> = Object.fromEntries(
  Object.entries(SET_OPTIONS).map(([option, toValueMask]) => [
    option,
    {
      values: 1,
      read: (draft: MarkDraft, use: OptionUse) => {
        if (draft.set !== undefined)
          throw use.context.error('-j MARK takes only one --set-*, --and-, --or- or --xor-mark');
        draft.set = toValueMask(use);
      },
    } as const,
  ]),
);

interface ConnmarkDraft {
  op?: 'set' | 'save' | 'restore';
  set?: ValueMask;
  nfmask?: number;
  ctmask?: number;
  mask?: number;
}

function setOp(draft: ConnmarkDraft, use: OptionUse, op: NonNullable<ConnmarkDraft['op']>): void {
  if (draft.op !== undefined) {
    throw use.context.error(
      '-j CONNMARK takes one of --set-*, --and-, --or-, --xor-, --save- and --restore-mark',
    );
  }
  draft.op = op;
}

function maskOption(key: 'nfmask' | 'ctmask' | 'mask') {
  return {
    values: 1,
    read: (draft: ConnmarkDraft, use: OptionUse) => {
      draft[key] = read32(use);
    },
  } as const;
}

function copyOption(op: 'save' | 'restore') {
  return { values: 0, read: (draft: ConnmarkDraft, use: OptionUse) => setOp(draft, use, op) } as const;
}

const CONNMARK_OPTIONS: Options<ConnmarkDraft> = {
  ...Object.fromEntries(
    Object.entries(SET_OPTIONS).map(([option, toValueMask]) => [
      option,
      {
        values: 1,
        read: (draft: ConnmarkDraft, use: OptionUse) => {
          setOp(draft, use, 'set');
          draft.set = toValueMask(use);
        },
      } as const,
    ]),
  ),
  'save-mark': copyOption('save'),
  'restore-mark': copyOption('restore'),
  'left-shift-mark': { values: 1 },
  'right-shift-mark': { values: 1 },
  ctmask: maskOption('ctmask'),
  nfmask: maskOption('nfmask'),
  mask: maskOption('mask'),
};

export const MARK_TARGET_MODULES: readonly TargetModule[] = [
  defineExtension<MarkDraft, MarkTarget>({
    name: 'MARK',
    options: MARK_OPTIONS,
    draft: () => ({}),
    finish: ({ set }, context) => {
      if (set === undefined)
        throw context.error('-j MARK needs one of --set-xmark, --set-mark, --and-, --or-, --xor-mark');
      return { kind: 'mark', ...set };
    },
  }),
  defineExtension<ConnmarkDraft, ConnmarkTarget>({
    name: 'CONNMARK',
    options: CONNMARK_OPTIONS,
    draft: () => ({}),
    finish: ({ op, set, nfmask, ctmask, mask }, context) => {
      if (op === undefined) throw context.error('-j CONNMARK needs an operation, for example --save-mark');
      if (op === 'set') {
        const chosen = set ?? { value: 0, mask: 0 };
        return { kind: 'connmark', op, value: chosen.value, ctmask: chosen.mask };
      }
      return {
        kind: 'connmark',
        op,
        nfmask: nfmask ?? mask ?? 0xffffffff,
        ctmask: ctmask ?? mask ?? 0xffffffff,
      };
    },
  }),
];

/** `-j MARK --set-xmark VALUE/MASK`. */
export function formatMarkTarget(target: MarkTarget): string {
  return `-j MARK --set-xmark ${formatHex(target.value)}/${formatHex(target.mask)}`;
}

/** `-j CONNMARK …`. */
export function formatConnmarkTarget(target: ConnmarkTarget): string {
  if (target.op === 'set') {
    return `-j CONNMARK --set-xmark ${formatHex(target.value)}/${formatHex(target.ctmask)}`;
  }
  return `-j CONNMARK --${target.op}-mark --nfmask ${formatHex(target.nfmask)} --ctmask ${formatHex(target.ctmask)}`;
}
