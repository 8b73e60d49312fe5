/** The command of a line: `-A CHAIN`, `-I CHAIN 3`, `-N CHAIN` … */
import type { Rule } from '../netfilter/rule-set.ts';
import { checkNewChainName, MAX_CHAIN_NAME, parsePolicy } from './chain-names.ts';
import { tryParseNumber } from './numbers.ts';
import type { RuleContext } from './rule-context.ts';
import type { Command } from './saved-rules.ts';

export class LineCommand {
  readonly #context: RuleContext;
  #letter = '';
  #chain = '';
  #number: number | undefined;
  /** The second word of `-E` and `-P`. */
  #argument = '';

  constructor(context: RuleContext) {
    this.#context = context;
  }

  /** Forgets everything: a new line begins. */
  clear(): void {
    this.#letter = '';
    this.#chain = '';
    this.#number = undefined;
    this.#argument = '';
  }

  get chain(): string {
    return this.#chain;
  }

  /** Takes the command `letter` with its chain (empty for none); `another` answers a further word, if any. */
  read(letter: string, chain: string, another: () => string | undefined): void {
    const context = this.#context;
    if (this.#letter !== '') throw context.error(`-${letter} cannot go with -${this.#letter}`);
    if (letter === 'L' || letter === 'S') {
      throw context.error(`-${letter} lists rules; expected a command that changes them`);
    }
    if (chain.length > MAX_CHAIN_NAME) {
      throw context.error(`chain name '${chain}' is longer than ${MAX_CHAIN_NAME} characters`);
    }
    this.#letter = letter;
    this.#chain = chain;
    if (letter === 'E' || letter === 'P') {
      this.#argument = another() ?? context.fail(`-${letter} needs a second word`);
    } else if (letter === 'I' || letter === 'D' || letter === 'R') {
      this.#readNumber(another());
    }
  }

  #readNumber(text: string | undefined): void {
    const context = this.#context;
    if (text !== undefined) {
      this.#number =
        tryParseNumber(text, 1, 0x7fffffff) ?? context.fail(`bad rule number '${text}'; expected 1 or more`);
    } else if (this.#letter === 'R') {
      throw context.error('-R needs a rule number');
    }
  }

  /** The line as commands; `rules` makes the rules that it spells. */
  commands(rules: () => readonly Rule[]): readonly Command[] {
    const context = this.#context;
    const { line } = context;
    const chain = this.#chain;
    const number = this.#number;
    switch (this.#letter) {
      case 'A':
        return rules().map((rule) => ({ kind: 'append', line, chain, rule }));
      case 'C':
        return rules().map((rule) => ({ kind: 'check', line, chain, rule }));
      case 'D':
        if (number !== undefined) return [{ kind: 'delete-number', line, chain, number }];
        return rules().map((rule) => ({ kind: 'delete', line, chain, rule }));
      case 'I':
        return rules().map((rule) => ({ kind: 'insert', line, chain, number: number ?? 1, rule }));
      case 'R': {
        const [rule, another] = rules();
        if (rule === undefined || another !== undefined) {
          throw context.error('-R takes one source and one destination');
        }
        return [{ kind: 'replace', line, chain, number: number ?? 1, rule }];
      }
      default:
        return [this.#chainCommand(line, chain)];
    }
  }

  #chainCommand(line: number, chain: string): Command {
    const context = this.#context;
    const some = chain === '' ? {} : { chain };
    switch (this.#letter) {
      case 'N':
        checkNewChainName(context, chain);
        return { kind: 'new-chain', line, chain };
      case 'F':
        return { kind: 'flush', line, ...some };
      case 'X':
        return { kind: 'delete-chain', line, ...some };
      case 'Z':
        return { kind: 'zero', line, ...some };
      case 'E':
        checkNewChainName(context, this.#argument);
        return { kind: 'rename-chain', line, chain, to: this.#argument };
      case 'P': {
        const policy = parsePolicy(context, this.#argument);
        if (policy === 'DROP' && context.table === 'nat') {
          throw context.error('the nat table is not for filtering; expected policy ACCEPT');
        }
        return { kind: 'policy', line, chain, policy };
      }
      default:
        return context.fail('no command; expected a rule such as -A CHAIN …');
    }
  }
}
