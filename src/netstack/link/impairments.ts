/**
 * What a wire does to frames on their way in one direction: how long they take, and which get lost, repeated
 * or out of order. Everything random comes from the Random handed in.
 */
export interface Impairments {
  /** Seconds a frame travels; by default 0. */
  readonly latency?: number;
  /** Seconds by which latency varies at most, up and down, uniformly. The order of frames stays. */
  readonly jitter?: number;
  /** Probability, 0 to 1, that a frame is lost. */
  readonly loss?: number;
  /** Probability that a frame arrives twice. */
  readonly duplicate?: number;
  /** Probability that a frame does not wait for the latency and so overtakes others (as netem's `reorder`). */
  readonly reorder?: number;
  /** Bits per second; by default frames take no time to be sent. */
  readonly bandwidth?: number;
  /** How many frames may wait to be sent when `bandwidth` is set; further ones are dropped. By default 1000. */
  readonly queue?: number;
  /** The longest packet that gets through, in bytes; longer ones are lost without a word. */
  readonly mtu?: number;
  /** False: the wire is cut. */
  readonly up?: boolean;
}
