/** A batch of first packets through each engine, and through the C program that does what the compiled one does. */
import { afterAll, bench, describe } from 'vitest';
import type * as References from '../src/cli/bench/c-reference.ts';
import type * as Engines from '../src/cli/bench/engines.ts';
import type * as Lookup from '../src/cli/bench/lookup.ts';
import type * as Traffic from '../src/cli/bench/traffic.ts';
import type * as Workload from '../src/cli/bench/workload.ts';
import { built } from './built.ts';

const { CReference, NoCReference } = (await built('cli/bench/c-reference.ts')) as typeof References;
const { ENGINES, enginesOn } = (await built('cli/bench/engines.ts')) as typeof Engines;
const { checkAgreement } = (await built('cli/bench/lookup.ts')) as typeof Lookup;
const { SPREADS, traffic } = (await built('cli/bench/traffic.ts')) as typeof Traffic;
const { natTable, rulesText } = (await built('cli/bench/workload.ts')) as typeof Workload;

const ROWS = 1 << 16;
/** What the linear engine can take in a moment, too. */
const FEW = 256;
const AGREEING = 1024;

function sizeOf(services: number): Workload.Size {
  return { services, endpoints: 3, family: 'ipv4' };
}

describe.each([100, 1000, 10_000])('%d Services', (services) => {
  const size = sizeOf(services);
  const { engines } = enginesOn(natTable(rulesText(size), size.family), size.family);

  describe.each(SPREADS)(`${FEW} packets, %s`, (spread) => {
    const batch = traffic(size, { rows: AGREEING, spread, seed: 1 });
    checkAgreement(Object.values(engines), batch, AGREEING);
    for (const name of ENGINES) {
      bench(name, () => engines[name].lookup(batch, 0, FEW), { time: 200, warmupTime: 50 });
    }
  });
});

describe('the compiled engine against C, 10,000 Services', () => {
  /** So many that starting the program does not count. */
  const ROUNDS = 100;
  const size = sizeOf(10_000);
  const { engines, image } = enginesOn(natTable(rulesText(size), size.family), size.family);
  const batch = traffic(size, { rows: ROWS, spread: 'uniform', seed: 1 });
  engines.compiled.lookup(batch, 0, ROWS);
  const options = { iterations: 10, time: 0, warmupIterations: 2 };

  bench(
    `compiled, ${ROUNDS} × ${ROWS} packets`,
    () => {
      for (let round = 0; round < ROUNDS; round++) engines.compiled.lookup(batch, 0, ROWS);
    },
    options,
  );

  let reference: References.CReference | undefined;
  try {
    reference = new CReference();
  } catch (error) {
    if (!(error instanceof NoCReference)) throw error;
  }
  const { front } = image;
  if (reference !== undefined && front !== undefined) {
    const program = reference;
    bench(`C, ${ROUNDS} × ${ROWS} packets`, () => void program.run(front, batch, ROUNDS), options);
  }
  afterAll(() => reference?.close());
});
