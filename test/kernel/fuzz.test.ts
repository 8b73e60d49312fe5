/**
 * The differential fuzzer: random hosts, rules and packets, kernel beside engine. Every case has a seed of its
 * own, printed when it fails; a failing case is shrunk and written to KUBEWIRE_FUZZ_DIR.
 *
 *   KUBEWIRE_FUZZ_CASES=3200 KUBEWIRE_SEED=7 npx vitest run --project kernel test/kernel/fuzz.test.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { printCase } from './rig/case-file.ts';
import { type DifferentialResult, runSideBySide } from './rig/differential.ts';
import { type FuzzCase, fuzzCase, playFuzzCase, shrunk } from './rig/fuzz-case.ts';

/** The same cases for everybody unless asked otherwise; a search for new ones takes a seed of its own. */
const SEED = Number(process.env.KUBEWIRE_SEED ?? 20_261_121);
const CASES = Number(process.env.KUBEWIRE_FUZZ_CASES ?? 340);
const DIRECTORY = process.env.KUBEWIRE_FUZZ_DIR ?? `${tmpdir()}/kubewire-fuzz`;
const STEPS = 70;
/** Cases in progress: enough that the pauses of some are filled with the packets of others. */
const WIDTH = 32;
/** After this many failures no new case is begun: each costs a shrink. */
const MAX_FAILURES = Number(process.env.KUBEWIRE_FUZZ_FAILURES ?? 5);

/** Writes the shrunk case down and says what to print. */
function keep(seed: number, { subject }: FuzzCase, { steps, differences }: DifferentialResult): string {
  const small = shrunk({ subject, steps });
  const { about, ...kept } = small ?? { subject, steps, about: `once: ${differences.join(' / ')}` };
  mkdirSync(DIRECTORY, { recursive: true });
  const file = `${DIRECTORY}/seed-${seed}.json`;
  writeFileSync(file, printCase({ ...kept, about: `seed ${seed}: ${about}` }));
  // A case that agrees when it is played again has failed all the same: something made the difference.
  const what = small === undefined ? `written to ${file}, agrees when played again` : `shrunk to ${file}`;
  return [`seed ${seed}, ${what}`, ...differences].join('\n  ');
}

/** What a refused rule set looks like, with the line that was refused. */
function refusal(seed: number, { subject }: FuzzCase, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = /line:? (\d+)/.exec(text)?.[1];
  return `seed ${seed}: ${text} ${line === undefined ? '' : subject.rules.split('\n')[Number(line) - 1]}`;
}

describe('kernel and engine', () => {
  it(`agree on ${CASES} random cases from seed ${SEED}`, () => {
    const failures: string[] = [];
    let packets = 0;
    let skipped = 0;
    let next = 0;
    runSideBySide(() => {
      if (next >= CASES || failures.length >= MAX_FAILURES) return undefined;
      const seed = SEED + next++;
      const fuzz = fuzzCase(seed, STEPS);
      return playFuzzCase(fuzz, (outcome) => {
        if ('error' in outcome) {
          failures.push(refusal(seed, fuzz, outcome.error));
          return;
        }
        packets += outcome.result.packets;
        skipped += outcome.result.skipped;
        if (outcome.result.differences.length > 0) failures.push(keep(seed, fuzz, outcome.result));
      });
    }, WIDTH);
    console.info(
      `fuzz: seed ${SEED}, ${next} rule sets, ${packets} packets (${skipped} left out), ${failures.length} failures`,
    );
    expect(failures.join('\n')).toBe('');
    expect(packets).toBeGreaterThanOrEqual(CASES * STEPS * 0.85);
  });
});
