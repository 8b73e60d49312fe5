/** The tables of `-m hashlimit` (xt_hashlimit): one a name and family, as its first rule describes it. */
import type { HashlimitMatch } from '../match.ts';
import { type TokenBucket, takeToken } from './token-bucket.ts';

const UNIT_SECONDS = { sec: 1, min: 60, hour: 3600, day: 86_400 } as const;

export class HashlimitTable {
  /** Every rule that names the table limits by this rule's rate, burst and key, whatever it says itself. */
  readonly config: HashlimitMatch;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(config: HashlimitMatch) {
    this.config = config;
  }

  /** Seconds after which an unused bucket is forgotten; as long as the rate's unit unless the rule says. */
  get #lifetime(): number {
    const { htableExpire, rate } = this.config;
    return htableExpire === undefined ? UNIT_SECONDS[rate.unit] : htableExpire / 1000;
  }

  /** Takes a token out of the bucket of `key` at `now` (seconds); false when there is none. */
  take(key: string, now: number): boolean {
    const known = this.#buckets.get(key);
    const fresh = known !== undefined && now - known.filledAt < this.#lifetime ? known : undefined;
    const { taken, bucket } = takeToken(fresh, this.config, now);
    this.#buckets.set(key, bucket);
    return taken;
  }

  clone(): HashlimitTable {
    const copy = new HashlimitTable(this.config);
    for (const [key, bucket] of this.#buckets) copy.#buckets.set(key, bucket);
    return copy;
  }
}
