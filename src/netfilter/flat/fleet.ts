/**
 * One table as many nodes have it, all of them ready for lookups at once. What the nodes have in common is compiled
 * once, as a CompiledTable; a node is kept as the chains in which it differs and as its own directory of pages,
 * and pages, endpoints and thresholds are shared by content (FlatPool). So a node costs a few kilobytes, and a
 * change that reaches all nodes is compiled once and then entered in every directory.
 *
 *   common table ──▶ CompiledTable ──▶ pages ◀── directory of node 1, 2, …
 *                        ▲ differences of a node, put in while it is compiled, and when its packets have to walk
 *
 * Use: `new Fleet(table, family)` with the table that most nodes have, `add(chains)` for every node with the chains
 * it has otherwise (an empty list: it has none), `lookup` with the number that `add` returned, `update` for what
 * changes on all nodes. `bytes` is what the shared arrays take.
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import type { Chain, Table } from '../rule-set.ts';
import type { Batch } from './batch.ts';
import { type BatchSetting, CompiledTable } from './compile.ts';
import { lookupCompiled, lookupMissing } from './lookup.ts';
import type { PooledLeaf } from './pool.ts';
import { entryWords, NO_ENTRY, PAGE_ENTRIES } from './pool-layout.ts';

/** Where a dispatch table lies in the pool; its directory and pages are held. */
interface HeldFront {
  directory: number;
  shift: number;
}

interface FleetNode extends HeldFront {
  readonly differences: readonly Chain[];
  /** What pages of its own point to, held. */
  leaves: readonly PooledLeaf[];
}

/** What a fleet's lookups have in common. */
export interface FleetOptions {
  /** The built-in chain that packets meet; PREROUTING when absent. */
  readonly base?: string;
  readonly setting?: BatchSetting;
}

export class Fleet {
  readonly #compiled: CompiledTable;
  readonly #base: string;
  readonly #setting: BatchSetting;
  readonly #nodes: FleetNode[] = [];
  /** The chains that all nodes have, and their dispatch table with what its pages point to, page by page. */
  readonly #common: Map<string, Chain>;
  readonly #front: HeldFront;
  #leaves: readonly (readonly PooledLeaf[])[];
  /** The node whose differences are in the compiled table now, or -1. */
  #entered = -1;

