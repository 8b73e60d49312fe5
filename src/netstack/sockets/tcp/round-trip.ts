/**
 * The round-trip time and the retransmission timeout drawn from it: RFC 6298 in the form Linux gives it
 * (tcp_input.c tcp_rtt_estimator): the variation counts for 200 ms at least, and falls once a round trip.
 */
import { after } from './sequence.ts';

/** Seconds: TCP_TIMEOUT_INIT, TCP_RTO_MIN, TCP_RTO_MAX, TCP_TIMEOUT_FALLBACK (RFC 6298 §5.7). */
export const INITIAL_RTO = 1;
export const MIN_RTO = 0.2;
export const MAX_RTO = 120;
const FALLBACK_RTO = 3;

export class RoundTrip {
  /** Smoothed, seconds; undefined before the first sample. */
  smoothed: number | undefined;
  /** The smallest sample, seconds. */
  smallest = Number.POSITIVE_INFINITY;
  /** Without backoff, seconds. */
  rto = INITIAL_RTO;
  #deviation = 0;
  #largestDeviation = MIN_RTO;
  #variation = 0;
  #roundEnd = 0;

  /** Takes a sample of `seconds` while `una` and `next` are the edges of what is in flight. */
  sample(seconds: number, una: number, next: number): void {
    if (seconds < this.smallest) this.smallest = seconds;
    if (this.smoothed === undefined) {
      this.smoothed = seconds;
      this.#deviation = seconds * 2;
      this.#variation = Math.max(this.#deviation, MIN_RTO);
      this.#largestDeviation = this.#variation;
      this.#roundEnd = next;
    } else {
      this.#smooth(seconds, this.smoothed);
      if (after(una, this.#roundEnd)) this.#endRound(next);
    }
    this.rto = Math.min(this.smoothed + this.#variation, MAX_RTO);
  }

  #smooth(seconds: number, smoothed: number): void {
    const error = seconds - smoothed;
    this.smoothed = smoothed + error / 8;
    // A sample that got shorter says little about how much they vary.
    const change = Math.abs(error) - this.#deviation / 4;
    this.#deviation += error < 0 && change > 0 ? change / 8 : change;
    if (this.#deviation > this.#largestDeviation) {
      this.#largestDeviation = this.#deviation;
      if (this.#largestDeviation > this.#variation) this.#variation = this.#largestDeviation;
    }
  }

  #endRound(next: number): void {
    if (this.#largestDeviation < this.#variation) {
      this.#variation -= (this.#variation - this.#largestDeviation) / 4;
    }
    this.#roundEnd = next;
    this.#largestDeviation = MIN_RTO;
  }

  /** No sample came of the handshake because its first packet was lost. */
  fallBack(): void {
    if (this.smoothed === undefined) this.rto = FALLBACK_RTO;
  }
}

/** `rto` doubled `backoff` times, at most two minutes. */
export function backedOff(rto: number, backoff: number): number {
  return Math.min(rto * 2 ** Math.min(backoff, 32), MAX_RTO);
}

/** How often `MIN_RTO` doubles until it reaches the largest timeout. */
const DOUBLINGS = Math.floor(Math.log2(MAX_RTO / MIN_RTO));

/**
 * The seconds after which `retries` retransmissions count as used up, whatever the real timeouts were
 * (tcp_timer.c tcp_model_timeout): 924.6 s for tcp_retries2 = 15.
 */
export function givenUpAfter(retries: number): number {
  if (retries <= DOUBLINGS) return (2 ** (retries + 1) - 1) * MIN_RTO;
  return (2 ** (DOUBLINGS + 1) - 1) * MIN_RTO + (retries - DOUBLINGS) * MAX_RTO;
}
