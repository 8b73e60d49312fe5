/** `-m limit`, `-m hashlimit`, `-m connlimit`. */
import type { ConnlimitMatch, HashlimitMatch, LimitMatch, Rate } from '../../netfilter/match.ts';
import { addressBits } from '../../wire/ip-address.ts';
import { maskLength } from '../../wire/ip-prefix.ts';
import { parseHostMask } from '../address-text.ts';
import { defineExtension, type MatchModule, type Options, type OptionUse } from '../match-module.ts';
import { parseNumber, tryParseLeadingNumber } from '../numbers.ts';
import { readProcName } from '../proc-name.ts';
import { formatRate, readRate, unitSeconds } from '../rates.ts';

/** XT_LIMIT_SCALE and XT_HASHLIMIT_SCALE_v2: ticks a second. */
const LIMIT_SCALE = 10_000;
const HASHLIMIT_SCALE = 1_000_000;
const DEFAULT_BURST = 5;
const MAX_U32 = 0xffffffff;
/** NAME_MAX. */
const MAX_NAME = 255;

function mustReadRate(
  use: OptionUse,
  scale: number,
): { readonly rate: Rate; readonly writtenSeconds: number } {
  const read = readRate(use.text, scale);
  if (read.kind === 'rate') return read;
  throw use.context.error(
    read.kind === 'too-fast'
      ? `rate '${use.text}' is faster than --${use.option} can hold`
      : `bad rate '${use.text}' for --${use.option}; expected NUMBER or NUMBER/second, minute, hour or day`,
  );
}

const LIMIT = defineExtension<{ rate: Rate; burst: number }, LimitMatch>({
  name: 'limit',
  options: {
    limit: {
      values: 1,
      read: (draft, use) => {
        draft.rate = mustReadRate(use, LIMIT_SCALE).rate;
      },
    },
    'limit-burst': {
      values: 1,
      read: (draft, use) => {
        draft.burst = parseNumber(use.context, use.option, use.text, { max: 10_000 });
      },
    },
  },
  draft: () => ({ rate: { average: 3, unit: 'hour' }, burst: DEFAULT_BURST }),
  finish: ({ rate, burst }) => ({ kind: 'limit', rate, burst }),
});

/** In the order of a save. */
const HASHLIMIT_MODES = ['srcip', 'srcport', 'dstip', 'dstport'] as const;
type HashlimitMode = (typeof HASHLIMIT_MODES)[number];

interface HashlimitDraft {
  above?: boolean;
  rate?: Rate;
  writtenSeconds: number;
  burst: number;
  modes: readonly HashlimitMode[];
  name?: string;
  srcMask?: number;
  dstMask?: number;
  htableSize?: number;
  htableMax?: number;
  htableGcInterval?: number;
  htableExpire?: number;
}

function rateOption(above: boolean) {
  return {
    values: 1,
    invert: true,
    read: (draft: HashlimitDraft, use: OptionUse) => {
      if (draft.above !== undefined) {
        throw use.context.error('hashlimit takes one of --hashlimit-upto and --hashlimit-above');
      }
      draft.above = above !== use.negate;
      const read = mustReadRate(use, HASHLIMIT_SCALE);
      draft.rate = read.rate;
      draft.writtenSeconds = read.writtenSeconds;
    },
    modelled: (text: string) => !/.b\/s/.test(text),
  } as const;
}

const UPTO = rateOption(false);

function numberOption(key: 'htableSize' | 'htableMax' | 'htableGcInterval' | 'htableExpire', min: 0 | 1) {
  return {
    values: 1,
    read: (draft: HashlimitDraft, use: OptionUse) => {
      draft[key] = parseNumber(use.context, use.option, use.text, { min, max: MAX_U32 });
    },
  } as const;
}

function maskOption(key: 'srcMask' | 'dstMask') {
  return {
    values: 1,
    read: (draft: HashlimitDraft, use: OptionUse) => {
      draft[key] = readMaskLength(use);
    },
  } as const;
}

function readMaskLength(use: OptionUse): number {
  const mask = parseHostMask(use.context, `--${use.option}`, use.text);
  return maskLength(mask) ?? use.context.fail(`mask '${use.text}' for --${use.option} is not contiguous`);
}

