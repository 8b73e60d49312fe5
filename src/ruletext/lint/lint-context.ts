/** What a linter rule is given: the tables as loaded, with what several rules want to know about them. */
import type { IpSet } from '../../netfilter/ip-set.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import type { ChainGraph } from './analysis/chain-graph.ts';
import type { TableEffects } from './analysis/effects.ts';
import type { Finding, FindingPlace } from './findings.ts';
import type { CheckedChain, CheckedTable } from './restore/tables-in-hand.ts';

export interface LintedTable {
  readonly table: CheckedTable;
  readonly graph: ChainGraph;
  readonly effects: TableEffects;
}

export interface LintContext {
  readonly family: IpFamily;
  readonly tables: readonly LintedTable[];
  /** The IP sets that the host has; undefined: not known. */
  readonly sets: ReadonlyMap<string, IpSet> | undefined;
  /** Comment lines of the file. */
  readonly remarks: readonly { readonly line: number; readonly text: string }[];
}

/** One rule of the linter: what it finds, in any order. */
export type LintRule = (context: LintContext) => Iterable<Finding>;

/** The place of rule number `index` (from 0) of `chain`. */
export function placeOf(table: CheckedTable, chain: CheckedChain, index: number): FindingPlace {
  return { line: chain.rules[index]?.line, table: table.name, chain: chain.name, rule: index + 1 };
}

/** The place of `chain` itself: its declaration. */
export function placeOfChain(table: CheckedTable, chain: CheckedChain): FindingPlace {
  return { line: chain.line ?? chain.rules[0]?.line, table: table.name, chain: chain.name };
}
