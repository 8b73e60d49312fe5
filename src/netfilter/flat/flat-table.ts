/**
 * One table in flat form: every chain's rules as records, in one array, and chains that can be replaced one
 * by one. A replaced chain's records go to the end of the array (or into its old place when they fit).
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import type { NegatableAddress } from '../match.ts';
import type { Chain, Rule } from '../rule-set.ts';
import { addressWords } from './batch.ts';
import { writeAction } from './encode-action.ts';
import { type DeviceTest, EncodedMatches, wordsOf } from './encode-tests.ts';
import { ACTION, ACTION_WORDS, HEAD, NO_DECISION, RECORD, recordWords, TEST } from './layout.ts';
import { type Allocate, WordList } from './word-list.ts';

export interface FlatChain {
  readonly number: number;
  readonly chain: Chain;
  /** The ordinal of its first rule. */
  readonly start: number;
  /** Room for this many rules is there. */
  readonly room: number;
}

/** Which rule decided, as users count: from 1. */
export interface Decision {
  readonly chain: string;
  readonly number: number;
}

/** How many chains are remembered; a power of two. */
const RECENT = 16;

const RECENT_TESTS = 256;

function recentPlace(name: string): number {
  return (name.length + name.charCodeAt(name.length - 1)) & (RECENT - 1);
}

/** Marks of chains while jumps are checked. */
const OPEN = 1;
const CHECKED = 2;

export class FlatTable {
  readonly family: IpFamily;
  readonly width: 1 | 4;
  readonly records: WordList;
  readonly tests: WordList;
  readonly actions: WordList;
  /** `start, end` of each chain, as rule ordinals. */
  readonly bounds: WordList;
  readonly deviceTests: DeviceTest[] = [];
  readonly #deviceNumbers = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  /** Chains that were asked for lately, by recentPlace: every chain of a Service jumps to the same one. */
  readonly #recentNames: string[] = new Array(RECENT).fill('');
  readonly #recentNumbers = new Int32Array(RECENT);
  /** Where lists of tests are, by their hash. */
  readonly #recentTests = new Int32Array(RECENT_TESTS);
  readonly #chains: (FlatChain | undefined)[] = [];
  readonly #recordWords: number;
  readonly #encoded: EncodedMatches;
  readonly #chainNumber = (name: string) => this.numberOf(name);
  #rules = 0;
  /** Records that no chain uses any more. */
  #unused = 0;

