/**
 * The congestion window, counted in segments as Linux counts it: slow start and congestion avoidance (RFC
 * 5681, Reno's growth), with the state machine of loss recovery around it (tcp_input.c tcp_ca_state).
 */
import { before } from './sequence.ts';

/** RFC 6928. */
const INITIAL_WINDOW = 10;
const UNLIMITED = 0x7fffffff;

/** `open`: nothing is missing; `recovery`: holes are being filled; `loss`: a timeout, everything is suspect. */
export type CongestionState = 'open' | 'recovery' | 'loss';

export class Congestion {
  state: CongestionState = 'open';
  /** Segments. */
  window = INITIAL_WINDOW;
  threshold = UNLIMITED;
  /** Recovery ends when everything before this is acknowledged. */
  recoveryPoint = 0;
  #acknowledged = 0;
  /** Proportional rate reduction (RFC 6937): the window before, what arrived since, what was sent since. */
  #before = 0;
  #delivered = 0;
  #sent = 0;

  /** `segments` were acknowledged while the window was used up. */
  grow(segments: number): void {
    let left = segments;
    if (this.window < this.threshold) {
      const room = this.threshold - this.window;
      const taken = Math.min(left, room);
      this.window += taken;
      left -= taken;
    }
    if (left <= 0) return;
    this.#acknowledged += left;
    while (this.#acknowledged >= this.window) {
      this.#acknowledged -= this.window;
      this.window++;
    }
  }

  /** Segments are missing: half the window, until everything up to `next` has arrived. */
  enterRecovery(next: number): void {
    this.#before = this.window;
    this.threshold = Math.max(this.window >>> 1, 2);
    this.#enter('recovery', next);
  }

  /** A segment leaves. */
  sent(): void {
    if (this.state === 'recovery') this.#sent++;
  }

  /** During recovery the window comes down as fast as `delivered` segments arrive (tcp_cwnd_reduction). */
  reduce(delivered: number, inNetwork: number): void {
    this.#delivered += delivered;
    const due =
      inNetwork > this.threshold
        ? Math.ceil((this.#delivered * this.threshold) / Math.max(this.#before, 1)) - this.#sent
        : Math.min(this.threshold - inNetwork, Math.max(this.#delivered - this.#sent, delivered) + 1);
    this.window = inNetwork + Math.max(due, this.#sent === 0 ? 1 : 0);
  }

  /** The timer ran out: start again with one segment. A timeout during recovery does not halve again. */
  enterLoss(next: number, una: number): void {
    const fresh = this.state === 'open' || (this.state === 'loss' && !before(una, this.recoveryPoint));
    if (fresh || this.state === 'recovery') this.threshold = Math.max(this.window >>> 1, 2);
    this.window = 1;
    this.#enter('loss', next);
  }

  /** Segments are sent again for another reason than congestion (a smaller path MTU). */
  repair(next: number): void {
    if (this.state !== 'open') return;
    this.#before = this.window;
    this.threshold = this.window;
    this.#enter('recovery', next);
  }

  /** True when the ACK up to `una` ended the recovery. */
  leave(una: number): boolean {
    if (this.state === 'open' || before(una, this.recoveryPoint)) return false;
    if (this.state === 'recovery') this.window = this.threshold;
    this.state = 'open';
    this.#acknowledged = 0;
    return true;
  }

  /** An idle connection forgets: the window halves for each timeout that passed (RFC 2861). */
  restart(timeouts: number): void {
    this.threshold = Math.max(this.threshold, (this.window * 3) >>> 2);
    const floor = Math.min(this.window, INITIAL_WINDOW);
    for (let n = 0; n < timeouts && this.window > floor; n++) this.window >>>= 1;
    this.window = Math.max(this.window, floor);
  }

  #enter(state: CongestionState, next: number): void {
    this.state = state;
    this.recoveryPoint = next;
    this.#acknowledged = 0;
    this.#delivered = 0;
    this.#sent = 0;
  }
}
