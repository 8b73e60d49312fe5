/** Marks of packets and of flows that are set and that no rule of the file looks at. */
import type { Rule } from '../../../netfilter/rule-set.ts';
import { type FindingPlace, finding } from '../findings.ts';
import { type LintContext, type LintRule, placeOf } from '../lint-context.ts';

interface Marks {
  /** Bits that some rule tests or copies. */
  tested: number;
  /** By value set: where first. */
  readonly set: Map<number, FindingPlace>;
}

function noMarks(): Marks {
  return { tested: 0, set: new Map() };
}

function readRule({ matches, target }: Rule, place: () => FindingPlace, packet: Marks, flow: Marks): void {
  for (const match of matches) {
    if (match.kind === 'mark') packet.tested |= match.mask;
    if (match.kind === 'connmark') flow.tested |= match.mask;
    // The mark takes part in the route that is looked up.
    if (match.kind === 'unknown' && match.text.includes('--validmark')) packet.tested = -1;
    // A set may have the mark for one of its parts.
    if (match.kind === 'set' && match.directions.length > 1) packet.tested = -1;
  }
  if (target.kind === 'mark') note(packet, target.value, place);
  if (target.kind !== 'connmark') return;
  if (target.op === 'set') note(flow, target.value, place);
  if (target.op === 'save') packet.tested |= target.nfmask;
  if (target.op === 'restore') flow.tested |= target.ctmask;
}

function note(marks: Marks, value: number, place: () => FindingPlace): void {
  if (value !== 0 && !marks.set.has(value)) marks.set.set(value, place());
}

function* untested({ tested, set }: Marks, what: string) {
  for (const [value, place] of set) {
    if ((value & tested) !== 0) continue;
    yield finding(
      'mark-never-tested',
      place,
      `no rule of the file tests the ${what} 0x${value.toString(16)} that is set here; make sure that a routing rule ` +
        '(ip rule fwmark) or another program does',
    );
  }
}

function* marksInTables({ tables }: LintContext) {
  const packet = noMarks();
  const flow = noMarks();
  for (const { table } of tables) {
    for (const chain of table.chains.values()) {
      for (const [index, { rule }] of chain.rules.entries()) {
        readRule(rule, () => placeOf(table, chain, index), packet, flow);
      }
    }
  }
  yield* untested(packet, 'mark');
  yield* untested(flow, 'connection mark');
}

export const markNeverTested: LintRule = marksInTables;
