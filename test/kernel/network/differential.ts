/** Scenarios as tests: all of a list are played side by side when the first is asked for. */
import { expect, it } from 'vitest';
import { playAll, type Scenario } from './play.ts';

/** A test for each scenario: the emulator shows what the kernel shows. */
export function differential(scenarios: readonly Scenario[]): void {
  let results: Promise<readonly string[][]> | undefined;
  for (const [index, { title }] of scenarios.entries()) {
    it(title, async () => {
      results ??= playAll(scenarios);
      expect((await results)[index]?.join('\n')).toBe('');
    });
  }
}
