/**
 * The rules that plugins keep in a host's iptables, one command at a time as they run them: chains of their own,
 * and rules at the beginning or the end of the built-in ones. What it holds is printed for
 * `iptables-restore --noflush`, so that it is merged with everybody else's rules.
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import { type RestoreTable, restoreText } from '../networks/restore-text.ts';

/** `-A CHAIN` at the end, `-I CHAIN 1` at the beginning. */
export type RulePlace = 'append' | 'prepend';

interface ChainRules {
  readonly own: boolean;
  readonly prepended: string[];
  readonly appended: string[];
}

class FamilyRules {
  /** The nat table, which is all that these plugins write. */
  readonly chains = new Map<string, ChainRules>();
}

export class PluginRules {
  readonly #families: Readonly<Record<IpFamily, FamilyRules>> = {
    ipv4: new FamilyRules(),
    ipv6: new FamilyRules(),
  };

  #chain(family: IpFamily, name: string, own: boolean): ChainRules {
    const { chains } = this.#families[family];
    const known = chains.get(name);
    if (known !== undefined) return known;
    const made: ChainRules = { own, prepended: [], appended: [] };
    chains.set(name, made);
    return made;
  }

  /** Makes sure that the plugins' own chain `name` is there (`-N`). */
  ensureChain(family: IpFamily, name: string): void {
    this.#chain(family, name, true);
  }

  hasChain(family: IpFamily, name: string): boolean {
    return this.#families[family].chains.get(name)?.own === true;
  }

  /** Adds `rule` (conditions and target, without `-A CHAIN`) unless the chain has it (`-C`, then `-A` or `-I`). */
  addUnique(family: IpFamily, chain: string, rule: string, place: RulePlace = 'append'): void {
    const { own, prepended, appended } = this.#chain(family, chain, false);
    if (prepended.includes(rule) || appended.includes(rule)) return;
    if (place === 'append') appended.push(rule);
    else if (own) appended.unshift(rule);
    else prepended.unshift(rule);
  }

  hasRule(family: IpFamily, chain: string, rule: string): boolean {
    const found = this.#families[family].chains.get(chain);
    return found !== undefined && (found.prepended.includes(rule) || found.appended.includes(rule));
  }

  /** The rules that the plugins have in `chain`, in their order. */
  rules(family: IpFamily, chain: string): readonly string[] {
    const found = this.#families[family].chains.get(chain);
    return found === undefined ? [] : [...found.prepended, ...found.appended];
  }

  /** Deletes the rules of `chain` of which `matches` is true (`-D`). */
  deleteRules(family: IpFamily, chain: string, matches: (rule: string) => boolean): void {
    const found = this.#families[family].chains.get(chain);
    if (found === undefined) return;
    for (const list of [found.prepended, found.appended]) {
      for (let at = list.length - 1; at >= 0; at--) if (matches(list[at] ?? '')) list.splice(at, 1);
    }
  }

  /** Deletes the plugins' own chain `name`, its rules, and every jump to it (`-F`, `-X`). */
  deleteChain(family: IpFamily, name: string): void {
    const { chains } = this.#families[family];
    if (chains.get(name)?.own !== true) return;
    chains.delete(name);
    for (const other of chains.keys()) {
      this.deleteRules(family, other, (rule) => rule.endsWith(` -j ${name}`));
    }
  }

  /** The plugins' own chains whose name begins with `prefix`. */
  chainNames(family: IpFamily, prefix: string): string[] {
    const all = [...this.#families[family].chains];
    return all.filter(([name, { own }]) => own && name.startsWith(prefix)).map(([name]) => name);
  }

  /** Everything, for `iptables-restore --noflush`; empty when there is nothing. */
  text(family: IpFamily): string {
    const all = [...this.#families[family].chains];
    const table: RestoreTable = {
      table: 'nat',
      chains: all.filter(([, { own }]) => own).map(([name]) => name),
      rules: all.flatMap(([name, { prepended, appended }]) => [
        ...prepended.map((rule, index) => `-I ${name} ${index + 1} ${rule}`),
        ...appended.map((rule) => `-A ${name} ${rule}`),
      ]),
    };
    return restoreText([table]);
  }
}
