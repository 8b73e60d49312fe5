/**
 * One chain, indexed by tuple space (Srinivasan, Suri, Varghese 1999): rules that want exact values of the
 * same fields share a hash table, so finding the next rule that can match costs a look-up per combination of
 * fields, not one per rule. Rules without exact fields stand in every answer, in their place.
 *
 * The hash tables hold positions only, and collisions only add a candidate: whoever asks judges the rule
 * itself, so an index can make the engine slow but never wrong.
 */
import { hashAddress, type IpAddress } from '../../wire/ip-address.ts';
import type { LoadedChain } from '../loaded-rules.ts';
import { type ExactFields, exactFieldsOf } from './exact-fields.ts';

/** The fields that one table's keys are made of. */
const FIELD = { src: 1, dst: 2, protocol: 4, dport: 8 } as const;

/** What the index needs to know of a packet; no dport when it has no ports. */
export interface PacketFields {
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly protocol: number;
  readonly dport: number | undefined;
}

interface Table {
  /** FIELD bits. */
  readonly fields: number;
  readonly positions: Map<number, number[]>;
}

function fieldsOf({ src, dst, protocol, dport }: ExactFields): number {
  return (
    (src === undefined ? 0 : FIELD.src) |
    (dst === undefined ? 0 : FIELD.dst) |
    (protocol === undefined ? 0 : FIELD.protocol) |
    (dport === undefined ? 0 : FIELD.dport)
  );
}

function hashFields(values: ExactFields, fields: number): number {
  let hash = 0;
  if (fields & FIELD.src && values.src !== undefined) hash = hashAddress(values.src);
  if (fields & FIELD.dst && values.dst !== undefined) {
    hash = Math.imul(hash ^ hashAddress(values.dst), 0x85ebca6b);
  }
  const protocol = fields & FIELD.protocol ? (values.protocol ?? 0) : 0;
  const dport = fields & FIELD.dport ? (values.dport ?? 0) : 0;
  return Math.imul(hash ^ (hash >>> 15) ^ ((dport << 8) | protocol), 0xc2b2ae35);
}

/** The first of the ascending `positions` that is not below `from`. */
function firstAtLeast(positions: readonly number[], from: number): number | undefined {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((positions[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return positions[low];
}

export class ChainIndex {
  readonly #tables: Table[] = [];
  /** Rules that want no exact value of any field. */
  readonly #anywhere: number[] = [];
  readonly #end: number;

  constructor(chain: LoadedChain) {
    this.#end = chain.rules.length;
    for (const [position, { rule }] of chain.rules.entries()) this.#add(position, exactFieldsOf(rule));
  }

  #add(position: number, exact: ExactFields): void {
    const fields = fieldsOf(exact);
    if (fields === 0) {
      this.#anywhere.push(position);
      return;
    }
    let table = this.#tables.find((candidate) => candidate.fields === fields);
    if (table === undefined) {
      table = { fields, positions: new Map() };
      this.#tables.push(table);
    }
    const key = hashFields(exact, fields);
    const bucket = table.positions.get(key);
    if (bucket === undefined) table.positions.set(key, [position]);
    else bucket.push(position);
  }

  /** The first position at or after `from` whose rule may match `packet`; the chain's length when none may. */
  next(from: number, packet: PacketFields): number {
    let found = firstAtLeast(this.#anywhere, from) ?? this.#end;
    for (const { fields, positions } of this.#tables) {
      // A packet without ports matches no rule that asks for one.
      if (fields & FIELD.dport && packet.dport === undefined) continue;
      const bucket = positions.get(hashFields(packet as ExactFields, fields));
      const position = bucket && firstAtLeast(bucket, from);
      if (position !== undefined && position < found) found = position;
    }
    return found;
  }
}
