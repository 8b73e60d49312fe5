/** Cases that the fuzzer once found and shrank: what kernel and engine disagreed on, and no longer do. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCase, printCase } from './rig/case-file.ts';
import { runCase } from './rig/differential.ts';

const ROOT = new URL('cases/', import.meta.url);
const FILES = readdirSync(ROOT).filter((name) => name.endsWith('.json'));

describe('a case that was found and kept', () => {
  it.each(FILES)('%s', (name) => {
    const text = readFileSync(new URL(name, ROOT), 'utf8');
    const kept = parseCase(text);
    for (const engine of ['linear', 'compiled'] as const) {
      const pending = [...kept.steps];
      const subject = { ...kept.subject, engine };
      const { differences, packets, skipped } = runCase(
        subject,
        { next: () => pending.shift() },
        { conntrackEvery: 1 },
      );
      expect(differences).toEqual([]);
      expect(packets + skipped).toBe(kept.steps.filter(({ kind }) => kind === 'packet').length);
    }
    expect(parseCase(printCase(kept))).toEqual(kept);
  });
});
