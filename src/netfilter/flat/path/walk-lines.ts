/**
 * One packet through one built-in chain, as linear.ts walks it: draws are made from the host's own source, and
 * rules that match can be counted afterwards. What the columns cannot answer is referred, with nothing changed.
 */
import type { Batch } from '../batch.ts';
import { firstHashed, foldAddress, RESIDUALS } from '../chain-index.ts';
import type { LinearImage } from '../image.ts';
import { ACTION, HEAD, RESULT, TEST } from '../layout.ts';
import { MATCH, NO_MATCH, runTests, type Scratch, UNDECIDED } from '../match-record.ts';
import { NAT_KIND, type PathTable } from './path-table.ts';
import { ASKS_MORE, HAS_PORTS, JUMP, LINE, LINE_COUNTERS } from './rule-lines.ts';
import { MEMO, MEMO_MATCHED, memoAt } from './walk-memo.ts';

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
/** Where jumps return to: the next rule, the end of the chain, its index. */
const RETURN_WORDS = 3;

/** Words of these tests: code, negate, arguments. */
const MARK_WORDS = 4;
const STATE_WORDS = 3;

export class Walker {
  /** The ordinal of the rule that decided. */
  decided = -1;
  /** The mark that the rules gave the packet. */
  mark = 0;
  /** Rules that match while one walks. */
  readonly #walked = new Int32Array(MAX_MATCHED);
  /** Rules that matched on the last walk: `#count` from `#firstMatched` on; and the chain whose policy decided, or -1. */
  #matched: Int32Array = this.#walked;
  #firstMatched = 0;
  #count = 0;
  #policyOf = -1;
  /** Whether a rule of the last walk asked for more than mark, state and devices. */
  #asksMore = false;
  readonly #returns: Int32Array;
  readonly #scratch: Scratch;

  /** `scratch` has choices to draw from, and `depth` is as deep as chains of any table jump. */
  constructor(scratch: Scratch, depth: number) {
    this.#scratch = scratch;
    this.#returns = new Int32Array(RETURN_WORDS * (depth + 1));
  }

