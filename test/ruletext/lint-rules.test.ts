/** What the linter finds in small rule sets, and what it leaves alone: `LINE CODE` for each finding. */
import { describe, expect, test } from 'vitest';
import { parseIpsetSave } from '../../src/ruletext/ipset-save.ts';
import { checkRules } from '../../src/ruletext/lint/check-rules.ts';
import { FINDING_KINDS } from '../../src/ruletext/lint/findings.ts';
import { DEAD_SITUATIONS } from './lint-dead-situations.ts';
import { FILE_SITUATIONS } from './lint-file-situations.ts';
import { KUBE_SITUATIONS } from './lint-kube-situations.ts';

const SITUATIONS = [...DEAD_SITUATIONS, ...FILE_SITUATIONS, ...KUBE_SITUATIONS];

const SETS = parseIpsetSave(
  'create pods hash:ip family inet\ncreate svc hash:ip,port family inet\ncreate six hash:ip family inet6\n',
);

describe.each(SITUATIONS)('$about', ({ situations }) => {
  test.each(situations)('$label', ({ text, found, sets = false, family = 'ipv4' }) => {
    const { findings } = checkRules(text, { family, backEnd: 'nft', ...(sets ? { sets: SETS } : {}) });
    expect(findings.map(({ line, code }) => `${line} ${code}`)).toEqual(found);
  });
});

test('every finding says where it is and what to do, in one sentence', () => {
  for (const { situations } of SITUATIONS) {
    for (const { text, label, sets = false, family = 'ipv4' } of situations) {
      const { findings } = checkRules(text, { family, backEnd: 'nft', ...(sets ? { sets: SETS } : {}) });
      for (const { message, line, severity, code } of findings) {
        expect(message, label).toMatch(/^\S[^\n]+[^.\s]$/);
        expect(line, label).toBeGreaterThan(0);
        expect(severity).toBe(FINDING_KINDS[code].severity);
      }
    }
  }
});

test('there is a situation for every code of the linter', () => {
  const shown = new Set(
    SITUATIONS.flatMap(({ situations }) =>
      situations.flatMap(({ found }) => found.map((finding) => finding.split(' ')[1])),
    ),
  );
  // What only iptables-legacy refuses: lint-verdicts.test.ts.
  const legacyOnly = ['duplicate-chain', 'user-chain-policy'];
  expect(Object.keys(FINDING_KINDS).filter((code) => !shown.has(code) && !legacyOnly.includes(code))).toEqual(
    [],
  );
});
