/** What a rule asks of packets about which something is known already, read from its record. */
import type { FlatTable } from './flat-table.ts';
import { ANY_PORT, HEAD, RECORD, recordWords, TEST } from './layout.ts';

export const VERDICT = {
  /** No such packet matches. */
  never: 0,
  /** Those that meet the conditions match. */
  when: 1,
  /** More is asked than conditions can say. */
  unknown: 2,
} as const;

/** A source that is no place in the records. */
export const SOURCE = {
  /** All sources match. */
  any: -1,
  /** There is nothing to match. */
  none: -2,
} as const;

export const NO_PROBABILITY = -1;

/** What is left to ask once the facts are used. */
export interface RuleConditions {
  /** The word of the records where the wanted source stands (address, then mask), or SOURCE.any. */
  source: number;
  /** In units of 2^-31; NO_PROBABILITY: no draw. */
  probability: number;
}

/** Words of these tests: code, negate, arguments. */
const RANDOM_WORDS = 3;
const PROTOCOL_WORDS = 3;
const PORT_WORDS = 4;

function isZero(words: Int32Array, at: number, width: number): boolean {
  for (let word = 0; word < width; word++) if (words[at + word] !== 0) return false;
  return true;
}

function masks(words: Int32Array, at: number, width: number, address: Int32Array): boolean {
  for (let word = 0; word < width; word++) {
    if (((address[word] ?? 0) & (words[at + width + word] ?? 0)) !== words[at + word]) return false;
  }
  return true;
}

/**
 * Judges rule `rule` (an ordinal) for packets to `destination` (words) of this protocol and port: a VERDICT, with
 * `into` filled when it is `when`. Parameters are positional, since this is asked of every rule.
 */
export function conditionsOf(
  { records: { words }, tests: { words: tests }, width }: FlatTable,
  rule: number,
  destination: Int32Array,
  protocol: number,
  dport: number,
  into: RuleConditions,
): number {
  const at = rule * recordWords(width);
  const head = words[at] ?? 0;
  if ((head & HEAD.anyProtocol) === 0 && (head & 0xff) !== protocol) return VERDICT.never;
  const dports = words[at + RECORD.dports] ?? 0;
  if (dport < (dports & 0xffff) || dport > dports >>> 16) return VERDICT.never;
  const toThere = masks(words, at + RECORD.addresses, width, destination);
  if (toThere === ((head & HEAD.notDestination) !== 0)) return VERDICT.never;
  const source = at + RECORD.addresses + 2 * width;
  const anySource = isZero(words, source, 2 * width);
  if (anySource && (head & HEAD.notSource) !== 0) return VERDICT.never;
  into.source = anySource ? SOURCE.any : source;
  into.probability = NO_PROBABILITY;
  if (words[at + RECORD.sports] !== ANY_PORT) return VERDICT.unknown;
  for (let test = words[at + RECORD.tests] ?? 0; ; ) {
    const negate = tests[test + 1] === 1;
    const a = tests[test + 2] ?? 0;
    switch (tests[test]) {
      case TEST.end:
        return VERDICT.when;
      case TEST.never:
        return VERDICT.never;
      case TEST.random:
        if (negate || into.probability !== NO_PROBABILITY) return VERDICT.unknown;
        into.probability = a >>> 0;
        test += RANDOM_WORDS;
        break;
      case TEST.protocol:
        if ((protocol === a) === negate) return VERDICT.never;
        test += PROTOCOL_WORDS;
        break;
      case TEST.dport:
        if ((dport >= a && dport <= (tests[test + 3] ?? 0)) === negate) return VERDICT.never;
        test += PORT_WORDS;
        break;
      default:
        return VERDICT.unknown;
    }
  }
}
