/** Bytes that came out of order, waiting for those before them (tcp_input.c tcp_data_queue_ofo). */
import type { SackBlock } from './options.ts';
import { advance, after, before, distance } from './sequence.ts';

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly data: Uint8Array;
}

/** How many blocks are remembered for the peer, newest first. */
const REMEMBERED_BLOCKS = 4;

export class ReceiveQueue {
  /** Sorted, without overlaps. */
  #pieces: Piece[] = [];
  #recent: SackBlock[] = [];
  /** Bytes waiting. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** What the peer should know of, the block that changed last first (RFC 2018 §4). */
  get blocks(): readonly SackBlock[] {
    return this.#recent;
  }

  /** Keeps `data`, which starts at `start`, behind a hole. Bytes that are there already are not taken again. */
  add(start: number, data: Uint8Array): void {
    const end = advance(start, data.length);
    const merged: Piece[] = [];
    let at = start;
    let placed = false;
    const take = (until: number) => {
      if (!before(at, until)) return;
      const from = distance(start, at);
      merged.push({ start: at, end: until, data: data.subarray(from, from + distance(at, until)) });
      this.bytes += distance(at, until);
      at = until;
    };
    for (const piece of this.#pieces) {
      if (!placed && after(piece.end, at)) {
        take(before(piece.start, end) ? piece.start : end);
        if (before(at, piece.end)) at = piece.end;
        if (!before(at, end)) placed = true;
      }
      merged.push(piece);
    }
    if (!placed) take(end);
    merged.sort((a, b) => distance(b.start, a.start));
    this.#pieces = merged;
    this.#remember(start);
  }

  #remember(at: number): void {
    const changed = this.#runAround(at);
    if (changed === undefined) return;
    const others = this.#recent.filter(
      ({ start, end }) => before(start, changed.start) || after(end, changed.end),
    );
    this.#recent = [changed, ...others].slice(0, REMEMBERED_BLOCKS);
  }

  /** The bytes without a gap that hold `at`. */
  #runAround(at: number): SackBlock | undefined {
    let run: { start: number; end: number } | undefined;
    for (const { start, end } of this.#pieces) {
      if (run !== undefined && run.end === start) run.end = end;
      else if (run !== undefined && after(run.end, at)) break;
      else run = { start, end };
    }
    return run !== undefined && after(run.end, at) && !after(run.start, at) ? run : undefined;
  }

  /** Takes out what follows `next` without a gap. */
  takeFrom(next: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let at = next;
    let count = 0;
    for (const { start, end, data } of this.#pieces) {
      if (after(start, at)) break;
      count++;
      this.bytes -= data.length;
      if (!after(end, at)) continue;
      taken.push(data.subarray(distance(start, at)));
      at = end;
    }
    if (count > 0) {
      this.#pieces.splice(0, count);
      this.#recent = this.#recent.filter(({ end }) => after(end, at));
    }
    return taken;
  }
}
