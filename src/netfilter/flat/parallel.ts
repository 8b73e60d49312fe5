/**
 * One batch on several threads over shared memory. Threads belong to whoever runs the program: they are handed
 * in behind this interface, each with the same image and batch.
 */
export interface LookupWorker {
  /** Looks up rows `from` to `to` of the batch it was given. */
  lookup(from: number, to: number): Promise<void>;
}

/** Looks up the first `rows` rows, each worker its share. Rows do not depend on each other. */
export async function lookupParallel(workers: readonly LookupWorker[], rows: number): Promise<void> {
  const share = Math.ceil(rows / workers.length);
  await Promise.all(
    workers.map((worker, index) => worker.lookup(index * share, Math.min(rows, (index + 1) * share))),
  );
}
