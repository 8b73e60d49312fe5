/**
 * `bench ratios`: the goals of the flat engine, each measured with both sides in one run, on the same packets,
 * with answers compared. What cannot be measured here has no value and is not met.
 */
import type { Batch } from '../../netfilter/flat/batch.ts';
import { lookupParallel } from '../../netfilter/flat/parallel.ts';
import { allocateShared } from '../../netfilter/flat/word-list.ts';
import { KernelUnavailable } from '../kernel/libc.ts';
import { CReference, NoCReference } from './c-reference.ts';
import { answersOf, enginesOn, firstDifference } from './engines.ts';
import { benchForward } from './forward.ts';
import { benchKernel, type KernelReport } from './kernel.ts';
import { checkAgreement } from './lookup.ts';
import { interleave, type Samples, samplesFor } from './measure.ts';
import { rulesOnTheWay } from './rules-on-the-way.ts';
import { benchSync, type SyncResult } from './sync.ts';
import { traffic } from './traffic.ts';
import { LookupThread } from './workers.ts';
import { natTable, rulesText, type Size } from './workload.ts';

export interface Ratio {
  readonly name: string;
  readonly value: number | null;
  readonly goal: string;
  readonly met: boolean;
  /** What the value is made of, or why there is none. */
  readonly detail: string;
}

