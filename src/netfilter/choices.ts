/**
 * Where an engine's random decisions come from. Running draws them from the seed; exact enumeration
 * (explore.ts) plays every branch instead.
 */
import type { Random } from '../sim/random.ts';

export interface Choices {
  /** True with probability `probability` / 2^31 (`-m statistic --mode random`). */
  chance(probability: number): boolean;
  /** A uniform unsigned 16-bit number: where a port search starts. */
  random16(): number;
  /**
   * True when two keys meet in one slot of a hash table whose seed the kernel draws once at boot (1 in 256). Absent:
   * they never do; only whoever follows a real kernel has to ask.
   */
  collides?(): boolean;
}

export class SeededChoices implements Choices {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  chance(probability: number): boolean {
    return this.random.uint32() >>> 1 < probability;
  }

  random16(): number {
    return this.random.uint32() & 0xffff;
  }
}
