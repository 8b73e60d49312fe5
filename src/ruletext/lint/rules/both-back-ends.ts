/** The comment by which iptables-save tells that the other back end has rules too. */
import { finding } from '../findings.ts';
import type { LintRule } from '../lint-context.ts';

const WARNING = /^# Warning: (ip6?tables(?:-\w+)?) tables present/;

export const bothBackEnds: LintRule = function* ({ remarks }) {
  for (const { line, text } of remarks) {
    const program = WARNING.exec(text)?.[1];
    if (program === undefined) continue;
    yield finding(
      'both-back-ends',
      { line },
      `this host also has rules of ${program}, which decide as well and are not in this file; check them too ` +
        `(${program}-save) and move all rules to one back end`,
    );
  }
};
