/**
 * The same table on many nodes, held once: the chains that all nodes have, compiled, and for each node those of its
 * own. Packets are looked up on one node at a time, to which the table is turned:
 *
 *   chains of all nodes ──▶ CompiledTable ◀── chains of the node it is turned to
 */
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import type { Chain, Table } from '../../netfilter/rule-set.ts';
import type { IpFamily } from '../../wire/ip-address.ts';

export class FleetTable {
  readonly #compiled: CompiledTable;
  readonly #own: (readonly Chain[])[] = [];
  #at: number;

  /** `table` is that of the first node, whose own chains are `own`. */
  constructor(table: Table, own: readonly Chain[], family: IpFamily) {
    this.#compiled = new CompiledTable(table, family);
    this.#own.push(own);
    this.#at = 0;
  }

  /** How many nodes there are. */
  get nodes(): number {
    return this.#own.length;
  }

  /** One node more: the first node's table, but for its own chains, which are `own`. */
  add(own: readonly Chain[]): void {
    this.#own.push(own);
  }

  /** The table of node number `node`, good until the next call. Throws RangeError when there is none. */
  turnTo(node: number): CompiledTable {
    const own = this.#own[node];
    const before = this.#own[this.#at];
    if (own === undefined || before === undefined) throw new RangeError(`there is no node ${node}`);
    if (node !== this.#at) {
      const names = new Set(own.map(({ name }) => name));
      const gone = before.filter(({ name }) => !names.has(name));
      this.#compiled.update(
        own,
        gone.map(({ name }) => name),
      );
      this.#at = node;
    }
    return this.#compiled;
  }

  /** Changes chains that all nodes have, on all of them. */
  update(chains: readonly Chain[], removed: readonly string[] = []): void {
    this.#compiled.update(chains, removed);
  }
}
