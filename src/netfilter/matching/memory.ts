/**
 * What stateful matches remember between packets: counters and buckets of a rule's match, lists and objects
 * shared by name. A match object belongs to one rule, so it is the key for what belongs to the rule.
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import type { LoadedRules } from '../loaded-rules.ts';
import type { HashlimitMatch, Match, RecentMatch } from '../match.ts';
import type { ConnectionList } from './connlimit-list.ts';
import { HashlimitTable } from './hashlimit-table.ts';
import { RecentList } from './recent-list.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface NfacctCounters {
  packets: number;
  bytes: number;
}

function tableKey(family: IpFamily, name: string): string {
  return `${family} ${name}`;
}

/** The matches of `rules` that refer to something by name. */
function* matchesOf({ tables }: LoadedRules): IterableIterator<RecentMatch | HashlimitMatch> {
  for (const table of tables.values()) {
    for (const { rules } of table.values()) {
      for (const { rule } of rules) {
        for (const match of rule.matches) {
          if (match.kind === 'recent' || match.kind === 'hashlimit') yield match;
        }
      }
    }
  }
}

export class MatchMemory {
  /** `statistic --mode nth`: packets counted so far. */
  readonly nth = new Map<Match, number>();
  readonly limits = new Map<Match, TokenBucket>();
  /** By the rule's match, then by masked address and zone. */
  readonly connlimits = new Map<Match, Map<string, ConnectionList>>();
  readonly nfacct = new Map<string, NfacctCounters>();
  /**
   * Stands for the kernel's tick: the same object for a packet and all that the host says because of it. Undefined:
   * every packet has a tick of its own.
   */
  tick: object | undefined;
  readonly #recent = new Map<string, RecentList>();
  /** By family and name. */
  readonly #hashlimits = new Map<string, HashlimitTable>();

  /**
   * Makes the lists and tables that `rules` name, as the kernel does when it loads them: what a rule wants of
   * a list shapes it, and of a table only the first rule's wishes count. `now` in seconds.
   */
  prepare(rules: LoadedRules, now: number): void {
    for (const match of matchesOf(rules)) {
      if (match.kind === 'recent') this.recentList(match.name).reserve(match.hitcount ?? 0);
      if (match.kind === 'hashlimit') this.hashlimitTable(rules.family, match, now);
    }
  }

  /** Forgets the lists and tables that none of `inForce` names any more. */
  prune(inForce: readonly LoadedRules[]): void {
    const recent = new Set<string>();
    const hashlimits = new Set<string>();
    for (const rules of inForce) {
      for (const match of matchesOf(rules)) {
        if (match.kind === 'recent') recent.add(match.name);
        if (match.kind === 'hashlimit') hashlimits.add(tableKey(rules.family, match.name));
      }
    }
    for (const name of this.#recent.keys()) if (!recent.has(name)) this.#recent.delete(name);
    for (const key of this.#hashlimits.keys()) if (!hashlimits.has(key)) this.#hashlimits.delete(key);
  }

  /** The table that `match` limits by; made at `now` (seconds) if there is none. */
  hashlimitTable(family: IpFamily, match: HashlimitMatch, now: number): HashlimitTable {
    const key = tableKey(family, match.name);
    let table = this.#hashlimits.get(key);
    if (table === undefined) {
      table = new HashlimitTable(match, now);
      this.#hashlimits.set(key, table);
    }
    return table;
  }

  /** The `recent` list called `name`, shared by all rules that name it. */
  recentList(name: string): RecentList {
    let list = this.#recent.get(name);
    if (list === undefined) {
      list = new RecentList();
      this.#recent.set(name, list);
    }
    return list;
  }

  clone(): MatchMemory {
    const copy = new MatchMemory();
    copy.tick = this.tick;
    for (const [match, count] of this.nth) copy.nth.set(match, count);
    for (const [match, bucket] of this.limits) copy.limits.set(match, bucket);
    for (const [match, lists] of this.connlimits) copy.connlimits.set(match, new Map(lists));
    for (const [key, table] of this.#hashlimits) copy.#hashlimits.set(key, table.clone());
    for (const [name, counters] of this.nfacct) copy.nfacct.set(name, { ...counters });
    for (const [name, list] of this.#recent) copy.#recent.set(name, list.clone());
    return copy;
  }
}
