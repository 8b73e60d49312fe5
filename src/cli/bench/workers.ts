/** Threads that look up shares of one batch in shared memory. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Batch } from '../../netfilter/flat/batch.ts';
import type { Image } from '../../netfilter/flat/image.ts';
import type { LookupWorker } from '../../netfilter/flat/parallel.ts';
import type { IpFamily } from '../../wire/ip-address.ts';

export interface WorkerInput {
  readonly image: Image;
  /** The batch's columns, in shared memory. */
  readonly buffer: ArrayBufferLike;
  readonly family: IpFamily;
  readonly capacity: number;
}

export interface RowsMessage {
  readonly from: number;
  readonly to: number;
}

export class LookupThread implements LookupWorker {
  readonly #worker: Worker;

  /** `image` and `batch` have to be in shared memory, or the thread has copies and its results are lost. */
  constructor(image: Image, { words, family, capacity }: Batch) {
    const input: WorkerInput = { image, buffer: words.buffer, family, capacity };
    this.#worker = new Worker(new URL('./lookup-worker.js', import.meta.url), { workerData: input });
  }

  async lookup(from: number, to: number): Promise<void> {
    const done = once(this.#worker, 'message');
    this.#worker.postMessage({ from, to } satisfies RowsMessage);
    await done;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
