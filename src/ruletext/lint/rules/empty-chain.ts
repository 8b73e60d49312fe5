/** Jumps to chains that have no rules. */
import { finding } from '../findings.ts';
import { type LintRule, placeOf } from '../lint-context.ts';
import { isProgramChain } from '../program-chains.ts';
import { nextChain } from '../restore/tables-in-hand.ts';

export const emptyChain: LintRule = function* ({ tables }) {
  for (const { table } of tables) {
    const told = new Set<string>();
    for (const chain of table.chains.values()) {
      for (const [index, { rule }] of chain.rules.entries()) {
        const next = nextChain(rule);
        const target = next === undefined ? undefined : table.chains.get(next);
        if (target === undefined || target.builtIn || target.rules.length > 0) continue;
        if (told.has(target.name) || isProgramChain(target.name)) continue;
        told.add(target.name);
        const how = rule.target.kind === 'goto' ? 'ends the chain here' : 'does nothing';
        yield finding(
          'empty-chain',
          placeOf(table, chain, index),
          `${target.name} has no rules, so this ${rule.target.kind} ${how}; fill the chain or delete both`,
        );
      }
    }
  }
};
