/** What this process holds. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Bytes of objects and arrays that are still in use: garbage is collected first. */
export function heldBytes(): number {
  if (collect === undefined) {
    // The flag gives new contexts the function; this process was not started with it.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The most that the process ever held, in bytes, all included. */
export function peakBytes(): number {
  // Kilobytes, says getrusage(2).
  return process.resourceUsage().maxRSS * 1024;
}
