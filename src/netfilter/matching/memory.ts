/**
 * What stateful matches remember between packets: counters and buckets of a rule's match, lists and objects
 * shared by name. A match object belongs to one rule, so it is the key for what belongs to the rule.
 */
import type { Match } from '../match.ts';
import type { Tuple } from '../tuple.ts';
import { RecentList } from './recent-list.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface NfacctCounters {
  packets: number;
  bytes: number;
}

export class MatchMemory {
  /** `statistic --mode nth`: packets counted so far. */
  readonly nth = new Map<Match, number>();
  readonly limits = new Map<Match, TokenBucket>();
  /** hashlimit tables by name, buckets by key. */
  readonly hashlimits = new Map<string, Map<string, TokenBucket>>();
  readonly connlimits = new Map<Match, Map<string, Tuple[]>>();
  readonly nfacct = new Map<string, NfacctCounters>();
  readonly #recent = new Map<string, RecentList>();

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
    for (const [match, count] of this.nth) copy.nth.set(match, count);
    for (const [match, bucket] of this.limits) copy.limits.set(match, bucket);
    for (const [name, buckets] of this.hashlimits) copy.hashlimits.set(name, new Map(buckets));
    for (const [match, keys] of this.connlimits) {
      copy.connlimits.set(match, new Map([...keys].map(([key, tuples]) => [key, [...tuples]])));
    }
    for (const [name, counters] of this.nfacct) copy.nfacct.set(name, { ...counters });
    for (const [name, list] of this.#recent) copy.#recent.set(name, list.clone());
    return copy;
  }
}
