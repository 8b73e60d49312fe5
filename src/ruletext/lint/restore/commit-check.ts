/** What the kernel looks at when a table is committed: circles, depth, and where matches and targets stand. */
import type { IpFamily } from '../../../wire/ip-address.ts';
import { familyProblem, matchPlacement, type Placement, targetPlacement } from '../../placement.ts';
import { type ChainGraph, tooDeep } from '../analysis/chain-graph.ts';
import { finding } from '../findings.ts';
import { backEndProblem } from './back-end-problems.ts';
import { extensionPlacement } from './extension-placement.ts';
import type { BackEnd, Refusal } from './refusal.ts';
import { kernelProblem } from './rule-needs.ts';
import type { CheckedChain, CheckedTable } from './tables-in-hand.ts';

export interface CommitContext {
  readonly family: IpFamily;
  readonly backEnd: BackEnd;
  readonly graph: ChainGraph;
}

/** NFT_JUMP_STACK_SIZE less the base chain's own place. iptables-legacy sizes its stack to the table. */
const NFT_JUMPS = 15;

function atLoad(...given: Parameters<typeof finding>): Refusal {
  return { stage: 'load', finding: finding(...given) };
}

/** What stands in the wrong place, in words; undefined when `placement` allows it. */
function placementProblem(
  table: CheckedTable,
  ways: ReadonlySet<string> | undefined,
  placement: Placement | undefined,
): string | undefined {
  if (placement === undefined) return undefined;
  const { what, tables, chains } = placement;
  if (tables !== undefined && !tables.includes(table.name)) {
    return `${what} cannot stand in *${table.name}; move the rule to *${tables.join(' or *')}`;
  }
  if (chains === undefined || ways === undefined) return undefined;
  const wrong = [...ways].find((way) => !chains.includes(way));
  return wrong === undefined
    ? undefined
    : `${what} cannot be reached from ${wrong}; use it only below ${chains.join(', ')}`;
}

function checkChain(
  table: CheckedTable,
  chain: CheckedChain,
  context: CommitContext,
  refusals: Refusal[],
): void {
  const ways = context.graph.ways.get(chain.name);
  for (const [index, { rule, line }] of chain.rules.entries()) {
    const { target, matches } = rule;
    const misplaced = (placement: Placement | undefined) => placementProblem(table, ways, placement);
    let problem =
      misplaced(targetPlacement(target)) ??
      misplaced(extensionPlacement(target)) ??
      kernelProblem(target, rule, context.family) ??
      backEndProblem(target, { rule, table, backEnd: context.backEnd });
    for (const match of matches) {
      if (problem !== undefined) break;
      problem =
        misplaced(matchPlacement(match)) ??
        misplaced(extensionPlacement(match)) ??
        familyProblem(match, context.family) ??
        kernelProblem(match, rule, context.family) ??
        backEndProblem(match, { rule, table, backEnd: context.backEnd });
    }
    if (problem === undefined) continue;
    const place = { line, table: table.name, chain: chain.name, rule: index + 1 };
    refusals.push(atLoad('misplaced', place, problem));
  }
}

/** What of `table` the kernel refuses at COMMIT. */
export function commitRefusals(table: CheckedTable, context: CommitContext): readonly Refusal[] {
  const refusals: Refusal[] = [];
  for (const { from, to, by } of context.graph.loops) {
    const message =
      from === to
        ? `chain ${from.name} jumps to itself; break the circle`
        : `chain ${from.name} leads to ${to.name}, which leads back to it; break the circle`;
    refusals.push(atLoad('jump-loop', { line: by.line, table: table.name, chain: from.name }, message));
  }
  if (context.backEnd === 'nft') {
    for (const { from, to, by } of tooDeep(table, context.graph, NFT_JUMPS)) {
      const message = `the jump to ${to.name} is more than ${NFT_JUMPS} jumps below a built-in chain; flatten the chains`;
      refusals.push(atLoad('deep-jumps', { line: by.line, table: table.name, chain: from.name }, message));
    }
  }
  for (const chain of table.chains.values()) checkChain(table, chain, context, refusals);
  return refusals;
}
