/** Chains that no built-in chain leads to. */
import { unreachedGroups } from '../analysis/unreached.ts';
import { finding } from '../findings.ts';
import { kubeChainKind } from '../kube-names.ts';
import { type LintRule, placeOfChain } from '../lint-context.ts';
import { isProgramChain } from '../program-chains.ts';

function rulesText(count: number): string {
  return count === 1 ? 'its rule never runs' : `its ${count} rules never run`;
}

export const unreachedChain: LintRule = function* ({ tables }) {
  for (const { table, graph } of tables) {
    for (const { head, below } of unreachedGroups(table, graph)) {
      const { name, rules } = head;
      // These have rules of their own: kube-remains.ts.
      if (isProgramChain(name) || kubeChainKind(name) !== undefined || name === 'KUBE-MARK-DROP') continue;
      if (rules.length === 0) {
        yield finding(
          'unused-chain',
          placeOfChain(table, head),
          `chain ${name} is empty and nothing jumps to it; delete it`,
        );
        continue;
      }
      const more = below.length === 0 ? '' : `, nor do those of the ${below.length} chains below it`;
      yield finding(
        'unreached-chain',
        placeOfChain(table, head),
        `no built-in chain leads to ${name}, so ${rulesText(rules.length)}${more}; jump to it or delete it`,
      );
    }
  }
};