  /** Counts the packet of `bytes` for everything that matched on the last walk, which was one of `table`. */
  count(table: PathTable, bytes: number): void {
    const { counters } = table;
    const matched = this.#matched;
    const end = this.#firstMatched + this.#count;
    for (let place = this.#firstMatched; place < end; place++) {
      const at = (matched[place] ?? 0) * LINE_COUNTERS.doubles + LINE_COUNTERS.packets;
      counters[at] = (counters[at] ?? 0) + 1;
      counters[at + 1] = (counters[at + 1] ?? 0) + bytes;
    }
    if (this.#policyOf >= 0) table.countPolicy(this.#policyOf, bytes);
  }

  /** Walks the packet in row 0 of `registers` and returns an OUTCOME; nothing but this object and the draws changes. */
  walk(table: PathTable, image: LinearImage, memo: Int32Array, registers: Batch): number {
    const state = (registers.state[0] ?? 0) | 0;
    const mark = (registers.mark[0] ?? 0) | 0;
    const at = memoAt(state, mark);
    if (memo[at] === 0 || memo[at + MEMO.state] !== state || memo[at + MEMO.mark] !== mark) {
      const outcome = this.#walk(table, image, registers);
      if (!this.#asksMore && outcome !== OUTCOME.refer) this.#keep(memo, at, { state, mark, outcome });
      return outcome;
    }
    this.mark = memo[at + MEMO.newMark] ?? 0;
    this.decided = memo[at + MEMO.decided] ?? 0;
    this.#policyOf = memo[at + MEMO.policyOf] ?? 0;
    this.#count = memo[at + MEMO.count] ?? 0;
    this.#matched = memo;
    this.#firstMatched = at + MEMO.matched;
    return (memo[at] ?? 0) - 1;
  }

  /** Keeps the last walk. */
  #keep(
    memo: Int32Array,
    at: number,
    { state, mark, outcome }: { readonly state: number; readonly mark: number; readonly outcome: number },
  ): void {
    if (this.#count > MEMO_MATCHED) return;
    memo[at] = outcome + 1;
    memo[at + MEMO.state] = state;
    memo[at + MEMO.mark] = mark;
    memo[at + MEMO.newMark] = this.mark;
    memo[at + MEMO.decided] = this.decided;
    memo[at + MEMO.policyOf] = this.#policyOf;
    memo[at + MEMO.count] = this.#count;
    memo.set(this.#walked.subarray(0, this.#count), at + MEMO.matched);
  }

  #walk(table: PathTable, image: LinearImage, registers: Batch): number {
    const { lines } = table;
    const returns = this.#returns;
    const matched = this.#walked;
    const dst = (registers.dst[0] ?? 0) | 0;
    const src = (registers.src[0] ?? 0) | 0;
    const protocol = (registers.protocol[0] ?? 0) | 0;
    const dport = (registers.dport[0] ?? 0) | 0;
    const sport = (registers.sport[0] ?? 0) | 0;
    const state = (registers.state[0] ?? 0) | 0;
    const { tests } = image;
    let mark = (registers.mark[0] ?? 0) | 0;
    let count = 0;
    let depth = 0;
    let next = image.bounds[2 * image.base] ?? 0;
    let end = image.bounds[2 * image.base + 1] ?? 0;
    let index = image.indexOf[image.base] ?? -1;
    let outcome: number = OUTCOME.refer;
    let policyOf = -1;
    let asked = 0;
    for (;;) {
      let rule = -1;
      if (index >= 0) {
        asked = ASKS_MORE;
        rule = this.#indexed(table, image, registers, next, index, mark);
        if (rule < -1) return OUTCOME.refer;
      } else {
        for (; next < end; next++) {
          const at = next * LINE.words;
          const head = lines[at] ?? 0;
          asked |= head;
          const there = (dst & (lines[at + LINE.dstMask] ?? 0)) === (lines[at + LINE.dst] ?? 0);
          if (there === ((head & HEAD.notDestination) !== 0)) continue;
          if ((head & HEAD.anyProtocol) === 0 && (head & 0xff) !== protocol) continue;
          const from = (src & (lines[at + LINE.srcMask] ?? 0)) === (lines[at + LINE.src] ?? 0);
          if (from === ((head & HEAD.notSource) !== 0)) continue;
          if ((head & HAS_PORTS) !== 0) {
            const dports = lines[at + LINE.dports] ?? 0;
            if (dport < (dports & 0xffff) || dport > dports >>> 16) continue;
            const sports = lines[at + LINE.sports] ?? 0;
            if (sport < (sports & 0xffff) || sport > sports >>> 16) continue;
          }
          let test = lines[at + LINE.tests] ?? 0;
          if (test !== 0) {
            // The two that rules ask most are asked here.
            let holds = true;
            while (holds) {
              const code = tests[test] ?? 0;
              const wanted = tests[test + 2] ?? 0;
              if (code === TEST.mark) {
                holds = ((mark & (tests[test + 3] ?? 0)) === wanted) === (tests[test + 1] === 0);
                test += MARK_WORDS;
              } else if (code === TEST.state) {
                holds = ((state & wanted) !== 0) === (tests[test + 1] === 0);
                test += STATE_WORDS;
              } else break;
            }
            if (!holds) continue;
            if (tests[test] !== TEST.end) {
              const judgement = runTests(image, registers, 0, test, mark, this.#scratch);
              if (judgement === UNDECIDED) return OUTCOME.refer;
              if (judgement === NO_MATCH) continue;
            }
          }
          rule = next;
          break;
        }
      }
      if (rule >= 0) {
        if (count === MAX_MATCHED) return OUTCOME.refer;
        matched[count++] = rule;
        next = rule + 1;
        const at = rule * LINE.words;
        const code = lines[at + LINE.action] ?? 0;
        if (code === ACTION.jump || code === ACTION.goto) {
          if (code === ACTION.jump) {
            returns[depth] = next;
            returns[depth + 1] = end;
            returns[depth + 2] = index;
            depth += RETURN_WORDS;
          }
          next = lines[at + JUMP.start] ?? 0;
          end = next + (lines[at + JUMP.count] ?? 0);
          index = lines[at + JUMP.index] ?? -1;
          continue;
        }
        if (code === ACTION.next) continue;
        if (code === ACTION.mark) {
          mark = (mark & (lines[at + LINE.action + 1] ?? 0)) ^ (lines[at + LINE.action + 2] ?? 0);
          continue;
        }
        if (code !== ACTION.return) {
          if (code === ACTION.accept) outcome = OUTCOME.accept;
          else if (code === ACTION.drop) outcome = OUTCOME.drop;
          else if (table.natKinds[rule] === NAT_KIND.refer) return OUTCOME.refer;
          else outcome = OUTCOME.nat;
          this.decided = rule;
          break;
        }
      }
      if (depth === 0) {
        policyOf = image.base;
        outcome = image.policy === RESULT.policyDrop ? OUTCOME.policyDrop : OUTCOME.accept;
        break;
      }
      depth -= RETURN_WORDS;
      next = returns[depth] ?? 0;
      end = returns[depth + 1] ?? 0;
      index = returns[depth + 2] ?? -1;
    }
    this.mark = mark;
    this.#asksMore = (asked & ASKS_MORE) !== 0;
    this.#matched = matched;
    this.#firstMatched = 0;
    this.#count = count;
    this.#policyOf = policyOf;
    return outcome;
  }

  /** The first rule at or after `from` that matches, by the index at `index`; -1: none, below: nobody can tell. */
  #indexed(
    table: PathTable,
    image: LinearImage,
    registers: Batch,
    from: number,
    index: number,
    mark: number,
  ): number {
    const dst = foldAddress(registers.dst, 0, 1);
    const src = foldAddress(registers.src, 0, 1);
    const ports = (registers.protocol[0] ?? 0) | ((registers.dport[0] ?? 0) << 16);
    let residual = index + RESIDUALS;
    const residualEnd = residual + (image.index[index + 1] ?? 0);
    for (let position = from; ; ) {
      const hashed = firstHashed(image, index, position, dst, src, ports);
      for (; residual < residualEnd; residual++) {
        const ordinal = image.index[residual] ?? 0;
        if (ordinal < from) continue;
        if (hashed >= 0 && ordinal > hashed) break;
        const judgement = this.#judge(table, image, registers, ordinal, mark);
        if (judgement !== NO_MATCH) return judgement === MATCH ? ordinal : -2;
      }
      if (hashed < 0) return -1;
      const judgement = this.#judge(table, image, registers, hashed, mark);
      if (judgement !== NO_MATCH) return judgement === MATCH ? hashed : -2;
      position = hashed + 1;
    }
  }

  /** Whether rule `ordinal` matches: MATCH, NO_MATCH or UNDECIDED. */
  #judge({ lines }: PathTable, image: LinearImage, registers: Batch, ordinal: number, mark: number): number {
    const at = ordinal * LINE.words;
    const head = lines[at] ?? 0;
    const dst = (registers.dst[0] ?? 0) | 0;
    const there = (dst & (lines[at + LINE.dstMask] ?? 0)) === (lines[at + LINE.dst] ?? 0);
    if (there === ((head & HEAD.notDestination) !== 0)) return NO_MATCH;
    if ((head & HEAD.anyProtocol) === 0 && (head & 0xff) !== registers.protocol[0]) return NO_MATCH;
    const src = (registers.src[0] ?? 0) | 0;
    const from = (src & (lines[at + LINE.srcMask] ?? 0)) === (lines[at + LINE.src] ?? 0);
    if (from === ((head & HEAD.notSource) !== 0)) return NO_MATCH;
    const dports = lines[at + LINE.dports] ?? 0;
    const dport = registers.dport[0] ?? 0;
    if (dport < (dports & 0xffff) || dport > dports >>> 16) return NO_MATCH;
    const sports = lines[at + LINE.sports] ?? 0;
    const sport = registers.sport[0] ?? 0;
    if (sport < (sports & 0xffff) || sport > sports >>> 16) return NO_MATCH;
    const tests = lines[at + LINE.tests] ?? 0;
    return tests === 0 ? MATCH : runTests(image, registers, 0, tests, mark, this.#scratch);
  }
}
