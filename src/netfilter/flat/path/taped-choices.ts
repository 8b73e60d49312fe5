/**
 * Random choices that can be had again: when the flat path gives up in the middle of a table, the reference walks
 * that table from its beginning and must draw what was drawn. So both engines together draw exactly what the
 * reference alone would have drawn from the same seed.
 */
import type { Choices } from '../../choices.ts';

export class TapedChoices implements Choices {
  readonly #inner: Choices;
  readonly #tape: number[] = [];
  #length = 0;
  /** The next one to be had again; at the end of the tape, choices are new. */
  #next = 0;
  #records = false;

  constructor(inner: Choices) {
    this.#inner = inner;
  }

  /** What is drawn from now on can be had again. */
  begin(): void {
    this.#length = 0;
    this.#next = 0;
    this.#records = true;
  }

  /** What was drawn since `begin` stands. */
  settle(): void {
    this.#length = 0;
    this.#next = 0;
    this.#records = false;
  }

  /** What was drawn since `begin` is drawn again. */
  rewind(): void {
    this.#next = 0;
    this.#records = false;
  }

  chance(probability: number): boolean {
    if (this.#next < this.#length) return this.#tape[this.#next++] === 1;
    const drawn = this.#inner.chance(probability);
    this.#record(drawn ? 1 : 0);
    return drawn;
  }

  random16(): number {
    if (this.#next < this.#length) return this.#tape[this.#next++] ?? 0;
    const drawn = this.#inner.random16();
    this.#record(drawn);
    return drawn;
  }

  #record(drawn: number): void {
    if (!this.#records) return;
    this.#tape[this.#length++] = drawn;
    this.#next = this.#length;
  }
}
