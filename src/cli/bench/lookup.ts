/** `bench lookup`: what finding a Service's endpoint costs, by engine, size and destinations. */

import type { Batch } from '../../netfilter/flat/batch.ts';
import { answersOf, type Engine, type EngineName, enginesOn, firstDifference } from './engines.ts';
import {
  checkKernel,
  type KernelLoading,
  type KernelResult,
  kernelNodes,
  kernelResult,
  kernelSides,
  kernelTraffic,
} from './kernel.ts';
import { interleave, nanoseconds, type Samples, samplesFor, samplesOf } from './measure.ts';
import { rulesOnTheWay } from './rules-on-the-way.ts';
import { type Spread, traffic } from './traffic.ts';
import { natTable, rulesText, type Size } from './workload.ts';

export interface LookupResult extends Size {
  readonly engine: EngineName;
  readonly spread: Spread;
  /** Lookups a second, from the median round. */
  readonly perSecond: number;
  /** Nanoseconds a lookup: the average of the median round. */
  readonly nanoseconds: number;
  /** Nanoseconds a lookup, averaged over bursts of `burst`: of the median burst, and of the slowest hundredth. */
  readonly p50: number;
  readonly p99: number;
  readonly burst: number;
  /** Nanoseconds a lookup in the fastest round. */
  readonly best: number;
  /** Rules that such packets meet, one after the other, where none is skipped; on average. */
  readonly rulesTraversed: number;
  /** Packets of a round. */
  readonly packets: number;
  readonly rounds: number;
}

/** Packets in a batch: more than the caches hold. */
const ROWS = 1 << 16;
/** Rules that a round of the linear engine may look at: about ten milliseconds. */
const LINEAR_BUDGET = 4e6;
/** Rows of a round, and of a burst, of the other engines. */
const SLICE = 1 << 13;
const BURST = 1 << 8;

/** Rows of a round: the linear engine gets fewer, or it would take minutes. */
function rowsOf(engine: EngineName, rules: number): number {
  if (engine !== 'linear') return SLICE;
  return Math.max(16, Math.min(SLICE, Math.floor(LINEAR_BUDGET / Math.max(1, rules))));
}

/** One engine going through a batch, slice by slice, so that it does not look up what it just has. */
class Course {
  readonly engine: Engine;
  readonly rows: number;
  readonly burst: number;
  readonly #batch: Batch;
  /** Nanoseconds of every burst. */
  readonly bursts: number[] = [];
  #next = 0;

  constructor(engine: Engine, batch: Batch, rules: number) {
    this.engine = engine;
    this.#batch = batch;
    this.rows = rowsOf(engine.name, rules);
    // As few as the clock can tell apart.
    this.burst = this.rows === SLICE ? BURST : 1;
  }

  run(): void {
    const start = this.#next;
    const end = start + this.rows;
    for (let from = start; from < end; from += this.burst) {
      const begin = nanoseconds();
      this.engine.lookup(this.#batch, from, Math.min(end, from + this.burst));
      this.bursts.push(nanoseconds() - begin);
    }
    this.#next = end + this.rows > ROWS ? 0 : end;
  }

  /** Forgets the bursts of the warm-up. */
  result(about: Size & Pick<LookupResult, 'spread' | 'rulesTraversed'>, samples: Samples): LookupResult {
    const each = (nanos: number) => nanos / this.rows;
    const timed = this.bursts.slice(-samples.rounds * Math.ceil(this.rows / this.burst));
    const { median, p99 } = samplesOf(timed);
    return {
      ...about,
      engine: this.engine.name,
      perSecond: Math.round(1e9 / each(samples.median)),
      nanoseconds: each(samples.median),
      p50: median / this.burst,
      p99: p99 / this.burst,
      burst: this.burst,
      best: each(samples.best),
      packets: this.rows,
      rounds: samples.rounds,
    };
  }
}

export interface LookupOptions {
  readonly size: Size;
  readonly engines: readonly EngineName[];
  readonly spreads: readonly Spread[];
  readonly rounds: number;
  readonly seed: number;
  /** Whether the kernel takes its turn too. */
  readonly kernel: boolean;
}

export interface LookupReport {
  readonly results: readonly LookupResult[];
  readonly kernel: readonly KernelResult[];
  readonly loading: readonly KernelLoading[];
}

/** Kernel rounds: few, as one is long. */
const KERNEL_ROUNDS = 21;

/**
 * Measures `engines` on the rules of a cluster of `size`, all on the same packets, taking turns, the kernel among
 * them when wanted. Throws Error when two engines answer differently, KernelUnavailable where there is no kernel
 * to ask.
 */
export async function benchLookup(options: LookupOptions): Promise<LookupReport> {
  const { size, spreads, seed } = options;
  const text = rulesText(size);
  const table = natTable(text, size.family);
  const { compiled, engines } = enginesOn(table, size.family);
  const nodes = options.kernel ? kernelNodes(size, text) : [];
  const rounds = nodes.length > 0 ? Math.min(options.rounds, KERNEL_ROUNDS) : options.rounds;
  const results: LookupResult[] = [];
  const kernel: KernelResult[] = [];
  try {
    for (const spread of spreads) {
      const batch = traffic(size, { rows: ROWS, spread, seed });
      engines.compiled.lookup(batch, 0, ROWS);
      const rulesTraversed = rulesOnTheWay(table, compiled, batch);
      checkAgreement(Object.values(engines), batch, rowsOf('linear', rulesTraversed));
      const courses = options.engines.map((name) => new Course(engines[name], batch, rulesTraversed));
      const frames = kernelTraffic(size, spread, seed);
      for (const node of nodes) checkKernel(node, frames);
      const measured = await interleave<string>(
        [
          ...courses.map((course) => ({ name: course.engine.name, run: () => course.run() })),
          ...nodes.flatMap((node) => kernelSides(node, frames)),
        ],
        { rounds, warmUp: Math.ceil(rounds / 4) },
      );
      for (const course of courses) {
        const samples = samplesFor(measured, course.engine.name);
        results.push(course.result({ ...size, spread, rulesTraversed }, samples));
      }
      kernel.push(...nodes.map(({ backend }) => kernelResult(backend, frames, measured)));
    }
    const loading = nodes.map(({ backend, loading: took }) => ({ ...size, backend, milliseconds: took }));
    return { results, kernel, loading };
  } finally {
    for (const node of nodes) node.close();
  }
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
