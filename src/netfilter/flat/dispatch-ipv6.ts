/** The dispatch loop for IPv6: dispatch-ipv4.ts with addresses of four words. */
import { type Batch, columnStart } from './batch.ts';
import type { FrontImage } from './image.ts';
import { RESULT } from './layout.ts';
import { foldKey, mixKey, NO_ENTRY, PAGE_ENTRIES, SHAPE } from './pool-layout.ts';

const PAGE_MASK = PAGE_ENTRIES * 8 - 1;
const SLOT_MASK = PAGE_ENTRIES - 1;
const MAX_ROWS = 256;
const entryOf = new Int32Array(MAX_ROWS);
const listed = new Int32Array(MAX_ROWS);

/** As dispatchIpv4. */
export function dispatchIpv6(
  front: FrontImage,
  batch: Batch,
  from: number,
  to: number,
  missing: Int32Array,
): number {
  const misses = probe(front, batch, from, to, missing);
  choose(front, batch, from, to);
  return misses;
}

function probe(front: FrontImage, batch: Batch, from: number, to: number, missing: Int32Array): number {
  const { directory, shift, memory } = front;
  const { words } = batch;
  const dst = columnStart(batch.dst);
  const protocol = columnStart(batch.protocol);
  const dport = columnStart(batch.dport);
  let others = 0;
  for (let row = from; row < to; row++) {
    const at = (dst + (row << 2)) | 0;
    const d0 = words[at] ?? 0;
    const d1 = words[(at + 1) | 0] ?? 0;
    const d2 = words[(at + 2) | 0] ?? 0;
    const d3 = words[(at + 3) | 0] ?? 0;
    const ports = ((words[(protocol + row) | 0] ?? 0) << 16) | (words[(dport + row) | 0] ?? 0);
    const hash = mixKey(foldKey(d0, d1, d2, d3), ports);
    const entry = (memory[(directory + (hash >>> shift)) | 0] ?? 0) | ((hash & SLOT_MASK) << 3);
    entryOf[(row - from) | 0] = entry;
    listed[others] = row;
    const differs =
      ((memory[entry] ?? 0) ^ d0) |
      ((memory[entry | 1] ?? 0) ^ d1) |
      ((memory[entry | 2] ?? 0) ^ d2) |
      ((memory[entry | 3] ?? 0) ^ d3) |
      ((memory[entry | 4] ?? 0) ^ ports);
    others = (others + ((differs | (0 - differs)) >>> 31)) | 0;
  }
  let misses = 0;
  for (let place = 0; place < others; place++) {
    const row = listed[place] ?? 0;
    const at = dst + 4 * row;
    const ports = ((words[protocol + row] ?? 0) << 16) | (words[dport + row] ?? 0);
    let entry = entryOf[row - from] ?? 0;
    let found = memory[entry | 4] ?? 0;
    while (found !== NO_ENTRY && (found !== ports || !sameAddress(words, at, memory, entry))) {
      entry = (entry & ~PAGE_MASK) | ((entry + 8) & PAGE_MASK);
      found = memory[entry | 4] ?? 0;
    }
    entryOf[row - from] = entry;
    if (found === NO_ENTRY) missing[misses++] = row;
  }
  return misses;
}

function sameAddress(a: Int32Array, at: number, b: Int32Array, bt: number): boolean {
  return a[at + 3] === b[bt + 3] && a[at + 2] === b[bt + 2] && a[at + 1] === b[bt + 1] && a[at] === b[bt];
}

function choose(front: FrontImage, batch: Batch, from: number, to: number): void {
  const { memory, thresholds } = front;
  const { words, draw } = batch;
  const src = columnStart(batch.src);
  const mark = columnStart(batch.mark);
  const result = columnStart(batch.result);
  const newDst = columnStart(batch.newDst);
  const newDport = columnStart(batch.newDport);
  const newMark = columnStart(batch.newMark);
  const decision = columnStart(batch.decision);
  for (let row = from; row < to; row++) {
    const entry = entryOf[(row - from) | 0] ?? 0;
    const shape = memory[entry | 6] ?? 0;
    const u = draw[row] ?? 0;
    const list = memory[shape | SHAPE.thresholds] ?? 0;
    let choice = (u * (memory[shape] ?? 0)) | 0;
    if (u < (thresholds[(list + choice) | 0] ?? 0)) choice = (choice - 1) | 0;
    else if (u >= (thresholds[(list + choice + 1) | 0] ?? 1)) choice = (choice + 1) | 0;
    const endpoint = ((memory[entry | 5] ?? 0) + (choice << 3)) | 0;
    const at = (src + (row << 2)) | 0;
    const s0 = words[at] ?? 0;
    const s1 = words[(at + 1) | 0] ?? 0;
    const s2 = words[(at + 2) | 0] ?? 0;
    const s3 = words[(at + 3) | 0] ?? 0;
    const a0 = memory[endpoint] ?? 0;
    const a1 = memory[(endpoint + 1) | 0] ?? 0;
    const a2 = memory[(endpoint + 2) | 0] ?? 0;
    const a3 = memory[(endpoint + 3) | 0] ?? 0;
    let marked = words[(mark + row) | 0] ?? 0;
    const mask = shape | SHAPE.mask;
    const source = shape | SHAPE.source;
    const differs =
      ((s0 & (memory[mask] ?? 0)) ^ (memory[source] ?? 0)) |
      ((s1 & (memory[mask | 1] ?? 0)) ^ (memory[source | 1] ?? 0)) |
      ((s2 & (memory[mask | 2] ?? 0)) ^ (memory[source | 2] ?? 0)) |
      ((s3 & (memory[mask | 3] ?? 0)) ^ (memory[source | 3] ?? 0));
    if ((differs | (0 - differs)) >>> 31 === (memory[shape | SHAPE.negate] ?? 0)) {
      marked = (marked & (memory[shape | SHAPE.keep] ?? 0)) ^ (memory[shape | SHAPE.flip] ?? 0);
    }
    if (((s0 ^ a0) | (s1 ^ a1) | (s2 ^ a2) | (s3 ^ a3)) === 0) {
      marked = (marked & (memory[shape | SHAPE.hairpinKeep] ?? 0)) ^ (memory[shape | SHAPE.hairpinFlip] ?? 0);
    }
    const to4 = (newDst + (row << 2)) | 0;
    words[to4] = a0;
    words[(to4 + 1) | 0] = a1;
    words[(to4 + 2) | 0] = a2;
    words[(to4 + 3) | 0] = a3;
    words[(result + row) | 0] = RESULT.dnat;
    words[(newDport + row) | 0] = memory[(endpoint + 4) | 0] ?? 0;
    words[(newMark + row) | 0] = marked;
    words[(decision + row) | 0] = endpoint;
  }
}
