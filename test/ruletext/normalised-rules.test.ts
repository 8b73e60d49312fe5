/** Rules in every spelling come out as iptables-save would print them, and stay so. */
import { describe, expect, test } from 'vitest';
import { formatRule } from '../../src/ruletext/format-rule.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { NORMALISED_MATCHES } from './normalised-matches.ts';
import { NORMALISED_TARGETS } from './normalised-targets.ts';

const RULES = [...NORMALISED_MATCHES, ...NORMALISED_TARGETS];

function ruleOf(family: IpFamily, table: string, chain: string, text: string) {
  const rules = parseRules(`*${table}\n:USER - [0:0]\n-A ${chain} ${text}\nCOMMIT\n`, { family });
  const [rule] = [...toRuleSet(rules).tables.values()].flatMap((set) => set.chains.get(chain)?.rules ?? []);
  if (rule === undefined) throw new Error(`no rule in ${text}`);
  return rule;
}

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const rules = RULES.filter((rule) => rule.family === family);
  test.each(rules)('$label: $given', ({ table, chain, given, saved }) => {
    const rule = ruleOf(family, table, chain, given);
    expect(formatRule(chain, rule)).toBe(`-A ${chain} ${saved}`);
    expect(ruleOf(family, table, chain, saved)).toEqual(rule);
  });
});
