/**
 * The dispatch loops for IPv4, for a block of rows at a time. What the processor cannot foresee is kept out
 * of the straight way and put on a list: keys whose entry is not in its first slot. V8 checks every array again at every row, so there are few arrays, addressed by offsets.
 */
import { type Batch, columnStart } from './batch.ts';
import type { FrontImage } from './image.ts';
import { RESULT } from './layout.ts';
import { mixKey, NO_ENTRY, PAGE_ENTRIES, SHAPE } from './pool-layout.ts';

const PAGE_MASK = PAGE_ENTRIES * 4 - 1;
const SLOT_MASK = PAGE_ENTRIES - 1;

/** As many as rows are dispatched together. */
const MAX_ROWS = 256;
const entryOf = new Int32Array(MAX_ROWS);
/** One more than rows: where `touch` leaves what it has read. */
const shapeOf = new Int32Array(MAX_ROWS + 1);
const endpointOf = new Int32Array(MAX_ROWS);
const listed = new Int32Array(MAX_ROWS);

/**
 * Dispatches rows `from` to `to`, which are no more than 256, and fills the results of those that have an
 * entry. The others go to `missing`; returns how many they are.
 */
export function dispatchIpv4(
  front: FrontImage,
  batch: Batch,
  from: number,
  to: number,
  missing: Int32Array,
): number {
  const misses = probe(front, batch, from, to, missing);
  choose(front, batch, from, to);
  translate(front, batch, from, to);
  return misses;
}

/** Tables of up to this many words stay in the second-level cache: reading ahead costs more than it saves. */
export const NEAR_WORDS = 1 << 19;

/** Finds the entries. Rows without one are given a wrong one, whose results do not last. */
function probe(front: FrontImage, batch: Batch, from: number, to: number, missing: Int32Array): number {
  const isNear = front.memory.length <= NEAR_WORDS;
  const others = isNear ? probeNear(front, batch, from, to) : probeFar(front, batch, from, to);
  return others === 0 ? 0 : probeOn(front, batch, from, others, missing);
}

/** Looks into the first slot of each row; returns how many rows are `listed` since their entry is not there. */
function probeNear(front: FrontImage, batch: Batch, from: number, to: number): number {
  const { directory, shift, memory } = front;
  const { words } = batch;
  const dst = columnStart(batch.dst);
  const protocol = columnStart(batch.protocol);
  const dport = columnStart(batch.dport);
  let others = 0;
  for (let row = from; row < to; row++) {
    const destination = words[(dst + row) | 0] ?? 0;
    const ports = ((words[(protocol + row) | 0] ?? 0) << 16) | (words[(dport + row) | 0] ?? 0);
    const hash = mixKey(destination, ports);
    const entry = (memory[(directory + (hash >>> shift)) | 0] ?? 0) | ((hash & SLOT_MASK) << 2);
    entryOf[(row - from) | 0] = entry;
    listed[others] = row;
    const differs = ((memory[entry] ?? 0) ^ destination) | ((memory[entry | 1] ?? 0) ^ ports);
    others = (others + ((differs | (0 - differs)) >>> 31)) | 0;
  }
  return others;
}

/** The same, with all first slots read ahead. */
function probeFar(front: FrontImage, batch: Batch, from: number, to: number): number {
  const { directory, shift, memory } = front;
  const { words } = batch;
  const dst = columnStart(batch.dst);
  const protocol = columnStart(batch.protocol);
  const dport = columnStart(batch.dport);
  for (let row = from; row < to; row++) {
    const destination = words[(dst + row) | 0] ?? 0;
    const ports = ((words[(protocol + row) | 0] ?? 0) << 16) | (words[(dport + row) | 0] ?? 0);
    const hash = mixKey(destination, ports);
    const entry = (memory[(directory + (hash >>> shift)) | 0] ?? 0) | ((hash & SLOT_MASK) << 2);
    entryOf[(row - from) | 0] = entry;
  }
  touch(memory, entryOf, (to - from) | 0);
  let others = 0;
  for (let row = from; row < to; row++) {
    const destination = words[(dst + row) | 0] ?? 0;
    const ports = ((words[(protocol + row) | 0] ?? 0) << 16) | (words[(dport + row) | 0] ?? 0);
    const entry = entryOf[(row - from) | 0] ?? 0;
    listed[others] = row;
    const differs = ((memory[entry] ?? 0) ^ destination) | ((memory[entry | 1] ?? 0) ^ ports);
    others = (others + ((differs | (0 - differs)) >>> 31)) | 0;
  }
  return others;
}

