/**
 * Batches of packets through one hook of one table: dispatched where a leaf decides, walked otherwise.
 * Nothing is allocated per packet.
 */
import type { Batch } from './batch.ts';
import { dispatchIpv4 } from './dispatch-ipv4.ts';
import { dispatchIpv6 } from './dispatch-ipv6.ts';
import type { FrontImage, Image } from './image.ts';
import { newScratch, type Scratch } from './match-record.ts';
import { walk } from './walk.ts';

/** A walk's scratch for `image`. */
export function scratchFor(image: Image): Scratch {
  return newScratch(image.indexOf.length);
}

/** Rows that are dispatched together: their intermediate results fit into the first-level cache. */
const BLOCK = 256;
const missing = new Int32Array(BLOCK);

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
  const { front } = image;
  if (front === undefined) {
    lookupLinear(image, batch, from, to, scratch);
    return;
  }
  const dispatch = image.width === 1 ? dispatchIpv4 : dispatchIpv6;
  for (let start = from; start < to; start += BLOCK) {
    const misses = dispatch(front, batch, start, Math.min(to, start + BLOCK), missing);
    for (let place = 0; place < misses; place++) walk(image, batch, missing[place] ?? 0, scratch);
  }
}

/** Looks up those of rows `from` to `to` that `front` alone decides; returns how many it does not. */
export function lookupMissing(
  front: FrontImage,
  width: 1 | 4,
  batch: Batch,
  from: number,
  to: number,
): number {
  const dispatch = width === 1 ? dispatchIpv4 : dispatchIpv6;
  let misses = 0;
  for (let start = from; start < to; start += BLOCK) {
    misses += dispatch(front, batch, start, Math.min(to, start + BLOCK), missing);
  }
  return misses;
}
