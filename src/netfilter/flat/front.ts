/**
 * The dispatch table of one hook: exact destination, protocol and port → leaf. An entry says that for such
 * packets nothing but the leaf decides; a packet without one walks. Pages are open-addressed by themselves
 * and shared through the pool, so that changing a Service rewrites one page.
 */
import { wordsOf } from './encode-tests.ts';
import type { FrontImage } from './image.ts';
import type { Facts, Leaf } from './leaf.ts';
import type { FlatPool, PooledLeaf } from './pool.ts';
import { entryWords, foldKey, mixKey, NO_ENTRY, PAGE_ENTRIES, PAGE_LOAD } from './pool-layout.ts';

interface Entry {
  readonly key: readonly number[];
  readonly hash: number;
  readonly leaf: PooledLeaf;
}

/** The key's words and its hash. */
function keyOf({ destination, protocol, dport }: Facts): readonly [readonly number[], number] {
  const ports = (protocol << 16) | dport;
  if (typeof destination === 'number') return [[destination | 0, ports], mixKey(destination | 0, ports)];
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = wordsOf(destination);
  return [[w0, w1, w2, w3, ports], mixKey(foldKey(w0, w1, w2, w3), ports)];
}

export class Front {
  readonly #pool: FlatPool;
  #directory = 0;
  /** log2 of how many pages there are; at least one, since nothing can be shifted by 32. */
  #bits = 1;
  #size = 0;
  readonly #entryWords: number;

  /** The table of these entries; no two with the same facts. Each leaf is used before the next is taken. */
  constructor(pool: FlatPool, leaves: Iterable<readonly [Facts, Leaf]>) {
    this.#pool = pool;
    this.#entryWords = entryWords(pool.width);
    const entries: Entry[] = [];
    for (const [facts, leaf] of leaves) entries.push(this.#entry(facts, leaf));
    this.#spread(entries, Math.ceil(Math.log2(entries.length / PAGE_LOAD)));
  }

  /** How many entries there are. */
  get size(): number {
    return this.#size;
  }

  /** Puts `leaf` in for packets of `facts`, or takes out what is there. */
  set(facts: Facts, leaf: Leaf | undefined): void {
    const [key, hash] = keyOf(facts);
    const page = hash >>> (32 - this.#bits);
    const before = this.#pages()[page] ?? 0;
    const entries = this.#read(before);
    const at = entries.findIndex((entry) => compareKeys(entry.key, key) === 0);
    const old = entries[at];
    if (leaf === undefined && old === undefined) return;
    if (old !== undefined) entries.splice(at, 1);
    if (leaf !== undefined) entries.push(this.#entry(facts, leaf));
    this.#size += (leaf === undefined ? 0 : 1) - (old === undefined ? 0 : 1);
    if (entries.length >= PAGE_ENTRIES) {
      const others = this.#entries(page);
      this.#letGoOfPages();
      this.#spread([...others, ...entries], this.#bits + 1);
    } else {
      const pages = this.#pages();
      pages[page] = this.#pool.pages.hold(this.#pageWords(entries));
      this.#pool.pages.release(before);
      this.#moveTo(pages);
    }
    if (old !== undefined) this.#pool.release(old.leaf);
  }

  /** Lets go of everything in the pool; the table is not to be used any more. */
  dispose(): void {
    for (const { leaf } of this.#entries()) this.#pool.release(leaf);
    this.#letGoOfPages();
    this.#size = 0;
  }

  image(): FrontImage {
    const { memory, thresholds } = this.#pool;
    return { directory: this.#directory, shift: 32 - this.#bits, memory: memory.words, thresholds };
  }

  #entry(facts: Facts, leaf: Leaf): Entry {
    const [key, hash] = keyOf(facts);
    return { key, hash, leaf: this.#pool.hold(leaf) };
  }

  /** All entries but those of page number `except`. */
  #entries(except = -1): Entry[] {
    return [...this.#pages()].flatMap((at, page) => (page === except ? [] : this.#read(at)));
  }

  /** Where the pages begin: a copy. */
  #pages(): Int32Array {
    return this.#pool.memory.words.slice(this.#directory, this.#directory + 2 ** this.#bits);
  }

  /** A directory of `pages` instead of the one there is; tables that are still equal keep sharing theirs. */
  #moveTo(pages: Int32Array): void {
    const before = this.#directory;
    this.#directory = this.#pool.directories.hold(pages);
    this.#pool.directories.release(before);
  }

  #letGoOfPages(): void {
    for (const page of this.#pages()) this.#pool.pages.release(page);
    this.#pool.directories.release(this.#directory);
  }

  /** Spreads `entries` over 2^`bits` new pages, or more when one would overflow. */
  #spread(entries: readonly Entry[], bits: number): void {
    this.#size = entries.length;
    for (this.#bits = Math.max(1, bits); ; this.#bits++) {
      const groups: Entry[][] = Array.from({ length: 2 ** this.#bits }, () => []);
      for (const entry of entries) groups[entry.hash >>> (32 - this.#bits)]?.push(entry);
      // One slot stays empty, so that looking for what is not there ends.
      if (groups.some((group) => group.length >= PAGE_ENTRIES)) continue;
      const pages = Int32Array.from(groups, (group) => this.#pool.pages.hold(this.#pageWords(group)));
      this.#directory = this.#pool.directories.hold(pages);
      return;
    }
  }

  /** The entries of the page at word `at`. */
  #read(at: number): Entry[] {
    const { width, memory } = this.#pool;
    const { words } = memory;
    const entries: Entry[] = [];
    for (let slot = 0; slot < PAGE_ENTRIES; slot++) {
      const entry = at + slot * this.#entryWords;
      const key = [...words.subarray(entry, entry + width + 1)];
      const ports = key[width] ?? NO_ENTRY;
      if (ports === NO_ENTRY) continue;
      const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = key;
      const hash = mixKey(width === 1 ? w0 : foldKey(w0, w1, w2, w3), ports);
      const leaf = { endpoints: words[entry + width + 1] ?? 0, shape: words[entry + width + 2] ?? 0 };
      entries.push({ key, hash, leaf });
    }
    return entries;
  }

  /** Equal sets of entries give equal pages: they are put in by key. */
  #pageWords(entries: Entry[]): Int32Array {
    const { width } = this.#pool;
    const words = new Int32Array(PAGE_ENTRIES * this.#entryWords);
    for (let slot = 0; slot < PAGE_ENTRIES; slot++) words[slot * this.#entryWords + width] = NO_ENTRY;
    entries.sort((a, b) => a.hash - b.hash || compareKeys(a.key, b.key));
    for (const { key, hash, leaf } of entries) {
      let slot = hash & (PAGE_ENTRIES - 1);
      while (words[slot * this.#entryWords + width] !== NO_ENTRY) slot = (slot + 1) & (PAGE_ENTRIES - 1);
      const at = slot * this.#entryWords;
      words.set(key, at);
      words[at + width + 1] = leaf.endpoints;
      words[at + width + 2] = leaf.shape;
    }
    return words;
  }
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (const [index, word] of a.entries()) {
    const difference = word - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
