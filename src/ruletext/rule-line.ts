/**
 * Reads one command line of a restore file: getopt's way of finding options, then each option to the
 * command, the rule's head or the extension it belongs to (iptables/xshared.c, do_parse and command_default).
 */
import type { Match, UnknownMatch } from '../netfilter/match.ts';
import type { Rule } from '../netfilter/rule-set.ts';
import type { Target } from '../netfilter/target.ts';
import { COMMAND_LETTERS, SEPARATE_VALUE, WITH_OPTIONAL_VALUE, WITH_VALUE } from './base-options.ts';
import { parseCounters } from './counters-text.ts';
import { LineCommand } from './line-command.ts';
import { createLineTokens, splitLine } from './line-tokens.ts';
import type { ExtensionModule } from './match-module.ts';
import { findMatchModule } from './matches/match-modules.ts';
import { ExtensionUse } from './open-extension.ts';
import { type AnyUse, type FoundOption, findOption } from './option-lookup.ts';
import { impliedModule } from './protocols.ts';
import type { RuleContext } from './rule-context.ts';
import { RuleHead } from './rule-head.ts';
import type { Command } from './saved-rules.ts';
import { findTargetModule } from './targets/target-modules.ts';

const BANG = 33;
const DASH = 45;
const OPEN_BRACKET = 91;

/** What an extension from elsewhere may be called. */
const MODULE_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

export class RuleLineReader {
  readonly #context: RuleContext;
  readonly #declared: ReadonlySet<string>;
  readonly #tokens = createLineTokens();
  readonly #head: RuleHead;
  readonly #command: LineCommand;
  #source = '';
  #next = 0;
  #negate = false;
  /** The word where the option being read begins: its `!` if it has one. */
  #optionStart = 0;
  #matches: ExtensionUse<Match>[] = [];
  #target: ExtensionUse<Target> | undefined;
  /** In the order they were opened. */
  #open: AnyUse[] = [];
  #impliedLoaded = false;
  #otherFamily = false;

  /** `declared` holds the chains of the current table that the text has declared so far. */
  constructor(context: RuleContext, declared: ReadonlySet<string>) {
    this.#context = context;
    this.#declared = declared;
    this.#head = new RuleHead(context);
    this.#command = new LineCommand(context);
  }

  /** The commands of `source` from `start` to `end`; several when addresses are listed with commas. */
  read(source: string, start: number, end: number): readonly Command[] {
    this.#clear(source);
    const tokens = this.#tokens;
    const from = source.charCodeAt(start) === OPEN_BRACKET ? this.#readCounters(start, end) : start;
    splitLine(source, from, end, tokens);
    if (tokens.problem !== undefined) throw this.#context.error(tokens.problem);
    while (this.#next < tokens.count) this.#readWord();
    if (this.#negate) throw this.#context.error("nothing follows '!'");
    if (this.#otherFamily) return [];
    return this.#command.commands(() => this.#rules());
  }

  #clear(source: string): void {
    this.#source = source;
    this.#next = 0;
    this.#negate = false;
    this.#matches = [];
    this.#target = undefined;
    this.#open = [];
    this.#impliedLoaded = false;
    this.#otherFamily = false;
    this.#head.clear();
    this.#command.clear();
  }

  #readCounters(start: number, end: number): number {
    const close = this.#source.indexOf(']', start);
    const text = close < 0 || close >= end ? '' : this.#source.slice(start, close + 1);
    this.#head.counters =
      parseCounters(text) ?? this.#context.fail('bad counters; expected [packets:bytes] before the command');
    return close + 1;
  }

  #word(index: number): string {
    return this.#tokens.words[index] ?? '';
  }

  #readWord(): void {
    const index = this.#next++;
    const word = this.#word(index);
    if (!this.#negate) this.#optionStart = index;
    if (word.charCodeAt(0) !== DASH || word.length === 1) {
      this.#readArgument(index, word);
      return;
    }
    if (word === '--') this.#endOptions();
    else if (word.charCodeAt(1) === DASH) this.#readLong(word);
    else this.#readShort(word);
    this.#negate = false;
  }