export interface Goal {
  readonly name: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export const GOALS = {
  at10k: { name: 'compiled ÷ linear (flat array) engine, 10,000 Services', atLeast: 100 },
  at100k: { name: 'compiled ÷ linear (flat array) engine, 100,000 Services', atLeast: 1000 },
  growth: { name: 'compiled at 100,000 ÷ compiled at 100 Services', atLeast: 0.5 },
  c: { name: 'compiled ÷ a flattened C lookup of the same work', atLeast: 0.4 },
  workers: { name: 'two workers ÷ one', atLeast: 1.8 },
  compile: { name: 'time to compile 10,000 Services ÷ iptables-legacy-restore of the same', atMost: 0.1 },
  change: { name: "one changed Service ÷ the kernel's --noflush restore of it", atMost: 0.01 },
  forward: { name: 'full new-flow path, packets per second', atLeast: 1_000_000 },
} as const satisfies Readonly<Record<string, Goal>>;

/** `value` beside its goal; null has no value and is not met. */
export function judged(goal: Goal, value: number | null, detail: string): Ratio {
  const { name, atLeast, atMost } = goal;
  const met =
    value !== null &&
    (atLeast === undefined || value >= atLeast) &&
    (atMost === undefined || value <= atMost);
  return { name, value, goal: atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`, met, detail };
}

const ENDPOINTS = 3;
const ROWS = 1 << 16;
const SLICE = 1 << 13;
/** Packets of a linear round: it looks at half of the rules for each. */
const LINEAR_PACKETS = { 10000: 400, 100000: 60 } as const;

function sizeOf(services: number): Size {
  return { services, endpoints: ENDPOINTS, family: 'ipv4' };
}

function prepared(services: number) {
  const size = sizeOf(services);
  const table = natTable(rulesText(size), 'ipv4');
  const { compiled, engines, image } = enginesOn(table, 'ipv4');
  const batch = traffic(size, { rows: ROWS, spread: 'uniform', seed: 1 });
  engines.compiled.lookup(batch, 0, ROWS);
  return { services, engines, image, batch, rules: rulesOnTheWay(table, compiled, batch) };
}

type Prepared = ReturnType<typeof prepared>;

/** A side that goes through the batch slice by slice, so that it does not look up what it just has. */
function sliced(lookup: (batch: Batch, from: number, to: number) => void, batch: Batch, rows: number) {
  let next = 0;
  return () => {
    lookup(batch, next, next + rows);
    next = (next + rows) % (ROWS - rows + 1);
  };
}

function perSecond(samples: Samples, rows: number): number {
  return (rows * 1e9) / samples.median;
}

function millions(value: number): string {
  return `${(value / 1e6).toPrecision(3)} M/s`;
}

async function compiledAgainstLinear(
  { engines, batch, rules }: Prepared,
  goal: Goal,
  rows: number,
): Promise<Ratio> {
  checkAgreement([engines.linear, engines.compiled], batch, Math.min(rows * 10, ROWS));
  const measured = await interleave(
    [
      { name: 'linear', run: sliced(engines.linear.lookup, batch, rows) },
      { name: 'compiled', run: sliced(engines.compiled.lookup, batch, SLICE) },
    ],
    { rounds: 25, warmUp: 5 },
  );
  const linear = perSecond(samplesFor(measured, 'linear'), rows);
  const compiled = perSecond(samplesFor(measured, 'compiled'), SLICE);
  const eachRule = (1e9 / linear / rules).toPrecision(2);
  return judged(
    goal,
    compiled / linear,
    `${millions(compiled)} against ${millions(linear)}, which is ${eachRule} ns a rule`,
  );
}

async function growth(small: Prepared, large: Prepared): Promise<Ratio> {
  const measured = await interleave(
    [
      { name: 'small', run: sliced(small.engines.compiled.lookup, small.batch, SLICE) },
      { name: 'large', run: sliced(large.engines.compiled.lookup, large.batch, SLICE) },
    ],
    { rounds: 201, warmUp: 50 },
  );
  const at100 = perSecond(samplesFor(measured, 'small'), SLICE);
  const at100k = perSecond(samplesFor(measured, 'large'), SLICE);
  return judged(GOALS.growth, at100k / at100, `${millions(at100k)} against ${millions(at100)}`);
}

/** How often our side and C's follow one another. */
const TURNS = 15;

async function againstC({ engines, image, batch }: Prepared): Promise<Ratio> {
  const { front } = image;
  if (front === undefined) throw new Error('the rules have no dispatch table');
  let reference: CReference | undefined;
  try {
    reference = new CReference();
    const turns: { readonly compiled: number; readonly c: number }[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const measured = await interleave(
        [{ name: 'compiled', run: () => engines.compiled.lookup(batch, 0, ROWS) }],
        { rounds: 21, warmUp: 4 },
      );
      const compiled = perSecond(samplesFor(measured, 'compiled'), ROWS);
      turns.push({ compiled, c: perSecond(reference.run(front, batch, 21), ROWS) });
    }
    // Of the turn in the middle: both sides of a turn meet the same machine, one turn does not meet another's.
    turns.sort((a, b) => a.compiled / a.c - b.compiled / b.c);
    const { compiled, c } = turns[TURNS >> 1] ?? { compiled: Number.NaN, c: Number.NaN };
    return judged(GOALS.c, compiled / c, `${millions(compiled)} against ${millions(c)}`);
  } catch (error) {
    if (error instanceof NoCReference) return judged(GOALS.c, null, error.message);
    throw error;
  } finally {
    reference?.close();
  }
}

const SWEEP_ROWS = 1 << 20;

/** One thread and two on the same sweep. The main thread sleeps meanwhile. */
async function twoWorkers(): Promise<Ratio> {
  const size = sizeOf(10_000);
  const { engines, image } = enginesOn(natTable(rulesText(size), 'ipv4'), 'ipv4', allocateShared);
  const batch = traffic(size, { rows: SWEEP_ROWS, spread: 'uniform', seed: 1, allocate: allocateShared });
  engines.compiled.lookup(batch, 0, SWEEP_ROWS);
  const expected = answersOf(batch, SWEEP_ROWS);
  batch.result.fill(0);
  const threads = [new LookupThread(image, batch), new LookupThread(image, batch)];
  try {
    await lookupParallel(threads, SWEEP_ROWS);
    const at = firstDifference(expected, answersOf(batch, SWEEP_ROWS));
    if (at !== undefined) throw new Error(`two workers answer packet ${at % SWEEP_ROWS} differently`);
    const measured = await interleave(
      [
        { name: 'one', run: () => lookupParallel(threads.slice(0, 1), SWEEP_ROWS) },
        { name: 'two', run: () => lookupParallel(threads, SWEEP_ROWS) },
      ],
      { rounds: 41, warmUp: 10 },
    );
    const one = perSecond(samplesFor(measured, 'one'), SWEEP_ROWS);
    const two = perSecond(samplesFor(measured, 'two'), SWEEP_ROWS);
    return judged(GOALS.workers, two / one, `${millions(two)} against ${millions(one)}`);
  } finally {
    for (const thread of threads) await thread.close();
  }
}

/** Why something of the kernel's cannot be measured, from what was thrown; rethrows what is no such thing. */
function whyNot(error: unknown): string {
  if (error instanceof KernelUnavailable) return error.message;
  throw error;
}

async function againstRestore(): Promise<readonly Ratio[]> {
  let result: SyncResult;
  try {
    result = await benchSync({ size: sizeOf(10_000), rounds: 5, backends: ['legacy'] });
  } catch (error) {
    const why = whyNot(error);
    return [judged(GOALS.compile, null, why), judged(GOALS.change, null, why)];
  }
  const { full, change, kernel } = result;
  const [legacy] = kernel;
  if (legacy === undefined) throw new Error('iptables-legacy-restore was not measured');
  const ms = (value: number) => `${Number(value.toPrecision(3)).toLocaleString('en')} ms`;
  const changed = change.parse + change.compile;
  return [
    judged(
      GOALS.compile,
      full.compile / legacy.full,
      `${ms(full.compile)} (reading the text takes ${ms(full.parse)} more) against ${ms(legacy.full)}`,
    ),
    judged(
      GOALS.change,
      changed / legacy.change,
      `${ms(changed)}, reading included, against ${ms(legacy.change)}`,
    ),
  ];
}

/** The whole path, and beside it what finding the endpoint alone takes. */
async function fullPath({ engines, batch }: Prepared): Promise<Ratio> {
  const [result] = await benchForward(sizeOf(10_000), { engines: ['flat'], rounds: 15 });
  if (result === undefined) throw new Error('nothing was forwarded');
  const measured = await interleave(
    [{ name: 'lookup', run: sliced(engines.compiled.lookup, batch, SLICE) }],
    { rounds: 101, warmUp: 25 },
  );
  const alone = millions(perSecond(samplesFor(measured, 'lookup'), SLICE));
  const { newFlows, established } = result;
  const detail = `new flows ${millions(newFlows)}, established ${millions(established)}, the look-up alone ${alone}`;
  return judged(GOALS.forward, result.newFlows, detail);
}

/** The kernel's own figures, or why there are none. */
async function kernelFigures(): Promise<KernelReport | string> {
  try {
    return await benchKernel({
      size: sizeOf(10_000),
      spreads: ['first', 'last', 'uniform'],
      rounds: 11,
      seed: 1,
    });
  } catch (error) {
    return whyNot(error);
  }
}

export interface RatiosReport {
  readonly ratios: readonly Ratio[];
  readonly kernel: KernelReport | string;
}

/** Measures every line, and the kernel's own figures; `progress` is told what is being measured. */
export async function benchRatios(progress: (step: string) => void): Promise<RatiosReport> {
  progress('compiled against linear, 10,000 Services');
  const medium = prepared(10_000);
  const at10k = await compiledAgainstLinear(medium, GOALS.at10k, LINEAR_PACKETS[10_000]);
  progress('compiled against C');
  const c = await againstC(medium);
  progress('two workers against one');
  const workers = await twoWorkers();
  progress('compiled against linear, 100,000 Services');
  const large = prepared(100_000);
  const at100k = await compiledAgainstLinear(large, GOALS.at100k, LINEAR_PACKETS[100_000]);
  const growing = await growth(prepared(100), large);
  progress("loading against the kernel's programs");
  const restores = await againstRestore();
  progress('the full path');
  const full = await fullPath(medium);
  progress("the kernel's own path");
  const kernel = await kernelFigures();
  return { ratios: [at10k, at100k, growing, c, workers, ...restores, full], kernel };
}
