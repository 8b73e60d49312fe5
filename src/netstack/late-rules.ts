/** Rules and sets that are loaded when the first packet needs them: most namespaces never see one. */
import type { IpSet } from '../netfilter/ip-set.ts';
import type { Netfilter } from '../netfilter/netfilter.ts';
import type { RuleSet } from '../netfilter/rule-set.ts';

export interface RuleSources {
  readonly rules?: () => readonly RuleSet[];
  /** In force beside `rules`, of the other back end. */
  readonly rulesBeside?: readonly RuleSet[];
  readonly sets?: () => ReadonlyMap<string, IpSet>;
}

export class LateRules {
  readonly #netfilter: Netfilter;
  readonly #beside: readonly RuleSet[];
  #rules: (() => readonly RuleSet[]) | undefined;
  #sets: (() => ReadonlyMap<string, IpSet>) | undefined;

  constructor(netfilter: Netfilter, { rules, rulesBeside, sets }: RuleSources) {
    this.#netfilter = netfilter;
    this.#rules = rules;
    this.#beside = rulesBeside ?? [];
    this.#sets = sets;
  }

  /** Rules to load from now on, in place of those of their families. */
  replace(rules: () => readonly RuleSet[]): void {
    this.#rules = rules;
  }

  /** Loads what is still waiting. */
  load(): void {
    const rules = this.#rules;
    this.#rules = undefined;
    if (rules !== undefined) {
      for (const ruleSet of rules()) this.#netfilter.load(ruleSet);
      for (const ruleSet of this.#beside) this.#netfilter.loadBeside(ruleSet);
    }
    const sets = this.#sets;
    this.#sets = undefined;
    if (sets !== undefined) this.#netfilter.loadSets(sets());
  }
}
