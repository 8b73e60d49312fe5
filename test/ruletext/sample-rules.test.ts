/** The samples in rules/: what real programs saved comes back byte for byte, what people wrote can be loaded. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mergeRuleSets, toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet, printRules } from '../../src/ruletext/print-rules.ts';

const RULES = join(import.meta.dirname, '../../rules');
const read = (file: string) => readFileSync(join(RULES, file), 'utf8');
const familyOf = (file: string) => (file.includes('.ip6.') ? 'ipv6' : 'ipv4');

const saves = readdirSync(RULES).filter((file) => file.endsWith('.save'));

test('there are samples', () => expect(saves.length).toBeGreaterThan(3));

test.each(saves)('%s comes back as it was', (file) => {
  const text = read(file);
  const rules = parseRules(text, { family: familyOf(file), file });
  expect(printRules(rules)).toBe(text);
});

test.each(saves)('%s loads into the tables it shows', (file) => {
  const text = read(file);
  const rules = toRuleSet(parseRules(text, { family: familyOf(file), file }));
  const withoutRemarks = text.replaceAll(/^#.*\n/gm, '');
  expect(printRuleSet(rules, { counters: text.includes('\n[') })).toBe(withoutRemarks);
});

describe('a handwritten file', () => {
  const rules = toRuleSet(parseRules(read('handwritten.rules'), { family: 'ipv4' }));
  const input = rules.tables.get('filter')?.chains.get('INPUT')?.rules ?? [];

  test('a list of addresses becomes a rule for each', () => {
    const printed = printRuleSet(rules);
    expect(printed.match(/-j badguys$/gm)).toHaveLength(3);
    expect(printed).toContain('-A INPUT -s 203.0.113.0/24 -j badguys\n');
  });

  test('an inserted rule stands where it was put', () => {
    expect(input[2]?.matches.map((match) => match.kind)).toEqual([
      'destination',
      'protocol',
      'udp',
      'comment',
    ]);
  });

  test('tables that are not declared have all their built-in chains', () => {
    expect([...(rules.tables.get('nat')?.chains.keys() ?? [])]).toEqual([
      'PREROUTING',
      'INPUT',
      'OUTPUT',
      'POSTROUTING',
    ]);
  });
});

test('docker and flannel on one node: the second file adds to the first', () => {
  const files = ['docker.save', 'flannel.save'].map((file) =>
    parseRules(read(file), { family: 'ipv4', file }),
  );
  const forward = mergeRuleSets(files).tables.get('filter')?.chains.get('FORWARD');
  expect(forward?.rules.at(0)?.target).toEqual({ kind: 'jump', chain: 'DOCKER-USER' });
  expect(forward?.rules.at(-1)?.target).toEqual({ kind: 'jump', chain: 'FLANNEL-FWD' });
  // flannel's file says :FORWARD ACCEPT, and was loaded last.
  expect(forward?.policy).toBe('ACCEPT');
});
