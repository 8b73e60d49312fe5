/** DROP as the policy of a nat chain. */
import { finding } from '../findings.ts';
import { type LintRule, placeOfChain } from '../lint-context.ts';

export const natPolicy: LintRule = function* ({ tables }) {
  for (const { table } of tables) {
    if (table.name !== 'nat') continue;
    for (const chain of table.chains.values()) {
      if (chain.policy !== 'DROP') continue;
      yield finding(
        'nat-policy',
        placeOfChain(table, chain),
        `policy DROP of nat ${chain.name} drops only the first packets of flows, and none that conntrack calls ` +
          'INVALID or UNTRACKED; set it to ACCEPT and filter in *filter',
      );
    }
  }
};
