/** The table of normalised rules says what the real programs do. */
import { describe, expect, test } from 'vitest';
import { NORMALISED_MATCHES } from '../ruletext/normalised-matches.ts';
import { NORMALISED_TARGETS } from '../ruletext/normalised-targets.ts';
import { BACK_ENDS, restoreAndSave } from './ruletext-programs.ts';

const RULES = [...NORMALISED_MATCHES, ...NORMALISED_TARGETS];

describe.each(BACK_ENDS)('%s back end', (backEnd) => {
  test.each(RULES)('$family $label: $given', ({ family, table, chain, given, saved }) => {
    const text = `*${table}\n:USER - [0:0]\n-A ${chain} ${given}\nCOMMIT\n`;
    const answer = restoreAndSave(family, backEnd, text, { tables: [table] });
    const rules = answer.saved.split('\n').filter((line) => line.startsWith('-A'));
    expect({ rules, complaint: answer.complaint }).toMatchObject({ rules: [`-A ${chain} ${saved}`] });
  });
});
