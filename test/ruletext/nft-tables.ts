/** Rule sets as `nft list` takes them, with the counters of their text. */
import type { RuleSet } from '../../src/netfilter/rule-set.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import type { NftTable } from '../../src/ruletext/nft-list.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';

export function nftTables(ruleSet: RuleSet): NftTable[] {
  return [...ruleSet.tables.values()].map((table) => ({
    family: ruleSet.family,
    name: table.name,
    chains: [...table.chains.values()].map(({ name, policy, rules }) => ({
      name,
      policy,
      rules: rules.map((rule) => ({
        rule,
        packets: rule.counters?.packets ?? 0,
        bytes: rule.counters?.bytes ?? 0,
      })),
    })),
  }));
}

/** The tables of iptables-save text. */
export function nftTablesOf(text: string, family: IpFamily): NftTable[] {
  return nftTables(toRuleSet(parseRules(text, { family })));
}
