/**
 * The flat rules walked for one packet: the linear engine when there is no index, else the same walk past
 * the rules that cannot match. Parameters are positional, however many, since nothing is to be allocated.
 */
import { PROTOCOL } from '../../wire/protocol.ts';
import type { Batch } from './batch.ts';
import { firstHashed, foldAddress, RESIDUALS } from './chain-index.ts';
import type { LinearImage } from './image.ts';
import { ACTION, ACTION_WORDS, HEAD, NO_DECISION, RECORD, RESULT, recordWords } from './layout.ts';
import { DRAW, MATCH, matchHead, NO_MATCH, runTests, type Scratch, UNDECIDED } from './match-record.ts';

/** What `matchingRule` returns when no rule is left, and when the columns cannot say (with the ordinal). */
const NONE = -1;

function judge(
  image: LinearImage,
  batch: Batch,
  row: number,
  at: number,
  mark: number,
  scratch: Scratch,
): number {
  if (!matchHead(image, batch, row, at)) return NO_MATCH;
  const tests = image.records[at + RECORD.tests] ?? 0;
  return tests === 0 ? MATCH : runTests(image, batch, row, tests, mark, scratch);
}

/** A rule's ordinal as an answer: as it is when it matches, as `-2 - ordinal` when nobody can tell. */
function answer(ordinal: number, judgement: number): number {
  return judgement === UNDECIDED ? -2 - ordinal : ordinal;
}

/**
 * The first of the rules from `from` to `end` that matches: its ordinal, -1 when none does, `-2 - ordinal` when
 * nobody can tell whether that rule does.
 */
export function nextWalked(
  image: LinearImage,
  batch: Batch,
  row: number,
  from: number,
  end: number,
  mark: number,
  scratch: Scratch,
): number {
  const { records, width } = image;
  const stride = recordWords(width);
  // The first word of the destination rules out most rules of a long chain.
  const first = batch.dst[row * width] ?? 0;
  const last = end * stride;
  for (let at = from * stride; at < last; at += stride) {
    const differs =
      (first & (records[at + RECORD.addresses + width] ?? 0)) !== records[at + RECORD.addresses];
    if (differs && ((records[at] ?? 0) & HEAD.notDestination) === 0) continue;
    const judgement = judge(image, batch, row, at, mark, scratch);
    if (judgement !== NO_MATCH) return answer(at / stride, judgement);
  }
  return NONE;
}

/** As nextWalked, by the index at `index`. */
export function nextIndexed(
  image: LinearImage,
  batch: Batch,
  row: number,
  from: number,
  index: number,
  mark: number,
  scratch: Scratch,
): number {
  const { width } = image;
  const stride = recordWords(width);
  const dst = foldAddress(batch.dst, row, width);
  const src = foldAddress(batch.src, row, width);
  const ports = (batch.protocol[row] ?? 0) | ((batch.dport[row] ?? 0) << 16);
  let residual = index + RESIDUALS;
  const residualEnd = residual + (image.index[index + 1] ?? 0);
  for (let position = from; ; ) {
    const hashed = firstHashed(image, index, position, dst, src, ports);
    for (; residual < residualEnd; residual++) {
      const ordinal = image.index[residual] ?? 0;
      if (ordinal < from) continue;
      if (hashed >= 0 && ordinal > hashed) break;
      const judgement = judge(image, batch, row, ordinal * stride, mark, scratch);
      if (judgement !== NO_MATCH) return answer(ordinal, judgement);
    }
    if (hashed < 0) return NONE;
    const judgement = judge(image, batch, row, hashed * stride, mark, scratch);
    if (judgement !== NO_MATCH) return answer(hashed, judgement);
    position = hashed + 1;
  }
}

/** Protocols whose ports a NAT rule can rewrite without looking at other flows. */
function translatesPorts(protocol: number): boolean {
  return (
    protocol === PROTOCOL.tcp ||
    protocol === PROTOCOL.udp ||
    protocol === PROTOCOL.sctp ||
    protocol === PROTOCOL.udplite
  );
}

