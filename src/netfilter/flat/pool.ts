/**
 * What the dispatch tables of many nodes have in common, kept once: endpoint lists, thresholds, shapes and
 * pages of entries, each found again by its content. Most rules of a cluster are the same on every node, so a
 * further node costs little more than its directory of pages.
 *
 *   directory (a node's own) ──▶ page ──▶ entry ─┬─▶ shape ──▶ thresholds
 *                                                └─▶ endpoints
 */
import type { IpAddress, IpFamily } from '../../wire/ip-address.ts';
import { addressWords } from './batch.ts';
import { BlockStore } from './block-store.ts';
import { wordsOf } from './encode-tests.ts';
import type { Leaf } from './leaf.ts';
import { DRAW, drawBranch } from './match-record.ts';
import { endpointWords, SHAPE } from './pool-layout.ts';
import { type Allocate, allocatePrivate } from './word-list.ts';

/** A leaf in the pool: what a dispatch entry points to. */
export interface PooledLeaf {
  /** Ordinal of the first endpoint. */
  readonly endpoints: number;
  /** Word of the shape. */
  readonly shape: number;
}

/** The rule behind an endpoint. */
export interface EndpointOrigin {
  readonly chain: string;
  readonly number: number;
}

export class FlatPool {
  readonly family: IpFamily;
  readonly width: 1 | 4;
  readonly allocate: Allocate;
  readonly pages: BlockStore;
  readonly shapes: BlockStore;
  readonly endpoints: BlockStore;
  /** Lists `0, t1, …, 1`: endpoint k is taken by draws from the k-th up to the next. */
  thresholds: Float64Array;
  /** The exact probability of each endpoint, in step with `thresholds`. */
  sizes: Float64Array;
  #thresholdCount = 0;
  readonly #thresholdLists = new Map<string, number>();
  readonly #origins: EndpointOrigin[] = [];

  constructor(family: IpFamily, allocate: Allocate = allocatePrivate) {
    this.family = family;
    this.width = addressWords(family);
    this.allocate = allocate;
    this.pages = new BlockStore(allocate);
    this.shapes = new BlockStore(allocate);
    this.endpoints = new BlockStore(allocate);
    this.thresholds = new Float64Array(allocate(8 * 256));
    this.sizes = new Float64Array(256);
  }

  /** Takes hold of what `leaf` needs. */
  hold(leaf: Leaf): PooledLeaf {
    const stride = endpointWords(this.width);
    const words = new Int32Array(leaf.endpoints.length * stride);
    for (const [index, { address, port }] of leaf.endpoints.entries()) {
      words.set(wordsOf(address), index * stride);
      words[index * stride + this.width] = port;
    }
    // Services may share all their endpoints; their rules still are different ones.
    const isSame = (at: number) =>
      leaf.endpoints.every(({ chain, number }, index) => {
        const origin = this.#origins[at / stride + index];
        return origin?.chain === chain && origin.number === number;
      });
    const endpoints = this.endpoints.hold(words, isSame) / stride;
    for (const [index, { chain, number }] of leaf.endpoints.entries()) {
      this.#origins[endpoints + index] = { chain, number };
    }
    return { endpoints, shape: this.shapes.hold(this.#shapeWords(leaf)) };
  }

  release({ endpoints, shape }: PooledLeaf): void {
    this.endpoints.release(endpoints * endpointWords(this.width));
    this.shapes.release(shape);
  }

  /** The rule that translates to the endpoint with this ordinal. */
  originOf(endpoint: number): EndpointOrigin | undefined {
    return this.#origins[endpoint];
  }

  /** Bytes held by the shared arrays. */
  get bytes(): number {
    const words = this.pages.list.length + this.shapes.list.length + this.endpoints.list.length;
    return words * 4 + this.#thresholdCount * 16;
  }

  #shapeWords({ mark, hairpin, endpoints, probabilities }: Leaf): Int32Array {
    const words = new Int32Array(SHAPE.words);
    words[SHAPE.count] = endpoints.length;
    words[SHAPE.thresholds] = this.#thresholdsOf(probabilities);
    words[SHAPE.keep] = mark?.keep ?? -1;
    words[SHAPE.flip] = mark?.flip ?? 0;
    words[SHAPE.negate] = mark?.source?.negate ? 1 : 0;
    words[SHAPE.hairpinKeep] = hairpin?.keep ?? -1;
    words[SHAPE.hairpinFlip] = hairpin?.flip ?? 0;
    const put = (at: number, address: IpAddress | undefined) => {
      if (address !== undefined) words.set(wordsOf(address), at);
    };
    put(SHAPE.source, mark?.source?.address);
    put(SHAPE.mask, mark?.source?.mask);
    return words;
  }

  /** Where the list for these probabilities begins. Computed in the steps in which a walk would. */
  #thresholdsOf(probabilities: readonly number[]): number {
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
