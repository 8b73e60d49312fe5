/**
 * What the dispatch tables of many nodes have in common, kept once: endpoint lists, thresholds, shapes and
 * pages of entries, each found again by its content. Most rules of a cluster are the same on every node, so a
 * further node costs little more than its directory of pages.
 *
 *   directory ──▶ page ──▶ entry ─┬─▶ shape ──▶ thresholds
 *                                 └─▶ endpoints
 *
 * All but the thresholds lies in one array, for the same reason as the columns of a batch.
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import { addressWords } from './batch.ts';
import { BlockStore } from './block-store.ts';
import type { EndpointOrigin, Leaf } from './leaf.ts';
import { DRAW, drawBranch } from './match-record.ts';
import { endpointWords, entryWords, PAGE_ENTRIES, SHAPE } from './pool-layout.ts';
import { type Allocate, allocatePrivate, WordList } from './word-list.ts';

/** A leaf in the pool: what a dispatch entry points to. */
export interface PooledLeaf {
  /** Where the endpoints begin, and the shape, in the pool's memory. */
  readonly endpoints: number;
  /** A multiple of SHAPE.words. */
  readonly shape: number;
}

export class FlatPool {
  readonly family: IpFamily;
  readonly width: 1 | 4;
  readonly allocate: Allocate;
  readonly memory: WordList;
  readonly pages: BlockStore;
  readonly directories: BlockStore;
  readonly #shapes: BlockStore;
  readonly #endpoints: BlockStore;
  /** Lists `0, t1, …, 1`: endpoint k is taken by draws from the k-th up to the next. */
  thresholds: Float64Array;
  /** The exact probability of each endpoint, in step with `thresholds`. */
  sizes: Float64Array;
  #thresholdCount = 0;
  readonly #thresholdLists = new Map<string, number>();
  /** The list that was asked for last, by length: mostly it is the one. */
  readonly #recentLists: { readonly probabilities: readonly number[]; readonly at: number }[] = [];
  readonly #shape = new Int32Array(SHAPE.words);
  /** The rules of each list of endpoints, by where it begins. */
  readonly #origins = new Map<number, readonly EndpointOrigin[]>();

  constructor(family: IpFamily, allocate: Allocate = allocatePrivate) {
    this.family = family;
    this.width = addressWords(family);
    this.allocate = allocate;
    this.memory = new WordList(allocate);
    this.pages = new BlockStore(this.memory, entryWords(this.width) * PAGE_ENTRIES);
    this.directories = new BlockStore(this.memory);
    this.#shapes = new BlockStore(this.memory, SHAPE.words);
    this.#endpoints = new BlockStore(this.memory, endpointWords(this.width));
    this.thresholds = new Float64Array(allocate(8 * 256));
    this.sizes = new Float64Array(256);
  }

  /** Takes hold of what `leaf` needs. */
  hold(leaf: Leaf): PooledLeaf {
    const words = leaf.endpoints.subarray(0, leaf.count * endpointWords(this.width));
    // Services may share all their endpoints; their rules still are different ones.
    const isSame = (at: number) => {
      const origins = this.#origins.get(at);
      return leaf.origins.every(
        ({ chain, number }, index) => origins?.[index]?.chain === chain && origins[index].number === number,
      );
    };
    const endpoints = this.#endpoints.hold(words, isSame);
    this.#origins.set(endpoints, [...leaf.origins]);
    return { endpoints, shape: this.#shapes.hold(this.#shapeWords(leaf)) };
  }

  /** Takes hold of a leaf that is held already once more. */
  retain({ endpoints, shape }: PooledLeaf): void {
    this.#endpoints.retain(endpoints);
    this.#shapes.retain(shape);
  }

  release({ endpoints, shape }: PooledLeaf): void {
    this.#endpoints.release(endpoints);
    this.#shapes.release(shape);
  }

  /** The rule that translates to the endpoint at this word; undefined when there is none. */
  originOf(endpoint: number): EndpointOrigin | undefined {
    const stride = endpointWords(this.width);
    for (let index = 0; endpoint - index * stride >= 0; index++) {
      const origins = this.#origins.get(endpoint - index * stride);
      if (origins !== undefined) return origins[index];
    }
    return undefined;
  }

  /** Bytes held by the shared arrays. */
  get bytes(): number {
    return this.memory.length * 4 + this.#thresholdCount * 16;
  }

  #shapeWords(leaf: Leaf): Int32Array {
    const { width } = this;
    const words = this.#shape;
    words.fill(0);
    words[SHAPE.count] = leaf.count;
    words[SHAPE.thresholds] = this.#thresholdsOf(leaf.probabilities);
    words[SHAPE.keep] = leaf.keep;
    words[SHAPE.flip] = leaf.flip;
    words[SHAPE.hairpinKeep] = leaf.hairpinKeep;
    words[SHAPE.hairpinFlip] = leaf.hairpinFlip;
    const { source, records } = leaf;
    if (source < 0) return words;
    words[SHAPE.negate] = leaf.negatesSource ? 1 : 0;
    for (let word = 0; word < width; word++) {
      words[SHAPE.source + word] = records[source + word] ?? 0;
      words[SHAPE.mask + word] = records[source + width + word] ?? 0;
    }
    return words;
  }

  /** Where the list for these probabilities begins. Computed in the steps in which a walk would. */
  #thresholdsOf(probabilities: readonly number[]): number {
    const recent = this.#recentLists[probabilities.length];
    if (recent?.probabilities.every((probability, index) => probability === probabilities[index])) {
      return recent.at;
    }
    const at = this.#findThresholds(probabilities);
    this.#recentLists[probabilities.length] = { probabilities: [...probabilities], at };
    return at;
  }

  #findThresholds(probabilities: readonly number[]): number {
    const key = probabilities.join(' ');
    const known = this.#thresholdLists.get(key);
    if (known !== undefined) return known;
    const at = this.#thresholdCount;
    const count = probabilities.length + 2;
    this.#reserve(at + count);
    const interval = new Float64Array(3);
    interval[DRAW.size] = 1;
    for (const [index, probability] of probabilities.entries()) {
      const before = interval[DRAW.size] ?? 0;
      const taken = Float64Array.from(interval);
      drawBranch(taken, taken[DRAW.low] ?? 0, probability);
      this.sizes[at + index] = taken[DRAW.size] ?? before;
      drawBranch(interval, 1, probability);
      this.thresholds[at + index + 1] = interval[DRAW.low] ?? 0;
    }
    this.sizes[at + count - 2] = interval[DRAW.size] ?? 0;
    this.thresholds[at + count - 1] = 1;
    this.#thresholdCount = at + count;
    this.#thresholdLists.set(key, at);
    return at;
  }

  #reserve(count: number): void {
    if (count <= this.thresholds.length) return;
    const capacity = Math.max(count, 2 * this.thresholds.length);
    const thresholds = new Float64Array(this.allocate(8 * capacity));
    thresholds.set(this.thresholds);
    this.thresholds = thresholds;
    const sizes = new Float64Array(capacity);
    sizes.set(this.sizes);
    this.sizes = sizes;
  }
}