function copyDestination(batch: Batch, row: number, width: number): void {
  for (let word = row * width; word < (row + 1) * width; word++) batch.newDst[word] = batch.dst[word] ?? 0;
  batch.newDport[row] = batch.dport[row] ?? 0;
}

/** Fills the row's results: no new destination. */
function finish(
  batch: Batch,
  row: number,
  width: number,
  mark: number,
  result: number,
  decision: number,
): void {
  batch.result[row] = result;
  batch.decision[row] = decision;
  batch.newMark[row] = mark;
  copyDestination(batch, row, width);
}

/** Carries out the DNAT whose action is at `action`. */
function finishDnat(
  image: LinearImage,
  batch: Batch,
  row: number,
  action: number,
  mark: number,
  decision: number,
): void {
  const { actions, width } = image;
  const port = actions[action + 1] ?? -1;
  if (!translatesPorts(batch.protocol[row] ?? 0)) {
    finish(batch, row, width, mark, RESULT.nat, decision);
    return;
  }
  finish(batch, row, width, mark, RESULT.dnat, decision);
  if (port >= 0) batch.newDport[row] = port;
  if (actions[action + 2] !== 1) return;
  for (let word = 0; word < width; word++) batch.newDst[row * width + word] = actions[action + 3 + word] ?? 0;
}

const FINAL: Readonly<Record<number, number>> = {
  [ACTION.accept]: RESULT.accept,
  [ACTION.drop]: RESULT.drop,
  [ACTION.reject]: RESULT.reject,
  [ACTION.nat]: RESULT.nat,
};

/** Walks packet `row` of `batch` through the table and fills its result columns. */
export function walk(image: LinearImage, batch: Batch, row: number, scratch: Scratch): void {
  const { actions, bounds, indexOf, width } = image;
  const { returns, interval } = scratch;
  interval[DRAW.low] = 0;
  interval[DRAW.size] = 1;
  interval[DRAW.next] = 1;
  let mark = (batch.mark[row] ?? 0) | 0;
  let depth = 0;
  let chain = image.base;
  let from = bounds[2 * chain] ?? 0;
  for (;;) {
    const index = indexOf[chain] ?? -1;
    const rule =
      index < 0
        ? nextWalked(image, batch, row, from, bounds[2 * chain + 1] ?? 0, mark, scratch)
        : nextIndexed(image, batch, row, from, index, mark, scratch);
    if (rule < NONE) {
      finish(batch, row, width, mark, RESULT.undecided, ~(-2 - rule));
      return;
    }
    const action = rule * ACTION_WORDS;
    const code = rule === NONE ? ACTION.return : (actions[action] ?? 0);
    switch (code) {
      case ACTION.next:
        from = rule + 1;
        break;
      case ACTION.jump:
        returns[2 * depth] = chain;
        returns[2 * depth + 1] = rule + 1;
        depth++;
        chain = actions[action + 1] ?? 0;
        from = bounds[2 * chain] ?? 0;
        break;
      case ACTION.goto:
        chain = actions[action + 1] ?? 0;
        from = bounds[2 * chain] ?? 0;
        break;
      case ACTION.return:
        if (depth === 0) {
          finish(batch, row, width, mark, image.policy, NO_DECISION);
          return;
        }
        depth--;
        chain = returns[2 * depth] ?? 0;
        from = returns[2 * depth + 1] ?? 0;
        break;
      case ACTION.mark:
        mark = (mark & (actions[action + 1] ?? 0)) ^ (actions[action + 2] ?? 0);
        from = rule + 1;
        break;
      case ACTION.dnat:
        finishDnat(image, batch, row, action, mark, ~rule);
        return;
      default:
        finish(batch, row, width, mark, FINAL[code] ?? RESULT.undecided, ~rule);
        return;
    }
  }
}
