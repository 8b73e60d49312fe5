/**
 * Groups of rules that share packets out at random or in turn, as kube-proxy's Service chains do: rule i of n
 * (from 0) must take 1/(n-i) of what reaches it, and the last must take all.
 */
import type { Match, StatisticMatch } from '../../../netfilter/match.ts';
import type { Rule } from '../../../netfilter/rule-set.ts';
import { formatMatch } from '../../format-rule.ts';
import { type Finding, finding } from '../findings.ts';
import { kubeChainKind } from '../kube-names.ts';
import { type LintRule, placeOf } from '../lint-context.ts';
import type { CheckedChain, CheckedTable } from '../restore/tables-in-hand.ts';

/** Shares closer than this to even are: kube-proxy wrote five decimals once. */
const TOLERANCE = 0.01;
const CERTAIN = 2 ** 31;

/** What one rule takes of what reaches it. */
interface Share {
  readonly mode: StatisticMatch['mode'];
  readonly part: number;
}

function shareOf(match: StatisticMatch): Share | undefined {
  if (match.negate) return undefined;
  return match.mode === 'random'
    ? { mode: 'random', part: match.probability / CERTAIN }
    : { mode: 'nth', part: 1 / match.every };
}

function statisticOf(matches: readonly Match[]): StatisticMatch | undefined {
  for (const match of matches) if (match.kind === 'statistic') return match;
  return undefined;
}

/** Everything that the rule asks besides its share, and what kind of target it has. */
function groupKey({ matches, target }: Rule): string | undefined {
  if (target.kind !== 'jump' && target.kind !== 'goto' && target.kind !== 'dnat') return undefined;
  const others = matches.filter(({ kind }) => kind !== 'statistic' && kind !== 'comment');
  return `${target.kind} ${others.map(formatMatch).join(' ')}`;
}

interface Group {
  /** Of the first rule. */
  readonly start: number;
  readonly mode: StatisticMatch['mode'];
  /** What each rule takes of what reaches it; the last is 1 when the group is closed. */
  readonly parts: readonly number[];
}

function groupAt(chain: CheckedChain, start: number): Group | undefined {
  const first = chain.rules[start]?.rule;
  const key = first === undefined ? undefined : groupKey(first);
  const mode = first === undefined ? undefined : statisticOf(first.matches)?.mode;
  if (key === undefined || mode === undefined) return undefined;
  const parts: number[] = [];
  for (let i = start; parts.at(-1) !== 1; i++) {
    const rule = chain.rules[i]?.rule;
    if (rule === undefined || groupKey(rule) !== key) break;
    const match = statisticOf(rule.matches);
    const share: Share | undefined = match === undefined ? { mode, part: 1 } : shareOf(match);
    if (share === undefined || share.mode !== mode) break;
    parts.push(share.part);
  }
  return parts.length < 2 ? undefined : { start, mode, parts };
}

function near(part: number, wanted: number): boolean {
  return Math.abs(part / wanted - 1) <= TOLERANCE;
}

/** Whether part i is one of `count` - i. */
function isEven(parts: readonly number[], count: number): boolean {
  return parts.every((part, index) => near(part, 1 / (count - index)));
}

/** Percent of all packets that each rule takes, and what is left over. */
function sharesText(parts: readonly number[]): string {
  const shown: string[] = [];
  let left = 1;
  for (const part of parts) {
    if (shown.length < 8) shown.push(`${(left * part * 100).toFixed(1)}%`);
    left *= 1 - part;
  }
  return parts.length > shown.length ? `${shown.join(', ')} …` : shown.join(', ');
}

/** Outside kube-proxy's chains uneven shares may be meant; two slips are not: 1/n for each of n, and no last rule. */
function looksMeantEven({ parts }: Group): boolean {
  const random = parts.filter((part) => part < 1);
  const sameEach = random.length > 1 && random.every((part) => near(part, random[0] ?? 0));
  return sameEach && (near(random[0] ?? 0, 1 / parts.length) || near(random[0] ?? 0, 1 / random.length));
}

function* checkGroup(table: CheckedTable, chain: CheckedChain, group: Group): Generator<Finding> {
  const { start, parts } = group;
  const count = parts.length;
  const kind = kubeChainKind(chain.name);
  const strict = kind === 'SVC' || kind === 'SVL';
  const closed = parts.at(-1) === 1;
  const place = placeOf(table, chain, start);
  if (!closed && (strict || isEven(parts, count + 1) || looksMeantEven(group))) {
    const missed = parts.reduce((left, part) => left * (1 - part), 1);
    yield finding(
      'balancing-falls-through',
      placeOf(table, chain, start + count - 1),
      `${(missed * 100).toFixed(1)}% of the packets pass all ${count} rules of this group in ${chain.name}; ` +
        'the last one must be unconditional',
    );
  }
  if (
    !isEven(parts, closed || !isEven(parts, count + 1) ? count : count + 1) &&
    (strict || looksMeantEven(group))
  ) {
    const wrong = parts.findIndex((part, index) => !near(part, 1 / (count - index)));
    yield finding(
      'uneven-balancing',
      place,
      `the ${count} rules from here on take ${sharesText(parts)} of the packets; for equal shares rule ` +
        `${start + wrong + 1} of ${chain.name} must take 1 in ${count - wrong}`,
    );
  }
}

export const balancing: LintRule = function* ({ tables }) {
  for (const { table } of tables) {
    for (const chain of table.chains.values()) {
      for (let i = 0; i < chain.rules.length; i++) {
        const group = groupAt(chain, i);
        if (group === undefined) continue;
        yield* checkGroup(table, chain, group);
        i += group.parts.length - 1;
      }
    }
  }
};