function readModes(use: OptionUse): readonly HashlimitMode[] {
  const words = use.text.split(/[,|]/).filter((word) => word !== '');
  const wrong = words.find((word) => !(HASHLIMIT_MODES as readonly string[]).includes(word));
  if (wrong !== undefined) {
    throw use.context.error(
      `bad mode '${wrong}' for --hashlimit-mode; expected ${HASHLIMIT_MODES.join(', ')}`,
    );
  }
  return HASHLIMIT_MODES.filter((mode) => words.includes(mode));
}

const SCALE = BigInt(HASHLIMIT_SCALE);
const MAX_U64 = (1n << 64n) - 1n;
/** HZ * CREDITS_PER_JIFFY_v2 / XT_HASHLIMIT_SCALE_v2; the same for HZ 250, 500 and 1000. */
const CREDITS_PER_TICK = (250n << 39n) / SCALE;

/** xt_hashlimit.c, user2credits: 64 bits, wrapping. */
function credits(ticks: bigint): bigint {
  return (ticks * CREDITS_PER_TICK) & MAX_U64;
}

/** True when the whole burst counts for less than one packet (hashlimit_mt_check_common). */
function burstOverflows({ average, unit }: Rate, burst: number): boolean {
  const period = (SCALE * BigInt(unitSeconds(unit))) / BigInt(average);
  return credits(period * BigInt(burst)) < credits(period);
}

const DEFAULT_GC_INTERVAL = 1000;

const HASHLIMIT_OPTIONS: Options<HashlimitDraft> = {
  'hashlimit-upto': UPTO,
  hashlimit: UPTO,
  'hashlimit-above': rateOption(true),
  'hashlimit-burst': {
    values: 1,
    read: (draft, use) => {
      // What follows the number is not looked at, unless it is a factor.
      const digits = String(tryParseLeadingNumber(use.text) ?? use.text);
      draft.burst = parseNumber(use.context, use.option, digits, { min: 1, max: 1_000_000 });
    },
    modelled: (text) => !/^\d+[kmb]/.test(text),
  },
  'hashlimit-mode': {
    values: 1,
    read: (draft, use) => {
      draft.modes = readModes(use);
    },
  },
  'hashlimit-name': {
    values: 1,
    read: (draft, use) => {
      draft.name = readProcName(use, MAX_NAME);
    },
  },
  'hashlimit-srcmask': maskOption('srcMask'),
  'hashlimit-dstmask': maskOption('dstMask'),
  'hashlimit-htable-size': numberOption('htableSize', 0),
  'hashlimit-htable-max': numberOption('htableMax', 0),
  'hashlimit-htable-gcinterval': numberOption('htableGcInterval', 1),
  'hashlimit-htable-expire': numberOption('htableExpire', 1),
  'hashlimit-rate-match': { values: 0 },
  'hashlimit-rate-interval': { values: 1 },
};

/** `value` under `key` unless it is what the kernel assumes anyway. */
function unless<Key extends string>(
  key: Key,
  value: number | undefined,
  usual: number,
): Partial<Record<Key, number>> {
  return value === undefined || value === usual ? {} : ({ [key]: value } as Record<Key, number>);
}

const HASHLIMIT = defineExtension<HashlimitDraft, HashlimitMatch>({
  name: 'hashlimit',
  options: HASHLIMIT_OPTIONS,
  draft: () => ({ writtenSeconds: 1, burst: DEFAULT_BURST, modes: [] }),
  finish: (draft, context) => {
    const { rate, name, above = false, burst, modes } = draft;
    if (rate === undefined) throw context.error('-m hashlimit needs --hashlimit-upto or --hashlimit-above');
    if (name === undefined) throw context.error('-m hashlimit needs --hashlimit-name');
    if (burstOverflows(rate, burst)) {
      throw context.error(
        `--hashlimit-burst ${burst} at ${formatRate(rate)} is more than the kernel can count`,
      );
    }
    const bits = addressBits(context.family);
    // Entries live for the unit that was written; a save says so when it prints another one.
    const expire = draft.htableExpire ?? draft.writtenSeconds * 1000;
    return {
      kind: 'hashlimit',
      above,
      rate,
      burst,
      modes,
      name,
      ...unless('srcMask', draft.srcMask, bits),
      ...unless('dstMask', draft.dstMask, bits),
      ...unless('htableSize', draft.htableSize, 0),
      ...unless('htableMax', draft.htableMax, 0),
      ...unless('htableGcInterval', draft.htableGcInterval, DEFAULT_GC_INTERVAL),
      ...unless('htableExpire', expire, unitSeconds(rate.unit) * 1000),
    };
  },
});

