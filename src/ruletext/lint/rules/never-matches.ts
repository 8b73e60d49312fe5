/** Rules whose own matches leave no packet. */
import type { Match, PortTest } from '../../../netfilter/match.ts';
import { formatMatch } from '../../format-rule.ts';
import { isZeroAddress } from '../analysis/bit-tests.ts';
import { impliesMatch } from '../analysis/implies.ts';
import { finding } from '../findings.ts';
import { type LintRule, placeOf } from '../lint-context.ts';

function upsideDown(test: PortTest | undefined): boolean {
  return test !== undefined && !test.negate && test.from > test.to;
}

/** Why no packet passes `match`; undefined when some may. */
function impossible(match: Match): string | undefined {
  switch (match.kind) {
    case 'source':
    case 'destination':
      return match.negate && isZeroAddress(match.mask) ? 'it excludes every address' : undefined;
    case 'in-device':
    case 'out-device':
      return match.negate && match.wildcard && match.ifname === '' ? 'it excludes every device' : undefined;
    case 'mark':
    case 'connmark':
    case 'tos':
      return !match.negate && (match.value & ~match.mask) !== 0
        ? 'the value has bits that the mask clears'
        : undefined;
    case 'tcp':
      return match.flags !== undefined && !match.flags.negate && (match.flags.set & ~match.flags.mask) !== 0
        ? 'it wants flags that it does not look at'
        : undefined;
    case 'statistic':
      return match.mode === 'random' && !match.negate && match.probability === 0
        ? 'the probability is 0'
        : undefined;
    case 'conntrack': {
      const ranges = [
        match.origSrcPort,
        match.origDstPort,
        match.replSrcPort,
        match.replDstPort,
        match.expire,
      ];
      if (ranges.some(upsideDown)) return 'the range ends before it begins';
      const { status } = match;
      const none = status !== undefined && !status.negate && status.statuses.every((name) => name === 'NONE');
      return none ? 'status NONE is the absence of all, which is never tested' : undefined;
    }
    default:
      return undefined;
  }
}

/** Kinds with one `negate` that turns the whole match around. */
function inverted(match: Match): Match | undefined {
  switch (match.kind) {
    case 'source':
    case 'destination':
    case 'in-device':
    case 'out-device':
    case 'mark':
    case 'connmark':
    case 'state':
    case 'pkttype':
    case 'length':
    case 'tos':
    case 'dscp':
    case 'multiport':
    case 'set':
      return { ...match, negate: !match.negate };
    default:
      return undefined;
  }
}

/** Two matches of `matches` that exclude each other. */
function contradiction(matches: readonly Match[]): readonly [Match, Match] | undefined {
  for (const [index, match] of matches.entries()) {
    const opposite = inverted(match);
    if (opposite === undefined) continue;
    for (const [other, against] of matches.entries()) {
      if (other !== index && impliesMatch([against], opposite)) return [match, against];
    }
  }
  return undefined;
}

/** Rules whose matches are all of different kinds, nearly all, cannot contradict themselves. */
function mayContradict(matches: readonly Match[]): boolean {
  const kinds = new Set<string>();
  for (const { kind } of matches) {
    if (kinds.has(kind) || kind === 'iprange' || kind === 'multiport') return true;
    kinds.add(kind);
  }
  return kinds.has('state') && kinds.has('conntrack');
}

export const neverMatches: LintRule = function* ({ tables }) {
  for (const { table } of tables) {
    for (const chain of table.chains.values()) {
      for (const [index, { rule }] of chain.rules.entries()) {
        const { matches } = rule;
        const match = matches.find((each) => impossible(each) !== undefined);
        if (match !== undefined) {
          const message = `no packet matches '${formatMatch(match)}': ${impossible(match)}; correct it`;
          yield finding('never-matches', placeOf(table, chain, index), message);
          continue;
        }
        const pair = mayContradict(matches) ? contradiction(matches) : undefined;
        if (pair === undefined) continue;
        const message = `no packet matches both '${formatMatch(pair[0])}' and '${formatMatch(pair[1])}'; correct one`;
        yield finding('never-matches', placeOf(table, chain, index), message);
      }
    }
  }
};