  /** Throws RangeError when `table`'s jumps lead to nowhere or in a loop, or when it has no chain `base`. */
  constructor(table: Table, family: IpFamily, { base = 'PREROUTING', setting = {} }: FleetOptions = {}) {
    this.#compiled = new CompiledTable(table, family);
    this.#base = base;
    this.#setting = setting;
    this.#common = new Map(table.chains);
    this.#front = { ...this.#frontNow() };
    this.#retainFront(this.#front);
    // Held for good: else what the compiled table has of them would move while a node's chains are in it.
    this.#leaves = Array.from(this.#pagesOf(this.#front), (page) => this.#retainLeaves(page));
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Bytes of the arrays that nodes share and of those of their own. */
  get bytes(): number {
    return this.#compiled.bytes + this.#compiled.pool.bytes;
  }

  /** Adds a node that has `differences` in the place of, or beside, the chains that all have; returns its number. */
  add(differences: readonly Chain[]): number {
    const { directory, shift } = this.#front;
    this.#retainFront(this.#front);
    const number = this.#nodes.push({ differences, directory, shift, leaves: [] }) - 1;
    if (differences.length > 0) this.#recompile(number);
    return number;
  }

  /** Looks up rows `from` to `to` of `batch` on node number `node`. Throws RangeError when there is none. */
  lookup(node: number, batch: Batch, from: number, to: number): void {
    const held = this.#nodes[node];
    if (held === undefined) throw new RangeError(`no node ${node}`);
    const { pool } = this.#compiled;
    const { directory, shift } = held;
    const front = { directory, shift, memory: pool.memory.words, thresholds: pool.thresholds };
    // Mostly the dispatch table decides, and the node's own chains need not be there.
    if (lookupMissing(front, pool.width, batch, from, to) === 0) return;
    this.#enter(node);
    lookupCompiled(this.#compiled.image(this.#base, this.#setting), batch, from, to);
  }

  /**
   * Replaces chains that all nodes have, adds new ones and takes out `removed`. A chain in which a node differs
   * stays that node's.
   */
  update(chains: readonly Chain[], removed: readonly string[] = []): void {
    this.#enter(-1);
    const before = { ...this.#front };
    const pagesBefore = this.#pagesOf(before);
    this.#compiled.update(chains, removed);
    for (const chain of chains) this.#common.set(chain.name, chain);
    for (const name of removed) this.#common.delete(name);
    const { directory, shift } = this.#frontNow();
    const after = { directory, shift };
    this.#retainFront(after);
    const pages = this.#pagesOf(after);
    const spread = shift !== before.shift;
    const changed = [...pages.keys()].filter((page) => spread || pages[page] !== pagesBefore[page]);
    const old = spread ? this.#leaves.flat() : changed.flatMap((page) => this.#leaves[page] ?? []);
    const isChanged = new Set(changed);
    this.#leaves = Array.from(pages, (at, page) =>
      isChanged.has(page) ? this.#retainLeaves(at) : (this.#leaves[page] ?? []),
    );
    Object.assign(this.#front, after);
    const touched = new Set([...chains.map(({ name }) => name), ...removed]);
    for (const [number, node] of this.#nodes.entries()) {
      const own = this.#pagesOf(node);
      // Where a changed page is the node's own already, or a changed chain is, its table is made from its chains.
      const simple =
        !spread &&
        changed.every((page) => own[page] === pagesBefore[page]) &&
        !node.differences.some(({ name }) => touched.has(name));
      if (!simple) {
        this.#recompile(number);
        continue;
      }
      for (const page of changed) own[page] = pages[page] ?? 0;
      this.#move(node, own, shift);
    }
    this.#releaseFront(before);
    for (const leaf of old) this.#compiled.pool.release(leaf);
  }

  #frontNow(): HeldFront {
    const { front } = this.#compiled.image(this.#base, this.#setting);
    if (front === undefined) throw new RangeError(`${this.#base} has no dispatch table`);
    return { directory: front.directory, shift: front.shift };
  }

  /** Puts a node's chains into the compiled table, or (-1) those that all have. */
  #enter(node: number): void {
    if (this.#entered === node) return;
    const old = this.#nodes[this.#entered]?.differences ?? [];
    const next = this.#nodes[node]?.differences ?? [];
    const names = new Set(next.map(({ name }) => name));
    const left = old.filter(({ name }) => !names.has(name));
    const restored = left.flatMap(({ name }) => this.#common.get(name) ?? []);
    const gone = left.map(({ name }) => name).filter((name) => !this.#common.has(name));
    this.#compiled.update([...restored, ...next], gone);
    this.#entered = node;
  }

  /** Makes a node's dispatch table anew from its chains. */
  #recompile(number: number): void {
    const node = this.#nodes[number];
    if (node === undefined) return;
    this.#enter(number);
    const front = this.#frontNow();
    const pages = this.#pagesOf(front);
    const common = new Set(this.#pagesOf(this.#front));
    const released = node.leaves;
    node.leaves = [...pages].filter((page) => !common.has(page)).flatMap((page) => this.#retainLeaves(page));
    this.#move(node, pages, front.shift);
    for (const leaf of released) this.#compiled.pool.release(leaf);
    this.#enter(-1);
  }

  /** Gives a node these pages. */
  #move(node: FleetNode, pages: Int32Array, shift: number): void {
    const { pool } = this.#compiled;
    for (const page of pages) pool.pages.retain(page);
    const directory = pool.directories.hold(pages);
    this.#releaseFront(node);
    node.directory = directory;
    node.shift = shift;
  }

  #retainFront(front: HeldFront): void {
    const { pool } = this.#compiled;
    for (const page of this.#pagesOf(front)) pool.pages.retain(page);
    pool.directories.retain(front.directory);
  }

  #releaseFront(front: HeldFront): void {
    const { pool } = this.#compiled;
    for (const page of this.#pagesOf(front)) pool.pages.release(page);
    pool.directories.release(front.directory);
  }

  #pagesOf({ directory, shift }: HeldFront): Int32Array {
    return this.#compiled.pool.memory.words.slice(directory, directory + 2 ** (32 - shift));
  }

  /** Takes hold of everything that the page at word `page` points to. */
  #retainLeaves(page: number): readonly PooledLeaf[] {
    const { pool } = this.#compiled;
    const { width, memory } = pool;
    const leaves: PooledLeaf[] = [];
    for (let slot = 0; slot < PAGE_ENTRIES; slot++) {
      const entry = page + slot * entryWords(width) + width;
      if (memory.words[entry] === NO_ENTRY) continue;
      leaves.push({ endpoints: memory.words[entry + 1] ?? 0, shape: memory.words[entry + 2] ?? 0 });
    }
    for (const leaf of leaves) pool.retain(leaf);
    return leaves;
  }
}
