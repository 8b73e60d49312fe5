/** The token bucket of `limit` and `hashlimit`: full at first, refilled continuously. */
import type { LimitUnit, Rate } from '../match.ts';

const UNIT_SECONDS: Readonly<Record<LimitUnit, number>> = { sec: 1, min: 60, hour: 3600, day: 86_400 };

/** What is left in a bucket, and when it was last looked at. */
export interface TokenBucket {
  /** Nanoseconds' worth of packets. */
  readonly credit: number;
  /** Seconds. */
  readonly filledAt: number;
}

/** Nanoseconds that one packet costs at `rate`. */
function packetCost(rate: Rate): number {
  return Math.floor((UNIT_SECONDS[rate.unit] * 1e9) / rate.average);
}

export interface TokenRate {
  readonly rate: Rate;
  readonly burst: number;
}

/** Refills `bucket` (absent: full) until `now` and takes one packet's cost out of it, if that is there. */
export function takeToken(
  bucket: TokenBucket | undefined,
  { rate, burst }: TokenRate,
  now: number,
): { readonly taken: boolean; readonly bucket: TokenBucket } {
  const cost = packetCost(rate);
  const capacity = cost * burst;
  const refill = bucket === undefined ? capacity : Math.round((now - bucket.filledAt) * 1e9);
  const credit = Math.min(capacity, (bucket?.credit ?? 0) + refill);
  if (credit < cost) return { taken: false, bucket: { credit, filledAt: now } };
  return { taken: true, bucket: { credit: credit - cost, filledAt: now } };
}
