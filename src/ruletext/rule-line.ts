/**
 * Reads one command line of a restore file: getopt's way of finding options, then each option to the
 * command, the rule's head or the extension it belongs to (iptables/xshared.c, do_parse and command_default).
 */
import type { AddressMatch, DeviceMatch, Match, ProtocolMatch } from '../netfilter/match.ts';
import type { Counters, Rule } from '../netfilter/rule-set.ts';
import type { Target } from '../netfilter/target.ts';
import { type AddressAndMask, parseNetwork } from './address-text.ts';
import { COMMAND_LETTERS, LONG_OPTIONS, WITH_OPTIONAL_VALUE, WITH_VALUE } from './base-options.ts';
import { createLineTokens, splitLine } from './line-tokens.ts';
import type { ExtensionModule, OptionShape } from './match-module.ts';
import { findMatchModule } from './matches/match-modules.ts';
import { tryParseNumber } from './numbers.ts';
import { ExtensionUse } from './open-extension.ts';
import { impliedModule, parseProtocol } from './protocols.ts';
import type { RuleContext } from './rule-context.ts';
import type { Command } from './saved-rules.ts';
import { findTargetModule } from './targets/target-modules.ts';

/** XT_EXTENSION_MAXNAMELEN less the terminator: the longest chain or target name. */
export const MAX_CHAIN_NAME = 28;
/** IFNAMSIZ less the terminator. */
const MAX_IFNAME = 15;

type AnyUse = ExtensionUse<Match> | ExtensionUse<Target>;

interface Found {
  readonly use: AnyUse;
  readonly option: string;
  readonly shape: OptionShape;
}

interface RuleHead {
  sources: readonly AddressAndMask[] | undefined;
  negateSource: boolean;
  destinations: readonly AddressAndMask[] | undefined;
  negateDestination: boolean;
  inDevice: DeviceMatch | undefined;
  outDevice: DeviceMatch | undefined;
  protocol: ProtocolMatch | undefined;
  fragment: Match | undefined;
  goto: string | undefined;
  jump: string | undefined;
  counters: Counters | undefined;
}

const emptyHead = (): RuleHead => ({
  sources: undefined,
  negateSource: false,
  destinations: undefined,
  negateDestination: false,
  inDevice: undefined,
  outDevice: undefined,
  protocol: undefined,
  fragment: undefined,
  goto: undefined,
  jump: undefined,
  counters: undefined,
});

export class RuleLineReader {
  readonly #context: RuleContext;
  readonly #declared: ReadonlySet<string>;
  readonly #tokens = createLineTokens();
  #source = '';
  #next = 0;
  #negate = false;
  /** The word where the option being read begins: its `!` if it has one. */
  #optionStart = 0;
  #head = emptyHead();
  #matches: ExtensionUse<Match>[] = [];
  #target: ExtensionUse<Target> | undefined;
  /** In the order they were opened. */
  #open: AnyUse[] = [];
  #impliedLoaded = false;
  #command = '';
  #chain = '';
  #number: number | undefined;
  #argument: string | undefined;

  /** `declared` holds the chains of the current table that the text has declared so far. */
  constructor(context: RuleContext, declared: ReadonlySet<string>) {
    this.#context = context;
    this.#declared = declared;
  }

