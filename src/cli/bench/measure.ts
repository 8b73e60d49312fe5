/** Timing: sides that are compared take turns, so that whatever else the machine does meets them alike. */

/** Of measured values, all in one unit (nanoseconds of a round, unless said otherwise). */
export interface Samples {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly p99: number;
  readonly best: number;
  readonly rounds: number;
}

/** The value below which `part` (0 to 1) of the ascending `sorted` lie; NaN for none. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

export function samplesOf(values: Iterable<number>): Samples {
  const sorted = Float64Array.from(values).sort();
  return {
    median: quantile(sorted, 0.5),
    p10: quantile(sorted, 0.1),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    best: sorted[0] ?? Number.NaN,
    rounds: sorted.length,
  };
}

/** One thing to be timed; `run` does all of it once. */
export interface Side<K extends string> {
  readonly name: K;
  readonly run: () => void | Promise<void>;
  /** What has to happen before each round, untimed. */
  readonly prepare?: () => void;
}

export interface Rounds {
  readonly rounds: number;
  /** Untimed, to let the JIT settle. */
  readonly warmUp: number;
}

/** The clock of every measurement, in nanoseconds. */
export function nanoseconds(): number {
  return performance.now() * 1e6;
}

/** Runs `sides` in turn, `rounds` times each; nanoseconds by side. */
export async function interleave<K extends string>(
  sides: readonly Side<K>[],
  { rounds, warmUp }: Rounds,
): Promise<ReadonlyMap<K, Samples>> {
  const times = new Map<K, number[]>(sides.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    for (const { name, run, prepare } of sides) {
      prepare?.();
      const start = nanoseconds();
      const pending = run();
      if (pending !== undefined) await pending;
      const taken = nanoseconds() - start;
      if (round >= 0) times.get(name)?.push(taken);
    }
  }
  return new Map([...times].map(([name, values]) => [name, samplesOf(values)]));
}

/** The samples of `name`. Throws RangeError when it was not measured. */
export function samplesFor<K extends string>(measured: ReadonlyMap<K, Samples>, name: K): Samples {
  const found = measured.get(name);
  if (found === undefined) throw new RangeError(`${name} was not measured`);
  return found;
}
