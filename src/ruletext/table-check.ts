/** What is checked when a table is committed: jumps do not loop, targets and matches may stand where they do. */
import type { Counters, Rule, TableName } from '../netfilter/rule-set.ts';
import type { InputError } from '../sim/input-error.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { BUILT_IN_CHAINS } from './built-in-chains.ts';
import { familyProblem, matchPlacement, type Placement, targetPlacement } from './placement.ts';

export interface PlacedRule {
  readonly rule: Rule;
  /** Undefined for a rule that was there before this file. */
  readonly line: number | undefined;
}

/** A chain while its table is being loaded. */
export interface WorkingChain {
  readonly name: string;
  policy: 'ACCEPT' | 'DROP' | undefined;
  counters: Counters | undefined;
  rules: PlacedRule[];
}

export interface TableInHand {
  readonly table: TableName;
  readonly family: IpFamily;
  readonly chains: ReadonlyMap<string, WorkingChain>;
}

export type Complain = (message: string, line: number | undefined) => InputError;

/** The chain that a rule jumps or goes to. */
function nextChain({ rule: { target } }: PlacedRule): string | undefined {
  return target.kind === 'jump' || target.kind === 'goto' ? target.chain : undefined;
}

/** Throws what `complain` makes of the first thing wrong with the table. */
export function checkTable(table: TableInHand, complain: Complain): void {
  const ways = new Map<string, Set<string>>();
  for (const builtIn of BUILT_IN_CHAINS[table.table]) followJumps(table, builtIn, ways, complain);
  for (const chain of table.chains.values()) {
    for (const placed of chain.rules) checkRule(table, ways.get(chain.name), placed, complain);
  }
}

/** A chain on the way from a built-in one, and how many of its rules were followed. */
interface Step {
  readonly name: string;
  readonly rules: readonly PlacedRule[];
  next: number;
}

/**
 * Follows the jumps from `builtIn` and notes in `ways`, by chain, that it leads there. A loop that no built-in
 * chain leads to is let through, as in the kernel (nft_chain_validate walks from the base chains).
 */
function followJumps(
  table: TableInHand,
  builtIn: string,
  ways: Map<string, Set<string>>,
  complain: Complain,
): void {
  const onPath = new Set<string>();
  const done = new Set<string>();
  const path: Step[] = [];
  const enter = (name: string) => {
    const known = ways.get(name);
    if (known === undefined) ways.set(name, new Set([builtIn]));
    else known.add(builtIn);
    onPath.add(name);
    path.push({ name, rules: table.chains.get(name)?.rules ?? [], next: 0 });
  };
  enter(builtIn);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const placed = step.rules[step.next++];
    if (placed === undefined) {
      onPath.delete(step.name);
      done.add(step.name);
      path.pop();
      continue;
    }
    const next = nextChain(placed);
    if (next === undefined || !table.chains.has(next) || done.has(next)) continue;
    if (onPath.has(next)) {
      throw complain(
        `chain ${step.name} leads to ${next}, which leads back to it; expected no loop`,
        placed.line,
      );
    }
    enter(next);
  }
}

function checkRule(
  table: TableInHand,
  ways: ReadonlySet<string> | undefined,
  placed: PlacedRule,
  complain: Complain,
): void {
  const { rule, line } = placed;
  const { target, matches } = rule;
  const next = nextChain(placed);
  if (next !== undefined && !table.chains.has(next)) {
    throw complain(`no chain ${next} in *${table.table} to jump to`, line);
  }
  let problem = placementProblem(table.table, ways, targetPlacement(target));
  for (const match of matches) {
    problem ??=
      placementProblem(table.table, ways, matchPlacement(match)) ?? familyProblem(match, table.family);
  }
  if (problem !== undefined) throw complain(problem, line);
}

function placementProblem(
  table: TableName,
  ways: ReadonlySet<string> | undefined,
  placement: Placement | undefined,
): string | undefined {
  if (placement === undefined) return undefined;
  const { what, tables, chains } = placement;
  if (tables !== undefined && !tables.includes(table)) {
    return `${what} cannot stand in *${table}; expected it in *${tables.join(', *')}`;
  }
  if (chains === undefined || ways === undefined) return undefined;
  const wrong = [...ways].find((way) => !chains.includes(way));
  if (wrong === undefined) return undefined;
  return `${what} cannot be reached from ${wrong}; expected only ${chains.join(', ')}`;
}