  /** The commands of `source` from `start` to `end`; several when addresses are listed with commas. */
  read(source: string, start: number, end: number): readonly Command[] {
    this.#reset(source);
    const tokens = this.#tokens;
    const context = this.#context;
    let from = start;
    if (source.charCodeAt(start) === 91) from = this.#readCounters(start, end);
    splitLine(source, from, end, tokens);
    if (tokens.problem !== undefined) throw context.error(tokens.problem);
    while (this.#next < tokens.count) this.#readWord();
    if (this.#negate) throw context.error("nothing follows '!'");
    return this.#finish();
  }

  #reset(source: string): void {
    this.#source = source;
    this.#next = 0;
    this.#negate = false;
    this.#head = emptyHead();
    this.#matches = [];
    this.#target = undefined;
    this.#open = [];
    this.#impliedLoaded = false;
    this.#command = '';
    this.#chain = '';
    this.#number = undefined;
    this.#argument = undefined;
    this.#context.protocol = undefined;
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
    if (word.charCodeAt(0) !== 45 || word.length === 1) {
      if (word === '!') {
        if (this.#negate) throw this.#context.error("two '!' in a row");
        this.#negate = true;
        return;
      }
      if (this.#strayWord(index)) return;
      throw this.#context.error(`bad argument '${word}'; expected an option`);
    }
    if (word.charCodeAt(1) === 45) this.#readLong(word);
    else this.#readShort(word);
    this.#negate = false;
  }

  /** A word that is no option goes with an extension whose options are not known. */
  #strayWord(index: number): boolean {
    const last = this.#open.at(-1);
    if (last === undefined || last.module !== undefined || this.#negate) return false;
    last.addWords(index, index);
    return true;
  }

  #readShort(word: string): void {
    const letter = word[1] ?? '';
    const attached = word.length > 2 ? word.slice(2) : undefined;
    if (WITH_VALUE.has(letter)) this.#base(letter, attached ?? this.#value(word));
    else if (WITH_OPTIONAL_VALUE.has(letter)) this.#base(letter, attached ?? this.#optionalValue());
    else if (attached !== undefined) throw this.#context.error(`unknown option '${word}'`);
    else this.#base(letter, undefined);
  }

  #readLong(word: string): void {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const attached = equals < 0 ? undefined : word.slice(equals + 1);
    const letter = LONG_OPTIONS.get(name);
    if (letter !== undefined) {
      this.#longBase(letter, word, attached);
      return;
    }
    const found = this.#exact(name) ?? this.#abbreviated(name) ?? this.#implied(name);
    if (found === undefined) {
      if (this.#toUnknownExtension()) return;
      throw this.#context.error(`unknown option '${word}'`);
    }
    if (typeof found === 'string') this.#longBase(found, word, attached);
    else this.#extensionOption(found, word, attached);
  }

  #longBase(letter: string, word: string, attached: string | undefined): void {
    if (WITH_VALUE.has(letter)) this.#base(letter, attached ?? this.#value(word));
    else if (WITH_OPTIONAL_VALUE.has(letter)) this.#base(letter, attached ?? this.#optionalValue());
    else this.#base(letter, undefined);
  }

  /** The newest extension that has the option, as getopt's merged table would find it. */
  #exact(name: string): Found | undefined {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const use = this.#open[i];
      const shape = use?.module?.options.get(name);
      if (use !== undefined && shape !== undefined) return { use, option: name, shape };
    }
    return undefined;
  }

  /** The one option that `name` begins, or undefined when there is none or more than one. */
  #abbreviated(name: string): Found | string | undefined {
    if (name === '') return undefined;
    let found: Found | string | undefined;
    const letters = new Set<string>();
    for (const [long, letter] of LONG_OPTIONS) {
      if (!long.startsWith(name)) continue;
      letters.add(letter);
      found = letter;
    }
    const shapes = new Set<OptionShape>();
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const use = this.#open[i];
      if (use?.module === undefined) continue;
      for (const [option, shape] of use.module.options) {
        if (!option.startsWith(name) || shapes.has(shape)) continue;
        shapes.add(shape);
        found = { use, option, shape };
      }
    }
    return letters.size + shapes.size === 1 ? found : undefined;
  }

  /** `-p tcp --dport` without `-m tcp`: the protocol's module is loaded on demand, once. */
  #implied(name: string): Found | string | undefined {
    const { protocol, family } = this.#context;
    if (protocol === undefined || this.#impliedLoaded) return undefined;
    const module = findMatchModule(impliedModule(protocol.number) ?? '');
    if (module === undefined || (module.family !== undefined && module.family !== family)) return undefined;
    const takes =
      module.options.has(name) || [...module.options.keys()].some((option) => option.startsWith(name));
    if (!takes && this.#open.some((use) => use.module === undefined)) return undefined;
    this.#impliedLoaded = true;
    this.#openMatch(module.name, module);
    return this.#exact(name) ?? this.#abbreviated(name);
  }

  #toUnknownExtension(): boolean {
    const use = this.#open.findLast((candidate) => candidate.module === undefined) ?? this.#unknownTarget();
    if (use === undefined) return false;
    let last = this.#next - 1;
    while (last + 1 < this.#tokens.count) {
      const word = this.#word(last + 1);
      const raw = this.#source.charCodeAt(this.#tokens.starts[last + 1] ?? 0);
      if (raw === 45 && word.length > 1) break;
      if (word === '!' && raw === 33) break;
      last++;
    }
    use.addWords(this.#optionStart, last);
    this.#next = last + 1;
    return true;
  }

  /** `-j NAME --option` where NAME is neither a known target nor a declared chain: a target from elsewhere. */
  #unknownTarget(): ExtensionUse<Target> | undefined {
    const name = this.#head.jump;
    if (name === undefined || this.#target !== undefined || this.#declared.has(name)) return undefined;
    this.#target = new ExtensionUse<Target>(name, undefined, this.#context);
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
    return code === 45 || code === 33 ? undefined : this.#word(this.#next++);
  }

  #extensionOption({ use, option, shape }: Found, word: string, attached: string | undefined): void {
    const first = this.#optionStart;
    let text = '';
    let second = '';
    if (shape.values === 0) {
      if (attached !== undefined) throw this.#context.error(`option '--${option}' takes no value`);
    } else {
      text = attached ?? this.#value(word);
      if (shape.values === 2) second = this.#value(word);
    }
    const last = this.#next - 1;
    use.addOption({ first, last, option, shape, text, second, negate: this.#negate }, this.#context);
  }

  #openMatch(name: string, module: ExtensionModule<Match> | undefined): void {
    const use = new ExtensionUse<Match>(name, module, this.#context);
    this.#matches.push(use);
    this.#open.push(use);
  }

  #refuseNegation(option: string): void {
    if (this.#negate) throw this.#context.error(`'!' cannot stand before ${option}`);
  }

  #once(taken: unknown, option: string): void {
    if (taken !== undefined) throw this.#context.error(`${option} is given twice`);
  }

  /** An option of iptables itself. */
  #base(letter: string, value: string | undefined): void {
    const head = this.#head;
    const text = value ?? '';
    switch (letter) {
      case 's':
        this.#once(head.sources, '-s');
        head.sources = this.#networks('-s', text);
        head.negateSource = this.#negate;
        return;
      case 'd':
        this.#once(head.destinations, '-d');
        head.destinations = this.#networks('-d', text);
        head.negateDestination = this.#negate;
        return;
      case 'p':
        this.#once(head.protocol, '-p');
        this.#protocol(text);
        return;
      case 'i':
        this.#once(head.inDevice, '-i');
        head.inDevice = this.#device('in-device', text);
        return;
      case 'o':
        this.#once(head.outDevice, '-o');
        head.outDevice = this.#device('out-device', text);
        return;
      case 'f':
        this.#once(head.fragment, '-f');
        if (this.#context.family === 'ipv6')
          throw this.#context.error('-f is not for IPv6; expected -m frag');
        head.fragment = { kind: 'fragment', negate: this.#negate };
        return;
      case 'm':
        this.#refuseNegation('-m');
        this.#match(text);
        return;
      case 'j':
        this.#jump(text);
        return;
      case 'g':
        this.#refuseNegation('-g');
        this.#once(head.jump ?? head.goto, '-j or -g');
        head.goto = this.#targetName(text);
        return;
      case 'c':
        this.#setCounters(text);
        return;
      default:
        this.#otherBase(letter, text);
    }
  }

  #otherBase(letter: string, text: string): void {
    const context = this.#context;
    if (COMMAND_LETTERS.has(letter)) {
      this.#readCommand(letter, text);
      return;
    }
    if (letter === 't')
      throw context.error('-t cannot stand in a restore file; the table is named by *TABLE');
    if (letter === 'v' || letter === 'n' || letter === 'x') return;
    throw context.error(`option -${letter} is not for a restore file`);
  }

  #networks(option: string, text: string): readonly AddressAndMask[] {
    const context = this.#context;
    if (!text.includes(',')) return [parseNetwork(context, option, text)];
    if (this.#negate) throw context.error(`'!' is not allowed with several addresses (${text})`);
    return text.split(',').map((part) => parseNetwork(context, option, part.trimStart()));
  }

  #protocol(text: string): void {
    const context = this.#context;
    const { protocol, name } = parseProtocol(context, '-p', text.toLowerCase());
    if (protocol === 0 && this.#negate) throw context.error("'! -p all' never matches");
    context.protocol = { number: protocol, negate: this.#negate };
    this.#head.protocol = { kind: 'protocol', negate: this.#negate, protocol, name };
  }

  #device(kind: DeviceMatch['kind'], text: string): DeviceMatch {
    if (text === '') throw this.#context.error('an empty device name; expected the name of a device');
    if (text.length > MAX_IFNAME) {
      throw this.#context.error(`device name '${text}' is longer than ${MAX_IFNAME} characters`);
    }
    const wildcard = text.endsWith('+');
    return { kind, negate: this.#negate, ifname: wildcard ? text.slice(0, -1) : text, wildcard };
  }

  #match(name: string): void {
    const module = findMatchModule(name);
    if (module?.family !== undefined && module.family !== this.#context.family) {
      throw this.#context.error(`-m ${name} is not for ${this.#context.family}`);
    }
    this.#openMatch(module?.name ?? name, module);
  }

  #targetName(text: string): string {
    if (text === '' || text.length > MAX_CHAIN_NAME || /\s/.test(text)) {
      throw this.#context.error(
        `bad target name '${text}'; expected 1 to ${MAX_CHAIN_NAME} characters without blanks`,
      );
    }
    return text;
  }

  #jump(text: string): void {
    this.#refuseNegation('-j');
    this.#once(this.#head.jump ?? this.#head.goto, '-j or -g');
    this.#head.jump = this.#targetName(text);
    const module = findTargetModule(text);
    if (module === undefined) return;
    if (module.family !== undefined && module.family !== this.#context.family) {
      throw this.#context.error(`-j ${text} is not for ${this.#context.family}`);
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

  #readCommand(letter: string, text: string): void {
    const context = this.#context;
    this.#refuseNegation(`-${letter}`);
    if (this.#command !== '') throw context.error(`-${letter} cannot go with -${this.#command}`);
    if (letter === 'L' || letter === 'S')
      throw context.error(`-${letter} lists rules; expected a command that changes them`);
    this.#command = letter;
    this.#chain = text;
    if (text.length > MAX_CHAIN_NAME) {
      throw context.error(`chain name '${text}' is longer than ${MAX_CHAIN_NAME} characters`);
    }
    if (letter === 'E' || letter === 'P') {
      this.#argument = this.#optionalValue() ?? context.fail(`-${letter} needs a second word`);
    } else if (letter === 'I' || letter === 'D' || letter === 'R') {
      const number = this.#optionalValue();
      if (number !== undefined) {
        this.#number =
          tryParseNumber(number, 1, 0x7fffffff) ??
          context.fail(`bad rule number '${number}'; expected 1 or more`);
      } else if (letter === 'R') throw context.error('-R needs a rule number');
    }
  }

  #finish(): readonly Command[] {
    const context = this.#context;
    const { line } = context;
    const chain = this.#chain;
    switch (this.#command) {
      case 'A':
        return this.#rules().map((rule) => ({ kind: 'append', line, chain, rule }));
      case 'C':
        return this.#rules().map((rule) => ({ kind: 'check', line, chain, rule }));
      case 'D': {
        const number = this.#number;
        if (number !== undefined) return [{ kind: 'delete-number', line, chain, number }];
        return this.#rules().map((rule) => ({ kind: 'delete', line, chain, rule }));
      }
      case 'I':
        return this.#rules().map((rule) => ({
          kind: 'insert',
          line,
          chain,
          number: this.#number ?? 1,
          rule,
        }));
      case 'R': {
        const rules = this.#rules();
        const [rule] = rules;
        if (rule === undefined || rules.length > 1)
          throw context.error('-R takes one source and one destination');
        return [{ kind: 'replace', line, chain, number: this.#number ?? 1, rule }];
      }
      default:
        return [this.#chainCommand(line, chain)];
    }
  }

  #chainCommand(line: number, chain: string): Command {
    const context = this.#context;
    const some = chain === '' ? {} : { chain };
    switch (this.#command) {
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
        checkNewChainName(context, this.#argument ?? '');
        return { kind: 'rename-chain', line, chain, to: this.#argument ?? '' };
      case 'P':
        return { kind: 'policy', line, chain, policy: parsePolicy(context, this.#argument ?? '') };
      default:
        return context.fail('no command; expected a rule such as -A CHAIN …');
    }
  }

  #rules(): readonly Rule[] {
    const { sources = [undefined], destinations = [undefined], counters, ...head } = this.#head;
    this.#checkDevices();
    const tail: Match[] = [];
    if (head.inDevice !== undefined && !isAnyDevice(head.inDevice)) tail.push(head.inDevice);
    if (head.outDevice !== undefined && !isAnyDevice(head.outDevice)) tail.push(head.outDevice);
    if (head.protocol !== undefined && head.protocol.protocol !== 0) tail.push(head.protocol);
    if (head.fragment !== undefined) tail.push(head.fragment);
    for (const use of this.#matches) tail.push(this.#finishMatch(use));
    const target = this.#finishTarget();
    const rules: Rule[] = [];
    for (const source of sources) {
      for (const destination of destinations) {
        const matches: Match[] = [];
        this.#pushAddress(matches, 'source', head.negateSource, source);
        this.#pushAddress(matches, 'destination', head.negateDestination, destination);
        for (const match of tail) matches.push(match);
        rules.push(counters === undefined ? { matches, target } : { matches, target, counters });
      }
    }
    return rules;
  }

  /** `0.0.0.0/0` says nothing and is left out, as saves do. */
  #pushAddress(
    matches: Match[],
    kind: AddressMatch['kind'],
    negate: boolean,
    network: AddressAndMask | undefined,
  ): void {
    if (network === undefined) return;
    const { address, mask } = network;
    if (!negate && isZero(mask)) return;
    matches.push({ kind, negate, address, mask });
  }

  #checkDevices(): void {
    const chain = this.#chain;
    if (this.#head.outDevice !== undefined && (chain === 'PREROUTING' || chain === 'INPUT')) {
      throw this.#context.error(`-o cannot be used in ${chain}: the packet has no outgoing device there`);
    }
    if (this.#head.inDevice !== undefined && (chain === 'POSTROUTING' || chain === 'OUTPUT')) {
      throw this.#context.error(`-i cannot be used in ${chain}: the packet has no incoming device there`);
    }
  }

  #finishMatch(use: ExtensionUse<Match>): Match {
    return (
      use.finish(this.#context) ?? {
        kind: 'unknown',
        name: use.name,
        text: use.verbatim(this.#source, this.#tokens),
      }
    );
  }

  #finishTarget(): Target {
    const { goto, jump } = this.#head;
    const use = this.#target;
    if (goto !== undefined) return { kind: 'goto', chain: goto };
    if (use !== undefined) {
      return (
        use.finish(this.#context) ?? {
          kind: 'unknown',
          name: use.name,
          text: use.verbatim(this.#source, this.#tokens),
        }
      );
    }
    return jump === undefined ? { kind: 'none' } : { kind: 'jump', chain: jump };
  }
}

function isZero(mask: AddressAndMask['mask']): boolean {
  return typeof mask === 'number' ? mask === 0 : (mask.w0 | mask.w1 | mask.w2 | mask.w3) === 0;
}

/** `-i +` matches every device and is left out of saves. */
function isAnyDevice(match: DeviceMatch): boolean {
  return match.wildcard && match.ifname === '' && !match.negate;
}

const ZERO_COUNTERS: Counters = { packets: 0n, bytes: 0n };
const COUNTERS = /^\[(\d+):(\d+)\]$/;

/** `[packets:bytes]`; undefined when `text` is anything else. */
export function parseCounters(text: string): Counters | undefined {
  if (text === '[0:0]') return ZERO_COUNTERS;
  const found = COUNTERS.exec(text);
  if (found === null) return undefined;
  return { packets: BigInt(found[1] ?? 0), bytes: BigInt(found[2] ?? 0) };
}

/** ACCEPT or DROP; DROP not in nat. */
export function parsePolicy(context: RuleContext, text: string): 'ACCEPT' | 'DROP' {
  if (text !== 'ACCEPT' && text !== 'DROP')
    throw context.error(`bad policy '${text}'; expected ACCEPT or DROP`);
  return text;
}

/** Complains about names that iptables refuses for a new chain. */
export function checkNewChainName(context: RuleContext, name: string): void {
  if (name.length > MAX_CHAIN_NAME) {
    throw context.error(`chain name '${name}' is longer than ${MAX_CHAIN_NAME} characters`);
  }
  if (name === '' || name.startsWith('-') || name.startsWith('!') || /\s/.test(name)) {
    throw context.error(`bad chain name '${name}'; expected a name that does not begin with '-' or '!'`);
  }
  if (findTargetModule(name) !== undefined)
    throw context.error(`chain name '${name}' is the name of a target`);
}
