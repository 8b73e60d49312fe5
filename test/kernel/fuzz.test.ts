/**
 * The differential fuzzer: random hosts, rules and packets, kernel beside engine. Every case has a seed of
 * its own, printed when it fails; the failing case is shrunk and written to KUBEWIRE_FUZZ_DIR.
 *
 *   KUBEWIRE_FUZZ_CASES=3000 KUBEWIRE_SEED=7 npx vitest run --project kernel test/kernel/fuzz.test.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { fuzzCase, printOutcome } from './rig/fuzz-case.ts';

const SEED = Number(process.env.KUBEWIRE_SEED ?? Math.floor(Math.random() * 1e9));
const CASES = Number(process.env.KUBEWIRE_FUZZ_CASES ?? 320);
const DIRECTORY = process.env.KUBEWIRE_FUZZ_DIR ?? `${tmpdir()}/kubewire-fuzz`;
const STEPS = 70;
/** After this many failures the rest is left: each costs a shrink. */
const MAX_FAILURES = Number(process.env.KUBEWIRE_FUZZ_FAILURES ?? 5);

function report(seed: number): { readonly packets: number; readonly failure?: string } {
  try {
    const outcome = fuzzCase(seed, { steps: STEPS, waits: [] });
    if (outcome.differences.length === 0) return { packets: outcome.packets };
    mkdirSync(DIRECTORY, { recursive: true });
    const file = `${DIRECTORY}/seed-${seed}.json`;
    writeFileSync(file, printOutcome(outcome, seed));
    return {
      packets: outcome.packets,
      failure: [`seed ${seed} (${file})`, ...outcome.differences].join('\n  '),
    };
  } catch (error) {
    return { packets: 0, failure: `seed ${seed}: ${error instanceof Error ? error.message : error}` };
  }
}

describe('kernel and engine', () => {
  it(`agree on ${CASES} random cases from seed ${SEED}`, () => {
    let packets = 0;
    const failures: string[] = [];
    for (let index = 0; index < CASES && failures.length < MAX_FAILURES; index++) {
      const { packets: played, failure } = report(SEED + index);
      packets += played;
      if (failure !== undefined) failures.push(failure);
    }
    console.info(`fuzz: seed ${SEED}, ${CASES} cases, ${packets} packets, ${failures.length} failures`);
    expect(failures.join('\n')).toBe('');
    expect(packets).toBeGreaterThanOrEqual(CASES * STEPS * 0.8);
  });
});
