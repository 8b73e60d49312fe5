/** What is checked when a table is committed: jumps lead somewhere and do not loop, targets may stand here. */
import type { Counters, Rule, TableName } from '../netfilter/rule-set.ts';
import type { InputError } from '../sim/input-error.ts';
import type { IpFamily } from '../wire/ip-address.ts';

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

type Complain = (message: string, line: number | undefined) => InputError;

/** Throws what `complain` makes of the first thing wrong with the table. */
export function checkTable(table: TableInHand, complain: Complain): void {
  for (const chain of table.chains.values()) {
    for (const { rule, line } of chain.rules) {
      const { target } = rule;
      if (target.kind !== 'jump' && target.kind !== 'goto') continue;
      if (table.chains.has(target.chain)) continue;
      throw complain(
        `chain ${chain.name} ${target.kind === 'jump' ? 'jumps' : 'goes'} to ${target.chain}, which is neither a chain of *${table.table} nor a target`,
        line,
      );
    }
  }
}
