/** `bench lookup`: what finding a Service's endpoint costs, by engine, size and destinations. */
import type { Batch } from '../../netfilter/flat/batch.ts';
import type { CompiledTable } from '../../netfilter/flat/compile.ts';
import { NO_DECISION } from '../../netfilter/flat/layout.ts';
import type { Table } from '../../netfilter/rule-set.ts';
import { answersOf, type Engine, type EngineName, enginesOn, firstDifference } from './engines.ts';
import { interleave, type Samples, samplesFor } from './measure.ts';
import { type Spread, traffic } from './traffic.ts';
import { natTable, rulesText, type Size } from './workload.ts';

export interface LookupResult extends Size {
  readonly engine: EngineName;
  readonly spread: Spread;
  /** Packets a second, from the median round. */
  readonly perSecond: number;
  /** Nanoseconds a packet, each round's average: of the median round, and of the slowest hundredth. */
  readonly nanoseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly best: number;
  /** Rules that a walk looks at for such a packet, on average. */
  readonly rulesTraversed: number;
  readonly packets: number;
  readonly rounds: number;
}

/** Packets in a batch: more than the caches hold. */
const ROWS = 1 << 16;
/** Rules that a round of the linear engine may look at: about a hundred milliseconds. */
const LINEAR_BUDGET = 4e7;
/** A round of the other engines. */
const SLICE = 1 << 13;

/** Rows of a round: the linear engine gets fewer, or it would take minutes. */
function rowsOf(engine: EngineName, rules: number): number {
  if (engine !== 'linear') return SLICE;
  return Math.max(16, Math.min(SLICE, Math.floor(LINEAR_BUDGET / 10 / Math.max(1, rules))));
}

/** Packets whose way is counted rule by rule. */
const COUNTED = 4096;

/**
 * How many rules a walk looks at on its way to the deciding rule, on average of the first rows of `batch`, which
 * were looked up. Every chain of a Service has one rule that leads to it; a mark is a rule more.
 */
function averageRules(table: Table, compiled: CompiledTable, batch: Batch): number {
  const leadsTo = new Map<string, { readonly chain: string; readonly number: number }>();
  for (const chain of table.chains.values()) {
    for (const [index, { target }] of chain.rules.entries()) {
      if (!('chain' in target) || leadsTo.has(target.chain)) continue;
      leadsTo.set(target.chain, { chain: chain.name, number: index + 1 });
    }
  }
  let sum = 0;
  for (let row = 0; row < COUNTED; row++) {
    if (batch.newMark[row] !== 0) sum++;
    let place = compiled.describe(batch.decision[row] ?? NO_DECISION);
    for (; place !== undefined; place = leadsTo.get(place.chain)) sum += place.number;
  }
  return sum / COUNTED;
}

export interface LookupOptions {
  readonly size: Size;
  readonly engines: readonly EngineName[];
  readonly spreads: readonly Spread[];
  readonly rounds: number;
  readonly seed: number;
}

/**
 * Measures `engines` on the rules of a cluster of `size`, all on the same packets, taking turns. Throws Error
 * when two engines answer differently.
 */
export async function benchLookup(options: LookupOptions): Promise<readonly LookupResult[]> {
  const { size, spreads, rounds, seed } = options;
  const table = natTable(rulesText(size), size.family);
  const { compiled, engines } = enginesOn(table, size.family);
  const wanted = options.engines.map((name) => engines[name]);
  const results: LookupResult[] = [];
  for (const spread of spreads) {
    const batch = traffic(size, { rows: ROWS, spread, seed });
    engines.compiled.lookup(batch, 0, COUNTED);
    const rulesTraversed = averageRules(table, compiled, batch);
    checkAgreement(Object.values(engines), batch, rowsOf('linear', rulesTraversed));
    const rows = new Map(wanted.map(({ name }) => [name, rowsOf(name, rulesTraversed)]));
    const measured = await interleave(
      wanted.map(({ name, lookup }) => {
        const count = rows.get(name) ?? SLICE;
        let next = 0;
        return {
          name,
          run: () => {
            lookup(batch, next, next + count);
            next = (next + count) % (ROWS - count + 1);
          },
        };
      }),
      { rounds, warmUp: Math.ceil(rounds / 4) },
    );
    for (const { name } of wanted) {
      const samples = samplesFor(measured, name);
      results.push(
        resultOf({ ...size, engine: name, spread, rulesTraversed, packets: rows.get(name) ?? 0 }, samples),
      );
    }
  }
  return results;
}

function resultOf(
  about: Pick<LookupResult, 'engine' | 'spread' | 'rulesTraversed' | 'packets' | keyof Size>,
  { median, p99, best, rounds }: Samples,
): LookupResult {
  const each = (nanoseconds: number) => nanoseconds / about.packets;
  return {
    ...about,
    perSecond: Math.round(1e9 / each(median)),
    nanoseconds: each(median),
    p50: each(median),
    p99: each(p99),
    best: each(best),
    rounds,
  };
}

/** Throws Error unless the engines answer the first `rows` packets alike. */
export function checkAgreement(engines: readonly Engine[], batch: Batch, rows: number): void {
  let before: Uint32Array | undefined;
  for (const { name, lookup } of engines) {
    lookup(batch, 0, rows);
    const answers = answersOf(batch, rows);
    const at = before && firstDifference(before, answers);
    if (at !== undefined) throw new Error(`engine ${name} answers packet ${at % rows} differently`);
    before = answers;
  }
}
