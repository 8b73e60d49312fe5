/**
 * Packets as columns: what goes in, and what a lookup says. A row is a whole packet with its headers intact
 * (no fragment); protocols without ports have zeros there.
 *
 * All columns lie in one buffer: the dispatch loops address them through one array, since V8 sets up every
 * array anew at every row, and that costs more than the look-up itself.
 */
import type { IpFamily } from '../../wire/ip-address.ts';
import { CT_BIT } from './layout.ts';
import { type Allocate, allocatePrivate } from './word-list.ts';

export interface Batch {
  readonly family: IpFamily;
  readonly capacity: number;
  /** Addresses: one unsigned word a packet, or four, most significant first. */
  readonly src: Uint32Array;
  readonly dst: Uint32Array;
  readonly protocol: Uint32Array;
  readonly sport: Uint32Array;
  readonly dport: Uint32Array;
  /** The mark it comes with. */
  readonly mark: Uint32Array;
  /** CT_BIT bits; NEW at first. */
  readonly state: Uint32Array;
  /** Uniform in [0, 1): decides every random choice of the packet's way. */
  readonly draw: Float64Array;
  /** RESULT. */
  readonly result: Uint32Array;
  readonly newDst: Uint32Array;
  readonly newDport: Uint32Array;
  readonly newMark: Uint32Array;
  /** Which rule decided: CompiledTable.describe knows. */
  readonly decision: Int32Array;
  /** All of it; `columnStart` says where each column begins. */
  readonly words: Int32Array;
}

/** Words of an address of `family`. */
export function addressWords(family: IpFamily): 1 | 4 {
  return family === 'ipv4' ? 1 : 4;
}

/** Where a column begins in `words`. */
export function columnStart(column: Uint32Array | Int32Array): number {
  return column.byteOffset / 4;
}

/** Columns without addresses, and those with. */
const SCALARS = 9;
const ADDRESSES = 3;

/** The columns of `capacity` packets in `buffer`, which has `batchBytes` bytes. */
export function batchIn(buffer: ArrayBufferLike, family: IpFamily, capacity: number): Batch {
  const width = addressWords(family);
  // Doubles first: they want to begin at a multiple of eight.
  let next = 8 * capacity;
  const column = (words: number) => {
    const made = new Uint32Array(buffer, next, words);
    next += 4 * words;
    return made;
  };
  return {
    family,
    capacity,
    draw: new Float64Array(buffer, 0, capacity),
    src: column(capacity * width),
    dst: column(capacity * width),
    protocol: column(capacity),
    sport: column(capacity),
    dport: column(capacity),
    mark: column(capacity),
    state: column(capacity),
    result: column(capacity),
    newDst: column(capacity * width),
    newDport: column(capacity),
    newMark: column(capacity),
    decision: new Int32Array(buffer, next, capacity),
    words: new Int32Array(buffer),
  };
}

/** How many bytes the columns of `capacity` packets take. */
export function batchBytes(family: IpFamily, capacity: number): number {
  return capacity * (8 + 4 * (SCALARS + ADDRESSES * addressWords(family)));
}

/** Empty columns for `capacity` packets, all of them new flows. */
export function makeBatch(family: IpFamily, capacity: number, allocate: Allocate = allocatePrivate): Batch {
  const batch = batchIn(allocate(batchBytes(family, capacity)), family, capacity);
  batch.state.fill(CT_BIT.NEW);
  return batch;
}