  constructor(family: IpFamily, chains: Iterable<Chain>, allocate: Allocate) {
    this.family = family;
    this.width = addressWords(family);
    this.#recordWords = recordWords(this.width);
    this.records = new WordList(allocate);
    this.tests = new WordList(allocate);
    this.actions = new WordList(allocate);
    this.bounds = new WordList(allocate);
    this.#encoded = new EncodedMatches(this.width, (test) => this.#deviceIndex(test));
    this.tests.push(TEST.end);
    const all = [...chains];
    const rules = all.reduce((sum, chain) => sum + chain.rules.length, 0);
    this.records.reserve(rules * this.#recordWords);
    this.actions.reserve(rules * ACTION_WORDS);
    for (const { name } of all) this.#newNumber(name);
    for (const [number, chain] of all.entries()) this.#put(number, chain);
  }

  /** How many rules there is room for; ordinals are below it. */
  get ruleCount(): number {
    return this.#rules;
  }

  /** The part of the records that replaced chains have left behind, from 0 to 1. */
  get waste(): number {
    return this.#rules === 0 ? 0 : this.#unused / this.#rules;
  }

  chain(name: string): FlatChain | undefined {
    const number = this.#numbers.get(name);
    return number === undefined ? undefined : this.#chains[number];
  }

  /** The name of chain number `chain`. */
  nameOf(chain: number): string {
    return this.#chains[chain]?.chain.name ?? '';
  }

  /** Whether the rule whose source stands at word `at` of the records wants any other source. */
  negatesSource(at: number): boolean {
    return ((this.records.words[at - (at % this.#recordWords)] ?? 0) & HEAD.notSource) !== 0;
  }

  /** Where rule `index` (from 0) of `from` leads; undefined when it does not jump, or to nowhere. */
  follow(from: FlatChain, index: number): FlatChain | undefined {
    const action = (from.start + index) * ACTION_WORDS;
    const code = this.actions.words[action];
    if (code !== ACTION.jump && code !== ACTION.goto) return undefined;
    return this.#chains[this.actions.words[action + 1] ?? 0];
  }

  /** Throws RangeError for jumps in a loop or to nowhere: the kernel refuses such tables. */
  checkJumps(): void {
    const states = new Uint8Array(this.#chains.length);
    for (let number = 0; number < this.#chains.length; number++) {
      if (this.#chains[number] !== undefined) this.#checkFrom(number, states);
    }
  }

  #checkFrom(number: number, states: Uint8Array): void {
    if (states[number] === CHECKED) return;
    if (states[number] === OPEN) throw new RangeError(`chain ${this.nameOf(number)} leads to itself`);
    states[number] = OPEN;
    const { words } = this.actions;
    const start = this.bounds.words[2 * number] ?? 0;
    const end = this.bounds.words[2 * number + 1] ?? 0;
    for (let rule = start; rule < end; rule++) {
      const code = words[rule * ACTION_WORDS];
      if (code !== ACTION.jump && code !== ACTION.goto) continue;
      const next = words[rule * ACTION_WORDS + 1] ?? 0;
      if (this.#chains[next] === undefined) {
        throw new RangeError(`rule ${rule - start + 1} of chain ${this.nameOf(number)} leads to no chain`);
      }
      this.#checkFrom(next, states);
    }
    states[number] = CHECKED;
  }

  chains(): readonly FlatChain[] {
    return this.#chains.filter((chain) => chain !== undefined);
  }

  /** The number of the chain called `name`, which may be filled later. */
  numberOf(name: string): number {
    const place = recentPlace(name);
    if (this.#recentNames[place] === name) return this.#recentNumbers[place] ?? 0;
    const number = this.#numbers.get(name) ?? this.#newNumber(name);
    this.#recentNames[place] = name;
    this.#recentNumbers[place] = number;
    return number;
  }

  /** A number for a chain that has none. */
  #newNumber(name: string): number {
    const number = this.#chains.length;
    this.#numbers.set(name, number);
    this.#chains.push(undefined);
    this.bounds.grow(2);
    return number;
  }

  /** Puts `chain` in, in the place of the one with its name. */
  replace(chain: Chain): FlatChain {
    return this.#put(this.numberOf(chain.name), chain);
  }

  #put(number: number, chain: Chain): FlatChain {
    const old = this.#chains[number];
    const fits = old !== undefined && old.room >= chain.rules.length;
    if (old !== undefined && !fits) this.#unused += old.room;
    const start = fits ? old.start : this.#reserve(chain.rules.length);
    const flat: FlatChain = { number, chain, start, room: fits ? old.room : chain.rules.length };
    this.#chains[number] = flat;
    const bounds = this.bounds.words;
    bounds[2 * number] = start;
    bounds[2 * number + 1] = start + chain.rules.length;
    const { rules } = chain;
    for (let index = 0; index < rules.length; index++) {
      const rule = rules[index];
      // Most rules of a replaced chain are the old ones.
      if (rule === undefined || (fits && old.chain.rules[index] === rule)) continue;
      this.#encode(start + index, rule);
    }
    return flat;
  }

  /** Takes the chain called `name` out. Nothing may jump to it any more. */
  remove(name: string): void {
    const number = this.#numbers.get(name);
    const old = number === undefined ? undefined : this.#chains[number];
    if (number === undefined || old === undefined) return;
    this.#unused += old.room;
    this.#chains[number] = undefined;
    this.bounds.words[2 * number] = 0;
    this.bounds.words[2 * number + 1] = 0;
  }

  /** The rule that a batch's `decision` column names; undefined when it was the policy. */
  describe(decision: number): Decision | undefined {
    if (decision === NO_DECISION) return undefined;
    const ordinal = ~decision;
    for (const flat of this.#chains) {
      if (flat === undefined) continue;
      const index = ordinal - flat.start;
      if (index >= 0 && index < flat.chain.rules.length) return { chain: flat.chain.name, number: index + 1 };
    }
    return undefined;
  }

  #reserve(rules: number): number {
    const start = this.#rules;
    this.#rules += rules;
    this.records.grow(rules * this.#recordWords);
    this.actions.grow(rules * ACTION_WORDS);
    return start;
  }

  #deviceIndex(test: DeviceTest): number {
    const key = `${test.side} ${test.wildcard ? 'begins' : 'is'} ${test.ifname}`;
    const known = this.#deviceNumbers.get(key);
    if (known !== undefined) return known;
    this.#deviceNumbers.set(key, this.deviceTests.length);
    return this.deviceTests.push(test) - 1;
  }

  #encode(ordinal: number, rule: Rule): void {
    const encoded = this.#encoded;
    encoded.clear();
    for (const match of rule.matches) encoded.add(match);
    const { words } = this.records;
    const record = ordinal * this.#recordWords;
    words[record + RECORD.head] = encoded.head;
    words[record + RECORD.dports] = encoded.dports;
    words[record + RECORD.sports] = encoded.sports;
    words[record + RECORD.tests] = this.#appendTests(encoded.tests, encoded.testWords);
    const at = record + RECORD.addresses;
    this.#writeAddress(at, encoded.destination);
    this.#writeAddress(at + 2 * this.width, encoded.source);
    const action = ordinal * ACTION_WORDS;
    const actions = this.actions.words;
    for (let word = 0; word < ACTION_WORDS; word++) actions[action + word] = 0;
    writeAction(actions, action, rule.target, this.#chainNumber);
  }

  #writeAddress(at: number, test: NegatableAddress | undefined): void {
    const { words } = this.records;
    const { width } = this;
    if (test === undefined) {
      for (let word = 0; word < 2 * width; word++) words[at + word] = 0;
    } else if (typeof test.address === 'number' && typeof test.mask === 'number') {
      words[at] = test.address;
      words[at + 1] = test.mask;
    } else {
      words.set(wordsOf(test.address), at);
      words.set(wordsOf(test.mask), at + width);
    }
  }

  /** Where the first `count` of `tests` are: few lists are different ones, and equal ones share their place. */
  #appendTests(tests: Int32Array, count: number): number {
    if (count === 0) return 0;
    let hash = count;
    for (let index = 0; index < count; index++) hash = Math.imul(hash ^ (tests[index] ?? 0), 0x9e3779b1);
    const place = (hash ^ (hash >>> 15)) & (RECENT_TESTS - 1);
    const known = this.#recentTests[place] ?? 0;
    if (known > 0 && this.#holdsTests(known, tests, count)) return known;
    const start = this.tests.grow(count + 1);
    const { words } = this.tests;
    for (let index = 0; index < count; index++) words[start + index] = tests[index] ?? 0;
    words[start + count] = TEST.end;
    this.#recentTests[place] = start;
    return start;
  }

  #holdsTests(at: number, tests: Int32Array, count: number): boolean {
    const { words } = this.tests;
    for (let index = 0; index < count; index++) if (words[at + index] !== tests[index]) return false;
    return words[at + count] === TEST.end;
  }
}
