/** Text for `iptables-restore --noflush`: chains of one's own, and rules in them and in the built-in ones. */

export interface RestoreTable {
  readonly table: 'filter' | 'nat' | 'mangle' | 'raw';
  /** Chains that are made, or emptied when they are there. */
  readonly chains: readonly string[];
  /** `-A CHAIN …`, `-I CHAIN 1 …`. */
  readonly rules: readonly string[];
}

/** The tables one after the other; empty when none has anything. */
export function restoreText(tables: readonly RestoreTable[]): string {
  return tables
    .filter(({ chains, rules }) => chains.length + rules.length > 0)
    .map(({ table, chains, rules }) => {
      const declared = chains.map((chain) => `:${chain} - [0:0]`);
      return [`*${table}`, ...declared, ...rules, 'COMMIT\n'].join('\n');
    })
    .join('');
}
