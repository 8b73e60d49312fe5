/** IP sets and counters that rules name, which a file of rules does not bring along. */
import type { IpSet } from '../../../netfilter/ip-set.ts';
import type { Rule } from '../../../netfilter/rule-set.ts';
import { type FindingPlace, finding } from '../findings.ts';
import { type LintContext, type LintRule, placeOf } from '../lint-context.ts';

interface Use {
  readonly set: string;
  /** How many directions are given; undefined when not known. */
  readonly directions: number | undefined;
}

/** `--add-set NAME DIRECTIONS` and its like. */
const TARGET_SETS = /--(?:add|del|map)-set[ =]+(\S+)\s+(\S+)/g;

function setsOf({ matches, target }: Rule): readonly Use[] {
  const uses: Use[] = [];
  for (const match of matches) {
    if (match.kind === 'set') uses.push({ set: match.set, directions: match.directions.length });
  }
  if (target.kind === 'unknown' && target.name === 'SET') {
    for (const [, set = '', directions = ''] of target.text.matchAll(TARGET_SETS)) {
      uses.push({ set, directions: directions.split(',').length });
    }
  }
  return uses;
}

function* checkSet(
  { set, directions }: Use,
  sets: ReadonlyMap<string, IpSet>,
  family: string,
  place: FindingPlace,
) {
  const known = sets.get(set);
  if (known === undefined) {
    yield finding('unknown-set', place, `there is no IP set '${set}'; create it before or correct the name`);
  } else if (known.family !== undefined && known.family !== family) {
    yield finding(
      'unknown-set',
      place,
      `IP set '${set}' holds ${known.family} addresses; expected one of ${family}`,
    );
  } else if (directions !== undefined && directions < known.parts.length) {
    const message = `IP set '${set}' has ${known.parts.length} parts (${known.parts.join(',')}) but ${directions} directions are given, so it never matches; give one for each part`;
    yield finding('set-dimension', place, message);
  }
}

function* externalOfRule(
  rule: Rule,
  told: Set<string>,
  { sets, family }: LintContext,
  place: () => FindingPlace,
) {
  for (const use of setsOf(rule)) {
    if (sets !== undefined) yield* checkSet(use, sets, family, place());
    else if (!told.has(use.set)) {
      told.add(use.set);
      const message = `this loads only where the IP set '${use.set}' exists; give it with --sets`;
      yield finding('external-object', place(), message);
    }
  }
  for (const match of rule.matches) {
    if (match.kind !== 'nfacct' || told.has(`nfacct ${match.name}`)) continue;
    told.add(`nfacct ${match.name}`);
    const message = `this loads only where the counter '${match.name}' exists (nfacct add ${match.name})`;
    yield finding('external-object', place(), message);
  }
}

/** Nearly all rules name nothing. */
function namesObjects({ matches, target }: Rule): boolean {
  return target.kind === 'unknown' || matches.some(({ kind }) => kind === 'set' || kind === 'nfacct');
}

export const externalObjects: LintRule = function* (context) {
  const told = new Set<string>();
  for (const { table } of context.tables) {
    for (const chain of table.chains.values()) {
      for (const [index, { rule }] of chain.rules.entries()) {
        if (!namesObjects(rule)) continue;
        yield* externalOfRule(rule, told, context, () => placeOf(table, chain, index));
      }
    }
  }
};
