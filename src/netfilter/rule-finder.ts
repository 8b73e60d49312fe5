/**
 * Which rule of a chain to look at next. The traversal (linear.ts) decides every rule it is shown; a finder
 * may leave out rules that cannot match this packet, as long as leaving them out shows nowhere: their matches
 * must have neither side effects nor an "unsupported" to report before the one that fails.
 */
import type { LoadedChain } from './loaded-rules.ts';
import type { Skb } from './skb.ts';

export interface RuleFinder {
  /** The index of the first rule at or after `from` that may match; `chain.rules.length` when none may. */
  next(chain: LoadedChain, from: number, skb: Skb): number;
}

/** One rule after the other: the reference. */
export const LINEAR: RuleFinder = { next: (_chain, from) => from };
