/** How far into the rules packets have to go. */
import type { Batch } from '../../netfilter/flat/batch.ts';
import type { CompiledTable } from '../../netfilter/flat/compile.ts';
import { NO_DECISION } from '../../netfilter/flat/layout.ts';
import type { Table } from '../../netfilter/rule-set.ts';

/** Packets whose way is counted rule by rule. */
const COUNTED = 4096;

/**
 * How many rules a walk looks at on its way to the deciding rule, on average of the first rows of `batch`, which
 * were looked up. Every chain of a Service has one rule that leads to it; a mark is a rule more.
 */
export function rulesOnTheWay(table: Table, compiled: CompiledTable, batch: Batch): number {
  const leadsTo = new Map<string, { readonly chain: string; readonly number: number }>();
  for (const chain of table.chains.values()) {
    for (const [index, { target }] of chain.rules.entries()) {
      if (!('chain' in target) || leadsTo.has(target.chain)) continue;
      leadsTo.set(target.chain, { chain: chain.name, number: index + 1 });
    }
  }
  const rows = Math.min(COUNTED, batch.capacity);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    if (batch.newMark[row] !== 0) sum++;
    let place = compiled.describe(batch.decision[row] ?? NO_DECISION);
    for (; place !== undefined; place = leadsTo.get(place.chain)) sum += place.number;
  }
  return sum / rows;
}
