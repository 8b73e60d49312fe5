/** What has arrived for a program that may not be reading. */
import type { ControlBlock } from './control-block.ts';

export class Inbox {
  paused = false;
  /** The peer's FIN came behind what is here. */
  ended = false;
  readonly #block: ControlBlock;
  #pieces: Uint8Array[] = [];

  constructor(block: ControlBlock) {
    this.#block = block;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  keep(data: Uint8Array): void {
    this.#pieces.push(data);
    this.#block.unread += data.length;
  }

  /** Hands everything over. */
  takeAll(): readonly Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#block.unread = 0;
    return pieces;
  }
}

/** Bytes in all of `pieces`. */
export function totalLength(pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (const { length } of pieces) sum += length;
  return sum;
}
