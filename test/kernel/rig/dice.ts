/** Readable draws from the seeded random source. */
import { Random } from '../../../src/sim/random.ts';

export class Dice {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.#random.below(high - low + 1);
  }

  /** True in `percent` of a hundred throws. */
  chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  /** One of `items`. Throws RangeError when there is none. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.#random.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** One of the values, each as often as its weight says. */
  weighted<T>(...entries: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.#random.below(entries.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of entries) {
      if (at < weight) return value;
      at -= weight;
    }
    throw new RangeError('nothing to pick from');
  }

  /** Some of `items`, in their order, each with `percent` of a chance. */
  some<T>(items: readonly T[], percent: number): T[] {
    return items.filter(() => this.chance(percent));
  }

  /** An unsigned 32-bit number. */
  uint32(): number {
    return this.#random.uint32();
  }
}
