/**
 * Reads what the next packets of a batch are going to need, for nothing but to have it near: packets go one after
 * another, each waiting for memory several times, while here the processor waits for many packets at once. What is
 * read decides nothing, so it need not be right: not every packet gets as far, and rules may be met otherwise.
 *
 *   bytes ─┬─▶ slot of the flow
 *          └─▶ entry in the first long chain's index ─▶ its rule ─▶ rules of the chain behind it ─▶ the first of theirs
 */
import { firstSlot, ruleOfKey } from '../chain-index.ts';
import { ACTION } from '../layout.ts';
import { hashWords } from './flow-layout.ts';
import type { FlowStore } from './flow-store.ts';
import { networkWord } from './headers.ts';
import type { PathBatch } from './path-batch.ts';
import { JUMP, LINE } from './rule-lines.ts';
import type { Stage } from './stages.ts';

/** Rows that are read ahead together: what they need has room in the second-level cache. */
export const AHEAD = 64;
/** Rules of a chain that are read: a packet seldom meets more. */
const MAX_RULES = 8;
const SOURCE = 12;
const DESTINATION = 16;
const PORTS = 20;
const PROTOCOL = 9;
const NONE = -1;

/** Reads `count` places of `memory`; what it returns only keeps the reading from being optimised away. */
function touch(memory: Int32Array, places: Int32Array, count: number): number {
  let seen = 0;
  for (let at = 0; at < count; at++) seen ^= memory[places[at] ?? 0] ?? 0;
  return seen;
}

export class ReadAhead {
  readonly #src = new Int32Array(AHEAD);
  readonly #dst = new Int32Array(AHEAD);
  readonly #ports = new Int32Array(AHEAD);
  readonly #hashes = new Int32Array(AHEAD);
  readonly #places = new Int32Array(AHEAD);
  readonly #rules = new Int32Array(AHEAD * MAX_RULES);
  #seen = 0;

  /** Reads for rows `from` to `to`, no more than AHEAD, which meet `stage` when they open flows. */
  read(batch: PathBatch, from: number, to: number, store: FlowStore, stage: Stage | undefined): void {
    const { bytes } = batch;
    const count = (to - from) | 0;
    for (let row = 0; row < count; row++) {
      const start = batch.offset[from + row] ?? 0;
      const src = networkWord(bytes, start + SOURCE);
      const dst = networkWord(bytes, start + DESTINATION);
      const ports = networkWord(bytes, start + PORTS);
      const protocol = bytes[start + PROTOCOL] ?? 0;
      this.#hashes[row] = hashWords(src, dst, ports, protocol);
      this.#src[row] = src;
      this.#dst[row] = dst;
      this.#ports[row] = protocol | (ports << 16);
    }
    this.#seen ^= store.readSlots(this.#hashes, count);
    if (stage !== undefined && stage.longIndex >= 0) this.#readRules(stage, count);
  }

  #readRules({ table, longIndex }: Stage, count: number): void {
    const { lines, index } = table;
    const places = this.#places;
    for (let row = 0; row < count; row++) {
      places[row] = firstSlot(
        index,
        longIndex,
        this.#dst[row] ?? 0,
        this.#src[row] ?? 0,
        this.#ports[row] ?? 0,
      );
    }
    this.#seen ^= touch(index, places, count);
    let found = 0;
    for (let row = 0; row < count; row++) {
      const rule = ruleOfKey(
        index,
        longIndex,
        this.#dst[row] ?? 0,
        this.#src[row] ?? 0,
        this.#ports[row] ?? 0,
      );
      if (rule !== NONE) places[found++] = rule * LINE.words;
    }
    this.#seen ^= touch(lines, places, found);
    const rules = this.#rules;
    let met = 0;
    for (let place = 0; place < found; place++) {
      const at = places[place] ?? 0;
      if (!jumps(lines, at)) continue;
      const start = lines[at + JUMP.start] ?? 0;
      const end = start + Math.min(MAX_RULES, lines[at + JUMP.count] ?? 0);
      for (let rule = start; rule < end; rule++) rules[met++] = rule * LINE.words;
    }
    this.#seen ^= touch(lines, rules, met);
    let behind = 0;
    for (let place = 0; place < met; place++) {
      const at = rules[place] ?? 0;
      if (jumps(lines, at)) rules[behind++] = (lines[at + JUMP.start] ?? 0) * LINE.words;
    }
    this.#seen ^= touch(lines, rules, behind);
  }
}

function jumps(lines: Int32Array, at: number): boolean {
  const action = lines[at + LINE.action];
  return action === ACTION.jump || action === ACTION.goto;
}
