/** The real programs refuse the same files. */
import { describe, expect, test } from 'vitest';
import { BAD_FILES } from '../ruletext/bad-lines.ts';
import { BACK_ENDS, restoreAndSave } from './ruletext-programs.ts';

describe.each(BACK_ENDS)('%s back end', (backEnd) => {
  test.each(BAD_FILES)('$label', ({ family, text, refusedByAll }) => {
    const answer = restoreAndSave(family, backEnd, text, { tables: [] });
    expect({ ...answer, text }).toMatchObject({ accepted: !refusedByAll });
  });
});
