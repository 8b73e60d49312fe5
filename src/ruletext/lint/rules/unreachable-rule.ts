/** Rules behind one that takes every packet of the chain. */

import { formatTarget } from '../../format-rule.ts';
import { matchesAll } from '../analysis/effects.ts';
import { type Finding, finding } from '../findings.ts';
import { type LintRule, placeOf } from '../lint-context.ts';

function andMore(count: number): string {
  if (count === 0) return 'rule';
  return count === 1 ? 'rule and the one after it' : `rule and the ${count} after it`;
}

export const unreachableRule: LintRule = function* ({ tables }): Generator<Finding> {
  for (const { table, effects } of tables) {
    for (const chain of table.chains.values()) {
      const index = chain.rules.findIndex(({ rule }) => matchesAll(rule) && effects.isFinal(rule));
      const last = chain.rules[index];
      if (last === undefined || index + 1 === chain.rules.length) continue;
      const more = chain.rules.length - index - 2;
      yield finding(
        'unreachable-rule',
        placeOf(table, chain, index + 1),
        `this ${andMore(more)} in ${chain.name} can never be reached: rule ${index + 1} (line ${last.line}, ` +
          `${formatTarget(last.rule.target)}) takes every packet; delete or move up`,
      );
    }
  }
};
