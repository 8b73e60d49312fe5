/**
 * Everything that looking up packets at one hook of one table needs: numbers and typed arrays only, so that
 * it can be posted to a worker thread as it is.
 */

/** Rules one after another. */
export interface LinearImage {
  readonly width: 1 | 4;
  /** The number of the built-in chain. */
  readonly base: number;
  /** RESULT of its policy. */
  readonly policy: number;
  readonly records: Int32Array;
  readonly tests: Int32Array;
  readonly actions: Int32Array;
  readonly bounds: Int32Array;
  /** 1 for each device test that holds for the batch's devices. */
  readonly devices: Uint8Array;
  /** Addresses of type LOCAL: first and last of each range, ascending, `width` words each. */
  readonly locals: Uint32Array;
  /** For each rule the next of its bucket, or -1. Empty: rules are walked. */
  readonly same: Int32Array;
  /** Chain indexes (chain-index.ts). */
  readonly index: Int32Array;
  /** For each chain where its index begins, or -1. */
  readonly indexOf: Int32Array;
}

/** The dispatch table in front of the rules (front.ts); `memory` is shared with other nodes' tables (pool.ts). */
export interface FrontImage {
  /** Where the offsets of the pages begin; there is a power of two of them. */
  readonly directory: number;
  /** How far a hash is shifted to number a page. */
  readonly shift: number;
  /** Directories, pages, shapes and endpoints. */
  readonly memory: Int32Array;
  readonly thresholds: Float64Array;
}

export interface Image extends LinearImage {
  /** Undefined: nothing to dispatch on, every packet walks. */
  readonly front: FrontImage | undefined;
}
