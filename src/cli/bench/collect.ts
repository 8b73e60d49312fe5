/** The garbage collector on demand: so that a side that is timed does not clear up behind the one before. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collector: unknown;

/** Collects young garbage, where the engine lets itself be asked: what is timed next does not find any. */
export function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('globalThis.gc');
  }
  if (typeof collector === 'function') collector({ type: 'minor' });
}
