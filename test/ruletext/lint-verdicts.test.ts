/** What `checkRules` says of small files is what iptables-restore says of them. */
import { describe, expect, test } from 'vitest';
import { checkRules } from '../../src/ruletext/lint/check-rules.ts';
import { BACK_ENDS, type BackEnd } from '../../src/ruletext/lint/restore/refusal.ts';
import { CORPUS } from './check-corpus/corpus.ts';
import type { CorpusFile, Verdict } from './check-corpus/corpus-file.ts';
import { KNOWN_DIFFERENCES } from './check-corpus/known-differences.ts';

function ours({ text, family }: CorpusFile, backEnd: BackEnd): Verdict {
  const { accepted, acceptedByTest } = checkRules(text, { family, backEnd });
  if (accepted) return 'accepted';
  return acceptedByTest ? 'refused-at-load' : 'refused';
}

describe.each(BACK_ENDS)('as iptables-%s-restore', (backEnd) => {
  test.each(CORPUS)('%s', (_about, files) => {
    const said = files.map((file) => `${file.family} ${file.label}: ${ours(file, backEnd)}`);
    expect(said).toEqual(files.map(({ family, label, real }) => `${family} ${label}: ${real[backEnd]}`));
  });

  test.each(KNOWN_DIFFERENCES)('another answer, because $why', ({ files, ours: known }) => {
    for (const file of files) {
      expect({ label: file.label, said: ours(file, backEnd) }).toEqual({
        label: file.label,
        said: known[backEnd],
      });
    }
    expect(files.some(({ real }) => BACK_ENDS.some((each) => real[each] !== known[each]))).toBe(true);
  });
});

test('every refusal comes with a line and a message, and no text makes checkRules throw', () => {
  for (const [, files] of CORPUS) {
    for (const { text, family, label } of files) {
      for (const backEnd of BACK_ENDS) {
        const { accepted, findings } = checkRules(text, { family, backEnd });
        const errors = findings.filter(({ severity }) => severity === 'error');
        expect({ label, accepted, errors: errors.length > 0 }).toEqual({
          label,
          accepted,
          errors: !accepted,
        });
        for (const { line, message } of errors) {
          expect(line, label).toBeGreaterThan(0);
          expect(line, label).toBeLessThanOrEqual(text.split('\n').length + 1);
          expect(message).not.toMatch(/\n/);
        }
      }
    }
  }
});
