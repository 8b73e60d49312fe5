/**
 * The conntrack table: confirmed entries, found by either of their tuples. Expiry is judged when an entry
 * is looked at, as the kernel's lookup does; the sweep only frees memory.
 */
import { type Direction, hashTuple, sameTuple, type Tuple } from '../tuple.ts';
import { EvictionBuckets } from './early-drop.ts';
import type { ConntrackEntry } from './entry.ts';

export interface TupleMatch {
  readonly entry: ConntrackEntry;
  readonly direction: Direction;
}

export class ConntrackTable {
  readonly #byTuple = new Map<number, TupleMatch[]>();
  readonly #entries = new Set<ConntrackEntry>();
  /** Entries by the source half of their original tuple, for NAT's "sticky" source mapping. */
  readonly #bySource = new Map<number, ConntrackEntry[]>();
  /** Built when the table is full for the first time. */
  #buckets: EvictionBuckets | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** Live entries in the order in which they were confirmed. */
  *entries(now: number): IterableIterator<ConntrackEntry> {
    for (const entry of this.#entries) if (entry.expires > now) yield entry;
  }

  /** The live entry that owns `tuple`, and the direction in which it does. */
  find(tuple: Tuple, zone: number, now: number): TupleMatch | undefined {
    for (const match of this.#byTuple.get(hashTuple(tuple)) ?? []) {
      const { entry } = match;
      if (entry.zone !== zone || !sameTuple(entry.tuple(match.direction), tuple)) continue;
      if (entry.expires > now) return match;
      this.delete(entry);
      return undefined;
    }
    return undefined;
  }

  /**
   * Live entries with a decided source half whose original source address, port and protocol are those of
   * `tuple`, the latest first.
   */
  withSource(tuple: Tuple, zone: number, now: number): ConntrackEntry[] {
    const candidates = this.#bySource.get(hashSource(tuple)) ?? [];
    return candidates
      .toReversed()
      .filter(
        (entry) =>
          entry.sourceDone &&
          entry.zone === zone &&
          entry.expires > now &&
          sameTuple({ ...entry.original, dst: tuple.dst, dport: tuple.dport }, tuple),
      );
  }

  /**
   * Enters `entry` (__nf_conntrack_confirm). Returns false, changing nothing, when one of its tuples is
   * taken by another live entry: the kernel counts insert_failed and drops the packet.
   */
  confirm(entry: ConntrackEntry, now: number): boolean {
    if (this.find(entry.original, entry.zone, now) !== undefined) return false;
    if (this.find(entry.reply, entry.zone, now) !== undefined) return false;
    entry.confirmed = true;
    this.#entries.add(entry);
    // The reply first: where both tuples are one (a flow to itself without ports), it is what the kernel finds.
    push(this.#byTuple, hashTuple(entry.reply), { entry, direction: 'reply' });
    push(this.#byTuple, hashTuple(entry.original), { entry, direction: 'original' });
    push(this.#bySource, hashSource(entry.original), entry);
    this.#buckets?.add(entry);
    return true;
  }

  /** Removes `entry`; a no-op when it is not in the table. */
  delete(entry: ConntrackEntry): void {
    entry.dying = true;
    if (!this.#entries.delete(entry)) return;
    for (const direction of ['original', 'reply'] as const) {
      remove(this.#byTuple, hashTuple(entry.tuple(direction)), (match) => match.entry === entry);
    }
    remove(this.#bySource, hashSource(entry.original), (other) => other === entry);
    this.#buckets?.remove(entry);
  }

  /**
   * Sees to it that a flow with `tuple` can be entered into a table of at most `max` entries (0: any number).
   * Returns false when the table is full and nothing may be evicted.
   */
  makeRoom(tuple: Tuple, max: number, now: number): boolean {
    if (max === 0 || this.#entries.size < max) return true;
    this.sweep(now);
    if (this.#entries.size < max) return true;
    if (this.#buckets?.size !== max) {
      this.#buckets = new EvictionBuckets(max);
      for (const entry of this.#entries) this.#buckets.add(entry);
    }
    const victims = this.#buckets.victims(tuple);
    for (const victim of victims) this.delete(victim);
    return victims.length > 0;
  }

  /** Forgets everything that has expired. */
  sweep(now: number): void {
    for (const entry of this.#entries) if (entry.expires <= now) this.delete(entry);
  }

  /** An independent copy; `copies` tells which entry became which. */
  clone(copies: Map<ConntrackEntry, ConntrackEntry> = new Map()): ConntrackTable {
    const table = new ConntrackTable();
    for (const entry of this.#entries) {
      const copy = entry.clone();
      copies.set(entry, copy);
      table.#entries.add(copy);
      push(table.#byTuple, hashTuple(copy.reply), { entry: copy, direction: 'reply' });
      push(table.#byTuple, hashTuple(copy.original), { entry: copy, direction: 'original' });
      push(table.#bySource, hashSource(copy.original), copy);
    }
    return table;
  }
}

function hashSource(tuple: Tuple): number {
  return hashTuple({ ...tuple, dst: 0, dport: 0 });
}

function push<T>(map: Map<number, T[]>, key: number, value: T): void {
  const bucket = map.get(key);
  if (bucket === undefined) map.set(key, [value]);
  else bucket.push(value);
}

function remove<T>(map: Map<number, T[]>, key: number, is: (value: T) => boolean): void {
  const bucket = map.get(key)?.filter((value) => !is(value)) ?? [];
  if (bucket.length === 0) map.delete(key);
  else map.set(key, bucket);
}
