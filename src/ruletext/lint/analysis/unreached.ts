/** Chains that no packet comes to, grouped under the ones that would have to be jumped to. */
import type { CheckedChain, CheckedTable } from '../restore/tables-in-hand.ts';
import type { ChainGraph } from './chain-graph.ts';

export interface UnreachedGroup {
  readonly head: CheckedChain;
  /** Further chains that only chains of such groups lead to. */
  readonly below: readonly CheckedChain[];
}

function collect(head: CheckedChain, graph: ChainGraph, taken: Set<string>): CheckedChain[] {
  const below: CheckedChain[] = [];
  const waiting = [head];
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    for (const { to } of graph.edges.get(chain.name) ?? []) {
      if (graph.ways.has(to.name) || taken.has(to.name)) continue;
      taken.add(to.name);
      below.push(to);
      waiting.push(to);
    }
  }
  return below;
}

/** The user-defined chains of `table` without a way from a built-in one, each in one group. */
export function unreachedGroups(table: CheckedTable, graph: ChainGraph): readonly UnreachedGroup[] {
  const unreached = [...table.chains.values()].filter(
    ({ name, builtIn }) => !builtIn && !graph.ways.has(name),
  );
  const taken = new Set<string>();
  const groups: UnreachedGroup[] = [];
  // Chains that nothing jumps to come first; what is left then are circles.
  const heads = [...unreached.filter(({ name }) => !graph.referenced.has(name)), ...unreached];
  for (const head of heads) {
    if (taken.has(head.name)) continue;
    taken.add(head.name);
    groups.push({ head, below: collect(head, graph, taken) });
  }
  return groups;
}