interface ConnlimitDraft {
  above?: boolean;
  limit: number;
  maskLength?: number;
  side?: ConnlimitMatch['side'];
}

function countOption(above: boolean) {
  return {
    values: 1,
    invert: true,
    read: (draft: ConnlimitDraft, use: OptionUse) => {
      if (draft.above !== undefined) {
        throw use.context.error('connlimit takes one of --connlimit-upto and --connlimit-above');
      }
      draft.above = above !== use.negate;
      draft.limit = parseNumber(use.context, use.option, use.text, { max: MAX_U32 });
    },
  } as const;
}

function sideOption(side: ConnlimitMatch['side']) {
  return {
    values: 0,
    read: (draft: ConnlimitDraft, use: OptionUse) => {
      if (draft.side !== undefined) {
        throw use.context.error('connlimit takes one of --connlimit-saddr and --connlimit-daddr');
      }
      draft.side = side;
    },
  } as const;
}

const CONNLIMIT = defineExtension<ConnlimitDraft, ConnlimitMatch>({
  name: 'connlimit',
  options: {
    'connlimit-upto': countOption(false),
    'connlimit-above': countOption(true),
    'connlimit-mask': {
      values: 1,
      read: (draft, use) => {
        // A mask without a length is taken for a host's (xtopt_parse_plenmask).
        const mask = parseHostMask(use.context, `--${use.option}`, use.text);
        draft.maskLength = maskLength(mask) ?? addressBits(use.context.family);
      },
    },
    'connlimit-saddr': sideOption('source'),
    'connlimit-daddr': sideOption('destination'),
  },
  draft: () => ({ limit: 0 }),
  finish: ({ above, limit, maskLength: length, side = 'source' }, context) => {
    if (above === undefined) throw context.error('-m connlimit needs --connlimit-upto or --connlimit-above');
    return { kind: 'connlimit', above, limit, maskLength: length ?? addressBits(context.family), side };
  },
});

export const RATE_MATCH_MODULES: readonly MatchModule[] = [LIMIT, HASHLIMIT, CONNLIMIT];

/** `-m limit …`. */
export function formatLimit(match: LimitMatch): string {
  const burst = match.burst === DEFAULT_BURST ? '' : ` --limit-burst ${match.burst}`;
  return `-m limit --limit ${formatRate(match.rate)}${burst}`;
}

function some(option: string, value: number | undefined): string {
  return value === undefined ? '' : ` --hashlimit-${option} ${value}`;
}

/** `-m hashlimit …`. */
export function formatHashlimit(match: HashlimitMatch): string {
  const modes = match.modes.length === 0 ? '' : ` --hashlimit-mode ${match.modes.join(',')}`;
  return (
    `-m hashlimit --hashlimit-${match.above ? 'above' : 'upto'} ${formatRate(match.rate)}` +
    ` --hashlimit-burst ${match.burst}${modes} --hashlimit-name ${match.name}` +
    some('htable-size', match.htableSize) +
    some('htable-max', match.htableMax) +
    some('htable-gcinterval', match.htableGcInterval) +
    some('htable-expire', match.htableExpire) +
    some('srcmask', match.srcMask) +
    some('dstmask', match.dstMask)
  );
}

/** `-m connlimit …`. */
export function formatConnlimit(match: ConnlimitMatch): string {
  const side = match.side === 'source' ? 'saddr' : 'daddr';
  return `-m connlimit --connlimit-${match.above ? 'above' : 'upto'} ${match.limit} --connlimit-mask ${match.maskLength} --connlimit-${side}`;
}
