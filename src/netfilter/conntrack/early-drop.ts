/**
 * Early drop (nf_conntrack_core.c early_drop): when the table is full, a new flow may take the place of flows
 * that are not ASSURED, if one of them lies in the few hash buckets that are searched from its own on. A busy
 * table of ASSURED flows has none to offer, and the new flow's packet is dropped.
 */
import { hashTuple, type Tuple } from '../tuple.ts';
import type { ConntrackEntry } from './entry.ts';

/** NF_CT_EVICTION_RANGE. */
const EVICTION_RANGE = 8;

/**
 * The hash table's buckets, of which the kernel has as many as nf_conntrack_max by default. Which flow lies in
 * which bucket is this program's own hash: the kernel's is keyed with a random secret.
 */
export class EvictionBuckets {
  readonly #size: number;
  readonly #buckets = new Map<number, Set<ConntrackEntry>>();

  /** `size` is the number of buckets, at least 1. */
  constructor(size: number) {
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  #bucketOf(tuple: Tuple): number {
    return (hashTuple(tuple) >>> 0) % this.#size;
  }

  /** An entry lies in the buckets of both its tuples. */
  add(entry: ConntrackEntry): void {
    for (const tuple of [entry.original, entry.reply]) {
      const bucket = this.#bucketOf(tuple);
      const entries = this.#buckets.get(bucket);
      if (entries === undefined) this.#buckets.set(bucket, new Set([entry]));
      else entries.add(entry);
    }
  }

  remove(entry: ConntrackEntry): void {
    for (const tuple of [entry.original, entry.reply])
      this.#buckets.get(this.#bucketOf(tuple))?.delete(entry);
  }

  /** The flows that make way for one with `tuple`: all of the first bucket that has any. */
  victims(tuple: Tuple): readonly ConntrackEntry[] {
    const start = this.#bucketOf(tuple);
    for (let i = 0; i < Math.min(EVICTION_RANGE, this.#size); i++) {
      const bucket = this.#buckets.get((start + i) % this.#size);
      const victims = bucket === undefined ? [] : [...bucket].filter(({ assured }) => !assured);
      if (victims.length > 0) return victims;
    }
    return [];
  }
}
