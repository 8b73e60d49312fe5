/** Virtual time. Nothing in an emulation reads the machine's clock; it reads one of these. */
export class Clock {
  #seconds: number;

  constructor(seconds = 0) {
    this.#seconds = seconds;
  }

  /** Seconds since the emulation began. */
  now(): number {
    return this.#seconds;
  }

  /** Moves time forward by `seconds` (not negative). */
  advance(seconds: number): void {
    if (!(seconds >= 0)) throw new RangeError(`time cannot go back by ${-seconds} s`);
    this.#seconds += seconds;
  }

  clone(): Clock {
    return new Clock(this.#seconds);
  }
}
