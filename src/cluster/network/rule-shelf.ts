/** Rule sets by their text: most nodes of a cluster have the same, and those that differ share what they can. */
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { mergeRuleSets } from '../../ruletext/load-rules.ts';
import { parseRules } from '../../ruletext/parse-rules.ts';
import type { SavedRules } from '../../ruletext/saved-rules.ts';
import type { IpFamily } from '../../wire/ip-address.ts';

export interface RuleText {
  /** iptables-restore text; empty: nothing. */
  readonly text: string;
  /** Its name for messages. */
  readonly file: string;
}

export class RuleShelf {
  readonly #parsed = new Map<string, SavedRules>();
  readonly #merged = new Map<string, RuleSet>();

  #parse({ text, file }: RuleText, family: IpFamily): SavedRules {
    const key = `${family} ${text}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const parsed = parseRules(text, { file, family });
    this.#parsed.set(key, parsed);
    return parsed;
  }

  /** The rule set that loading `texts` one after the other makes, and `added` behind them. */
  read(
    texts: readonly RuleText[],
    { family, added }: { readonly family: IpFamily; readonly added: readonly SavedRules[] },
  ): RuleSet {
    const filled = texts.filter(({ text }) => text !== '');
    const key = [family, ...filled.map(({ text }) => text)].join('\0');
    const known = added.length === 0 ? this.#merged.get(key) : undefined;
    if (known !== undefined) return known;
    const merged = mergeRuleSets([...filled.map((text) => this.#parse(text, family)), ...added]);
    if (added.length === 0) this.#merged.set(key, merged);
    return merged;
  }
}
