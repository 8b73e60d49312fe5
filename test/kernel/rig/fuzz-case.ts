/** A whole random case from one seed, played, and made small when it fails. */

import { printCase } from './case-file.ts';
import { Dice } from './dice.ts';
import { type DifferentialResult, runCase } from './differential.ts';
import { randomHost } from './fuzz-host.ts';
import { randomRules, rulesText } from './fuzz-rules.ts';
import { FuzzTraffic } from './fuzz-traffic.ts';
import { type Shrinkable, shrink } from './shrink.ts';

export interface FuzzOptions {
  readonly steps: number;
  /** Pauses, in seconds, that a sequence may make. */
  readonly waits: readonly number[];
}

export interface FuzzOutcome extends DifferentialResult {
  readonly case: Shrinkable;
}

/** Plays the case of `seed`. Throws when the kernel or the parser refuses what the generator made. */
export function fuzzCase(seed: number, { steps, waits }: FuzzOptions): FuzzOutcome {
  const dice = new Dice(seed);
  const host = randomHost(dice);
  const rules = rulesText(randomRules(dice, host));
  const backend = dice.chance(70) ? 'nft' : 'legacy';
  const subject = { plan: host.plan, backend, rules } as const;
  const traffic = new FuzzTraffic(dice, host, waits);
  let left = steps;
  const source = {
    next: () => (left-- > 0 ? traffic.next() : undefined),
    saw: traffic.saw.bind(traffic),
  };
  const result = runCase(subject, source, { conntrackEvery: 10 });
  return { ...result, case: { subject, steps: result.steps } };
}

/** Which comparison failed: shrinking must not wander from one difference to another. */
function kindOf(differences: readonly string[]): string {
  return differences.slice(1).join('\n').replace(/:.*/, '') || (differences[0] ?? '').replace(/:.*/, '');
}

/** The smallest failing case that shrinking finds, and what differs in it. */
export function shrinkOutcome(outcome: FuzzOutcome): {
  readonly case: Shrinkable;
  readonly differences: readonly string[];
} {
  const kind = kindOf(outcome.differences);
  let last = outcome.differences;
  const fails = ({ subject, steps }: Shrinkable) => {
    try {
      const pending = [...steps];
      const result = runCase(subject, { next: () => pending.shift() }, { conntrackEvery: 1 });
      if (result.differences.length === 0 || kindOf(result.differences) !== kind) return false;
      last = result.differences;
      return true;
    } catch {
      return false;
    }
  };
  if (!fails(outcome.case)) return outcome;
  return { case: shrink(outcome.case, fails), differences: last };
}

/** The shrunk case as the text of a file to keep. */
export function printOutcome(outcome: FuzzOutcome, seed: number): string {
  const { case: small, differences } = shrinkOutcome(outcome);
  return printCase({ about: `seed ${seed}: ${differences.join(' / ')}`, ...small });
}
