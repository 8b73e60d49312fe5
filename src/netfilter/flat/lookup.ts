/**
 * Batches of packets through one hook of one table: dispatched where a leaf decides, walked otherwise. The
 * loops allocate nothing, and keep their tables in local constants.
 */
import type { Batch } from './batch.ts';
import type { FrontImage, Image } from './image.ts';
import { RESULT } from './layout.ts';
import { newScratch, type Scratch } from './match-record.ts';
import { foldKey, mixKey, NO_ENTRY, PAGE_ENTRIES, SHAPE } from './pool-layout.ts';
import { walk } from './walk.ts';

/** A walk's scratch for `image`. */
export function scratchFor(image: Image): Scratch {
  return newScratch(image.indexOf.length);
}

/** Looks up rows `from` to `to` of `batch`: one rule after another, jumps followed. */
export function lookupLinear(
  image: Image,
  batch: Batch,
  from: number,
  to: number,
  scratch = scratchFor(image),
): void {
  for (let row = from; row < to; row++) walk(image, batch, row, scratch);
}

/** Looks up rows `from` to `to` of `batch`. */
export function lookupCompiled(
  image: Image,
  batch: Batch,
  from: number,
  to: number,
  scratch = scratchFor(image),
): void {
  if (image.front === undefined) lookupLinear(image, batch, from, to, scratch);
  else if (image.width === 1) dispatchIpv4(image, image.front, batch, from, to, scratch);
  else dispatchIpv6(image, image.front, batch, from, to, scratch);
}

const PAGE_MASK_V4 = PAGE_ENTRIES * 4 - 1;
const SLOT_MASK_V4 = PAGE_ENTRIES - 1;

function dispatchIpv4(
  image: Image,
  front: FrontImage,
  batch: Batch,
  from: number,
  to: number,
  scratch: Scratch,
): void {
  const { directory, shift, pages, shapes, thresholds, endpoints } = front;
  const { src, dst, protocol, dport, mark, draw } = batch;
  const { result, newDst, newDport, newMark, decision } = batch;
  for (let row = from; row < to; row++) {
    const destination = (dst[row] ?? 0) | 0;
    const ports = ((protocol[row] ?? 0) << 16) | (dport[row] ?? 0);
    const hash = mixKey(destination, ports);
    const page = directory[hash >>> shift] ?? 0;
    let entry = page + ((hash & SLOT_MASK_V4) << 2);
    let found = pages[entry + 1] ?? 0;
    while (found !== NO_ENTRY && (found !== ports || pages[entry] !== destination)) {
      entry = page + ((entry - page + 4) & PAGE_MASK_V4);
      found = pages[entry + 1] ?? 0;
    }
    if (found === NO_ENTRY) {
      walk(image, batch, row, scratch);
      continue;
    }
    const first = pages[entry + 2] ?? 0;
    const shape = pages[entry + 3] ?? 0;
    const u = draw[row] ?? 0;
    const list = shapes[shape + SHAPE.thresholds] ?? 0;
    // Equal chances are what there usually is: begin there, and let the exact thresholds have the last word.
    let choice = (u * (shapes[shape + SHAPE.count] ?? 0)) | 0;
    while (u < (thresholds[list + choice] ?? 0)) choice--;
    while (u >= (thresholds[list + choice + 1] ?? 1)) choice++;
    const endpoint = first + choice;
    const address = endpoints[2 * endpoint] ?? 0;
    const source = (src[row] ?? 0) | 0;
    let marked = (mark[row] ?? 0) | 0;
    const differs = (source & (shapes[shape + SHAPE.mask] ?? 0)) !== shapes[shape + SHAPE.source];
    if (differs === (shapes[shape + SHAPE.negate] === 1)) {
      marked = (marked & (shapes[shape + SHAPE.keep] ?? 0)) ^ (shapes[shape + SHAPE.flip] ?? 0);
    }
    if (source === address) {
      marked = (marked & (shapes[shape + SHAPE.hairpinKeep] ?? 0)) ^ (shapes[shape + SHAPE.hairpinFlip] ?? 0);
    }
    result[row] = RESULT.dnat;
    newDst[row] = address;
    newDport[row] = endpoints[2 * endpoint + 1] ?? 0;
    newMark[row] = marked;
    decision[row] = endpoint;
  }
}

