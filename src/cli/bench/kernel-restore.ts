/** How long this machine's own programs take to load rules, in a network namespace of their own. */
import { KernelUnavailable, loadLibc } from '../kernel/libc.ts';
import { PrivateNamespace } from '../kernel/private-namespace.ts';
import { ProgramFailed, runProgram } from '../kernel/programs.ts';

export const RESTORERS = ['iptables-legacy-restore', 'iptables-nft-restore'] as const;
export type Restorer = (typeof RESTORERS)[number];

export interface RestoreTimes {
  readonly restorer: Restorer;
  /** Milliseconds for the whole rule set into nothing, and for the change onto it. */
  readonly full: number;
  readonly change: number;
}

function milliseconds(action: () => void): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

/**
 * Loads `full`, then `change` with --noflush, `rounds` times over; the medians. Throws KernelUnavailable with
 * a line for the user when this cannot be done here.
 */
export function restoreTimes(
  restorer: Restorer,
  { full, change, rounds }: { readonly full: string; readonly change: string; readonly rounds: number },
): RestoreTimes {
  const namespace = PrivateNamespace.make(loadLibc());
  const fulls: number[] = [];
  const changes: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      namespace.run(() => {
        fulls.push(milliseconds(() => runProgram(restorer, [], full)));
        changes.push(milliseconds(() => runProgram(restorer, ['--noflush'], change)));
      });
    }
  } catch (error) {
    if (error instanceof ProgramFailed) throw new KernelUnavailable(error.message);
    throw error;
  } finally {
    namespace.close();
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  return { restorer, full: median(fulls), change: median(changes) };
}
