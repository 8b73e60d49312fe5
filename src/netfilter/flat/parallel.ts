/**
 * One batch on several threads over shared memory. Threads belong to whoever runs the program: they are handed
 * in behind this interface, each with the same image and batch.
 */
export interface LookupWorker {
  /** Looks up rows `from` to `to` of the batch it was given. */
  lookup(from: number, to: number): Promise<void>;
}

/** Pieces begin at multiples of this: no two threads write to one cache line of a column. */
const ALIGNMENT = 1024;
/** Pieces for each worker: a thread that is held up leaves its share to the others, at little cost. */
const PIECES = 4;

/**
 * Looks up the first `rows` rows; every worker takes the next piece as soon as it is done with its last. Rows do
 * not depend on each other.
 */
export async function lookupParallel(workers: readonly LookupWorker[], rows: number): Promise<void> {
  const fair = rows / (workers.length * PIECES);
  const piece = Math.max(ALIGNMENT, Math.ceil(fair / ALIGNMENT) * ALIGNMENT);
  let next = 0;
  const work = async (worker: LookupWorker) => {
    while (next < rows) {
      const from = next;
      next = Math.min(rows, from + piece);
      await worker.lookup(from, next);
    }
  };
  await Promise.all(workers.map(work));
}
