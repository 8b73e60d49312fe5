/** The tables of `-m hashlimit` (xt_hashlimit): one a name and family, as its first rule describes it. */
import type { HashlimitMatch } from '../match.ts';
import { type TokenBucket, takeToken } from './token-bucket.ts';

const UNIT_SECONDS = { sec: 1, min: 60, hour: 3600, day: 86_400 } as const;

/** Seconds between two rounds of the collector, unless the rule says. */
const GC_INTERVAL_SECONDS = 1;

export class HashlimitTable {
  /** Every rule that names the table limits by this rule's rate, burst and key, whatever it says itself. */
  readonly config: HashlimitMatch;
  /** When the first such rule was loaded, in seconds: from then on the collector goes round. */
  readonly createdAt: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(config: HashlimitMatch, createdAt: number) {
    this.config = config;
    this.createdAt = createdAt;
  }

  /** Seconds after which an unused bucket may be forgotten; as long as the rate's unit unless the rule says. */
  get #lifetime(): number {
    const { htableExpire, rate } = this.config;
    return htableExpire === undefined ? UNIT_SECONDS[rate.unit] : htableExpire / 1000;
  }

  /** When the collector went round last (htable_gc): until then a bucket lives on past its time. */
  #lastCollection(now: number): number {
    const { htableGcInterval } = this.config;
    const interval = htableGcInterval === undefined ? GC_INTERVAL_SECONDS : htableGcInterval / 1000;
    return this.createdAt + Math.floor((now - this.createdAt) / interval) * interval;
  }

  /** Takes a token out of the bucket of `key` at `now` (seconds); false when there is none. */
  take(key: string, now: number): boolean {
    const known = this.#buckets.get(key);
    const isKept = known !== undefined && this.#lastCollection(now) < known.filledAt + this.#lifetime;
    const fresh = isKept ? known : undefined;
    const { taken, bucket } = takeToken(fresh, this.config, now);
    this.#buckets.set(key, bucket);
    return taken;
  }

  clone(): HashlimitTable {
    const copy = new HashlimitTable(this.config, this.createdAt);
    for (const [key, bucket] of this.#buckets) copy.#buckets.set(key, bucket);
    return copy;
  }
}
