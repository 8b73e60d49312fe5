/**
 * Numbers from a range, each handed out at most once: ports, and the offsets of addresses in a subnet. A
 * sparse bitmap, so that a pool of an IPv6 subnet costs what is used of it.
 */
const WORD = 32;

export class NumberPool {
  readonly first: number;
  /** Included. */
  readonly last: number;
  /** 32 numbers a word; a missing word is free. */
  readonly #words = new Map<number, number>();
  #used = 0;

  /** A pool of the safe integers from `first` to `last`, both included; `first` is not negative. */
  constructor(first: number, last: number) {
    this.first = first;
    this.last = last;
  }

  /** How many numbers are taken. */
  get used(): number {
    return this.#used;
  }

  has(number: number): boolean {
    return ((this.#words.get(Math.floor(number / WORD)) ?? 0) & (1 << (number % WORD))) !== 0;
  }

  /** Takes `number`. False, without effect, when it is outside the range or taken. */
  reserve(number: number): boolean {
    if (number < this.first || number > this.last || this.has(number)) return false;
    const word = Math.floor(number / WORD);
    this.#words.set(word, (this.#words.get(word) ?? 0) | (1 << (number % WORD)));
    this.#used++;
    return true;
  }

  /** Gives `number` back; one that is not taken is ignored. */
  release(number: number): void {
    if (!this.has(number)) return;
    const word = Math.floor(number / WORD);
    this.#words.set(word, (this.#words.get(word) ?? 0) & ~(1 << (number % WORD)));
    this.#used--;
  }

  /**
   * Takes the lowest free number from `from` on, and after the last one goes on at the first. Undefined when
   * all are taken.
   */
  allocate(from = this.first): number | undefined {
    const start = Math.min(Math.max(from, this.first), this.last + 1);
    const number = this.#lowestFree(start, this.last) ?? this.#lowestFree(this.first, start - 1);
    if (number !== undefined) this.reserve(number);
    return number;
  }

  #lowestFree(from: number, to: number): number | undefined {
    for (let number = from; number <= to; ) {
      const word = this.#words.get(Math.floor(number / WORD)) ?? 0;
      const bit = number % WORD;
      // Taken numbers below `bit` must not hide that the rest of the word is full.
      const free = ~word & (-1 << bit);
      if (free !== 0) {
        const found = number - bit + (31 - Math.clz32(free & -free));
        return found <= to ? found : undefined;
      }
      number += WORD - bit;
    }
    return undefined;
  }
}