/** Goes on to further slots for the first `others` of the listed rows; lists and counts those without an entry. */
function probeOn(
  { memory }: FrontImage,
  batch: Batch,
  from: number,
  others: number,
  missing: Int32Array,
): number {
  const { words } = batch;
  const dst = columnStart(batch.dst);
  const protocol = columnStart(batch.protocol);
  const dport = columnStart(batch.dport);
  let misses = 0;
  for (let place = 0; place < others; place++) {
    const row = listed[place] ?? 0;
    const destination = words[dst + row] ?? 0;
    const ports = ((words[protocol + row] ?? 0) << 16) | (words[dport + row] ?? 0);
    let entry = entryOf[row - from] ?? 0;
    let found = memory[entry | 1] ?? 0;
    while (found !== NO_ENTRY && (found !== ports || memory[entry] !== destination)) {
      entry = (entry & ~PAGE_MASK) | ((entry + 4) & PAGE_MASK);
      found = memory[entry | 1] ?? 0;
    }
    // An empty slot's shape and endpoints are the first words there are: readable, if meaningless.
    entryOf[row - from] = entry;
    if (found === NO_ENTRY) missing[misses++] = row;
  }
  return misses;
}

/** Chooses an endpoint for each row. */
function choose(front: FrontImage, batch: Batch, from: number, to: number): void {
  const { memory, thresholds } = front;
  const { draw } = batch;
  for (let row = from; row < to; row++) {
    const entry = entryOf[(row - from) | 0] ?? 0;
    const shape = memory[entry | 3] ?? 0;
    const u = draw[row] ?? 0;
    const list = memory[shape | SHAPE.thresholds] ?? 0;
    // Chances are nearly equal (leaf.ts), so it is this one or next to it; the exact thresholds have the last word.
    let choice = (u * (memory[shape] ?? 0)) | 0;
    if (u < (thresholds[(list + choice) | 0] ?? 0)) choice = (choice - 1) | 0;
    else if (u >= (thresholds[(list + choice + 1) | 0] ?? 1)) choice = (choice + 1) | 0;
    const endpoint = ((memory[entry | 2] ?? 0) + (choice << 1)) | 0;
    shapeOf[(row - from) | 0] = shape;
    endpointOf[(row - from) | 0] = endpoint;
  }
  if (memory.length > NEAR_WORDS) touch(memory, endpointOf, (to - from) | 0);
}

/**
 * Reads the first `count` places of `memory`, for nothing but to have them near: with so little else to do, the
 * processor waits for ten of them at once.
 */
function touch(memory: Int32Array, places: Int32Array, count: number): void {
  let seen = 0;
  for (let at = 0; at < count; at++) seen ^= memory[places[at] ?? 0] ?? 0;
  // Else the reading would be optimised away.
  shapeOf[MAX_ROWS] = seen;
}

/** Fills the results of each row. */
function translate(front: FrontImage, batch: Batch, from: number, to: number): void {
  const { memory } = front;
  const { words } = batch;
  const src = columnStart(batch.src);
  const mark = columnStart(batch.mark);
  const result = columnStart(batch.result);
  const newDst = columnStart(batch.newDst);
  const newDport = columnStart(batch.newDport);
  const newMark = columnStart(batch.newMark);
  const decision = columnStart(batch.decision);
  for (let row = from; row < to; row++) {
    const shape = shapeOf[(row - from) | 0] ?? 0;
    const endpoint = endpointOf[(row - from) | 0] ?? 0;
    const address = memory[endpoint] ?? 0;
    const source = words[(src + row) | 0] ?? 0;
    let marked = words[(mark + row) | 0] ?? 0;
    const differs = (source & (memory[shape | SHAPE.mask] ?? 0)) ^ (memory[shape | SHAPE.source] ?? 0);
    if ((differs | (0 - differs)) >>> 31 === (memory[shape | SHAPE.negate] ?? 0)) {
      marked = (marked & (memory[shape | SHAPE.keep] ?? 0)) ^ (memory[shape | SHAPE.flip] ?? 0);
    }
    if (source === address) {
      marked = (marked & (memory[shape | SHAPE.hairpinKeep] ?? 0)) ^ (memory[shape | SHAPE.hairpinFlip] ?? 0);
    }
    words[(result + row) | 0] = RESULT.dnat;
    words[(newDst + row) | 0] = address;
    words[(newDport + row) | 0] = memory[endpoint | 1] ?? 0;
    words[(newMark + row) | 0] = marked;
    words[(decision + row) | 0] = endpoint;
  }
}
