/** Reads a dispatch table for one packet: what the loops of lookup.ts do inline. */
import type { Batch } from './batch.ts';
import type { FrontImage } from './image.ts';
import type { PooledLeaf } from './pool.ts';
import { entryWords, foldKey, mixKey, NO_ENTRY, PAGE_ENTRIES } from './pool-layout.ts';

/** The entry for row `row` of `batch`. Throws RangeError when there is none. */
export function findShape(front: FrontImage, batch: Batch, row: number, width: 1 | 4): PooledLeaf {
  const { directory, shift, memory } = front;
  const words = [...batch.dst.subarray(row * width, (row + 1) * width)].map((word) => word | 0);
  const ports = ((batch.protocol[row] ?? 0) << 16) | (batch.dport[row] ?? 0);
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
  const hash = mixKey(width === 1 ? w0 : foldKey(w0, w1, w2, w3), ports);
  const page = memory[directory + (hash >>> shift)] ?? 0;
  for (let slot = hash; ; slot++) {
    const entry = page + (slot & (PAGE_ENTRIES - 1)) * entryWords(width);
    const found = memory[entry + width];
    if (found === NO_ENTRY) throw new RangeError('the packet is not dispatched');
    if (found !== ports || words.some((word, index) => memory[entry + index] !== word)) continue;
    return { endpoints: memory[entry + width + 1] ?? 0, shape: memory[entry + width + 2] ?? 0 };
  }
}
