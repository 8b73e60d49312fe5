/** `-m statistic`. */
import type { StatisticMatch } from '../../netfilter/match.ts';
import { defineExtension, type MatchModule } from '../match-module.ts';
import { bang, parseNumber } from '../numbers.ts';

/** xt_statistic compares 31 random bits with the probability in these units. */
const PROBABILITY_ONE = 0x80000000;

const DECIMAL = /^[ \t\n\v\f\r]*\+?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

interface StatisticDraft {
  mode?: 'random' | 'nth';
  negate: boolean;
  probability?: number;
  every?: number;
  packet?: number;
}

/** Half away from zero, as C's lround. */
function roundProbability(value: number): number {
  return Math.floor(value * PROBABILITY_ONE + 0.5);
}

export const STATISTIC_MATCH_MODULE: MatchModule = defineExtension<StatisticDraft, StatisticMatch>({
  name: 'statistic',
  options: {
    mode: {
      values: 1,
      read: (draft, use) => {
        if (use.text !== 'random' && use.text !== 'nth') {
          throw use.context.error(`bad value '${use.text}' for --mode; expected random or nth`);
        }
        draft.mode = use.text;
      },
    },
    probability: {
      values: 1,
      invert: true,
      read: (draft, use) => {
        const value = DECIMAL.test(use.text) ? Number(use.text) : Number.NaN;
        if (!(value >= 0 && value <= 1)) {
          throw use.context.error(`bad probability '${use.text}'; expected a number from 0 to 1`);
        }
        draft.probability = roundProbability(value);
        draft.negate ||= use.negate;
      },
    },
    every: {
      values: 1,
      invert: true,
      read: (draft, use) => {
        draft.every = parseNumber(use.context, use.option, use.text, { min: 1, max: 0xffffffff });
        draft.negate ||= use.negate;
      },
    },
    packet: {
      values: 1,
      read: (draft, use) => {
        draft.packet = parseNumber(use.context, use.option, use.text, { max: 0xffffffff });
      },
    },
  },
  draft: () => ({ negate: false }),
  finish: ({ mode, negate, probability, every, packet }, context) => {
    if (mode === undefined) throw context.error('-m statistic needs --mode random or --mode nth');
    if (mode === 'random') {
      if (every !== undefined) throw context.error('--every belongs to --mode nth, not to --mode random');
      if (probability === undefined) throw context.error('--mode random needs --probability');
      return { kind: 'statistic', mode, negate, probability };
    }
    if (probability !== undefined)
      throw context.error('--probability belongs to --mode random, not to --mode nth');
    if (every === undefined || packet === undefined) {
      throw context.error('--mode nth needs --every and --packet');
    }
    if (packet >= every)
      throw context.error(`--packet ${packet} is never reached; expected 0 to ${every - 1}`);
    return { kind: 'statistic', mode, negate, every, packet };
  },
});

/** A probability in units of 2^-31 with the 11 decimals of a save. */
export function formatProbability(probability: number): string {
  return (probability / PROBABILITY_ONE).toFixed(11);
}

/** `-m statistic …`. */
export function formatStatistic(match: StatisticMatch): string {
  const not = bang(match.negate);
  return match.mode === 'random'
    ? `-m statistic --mode random ${not}--probability ${formatProbability(match.probability)}`
    : `-m statistic --mode nth ${not}--every ${match.every} --packet ${match.packet}`;
}
