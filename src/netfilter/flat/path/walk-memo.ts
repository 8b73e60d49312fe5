/**
 * Walks that need not be made again: where none of the rules that were looked at asks for more than mark, conntrack
 * state and devices, every packet with the same of these goes the same way. So it is with most chains behind the
 * first one of a node: a few rules for the state and the mark that the first has left.
 */

/** What is kept of a walk: its key, what it ends with, and the rules that matched. */
export const MEMO = {
  /** One more than the OUTCOME; 0: nothing is kept here. */
  outcome: 0,
  state: 1,
  mark: 2,
  newMark: 3,
  decided: 4,
  policyOf: 5,
  count: 6,
  matched: 7,
  words: 32,
} as const;

/** Longer lists of matched rules are not kept. */
export const MEMO_MATCHED = MEMO.words - MEMO.matched;
/** How many walks are kept for a chain and a pair of devices; a power of two. */
const SLOTS = 8;

/** No walk kept yet. */
export function newMemo(): Int32Array {
  return new Int32Array(SLOTS * MEMO.words);
}

/** Where a walk with this state and mark is kept, if it is. */
export function memoAt(state: number, mark: number): number {
  const hash = Math.imul(state, 0x9e3779b1) ^ Math.imul(mark, 0x85ebca6b);
  return ((hash ^ (hash >>> 16)) & (SLOTS - 1)) * MEMO.words;
}
