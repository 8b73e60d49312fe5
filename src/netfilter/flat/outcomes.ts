/**
 * Every outcome of one packet with its exact probability: the packet is looked up with the smallest draw of
 * each interval that decides alike, so the code that answers is the one that runs batches.
 */
import type { Batch } from './batch.ts';
import type { Image } from './image.ts';
import { lookupCompiled, lookupLinear, scratchFor } from './lookup.ts';
import { DRAW } from './match-record.ts';
import type { FlatPool } from './pool.ts';
import { endpointWords, SHAPE } from './pool-layout.ts';
import { findShape } from './probe.ts';

export interface FlatOutcome {
  /** The result columns of the row. */
  readonly result: number;
  readonly newDst: readonly number[];
  readonly newDport: number;
  readonly newMark: number;
  readonly decision: number;
  /** Exact as far as the programmed probabilities are: products of fractions of 2^31. */
  readonly probability: number;
}

/** Which engine answers; the compiled one needs the pool that its image was made with. */
export type FlatEngine = { readonly kind: 'linear' } | { readonly kind: 'compiled'; readonly pool: FlatPool };

/** Looks row `row` up once for each interval of draws. The row's draw and results are overwritten. */
export function flatOutcomes(image: Image, batch: Batch, row: number, engine: FlatEngine): FlatOutcome[] {
  const { width } = image;
  const scratch = scratchFor(image);
  const outcomes: FlatOutcome[] = [];
  for (let draw = 0; draw < 1; ) {
    batch.draw[row] = draw;
    if (engine.kind === 'linear') lookupLinear(image, batch, row, row + 1, scratch);
    else lookupCompiled(image, batch, row, row + 1, scratch);
    const decision = batch.decision[row] ?? 0;
    let probability = scratch.interval[DRAW.size] ?? 0;
    let next = scratch.interval[DRAW.next] ?? 1;
    if (decision >= 0 && engine.kind === 'compiled' && image.front !== undefined) {
      const found = findShape(image.front, batch, row, width);
      const { thresholds, sizes } = engine.pool;
      const choice = (decision - found.endpoints) / endpointWords(width);
      const list = (image.front.memory[found.shape + SHAPE.thresholds] ?? 0) + choice;
      probability = sizes[list] ?? 0;
      next = thresholds[list + 1] ?? 1;
    }
    outcomes.push({
      result: batch.result[row] ?? 0,
      newDst: [...batch.newDst.subarray(row * width, (row + 1) * width)],
      newDport: batch.newDport[row] ?? 0,
      newMark: batch.newMark[row] ?? 0,
      decision,
      probability,
    });
    draw = next;
  }
  return outcomes;
}
