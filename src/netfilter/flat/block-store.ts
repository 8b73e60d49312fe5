/**
 * Blocks of words kept once each: equal blocks are one, found again by content and counted, and the place of
 * a block that nobody holds any more is given to the next of its size.
 */
import type { WordList } from './word-list.ts';

interface Block {
  readonly at: number;
  readonly size: number;
  readonly hash: number;
  holders: number;
}

function hashWords(words: Int32Array): number {
  let hash = words.length;
  for (let at = 0; at < words.length; at++)
    hash = Math.imul(hash ^ (words[at] ?? 0), 0x9e3779b1) ^ (hash >>> 13);
  return hash | 0;
}

export class BlockStore {
  readonly list: WordList;
  readonly #byHash = new Map<number, Block[]>();
  readonly #byPlace = new Map<number, Block>();
  /** Places of freed blocks, by size. */
  readonly #free = new Map<number, number[]>();

  readonly #alignment: number;

  /** Blocks begin at multiples of `alignment`, a power of two. Blocks of other stores may lie in `list` too. */
  constructor(list: WordList, alignment = 1) {
    this.list = list;
    this.#alignment = alignment;
  }

  /** How many different blocks are held. */
  get size(): number {
    return this.#byPlace.size;
  }

  /**
   * Takes hold of the block with these words and returns where it begins. `isSame` tells blocks of equal words
   * apart that are not to be one.
   */
  hold(words: Int32Array, isSame: (at: number) => boolean = () => true): number {
    const hash = hashWords(words);
    let bucket = this.#byHash.get(hash);
    if (bucket !== undefined) {
      for (const block of bucket) {
        if (!this.#equals(block, words) || !isSame(block.at)) continue;
        block.holders++;
        return block.at;
      }
    }
    const size = words.length;
    const at = this.#free.get(size)?.pop() ?? this.#place(size);
    this.list.words.set(words, at);
    const block: Block = { at, size, hash, holders: 1 };
    if (bucket === undefined) {
      bucket = [];
      this.#byHash.set(hash, bucket);
    }
    bucket.push(block);
    this.#byPlace.set(at, block);
    return at;
  }

  /** Takes hold of the block at `at` once more. */
  retain(at: number): void {
    const block = this.#byPlace.get(at);
    if (block === undefined) throw new RangeError(`no block at ${at}`);
    block.holders++;
  }

  /** Lets go of the block at `at`, which `hold` gave. */
  release(at: number): void {
    const block = this.#byPlace.get(at);
    if (block === undefined) throw new RangeError(`no block at ${at}`);
    block.holders--;
    if (block.holders > 0) return;
    this.#byPlace.delete(at);
    const bucket = this.#byHash.get(block.hash) ?? [];
    const left = bucket.filter((other) => other !== block);
    if (left.length === 0) this.#byHash.delete(block.hash);
    else this.#byHash.set(block.hash, left);
    const free = this.#free.get(block.size);
    if (free === undefined) this.#free.set(block.size, [at]);
    else free.push(at);
  }

  #place(size: number): number {
    const gap = -this.list.length & (this.#alignment - 1);
    return this.list.grow(gap + size) + gap;
  }

  #equals({ at, size }: Block, words: Int32Array): boolean {
    if (size !== words.length) return false;
    const mine = this.list.words;
    for (let word = 0; word < size; word++) {
      if (mine[at + word] !== ((words[word] ?? 0) | 0)) return false;
    }
    return true;
  }
}
