/** bench/flat-lookup.c, compiled and run by this machine: the dispatch loop without a JIT in between. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Batch } from '../../netfilter/flat/batch.ts';
import type { FrontImage } from '../../netfilter/flat/image.ts';
import { type Samples, samplesOf } from './measure.ts';

/** Why there is no C figure; `message` is for the user. */
export class NoCReference extends Error {
  override readonly name = 'NoCReference';
}

/** From src/cli/bench as from dist/cli/bench. */
const SOURCE = fileURLToPath(new URL('../../../bench/flat-lookup.c', import.meta.url));

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

function inputOf(front: FrontImage, batch: Batch, rounds: number): Buffer {
  const { memory, thresholds, directory, shift } = front;
  const header = Uint32Array.of(
    batch.capacity,
    rounds,
    shift,
    directory,
    memory.length,
    thresholds.length,
    0,
    0,
  );
  const columns = [batch.draw, batch.src, batch.dst, batch.mark];
  const narrow = [Uint16Array.from(batch.dport), Uint8Array.from(batch.protocol)];
  return Buffer.concat([header, memory, thresholds, ...columns, ...narrow].map(bytesOf));
}

/** The checksum that the program prints, over the results of all rows of `batch`. */
export function checksum({ capacity, result, newDst, newDport, newMark, decision }: Batch): number {
  let sum = 0;
  for (let row = 0; row < capacity; row++) {
    for (const column of [result, newDst, newDport, newMark, decision]) {
      sum = (Math.imul(sum, 31) + (column[row] ?? 0)) >>> 0;
    }
  }
  return sum;
}

export class CReference {
  readonly #directory: string;
  readonly #program: string;

  /** Compiles the program. Throws NoCReference when that cannot be done. */
  constructor() {
    if (!existsSync(SOURCE))
      throw new NoCReference('bench/flat-lookup.c is not there (it is not in the package)');
    this.#directory = mkdtempSync(join(tmpdir(), 'kubewire-bench-'));
    this.#program = join(this.#directory, 'flat-lookup');
    const { error, status, stderr } = spawnSync('cc', ['-O2', '-march=native', '-o', this.#program, SOURCE], {
      encoding: 'utf8',
    });
    if (error !== undefined || status !== 0) {
      this.close();
      throw new NoCReference(
        error === undefined ? `cc failed: ${stderr.trim()}` : 'there is no C compiler (cc)',
      );
    }
  }

  /**
   * Looks up all rows of an IPv4 `batch` `rounds` times; nanoseconds of each round. Throws Error when its answers
   * are not those that `batch` holds.
   */
  run(front: FrontImage, batch: Batch, rounds: number): Samples {
    const { stdout, status } = spawnSync(this.#program, [], {
      input: inputOf(front, batch, rounds),
      encoding: 'utf8',
    });
    const lines = stdout.trim().split('\n');
    const sum = Number(lines.pop()?.replace('sum ', ''));
    if (status !== 0 || sum !== checksum(batch)) throw new Error('the C reference answers differently');
    return samplesOf(lines.map(Number));
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
