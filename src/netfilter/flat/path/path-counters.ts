/** The counters of a host with a flat path: what the reference counts itself, and what the path counts in arrays. */
import { type PacketCounters, RuleCounters } from '../../counters.ts';
import type { LoadedChain, LoadedRule } from '../../loaded-rules.ts';
import type { PathTable } from './path-table.ts';

/** A table and what was counted of its rules and policies. */
interface Counted {
  readonly table: PathTable;
  readonly counters: Float64Array;
  readonly policies: Float64Array;
}

export class PathCounters extends RuleCounters {
  /** The tables that the path counts for, by name; replaced when rules are loaded. */
  #tables: ReadonlyMap<string, Counted> = new Map();
  readonly #own: RuleCounters;

  constructor(own: RuleCounters = new RuleCounters()) {
    super();
    this.#own = own;
  }

  /** The path counts in `tables` from now on. */
  setTables(tables: ReadonlyMap<string, PathTable>): void {
    const counted = (table: PathTable) => ({ table, counters: table.counters, policies: table.policies });
    this.#tables = new Map([...tables].map(([name, table]) => [name, counted(table)]));
  }

  override count(of: LoadedRule | LoadedChain, bytes: number): void {
    this.#own.count(of, bytes);
  }

  override of(rule: LoadedRule | LoadedChain): PacketCounters {
    const own = this.#own.of(rule);
    const isRule = 'rule' in rule;
    const chain = isRule ? rule.chain : rule;
    const counted = this.#tables.get(chain.table);
    const at = counted?.table.counterOf(chain, isRule ? rule.number : undefined);
    if (counted === undefined || at === undefined) return own;
    const counts = isRule ? counted.counters : counted.policies;
    return { packets: own.packets + (counts[at] ?? 0), bytes: own.bytes + (counts[at + 1] ?? 0) };
  }

  override clone(): RuleCounters {
    const copy = new PathCounters(this.#own.clone());
    const copied = ({ table, counters, policies }: Counted) => ({
      table,
      counters: counters.slice(),
      policies: policies.slice(),
    });
    copy.#tables = new Map([...this.#tables].map(([name, counted]) => [name, copied(counted)]));
    return copy;
  }
}
