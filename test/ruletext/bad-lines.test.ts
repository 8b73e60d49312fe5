/** What is refused is refused with the file, the line and what was expected. */
import { expect, test } from 'vitest';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { InputError } from '../../src/sim/input-error.ts';
import { BAD_FILES } from './bad-lines.ts';

function complaintOf(text: string, family: 'ipv4' | 'ipv6'): InputError {
  try {
    toRuleSet(parseRules(text, { family, file: 'node.save' }));
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error(`not refused:\n${text}`);
}

test.each(BAD_FILES)('$label', ({ family, text, line, message }) => {
  const complaint = complaintOf(text, family);
  expect(complaint.message).toMatch(message);
  expect(complaint.message).not.toContain('\n');
  expect({ file: complaint.file, line: complaint.line }).toEqual({ file: 'node.save', line });
});