  /** `--` ends the options, and nothing but options is expected. */
  #endOptions(): void {
    if (this.#next < this.#tokens.count) throw this.#context.error("words after '--'; expected none");
  }

  /** A word that is no option: `!`, or one of an extension whose options are not known. */
  #readArgument(index: number, word: string): void {
    if (word === '!') {
      if (this.#negate) throw this.#context.error("two '!' in a row");
      this.#negate = true;
      return;
    }
    const last = this.#open.at(-1);
    if (last === undefined || last.module !== undefined || this.#negate) {
      throw this.#context.error(`bad argument '${word}'; expected an option`);
    }
    last.addWords(index, index);
  }

  #readShort(word: string): void {
    const letter = word[1] ?? '';
    const attached = word.length > 2 ? word.slice(2) : undefined;
    if (attached !== undefined && !WITH_VALUE.has(letter) && !WITH_OPTIONAL_VALUE.has(letter)) {
      throw this.#context.error(`unknown option '${word}'`);
    }
    this.#readBase(letter, word, attached);
  }

  #readLong(word: string): void {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const attached = equals < 0 ? undefined : word.slice(equals + 1);
    const found = findOption(this.#open, name) ?? this.#implied(name);
    if (found === undefined) {
      if (this.#toUnknownExtension()) return;
      throw this.#context.error(`unknown option '${word}'`);
    }
    if (typeof found === 'string') this.#readBase(found, word, attached);
    else this.#readExtensionOption(found, word, attached);
  }

  /** `-p tcp --dport` without `-m tcp`: the protocol's module is loaded on demand, once. */
  #implied(name: string): FoundOption | string | undefined {
    const { protocol, family } = this.#context;
    if (protocol === undefined || this.#impliedLoaded) return undefined;
    const module = findMatchModule(impliedModule(protocol.number) ?? '');
    if (module === undefined || (module.family !== undefined && module.family !== family)) return undefined;
    if (![...module.options.keys()].some((option) => option.startsWith(name))) return undefined;
    this.#impliedLoaded = true;
    this.#openMatch(module.name, module);
    return findOption(this.#open, name);
  }

  /** The option and the words up to the next one go to the extension nothing is known about, if there is one. */
  #toUnknownExtension(): boolean {
    const use = this.#open.findLast((candidate) => candidate.module === undefined) ?? this.#unknownTarget();
    if (use === undefined) return false;
    while (this.#next < this.#tokens.count) {
      // A quoted word is a value whatever it begins with.
      const code = this.#source.charCodeAt(this.#tokens.starts[this.#next] ?? 0);
      if (code === DASH || (code === BANG && this.#word(this.#next) === '!')) break;
      this.#next++;
    }
    use.addWords(this.#optionStart, this.#next - 1);
    return true;
  }

  /** `-j NAME --option` where NAME is neither a known target nor a declared chain: a target from elsewhere. */
  #unknownTarget(): ExtensionUse<Target> | undefined {
    const jump = this.#head.destinationChain;
    if (jump === undefined || jump.goto || this.#target !== undefined) return undefined;
    if (this.#declared.has(jump.name) || !MODULE_NAME.test(jump.name)) return undefined;
    this.#target = new ExtensionUse<Target>(jump.name, undefined, this.#context);
    this.#open.push(this.#target);
    return this.#target;
  }

  #value(word: string): string {
    if (this.#next >= this.#tokens.count) throw this.#context.error(`option '${word}' needs a value`);
    return this.#word(this.#next++);
  }

  /** A following word that is no option (xs_has_arg). */
  #optionalValue(): string | undefined {
    if (this.#next >= this.#tokens.count) return undefined;
    const code = this.#word(this.#next).charCodeAt(0);
    return code === DASH || code === BANG ? undefined : this.#word(this.#next++);
  }

  #readExtensionOption(
    { use, option, shape }: FoundOption,
    word: string,
    attached: string | undefined,
  ): void {
    let text = '';
    let second = '';
    if (shape.values === 0) {
      if (attached !== undefined) throw this.#context.error(`option '--${option}' takes no value`);
    } else {
      text = attached ?? this.#value(word);
      if (shape.values === 2) second = this.#value(word);
    }
    use.addOption({
      option,
      shape,
      text,
      second,
      negate: this.#negate,
      context: this.#context,
      first: this.#optionStart,
      last: this.#next - 1,
    });
  }

  #openMatch(name: string, module: ExtensionModule<Match> | undefined): void {
    const use = new ExtensionUse<Match>(name, module, this.#context);
    this.#matches.push(use);
    // A module used again gets its options, but they do not come before those of modules opened since.
    const before = module === undefined ? -1 : this.#open.findIndex((open) => open.module === module);
    if (before < 0) this.#open.push(use);
    else this.#open[before] = use;
  }

  /** An option of iptables itself, by its letter. */
  #readBase(letter: string, word: string, attached: string | undefined): void {
    const context = this.#context;
    let text = attached ?? '';
    if (attached !== undefined && SEPARATE_VALUE.has(letter)) {
      throw context.error(`the value in '${word}' must be a word of its own`);
    }
    if (attached === undefined && WITH_VALUE.has(letter)) text = this.#value(word);
    if (attached === undefined && WITH_OPTIONAL_VALUE.has(letter)) text = this.#optionalValue() ?? '';
    if (this.#head.read(letter, text, this.#negate)) {
      if (letter === 'j') this.#openTarget(text);
      return;
    }
    if (this.#negate) throw context.error(`'!' cannot stand before ${word}`);
    if (COMMAND_LETTERS.has(letter)) this.#command.read(letter, text, () => this.#optionalValue());
    else if (letter === 'm') this.#readMatch(text);
    else if (letter === 'c') this.#setCounters(text);
    else if (letter === '4' || letter === '6')
      this.#otherFamily ||= (letter === '4') !== (context.family === 'ipv4');
    else if (letter === 't') throw context.error('-t cannot stand in a restore file; *TABLE names the table');
    else if (letter !== 'v') throw context.error(`option '${word}' is not for a restore file`);
  }

  #readMatch(name: string): void {
    const module = findMatchModule(name);
    if (module === undefined && !MODULE_NAME.test(name)) {
      throw this.#context.error(`'${name}' cannot be the name of a match; expected one after -m`);
    }
    if (module?.family !== undefined && module.family !== this.#context.family) {
      throw this.#context.error(`-m ${name} is not for ${this.#context.family}`);
    }
    this.#openMatch(module?.name ?? name, module);
  }

  #openTarget(name: string): void {
    const { table, family } = this.#context;
    const module = findTargetModule(name);
    if (module === undefined) return;
    if (module.family !== undefined && module.family !== family) {
      throw this.#context.error(`-j ${name} is not for ${family}`);
    }
    if (name === 'DROP' && table === 'nat') {
      throw this.#context.error('the nat table is not for filtering; DROP cannot be used in it');
    }
    this.#target = new ExtensionUse(module.name, module, this.#context);
    this.#open.push(this.#target);
  }

  #setCounters(text: string): void {
    const comma = text.indexOf(',');
    const packets = comma < 0 ? text : text.slice(0, comma);
    const bytes = comma < 0 ? (this.#optionalValue() ?? '') : text.slice(comma + 1);
    this.#head.counters =
      parseCounters(`[${packets}:${bytes}]`) ?? this.#context.fail('bad counters; expected -c PACKETS BYTES');
  }

  #rules(): readonly Rule[] {
    const matches = this.#matches.map((use) => use.finish(this.#context) ?? this.#verbatim(use));
    return this.#head.rules(this.#command.chain, matches, this.#finishTarget());
  }

  #finishTarget(): Target {
    if (this.#target !== undefined) return this.#target.finish(this.#context) ?? this.#verbatim(this.#target);
    const jump = this.#head.destinationChain;
    if (jump === undefined) return { kind: 'none' };
    return { kind: jump.goto ? 'goto' : 'jump', chain: jump.name };
  }

  #verbatim(use: AnyUse): UnknownMatch {
    return { kind: 'unknown', name: use.name, text: use.verbatim(this.#source, this.#tokens) };
  }
}
