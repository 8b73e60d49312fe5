/** A table under construction: chains and their rules as lines of iptables-save text. */
import { compareText } from '../endpoints.ts';
import { type RuleParts, ruleLine } from './rule-text.ts';

export class TableText {
  readonly #name: string;
  readonly #builtIn: readonly string[];
  readonly #chains = new Map<string, string[]>();

  /** `builtIn` are the table's own chains in hook order. */
  constructor(name: string, builtIn: readonly string[]) {
    this.#name = name;
    this.#builtIn = builtIn;
    for (const chain of builtIn) this.#chains.set(chain, []);
  }

  /** Makes sure that the user-defined chain exists, be it empty. */
  declare(chain: string): void {
    if (!this.#chains.has(chain)) this.#chains.set(chain, []);
  }

  /** Adds a rule at the end of `chain`, which exists from then on. */
  append(chain: string, parts: RuleParts): void {
    this.declare(chain);
    this.#chains.get(chain)?.push(ruleLine(chain, parts));
  }

  /** The lines from `*TABLE` to `COMMIT`: built-in chains first, then the others sorted; counters zero. */
  lines(): readonly string[] {
    const builtIn = new Set(this.#builtIn);
    const own = [...this.#chains.keys()].filter((chain) => !builtIn.has(chain)).sort(compareText);
    const rules = [...this.#builtIn, ...own].flatMap((chain) => this.#chains.get(chain) ?? []);
    return [
      `*${this.#name}`,
      ...this.#builtIn.map((chain) => `:${chain} ACCEPT [0:0]`),
      ...own.map((chain) => `:${chain} - [0:0]`),
      ...rules,
      'COMMIT',
    ];
  }
}
