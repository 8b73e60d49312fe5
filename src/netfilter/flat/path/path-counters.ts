/** The counters of a host with a flat path: what the reference counts itself, and what the path counts in arrays. */
import { type PacketCounters, RuleCounters } from '../../counters.ts';
import type { LoadedChain, LoadedRule } from '../../loaded-rules.ts';
import type { PathTable } from './path-table.ts';

/** A table and what was counted of its rules. */
interface Counted {
  readonly table: PathTable;
  readonly counts: Float64Array;
}

export class PathCounters extends RuleCounters {
  /** The tables that the path counts for, by name, and their counts; replaced when rules are loaded. */
  #tables: ReadonlyMap<string, Counted> = new Map();
  readonly #own: RuleCounters;

  constructor(own: RuleCounters = new RuleCounters()) {
    super();
    this.#own = own;
  }

  /** The path counts in `tables` from now on. */
  setTables(tables: ReadonlyMap<string, PathTable>): void {
    this.#tables = new Map([...tables].map(([name, table]) => [name, { table, counts: table.counts }]));
  }

  override count(of: LoadedRule | LoadedChain, bytes: number): void {
    this.#own.count(of, bytes);
  }

  override of(rule: LoadedRule | LoadedChain): PacketCounters {
    const own = this.#own.of(rule);
    const chain = 'rule' in rule ? rule.chain : rule;
    const counted = this.#tables.get(chain.table);
    const counter = counted?.table.counterOf(chain, 'rule' in rule ? rule.number : undefined);
    if (counted === undefined || counter === undefined) return own;
    const { counts } = counted;
    return {
      packets: own.packets + (counts[2 * counter] ?? 0),
      bytes: own.bytes + (counts[2 * counter + 1] ?? 0),
    };
  }

  override clone(): RuleCounters {
    const copy = new PathCounters(this.#own.clone());
    const copied = ({ table, counts }: Counted) => ({ table, counts: counts.slice() });
    copy.#tables = new Map([...this.#tables].map(([name, counted]) => [name, copied(counted)]));
    return copy;
  }
}
