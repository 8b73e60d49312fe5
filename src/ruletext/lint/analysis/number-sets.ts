/** Containment of sets of small numbers given as ranges: ports, lengths, types. */
import type { NumberRange } from '../../../netfilter/match.ts';
import type { SetRelation } from './bit-tests.ts';

/** `ranges` in order, overlapping and adjacent ones joined, empty ones left out. */
export function joinRanges(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const joined: { from: number; to: number }[] = [];
  const sorted = ranges.filter(({ from, to }) => from <= to).sort((a, b) => a.from - b.from);
  for (const { from, to } of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

function covers(joined: readonly NumberRange[], { from, to }: NumberRange): boolean {
  return joined.some((range) => range.from <= from && to <= range.to);
}

/** How the union of `a` stands to the union of `b`. */
export function relateRanges(a: readonly NumberRange[], b: readonly NumberRange[]): SetRelation {
  const [first] = a;
  const [second] = b;
  if (a.length === 1 && b.length === 1 && first !== undefined && second !== undefined) {
    if (first.from <= first.to && second.from <= second.to) {
      return {
        within: second.from <= first.from && first.to <= second.to,
        contains: first.from <= second.from && second.to <= first.to,
        disjoint: first.to < second.from || second.to < first.from,
      };
    }
  }
  const left = joinRanges(a);
  const right = joinRanges(b);
  return {
    within: left.every((range) => covers(right, range)),
    contains: right.every((range) => covers(left, range)),
    disjoint: left.every((range) => right.every((other) => range.to < other.from || other.to < range.from)),
  };
}
