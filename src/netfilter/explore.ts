/**
 * Exact enumeration of random decisions: instead of drawing, every branch is played once, and each result
 * comes with the product of the probabilities on its way. No sampling.
 */
import type { Choices } from './choices.ts';

/** Probabilities of `statistic` rules are fractions of this. */
const ONE = 2 ** 31;

export interface Outcome<T> {
  readonly result: T;
  /** Exact as far as the programmed probabilities are: products of fractions of 2^31. */
  readonly probability: number;
}

/** Follows a script of earlier branches, takes `true` beyond it, and remembers what else there was. */
class ScriptedChoices implements Choices {
  /** The branch taken at each real choice so far. */
  readonly taken: boolean[] = [];
  probability = 1;
  readonly #script: readonly boolean[];
  readonly #random16: () => number;

  constructor(script: readonly boolean[], random16: () => number) {
    this.#script = script;
    this.#random16 = random16;
  }

  chance(probability: number): boolean {
    // Certain outcomes are no choice.
    if (probability <= 0) return false;
    if (probability >= ONE) return true;
    const branch = this.#script[this.taken.length] ?? true;
    this.taken.push(branch);
    this.probability *= (branch ? probability : ONE - probability) / ONE;
    return branch;
  }

  /** Ports are not enumerated: the flow is marked as having a random one. */
  random16(): number {
    return this.#random16();
  }
}

/**
 * Plays `run` once for every combination of its random choices. `run` must start from the same state each
 * time (a fork). Outcomes come in the order of a depth-first walk, first branch taken first.
 */
export function explore<T>(run: (choices: Choices) => T, random16: () => number): Outcome<T>[] {
  const outcomes: Outcome<T>[] = [];
  const scripts: boolean[][] = [[]];
  for (let script = scripts.pop(); script !== undefined; script = scripts.pop()) {
    const choices = new ScriptedChoices(script, random16);
    const result = run(choices);
    outcomes.push({ result, probability: choices.probability });
    // The deepest alternative is pushed last, so it is played next.
    for (let at = script.length; at < choices.taken.length; at++) {
      scripts.push([...choices.taken.slice(0, at), false]);
    }
  }
  return outcomes;
}

/** Adds up the probabilities of results that `keyOf` calls equal, in order of first appearance. */
export function mergeOutcomes<T>(
  outcomes: readonly Outcome<T>[],
  keyOf: (result: T) => string,
): Outcome<T>[] {
  const merged = new Map<string, Outcome<T>>();
  for (const { result, probability } of outcomes) {
    const key = keyOf(result);
    const known = merged.get(key);
    merged.set(key, {
      result: known?.result ?? result,
      probability: (known?.probability ?? 0) + probability,
    });
  }
  return [...merged.values()];
}
