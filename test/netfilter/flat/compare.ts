/** The flat engines against the reference, packet by packet: outcomes, marks, deciding rules, probabilities. */

import { mergeOutcomes } from '../../../src/netfilter/explore.ts';
import { makeBatch } from '../../../src/netfilter/flat/batch.ts';
import type { CompiledTable } from '../../../src/netfilter/flat/compile.ts';
import { type FlatOutcome, flatOutcomes } from '../../../src/netfilter/flat/outcomes.ts';
import { BUILTIN_CHAIN } from '../../../src/netfilter/hooks.ts';
import type { Netfilter } from '../../../src/netfilter/netfilter.ts';
import {
  type Answer,
  type FlatPacket,
  fillRow,
  flatAnswer,
  type Place,
  referenceOutcomes,
  textOf,
} from './reference.ts';

/** Probabilities are products of the same fractions, summed in another order. */
const ROUNDING = 1e-12;

/** What the comparison met, so that a test can see that it was worth something. */
export interface Tally {
  packets: number;
  dispatched: number;
  random: number;
  undecided: number;
  readonly results: Map<string, number>;
}

export function newTally(): Tally {
  return { packets: 0, dispatched: 0, random: 0, undecided: 0, results: new Map() };
}

function distribution(outcomes: readonly FlatOutcome[], table: CompiledTable): Map<string, number> {
  const answers = outcomes.map((outcome) => ({
    result: flatAnswer(outcome, table),
    probability: outcome.probability,
  }));
  const merged = mergeOutcomes<Answer>(answers, textOf);
  return new Map(merged.map(({ result, probability }) => [textOf(result), probability]));
}

/**
 * What differs between the engines for `packet`, as text; empty when nothing does. Ways on which the flat
 * engines say that they cannot tell are left to the reference.
 */
export function differences(
  { loaded, table }: { readonly loaded: Netfilter; readonly table: CompiledTable },
  packet: FlatPacket,
  place: Place,
  tally: Tally,
): string[] {
  const batch = makeBatch(table.family, 1);
  fillRow(batch, 0, packet, place);
  const base = BUILTIN_CHAIN[place.hook];
  const setting = { inDevice: place.inDevice, outDevice: place.outDevice, locals: place.locals };
  const image = table.image(base, setting);
  const compiled = flatOutcomes(image, batch, 0, { kind: 'compiled', pool: table.pool });
  const walked = flatOutcomes({ ...image, front: undefined }, batch, 0, { kind: 'linear' });
  const linear = flatOutcomes(table.linearImage(base, setting), batch, 0, { kind: 'linear' });
  const found: string[] = [];
  const expected = distribution(linear, table);
  const engines = [
    ['compiled', compiled],
    ['indexed', walked],
  ] as const;
  for (const [name, outcomes] of engines) {
    const actual = distribution(outcomes, table);
    for (const [answer, probability] of expected) {
      const other = actual.get(answer) ?? 0;
      if (other !== probability) found.push(`${name}: ${answer} has ${other}, linear ${probability}`);
    }
    if (actual.size !== expected.size)
      found.push(`${name}: ${actual.size} outcomes, linear ${expected.size}`);
  }
  const reference = referenceOutcomes(loaded, packet, place);
  let undecided = false;
  const known = new Map(reference.map(({ result, probability }) => [textOf(result), probability]));
  for (const [answer, probability] of expected) {
    if (answer.startsWith('undecided')) {
      undecided = true;
      continue;
    }
    const other = known.get(answer) ?? 0;
    // With an undecided way the reference may reach this answer on it too.
    const hasUndecided = [...expected.keys()].some((text) => text.startsWith('undecided'));
    const agrees = hasUndecided ? other >= probability - ROUNDING : Math.abs(other - probability) <= ROUNDING;
    if (!agrees) found.push(`linear: ${answer} has ${probability}, reference ${other}`);
  }
  if (!undecided && known.size !== expected.size) {
    found.push(`linear: ${[...expected.keys()].join('; ')}, reference: ${[...known.keys()].join('; ')}`);
  }
  tally.packets++;
  if (compiled.some(({ decision }) => decision >= 0)) tally.dispatched++;
  if (expected.size > 1) tally.random++;
  if (undecided) tally.undecided++;
  for (const answer of expected.keys()) {
    const [result = ''] = answer.split(' ');
    tally.results.set(result, (tally.results.get(result) ?? 0) + 1);
  }
  return found;
}
