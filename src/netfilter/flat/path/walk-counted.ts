/**
 * One packet through one built-in chain, as linear.ts walks it: rules that match are counted, draws are made from
 * the host's own source. What the columns cannot answer leaves everything as it was and is referred.
 *
 * Parameters are positional, since nothing is to be allocated.
 */
import type { Batch } from '../batch.ts';
import type { LinearImage } from '../image.ts';
import { ACTION, ACTION_WORDS, RESULT } from '../layout.ts';
import type { Scratch } from '../match-record.ts';
import { nextIndexed, nextWalked } from '../walk.ts';
import type { PathTable } from './path-table.ts';

/** What a walk ends with. */
export const OUTCOME = {
  accept: 0,
  /** By a rule. */
  drop: 1,
  policyDrop: 2,
  /** A rule with a NAT target of a kind that the path carries out; `Walker.decided` names it. */
  nat: 3,
  /** The reference has to walk this chain. */
  refer: 4,
} as const;

/** A packet matches no more rules than this many, or the reference walks. */
const MAX_MATCHED = 1024;

export class Walker {
  /** The ordinal of the rule that decided. */
  decided = -1;
  /** The mark that the rules gave the packet. */
  mark = 0;
  /** Counters of what matched. */
  readonly #matched = new Int32Array(MAX_MATCHED + 1);
  #count = 0;

  /** Counts the packet of `bytes` for everything that matched on the last walk. */
  count(counts: Float64Array, bytes: number): void {
    for (let place = 0; place < this.#count; place++) {
      const counter = 2 * (this.#matched[place] ?? 0);
      counts[counter] = (counts[counter] ?? 0) + 1;
      counts[counter + 1] = (counts[counter + 1] ?? 0) + bytes;
    }
  }

  /** Walks row `row` of `registers` and returns an OUTCOME; nothing but this object and the draws changes. */
  walk(table: PathTable, image: LinearImage, registers: Batch, row: number, scratch: Scratch): number {
    const { actions, bounds, indexOf } = image;
    const { returns } = scratch;
    const matched = this.#matched;
    let count = 0;
    let mark = (registers.mark[row] ?? 0) | 0;
    let depth = 0;
    let chain = image.base;
    let from = bounds[2 * chain] ?? 0;
    for (;;) {
      const index = indexOf[chain] ?? -1;
      const rule =
        index < 0
          ? nextWalked(image, registers, row, from, bounds[2 * chain + 1] ?? 0, mark, scratch)
          : nextIndexed(image, registers, row, from, index, mark, scratch);
      if (rule < -1 || count === MAX_MATCHED) return OUTCOME.refer;
      const action = rule * ACTION_WORDS;
      const code = rule < 0 ? ACTION.return : (actions[action] ?? 0);
      if (rule >= 0) matched[count++] = rule;
      let outcome: number;
      switch (code) {
        case ACTION.next:
          from = rule + 1;
          continue;
        case ACTION.mark:
          mark = (mark & (actions[action + 1] ?? 0)) ^ (actions[action + 2] ?? 0);
          from = rule + 1;
          continue;
        case ACTION.jump:
          returns[2 * depth] = chain;
          returns[2 * depth + 1] = rule + 1;
          depth++;
          chain = actions[action + 1] ?? 0;
          from = bounds[2 * chain] ?? 0;
          continue;
        case ACTION.goto:
          chain = actions[action + 1] ?? 0;
          from = bounds[2 * chain] ?? 0;
          continue;
        case ACTION.return:
          if (depth > 0) {
            depth--;
            chain = returns[2 * depth] ?? 0;
            from = returns[2 * depth + 1] ?? 0;
            continue;
          }
          matched[count++] = table.policyCounter(image.base);
          outcome = image.policy === RESULT.policyDrop ? OUTCOME.policyDrop : OUTCOME.accept;
          break;
        case ACTION.accept:
          outcome = OUTCOME.accept;
          break;
        case ACTION.drop:
          outcome = OUTCOME.drop;
          break;
        case ACTION.dnat:
        case ACTION.nat:
          if ((table.natKinds[rule] ?? 0) === 0) return OUTCOME.refer;
          outcome = OUTCOME.nat;
          break;
        default:
          return OUTCOME.refer;
      }
      this.decided = rule;
      this.mark = mark;
      this.#count = count;
      return outcome;
    }
  }
}
