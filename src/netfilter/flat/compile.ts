/**
 * A table compiled for batches: its flat rules, the chain indexes, and a dispatch table for each hook whose
 * chain leads straight to rules with exact destinations. Chains can be replaced one by one; what depends on
 * them is compiled anew, the rest stays.
 *
 *   chains ──▶ FlatTable (records) ──▶ indexes ──┐
 *      └─────▶ leaves ──▶ Front ─────────────────┴──▶ Image ──▶ lookupLinear, lookupCompiled
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import type { Chain, Table } from '../rule-set.ts';
import { indexChain } from './chain-index.ts';
import { type Decision, type FlatChain, FlatTable } from './flat-table.ts';
import { Front } from './front.ts';
import type { Image } from './image.ts';
import { NO_DECISION, RESULT } from './layout.ts';
import { firstJump, leadingRules, leadingTo } from './leading-rules.ts';
import { type Facts, Leaf } from './leaf.ts';
import { localRanges } from './local-ranges.ts';
import { FlatPool } from './pool.ts';
import { isSameChain } from './same-chain.ts';
import { WordList } from './word-list.ts';

/** What a batch's packets have in common, and the table's rules may ask for. */
export interface BatchSetting {
  /** The device they came in on, and the one they leave by; absent where there is none. */
  readonly inDevice?: string;
  readonly outDevice?: string;
  /** Addresses of type LOCAL. Absent or empty: none. */
  readonly locals?: readonly IpPrefix[];
}

/** A hook's dispatch table and what it was made from. */
interface HookFront {
  readonly front: Front;
  /** The chain whose exact rules it holds. */
  readonly source: Chain;
  /** Chains passed on the way there: when one changes, all is made anew. */
  readonly path: ReadonlySet<string>;
}

/** Lets a table be recompiled when too much of it is left over from replaced chains. */
const MAX_WASTE = 0.5;

export class CompiledTable {
  readonly family: IpFamily;
  readonly pool: FlatPool;
  #flat: FlatTable;
  /** Filled by one chain after another. */
  #leaf: Leaf;
  readonly #index: WordList;
  readonly #same: WordList;
  readonly #indexOf: WordList;
  readonly #fronts = new Map<string, HookFront>();
  /** Which chains jump to a chain; made when first asked for. */
  #referrers: Map<string, Set<string>> | undefined;

  /** Throws RangeError when chains jump in a loop or to chains that are not there. */
  constructor(table: Table, family: IpFamily, pool: FlatPool = new FlatPool(family)) {
    this.family = family;
    this.pool = pool;
    const { allocate } = pool;
    this.#flat = new FlatTable(family, table.chains.values(), allocate);
    this.#flat.checkJumps();
    this.#leaf = new Leaf(this.#flat);
    this.#index = new WordList(allocate);
    this.#same = new WordList(allocate);
    this.#indexOf = new WordList(allocate);
    this.#indexOf.grow(2);
    this.#reindexAll();
  }

  /** How many rules are in force. */
  get rules(): number {
    return this.#flat.chains().reduce((sum, { chain }) => sum + chain.rules.length, 0);
  }

