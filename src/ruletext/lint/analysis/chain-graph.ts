/** Which chains lead to which in one table: what reaches a chain, circles, and how deep jumps go. */
import {
  type CheckedChain,
  type CheckedRule,
  type CheckedTable,
  nextChain,
} from '../restore/tables-in-hand.ts';

/** A jump or goto from one chain to another. */
export interface Edge {
  readonly from: CheckedChain;
  readonly to: CheckedChain;
  readonly by: CheckedRule;
}

export interface ChainGraph {
  /** By the chain they start from. */
  readonly edges: ReadonlyMap<string, readonly Edge[]>;
  /** By chain: the built-in chains from which a packet may come to it, itself included. Absent: none. */
  readonly ways: ReadonlyMap<string, ReadonlySet<string>>;
  /** Edges that close a circle a packet can come into: at least one of each circle. */
  readonly loops: readonly Edge[];
  /** Chains that some rule jumps to. */
  readonly referenced: ReadonlySet<string>;
}

const NO_EDGES: readonly Edge[] = [];

function edgesOf(table: CheckedTable): Map<string, Edge[]> {
  const edges = new Map<string, Edge[]>();
  for (const from of table.chains.values()) {
    const own: Edge[] = [];
    for (const by of from.rules) {
      const name = nextChain(by.rule);
      const to = name === undefined ? undefined : table.chains.get(name);
      // A jump to a built-in chain is refused and leads nowhere.
      if (to !== undefined && !to.builtIn) own.push({ from, to, by });
    }
    if (own.length > 0) edges.set(from.name, own);
  }
  return edges;
}

/** Walks from `start` depth first, without recursion: a file may chain more chains than the stack is deep. */
function walk(
  start: string,
  edges: ReadonlyMap<string, readonly Edge[]>,
  visit: { enter(chain: string): void; circle(edge: Edge): void },
): void {
  const done = new Set<string>();
  const onPath = new Set<string>([start]);
  const path = [{ chain: start, next: 0 }];
  visit.enter(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const edge = (edges.get(top.chain) ?? NO_EDGES)[top.next++];
    if (edge === undefined) {
      onPath.delete(top.chain);
      done.add(top.chain);
      path.pop();
    } else if (onPath.has(edge.to.name)) {
      visit.circle(edge);
    } else if (!done.has(edge.to.name)) {
      visit.enter(edge.to.name);
      onPath.add(edge.to.name);
      path.push({ chain: edge.to.name, next: 0 });
    }
  }
}

/** The graph of `table`. */
export function chainGraph(table: CheckedTable): ChainGraph {
  const edges = edgesOf(table);
  const ways = new Map<string, Set<string>>();
  const loops = new Set<Edge>();
  for (const { name, builtIn } of table.chains.values()) {
    if (!builtIn) continue;
    walk(name, edges, {
      enter(chain) {
        const known = ways.get(chain);
        if (known === undefined) ways.set(chain, new Set([name]));
        else known.add(name);
      },
      circle: (edge) => loops.add(edge),
    });
  }
  const referenced = new Set<string>();
  for (const own of edges.values()) for (const { to } of own) referenced.add(to.name);
  return { edges, ways, loops: [...loops], referenced };
}

/**
 * Edges whose jump is the one too many when a packet may follow `limit` in a row, the built-in chain's own being
 * the first. Empty for a graph with circles.
 */
export function tooDeep(table: CheckedTable, { edges, loops }: ChainGraph, limit: number): readonly Edge[] {
  if (loops.length > 0) return [];
  const found: Edge[] = [];
  // A level at a time: a chain is on the level of its longest way here.
  let level = [...table.chains.values()].filter(({ builtIn }) => builtIn).map(({ name }) => name);
  for (let depth = 1; level.length > 0 && depth <= limit + 1; depth++) {
    const next = new Set<string>();
    for (const chain of level) {
      for (const edge of edges.get(chain) ?? NO_EDGES) {
        if (depth > limit) found.push(edge);
        else next.add(edge.to.name);
      }
    }
    level = [...next];
  }
  return found;
}
