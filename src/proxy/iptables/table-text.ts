/** A table under construction: chains and their rules as lines of iptables-save text. */
import { compareText } from '../endpoints.ts';
import { type RuleParts, ruleLine } from './rule-text.ts';

export class TableText {
  readonly #name: string;
  /** Rules by chain: the table's own chains in hook order, then the others as they came. */
  readonly #chains = new Map<string, string[]>();
  readonly #builtIn: ReadonlySet<string>;

  /** `builtIn` are the table's own chains in hook order. */
  constructor(name: string, builtIn: readonly string[]) {
    this.#name = name;
    this.#builtIn = new Set(builtIn);
    for (const chain of builtIn) this.declare(chain);
  }

  /** Makes sure that `chain` exists, be it empty; its rules so far. */
  declare(chain: string): string[] {
    const known = this.#chains.get(chain);
    if (known !== undefined) return known;
    const rules: string[] = [];
    this.#chains.set(chain, rules);
    return rules;
  }

  /** Adds a rule at the end of `chain`, which exists from then on. */
  append(chain: string, parts: RuleParts): void {
    this.declare(chain).push(ruleLine(chain, parts));
  }

  /** `*TABLE` to `COMMIT` with a final newline: built-in chains first, then the others sorted; counters zero. */
  print(): string {
    const own = [...this.#chains.keys()].filter((chain) => !this.#builtIn.has(chain)).sort(compareText);
    const lines = [`*${this.#name}`];
    for (const chain of this.#builtIn) lines.push(`:${chain} ACCEPT [0:0]`);
    for (const chain of own) lines.push(`:${chain} - [0:0]`);
    for (const chain of [...this.#builtIn, ...own]) {
      for (const rule of this.#chains.get(chain) ?? []) lines.push(rule);
    }
    lines.push('COMMIT\n');
    return lines.join('\n');
  }
}
