/**
 * A table's IPv4 rules for walking one packet at a time: everything about a rule in one cache line, its counters
 * too, since most of what a walk costs is waiting for memory.
 */
import type { FlatTable } from '../flat-table.ts';
import { ACTION, ACTION_WORDS, ANY_PORT, HEAD, RECORD, recordWords, TEST } from '../layout.ts';

/** Words of a line: the record as it is, then the action, then the counters. */
export const LINE = {
  head: RECORD.head,
  dports: RECORD.dports,
  sports: RECORD.sports,
  tests: RECORD.tests,
  dst: RECORD.addresses,
  dstMask: RECORD.addresses + 1,
  src: RECORD.addresses + 2,
  srcMask: RECORD.addresses + 3,
  /** ACTION; its arguments behind it. */
  action: 8,
  words: 16,
} as const;

/** More bits of the head word: whether ports are asked for … */
export const HAS_PORTS = 0x800;
/** … and whether anything is besides mark, conntrack state and devices. */
export const ASKS_MORE = 0x1000;

/** Doubles of a line: packets, and bytes behind them. */
export const LINE_COUNTERS = { packets: 6, doubles: 8 } as const;

/** Arguments of jumps and gotos: the first rule's ordinal, how many there are, where the chain's index begins or -1. */
export const JUMP = { start: 9, count: 10, index: 11 } as const;

/** The tests of which equal packets of one pair of devices may share the answer, and their words. */
const SHARED_TESTS: ReadonlyMap<number, number> = new Map([
  [TEST.never, 2],
  [TEST.mark, 4],
  [TEST.state, 3],
  [TEST.device, 3],
]);

/** The arguments that actions other than jumps have. */
const ARGUMENTS = 3;

function asksMore(lines: Int32Array, at: number, tests: Int32Array): boolean {
  const head = lines[at] ?? 0;
  if ((head & HEAD.anyProtocol) === 0 || (head & (HEAD.notDestination | HEAD.notSource | HAS_PORTS)) !== 0)
    return true;
  if (lines[at + LINE.dstMask] !== 0 || lines[at + LINE.srcMask] !== 0) return true;
  for (let test = lines[at + LINE.tests] ?? 0; tests[test] !== TEST.end; ) {
    const words = SHARED_TESTS.get(tests[test] ?? 0);
    if (words === undefined) return true;
    test += words;
  }
  return false;
}

/** The lines of `flat`'s rules; `indexOf` says where the index of each chain begins, or -1. */
export function linesOf(flat: FlatTable, indexOf: Int32Array): Int32Array {
  const lines = new Int32Array(flat.ruleCount * LINE.words);
  const stride = recordWords(1);
  const { bounds, records, actions } = flat;
  for (let rule = 0; rule < flat.ruleCount; rule++) {
    const at = rule * LINE.words;
    const record = rule * stride;
    for (let word = 0; word < stride; word++) lines[at + word] = records.words[record + word] ?? 0;
    const anyPort = lines[at + LINE.dports] === ANY_PORT && lines[at + LINE.sports] === ANY_PORT;
    if (!anyPort) lines[at] = (lines[at] ?? 0) | HAS_PORTS;
    if (asksMore(lines, at, flat.tests.words)) lines[at] = (lines[at] ?? 0) | ASKS_MORE;
    const action = rule * ACTION_WORDS;
    const code = actions.words[action] ?? 0;
    lines[at + LINE.action] = code;
    if (code === ACTION.jump || code === ACTION.goto) {
      const chain = actions.words[action + 1] ?? 0;
      const start = bounds.words[2 * chain] ?? 0;
      lines[at + JUMP.start] = start;
      lines[at + JUMP.count] = (bounds.words[2 * chain + 1] ?? 0) - start;
      lines[at + JUMP.index] = indexOf[chain] ?? -1;
      continue;
    }
    for (let argument = 1; argument <= ARGUMENTS; argument++) {
      lines[at + LINE.action + argument] = actions.words[action + argument] ?? 0;
    }
  }
  return lines;
}