const PAGE_MASK_V6 = PAGE_ENTRIES * 8 - 1;

/** True when the four words at `at` of `words` are these. */
function isAddress(words: Int32Array, at: number, w0: number, w1: number, w2: number, w3: number): boolean {
  return words[at + 3] === w3 && words[at + 2] === w2 && words[at + 1] === w1 && words[at] === w0;
}

function dispatchIpv6(
  image: Image,
  front: FrontImage,
  batch: Batch,
  from: number,
  to: number,
  scratch: Scratch,
): void {
  const { directory, shift, pages, shapes, thresholds, endpoints } = front;
  const { src, dst, protocol, dport, mark, draw } = batch;
  const { result, newDst, newDport, newMark, decision } = batch;
  for (let row = from; row < to; row++) {
    const column = 4 * row;
    const d0 = (dst[column] ?? 0) | 0;
    const d1 = (dst[column + 1] ?? 0) | 0;
    const d2 = (dst[column + 2] ?? 0) | 0;
    const d3 = (dst[column + 3] ?? 0) | 0;
    const ports = ((protocol[row] ?? 0) << 16) | (dport[row] ?? 0);
    const hash = mixKey(foldKey(d0, d1, d2, d3), ports);
    const page = directory[hash >>> shift] ?? 0;
    let entry = page + ((hash & SLOT_MASK_V4) << 3);
    let found = pages[entry + 4] ?? 0;
    while (found !== NO_ENTRY && (found !== ports || !isAddress(pages, entry, d0, d1, d2, d3))) {
      entry = page + ((entry - page + 8) & PAGE_MASK_V6);
      found = pages[entry + 4] ?? 0;
    }
    if (found === NO_ENTRY) {
      walk(image, batch, row, scratch);
      continue;
    }
    const first = pages[entry + 5] ?? 0;
    const shape = pages[entry + 6] ?? 0;
    const u = draw[row] ?? 0;
    const list = shapes[shape + SHAPE.thresholds] ?? 0;
    let choice = (u * (shapes[shape + SHAPE.count] ?? 0)) | 0;
    while (u < (thresholds[list + choice] ?? 0)) choice--;
    while (u >= (thresholds[list + choice + 1] ?? 1)) choice++;
    const endpoint = first + choice;
    const address = 5 * endpoint;
    const s0 = (src[column] ?? 0) | 0;
    const s1 = (src[column + 1] ?? 0) | 0;
    const s2 = (src[column + 2] ?? 0) | 0;
    const s3 = (src[column + 3] ?? 0) | 0;
    let marked = (mark[row] ?? 0) | 0;
    const mask = shape + SHAPE.mask;
    const differs = !isAddress(
      shapes,
      shape + SHAPE.source,
      s0 & (shapes[mask] ?? 0),
      s1 & (shapes[mask + 1] ?? 0),
      s2 & (shapes[mask + 2] ?? 0),
      s3 & (shapes[mask + 3] ?? 0),
    );
    if (differs === (shapes[shape + SHAPE.negate] === 1)) {
      marked = (marked & (shapes[shape + SHAPE.keep] ?? 0)) ^ (shapes[shape + SHAPE.flip] ?? 0);
    }
    if (isAddress(endpoints, address, s0, s1, s2, s3)) {
      marked = (marked & (shapes[shape + SHAPE.hairpinKeep] ?? 0)) ^ (shapes[shape + SHAPE.hairpinFlip] ?? 0);
    }
    result[row] = RESULT.dnat;
    for (let word = 0; word < 4; word++) newDst[column + word] = endpoints[address + word] ?? 0;
    newDport[row] = endpoints[address + 4] ?? 0;
    newMark[row] = marked;
    decision[row] = endpoint;
  }
}
