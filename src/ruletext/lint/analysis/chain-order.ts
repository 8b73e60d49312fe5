/** The chains of a table in an order that puts what is jumped to before what jumps. */
import type { CheckedChain, CheckedTable } from '../restore/tables-in-hand.ts';
import type { ChainGraph } from './chain-graph.ts';

/** Every chain once, after all it leads to; within a circle the order is that of the walk. */
export function* chainsBottomUp(table: CheckedTable, { edges }: ChainGraph): Generator<CheckedChain> {
  const seen = new Set<string>();
  for (const start of table.chains.values()) {
    if (seen.has(start.name)) continue;
    seen.add(start.name);
    const path = [{ chain: start, next: 0 }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const edge = edges.get(top.chain.name)?.[top.next++];
      if (edge === undefined) {
        yield top.chain;
        path.pop();
      } else if (!seen.has(edge.to.name)) {
        seen.add(edge.to.name);
        path.push({ chain: edge.to, next: 0 });
      }
    }
  }
}