  /** Bytes of its own arrays; the pool's come on top. */
  get bytes(): number {
    const { records, tests, actions, bounds } = this.#flat;
    const lists = [records, tests, actions, bounds, this.#index, this.#same, this.#indexOf];
    return lists.reduce((sum, { length }) => sum + 4 * length, 0);
  }

  /** How many keys the dispatch table of the built-in chain `base` holds. */
  dispatched(base: string): number {
    return this.#frontOf(base)?.front.size ?? 0;
  }

  /**
   * Replaces the chains called as those of `chains` are, adds new ones, takes out `removed`. Images taken before
   * are not to be used any more.
   */
  update(chains: readonly Chain[], removed: readonly string[] = []): void {
    // Who writes all of a Service's chains writes some that are as they were.
    const changed = chains.filter((chain) => !isSameChain(chain, this.#flat.chain(chain.name)?.chain));
    const old = new Map(changed.map(({ name }) => [name, this.#flat.chain(name)?.chain]));
    for (const name of removed) old.set(name, this.#flat.chain(name)?.chain);
    // Fronts are about to be compared with what the chains were: make them before anything changes.
    const touched = this.#referring(old.keys());
    for (const chain of changed) this.#flat.replace(chain);
    for (const name of removed) this.#flat.remove(name);
    for (const { name } of changed) this.#reindex(name);
    this.#updateReferrers(old);
    for (const [base, hook] of this.#fronts) this.#updateFront(base, hook, { old, touched });
    if (this.#flat.waste > MAX_WASTE) this.#compact();
  }

  /** What looking up packets at the built-in chain `base` needs. Throws RangeError when there is none. */
  image(base: string, setting: BatchSetting = {}): Image {
    return this.#image(base, setting, true);
  }

  /** The same without index and dispatch table: for lookupLinear. */
  linearImage(base: string, setting: BatchSetting = {}): Image {
    return this.#image(base, setting, false);
  }

  /** The rule that a `decision` names; undefined when it was the policy. */
  describe(decision: number): Decision | undefined {
    if (decision === NO_DECISION) return undefined;
    return decision >= 0 ? this.pool.originOf(decision) : this.#flat.describe(decision);
  }

  /** Lets go of what it holds in the pool. */
  dispose(): void {
    for (const { front } of this.#fronts.values()) front.dispose();
    this.#fronts.clear();
  }

  #image(base: string, setting: BatchSetting, compiled: boolean): Image {
    const flat = this.#flat;
    const chain = flat.chain(base);
    if (chain === undefined) throw new RangeError(`the table has no chain ${base}`);
    const { bounds, records, tests, actions } = flat;
    const chains = bounds.length / 2;
    return {
      width: flat.width,
      base: chain.number,
      policy: chain.chain.policy === 'DROP' ? RESULT.policyDrop : RESULT.policyAccept,
      records: records.words,
      tests: tests.words,
      actions: actions.words,
      bounds: bounds.words,
      devices: this.#deviceTruths(setting),
      locals: localRanges(setting.locals ?? [], this.family),
      same: compiled ? this.#same.words : new Int32Array(0),
      index: compiled ? this.#index.words : new Int32Array(0),
      indexOf: compiled ? this.#indexOf.words : new Int32Array(chains).fill(-1),
      front: compiled ? this.#frontOf(base)?.front.image() : undefined,
    };
  }

  #deviceTruths({ inDevice = '', outDevice = '' }: BatchSetting): Uint8Array {
    return Uint8Array.from(this.#flat.deviceTests, ({ side, ifname, wildcard }) => {
      const actual = side === 'in' ? inDevice : outDevice;
      return (wildcard ? actual.startsWith(ifname) : actual === ifname) ? 1 : 0;
    });
  }

  #reindex(name: string): void {
    const chain = this.#flat.chain(name);
    if (chain !== undefined) this.#reindexChain(chain);
  }

  #reindexAll(): void {
    for (const chain of this.#flat.chains()) this.#reindexChain(chain);
  }

  #reindexChain(chain: FlatChain): void {
    const flat = this.#flat;
    const chains = flat.bounds.length / 2;
    if (this.#indexOf.length < chains) this.#indexOf.grow(chains - this.#indexOf.length);
    const { start, number } = chain;
    const end = start + chain.chain.rules.length;
    const input = { records: flat.records.words, width: flat.width, start, end };
    this.#indexOf.words[number] = indexChain(input, this.#index, this.#same);
  }

  /** The dispatch table of `base`, made when first asked for. */
  #frontOf(base: string): HookFront | undefined {
    const known = this.#fronts.get(base);
    if (known !== undefined) return known;
    const made = this.#makeFront(base);
    if (made !== undefined) this.#fronts.set(base, made);
    return made;
  }

  #makeFront(base: string): HookFront | undefined {
    const path = new Set<string>();
    let flat = this.#flat.chain(base);
    // A chain that begins with a plain jump is as good as the chain it jumps to, for whoever is decided there.
    while (flat !== undefined) {
      path.add(flat.chain.name);
      const next = firstJump(flat.chain) === undefined ? undefined : this.#flat.follow(flat, 0);
      if (next === undefined) break;
      flat = next;
    }
    if (flat === undefined) return undefined;
    return { front: new Front(this.pool, this.#leavesOf(flat)), source: flat.chain, path };
  }

  /** The leaves that the leading rules of `source` lead to; each is gone when the next is asked for. */
  *#leavesOf(source: FlatChain): IterableIterator<readonly [Facts, Leaf]> {
    for (const { index, facts } of leadingRules(source.chain).values()) {
      const leaf = this.#leafOf(source, index, facts);
      if (leaf !== undefined) yield [facts, leaf];
    }
  }

  /** The leaf that rule `index` of `source` leads to. */
  #leafOf(source: FlatChain, index: number, facts: Facts): Leaf | undefined {
    const chain = this.#flat.follow(source, index);
    return chain !== undefined && this.#leaf.flatten(chain.number, facts) ? this.#leaf : undefined;
  }

  #updateFront(
    base: string,
    hook: HookFront,
    {
      old,
      touched,
    }: { readonly old: ReadonlyMap<string, Chain | undefined>; readonly touched: ReadonlySet<string> },
  ): void {
    const { front, source, path } = hook;
    const onPath = [...path].some((name) => old.has(name) && name !== source.name);
    const flat = this.#flat.chain(source.name);
    const now = flat?.chain;
    if (onPath || flat === undefined || now === undefined || firstJump(now) !== undefined) {
      front.dispose();
      this.#fronts.delete(base);
      return;
    }
    if (now === source) {
      for (const name of touched) {
        for (const { index, facts } of leadingTo(now).get(name) ?? []) {
          front.set(facts, this.#leafOf(flat, index, facts));
        }
      }
      return;
    }
    const after = leadingRules(now);
    const before = leadingRules(source);
    for (const [key, { facts }] of before) if (!after.has(key)) front.set(facts, undefined);
    this.#fronts.set(base, { ...hook, source: now });
    for (const [key, { rule, index, facts }] of after) {
      const leadsToChange = 'chain' in rule.target && touched.has(rule.target.chain);
      if (!leadsToChange && before.get(key)?.rule === rule) continue;
      front.set(facts, this.#leafOf(flat, index, facts));
    }
  }

  /** The chains from which some of `names` can be reached, themselves included. */
  #referring(names: Iterable<string>): ReadonlySet<string> {
    this.#referrers ??= this.#collectReferrers();
    const found = new Set<string>(names);
    for (const name of found) for (const from of this.#referrers.get(name) ?? []) found.add(from);
    return found;
  }

  #collectReferrers(): Map<string, Set<string>> {
    const referrers = new Map<string, Set<string>>();
    for (const { chain } of this.#flat.chains()) addReferrers(referrers, chain);
    return referrers;
  }

  #updateReferrers(old: ReadonlyMap<string, Chain | undefined>): void {
    if (this.#referrers === undefined) return;
    for (const [name, before] of old) {
      const now = this.#flat.chain(name)?.chain;
      for (const rule of before?.rules ?? []) {
        if ('chain' in rule.target) this.#referrers.get(rule.target.chain)?.delete(name);
      }
      if (now !== undefined) addReferrers(this.#referrers, now);
    }
  }

  #compact(): void {
    const chains = this.#flat.chains().map(({ chain }) => chain);
    this.#flat = new FlatTable(this.family, chains, this.pool.allocate);
    this.#leaf = new Leaf(this.#flat);
    for (const list of [this.#index, this.#same, this.#indexOf]) list.length = 0;
    this.#reindexAll();
  }
}

function addReferrers(referrers: Map<string, Set<string>>, chain: Chain): void {
  for (const { target } of chain.rules) {
    if (!('chain' in target)) continue;
    const known = referrers.get(target.chain);
    if (known === undefined) referrers.set(target.chain, new Set([chain.name]));
    else known.add(chain.name);
  }
}
