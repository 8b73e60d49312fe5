/**
 * Packets as columns: what goes in, and what a lookup says. A row is a whole packet with its headers intact
 * (no fragment); protocols without ports have zeros there.
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
  readonly protocol: Uint8Array;
  readonly sport: Uint16Array;
  readonly dport: Uint16Array;
  /** The mark it comes with. */
  readonly mark: Uint32Array;
  /** CT_BIT bits; NEW at first. */
  readonly state: Uint8Array;
  /** Uniform in [0, 1): decides every random choice of the packet's way. */
  readonly draw: Float64Array;
  /** RESULT. */
  readonly result: Uint8Array;
  readonly newDst: Uint32Array;
  readonly newDport: Uint16Array;
  readonly newMark: Uint32Array;
  /** Which rule decided: see `describeDecision`. */
  readonly decision: Int32Array;
}

/** Words of an address of `family`. */
export function addressWords(family: IpFamily): 1 | 4 {
  return family === 'ipv4' ? 1 : 4;
}

/** Empty columns for `capacity` packets. */
export function makeBatch(family: IpFamily, capacity: number, allocate: Allocate = allocatePrivate): Batch {
  const width = addressWords(family);
  const u32 = (count: number) => new Uint32Array(allocate(count * 4));
  const u16 = (count: number) => new Uint16Array(allocate(count * 2));
  const u8 = (count: number) => new Uint8Array(allocate(count));
  return {
    family,
    capacity,
    src: u32(capacity * width),
    dst: u32(capacity * width),
    protocol: u8(capacity),
    sport: u16(capacity),
    dport: u16(capacity),
    mark: u32(capacity),
    state: u8(capacity).fill(CT_BIT.NEW),
    draw: new Float64Array(allocate(capacity * 8)),
    result: u8(capacity),
    newDst: u32(capacity * width),
    newDport: u16(capacity),
    newMark: u32(capacity),
    decision: new Int32Array(allocate(capacity * 4)),
  };
}
