/** The thread behind workers.ts: gets an image and a batch in shared memory once, then rows to look up. */
import { parentPort, workerData } from 'node:worker_threads';
import { batchIn } from '../../netfilter/flat/batch.ts';
import { lookupCompiled, scratchFor } from '../../netfilter/flat/lookup.ts';
import type { RowsMessage, WorkerInput } from './workers.ts';

const { image, buffer, family, capacity } = workerData as WorkerInput;
const batch = batchIn(buffer, family, capacity);
const scratch = scratchFor(image);

parentPort?.on('message', ({ from, to }: RowsMessage) => {
  lookupCompiled(image, batch, from, to, scratch);
  parentPort?.postMessage('done');
});
