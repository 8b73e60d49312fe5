/** Growing lists of 32-bit words in one typed array each. */

/** Where typed arrays get their memory: an ArrayBuffer, or a SharedArrayBuffer for worker threads. */
export type Allocate = (bytes: number) => ArrayBufferLike;

export const allocatePrivate: Allocate = (bytes) => new ArrayBuffer(bytes);
export const allocateShared: Allocate = (bytes) => new SharedArrayBuffer(bytes);

export class WordList {
  words: Int32Array;
  length = 0;
  readonly #allocate: Allocate;

  constructor(allocate: Allocate, capacity = 1024) {
    this.#allocate = allocate;
    this.words = new Int32Array(allocate(capacity * 4));
  }

  /** Makes room for `count` more words at the end and returns where they begin. They are zero. */
  grow(count: number): number {
    const start = this.length;
    const end = start + count;
    if (end > this.words.length) {
      const larger = new Int32Array(this.#allocate(Math.max(end, this.words.length * 2) * 4));
      larger.set(this.words.subarray(0, start));
      this.words = larger;
    }
    this.length = end;
    return start;
  }

  /** Makes sure that `count` more words can be had without moving what is there. */
  reserve(count: number): void {
    const { length } = this;
    this.grow(count);
    this.length = length;
  }

  push(word: number): void {
    const at = this.grow(1);
    this.words[at] = word;
  }
}
