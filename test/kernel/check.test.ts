/** The verdicts recorded with the small files are those of the real programs. */
import { describe, expect, test } from 'vitest';
import { BACK_ENDS } from '../../src/ruletext/lint/restore/refusal.ts';
import { CORPUS } from '../ruletext/check-corpus/corpus.ts';
import { KNOWN_DIFFERENCES } from '../ruletext/check-corpus/known-differences.ts';
import { realVerdict } from './check-programs.ts';

describe.each(BACK_ENDS)('iptables-%s-restore', (backEnd) => {
  test.each(CORPUS)('%s', (_about, files) => {
    const said = files.map((file) => `${file.family} ${file.label}: ${realVerdict(file, backEnd).verdict}`);
    expect(said).toEqual(files.map(({ family, label, real }) => `${family} ${label}: ${real[backEnd]}`));
  });

  test.each(KNOWN_DIFFERENCES)('another answer than ours, because $why', ({ files }) => {
    for (const file of files) {
      const { verdict, complaint } = realVerdict(file, backEnd);
      expect({ label: file.label, verdict, complaint }).toMatchObject({ verdict: file.real[backEnd] });
    }
  });
});
