/** Tables as a file leaves them, with the lines that its rules stand on: what the checks look at. */
import type { Rule, TableName } from '../../../netfilter/rule-set.ts';

export interface CheckedRule {
  readonly rule: Rule;
  readonly line: number;
}

export interface CheckedChain {
  readonly name: string;
  readonly builtIn: boolean;
  /** Of its declaration; undefined for a built-in chain that the file does not declare. */
  readonly line: number | undefined;
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
  readonly rules: readonly CheckedRule[];
}

export interface CheckedTable {
  readonly name: TableName;
  /** Built-in chains first. */
  readonly chains: ReadonlyMap<string, CheckedChain>;
}

/** The chain that `rule` jumps or goes to; undefined for any other target. */
export function nextChain({ target }: Rule): string | undefined {
  return target.kind === 'jump' || target.kind === 'goto' ? target.chain : undefined;
}
