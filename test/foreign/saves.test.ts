/** What other programs' rules look like on real nodes comes back byte for byte. */
import { describe, expect, test } from 'vitest';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet, printRules } from '../../src/ruletext/print-rules.ts';
import { FOREIGN_DUMPS } from './dumps.ts';

test('there are dumps of many programs, of both families', () => {
  expect(new Set(FOREIGN_DUMPS.map(({ program }) => program)).size).toBeGreaterThanOrEqual(12);
  expect(new Set(FOREIGN_DUMPS.map(({ family }) => family)).size).toBe(2);
});

const rulesOf = (text: string) => text.split('\n').filter((line) => !line.startsWith('#'));

describe.each(FOREIGN_DUMPS)('$file', ({ text, family, file }) => {
  test('comes back as it was', () => {
    expect(printRules(parseRules(text, { family, file }))).toBe(text);
  });

  test('keeps its tables, chains and rules when it is loaded', () => {
    const printed = rulesOf(printRuleSet(toRuleSet(parseRules(text, { family, file }))));
    expect(printed.toSorted()).toEqual(rulesOf(text).toSorted());
  });
});
