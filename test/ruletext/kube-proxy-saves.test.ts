/** What a real kube-proxy programmed, read and printed back byte for byte. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet, printRules } from '../../src/ruletext/print-rules.ts';

const CASES = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
const SAVES = [
  ['iptables.save', 'ipv4'],
  ['ip6tables.save', 'ipv6'],
] as const;

describe.each(readdirSync(CASES))('kube-proxy case %s', (name) => {
  test.each(SAVES)('%s comes back as it was', (file, family) => {
    const text = readFileSync(join(CASES, name, file), 'utf8');
    const rules = parseRules(text, { family, file });
    expect(printRules(rules)).toBe(text);
    expect(printRuleSet(toRuleSet(rules))).toBe(text);
  });
});
