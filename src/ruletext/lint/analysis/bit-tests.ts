/** Containment of tests of the form `(value & mask) == wanted`: addresses, marks, flags. */
import type { IpAddress } from '../../../wire/ip-address.ts';

/** A set of values, and whether it is meant or its complement. */
export interface Negatable {
  readonly negate: boolean;
}

/** How two sets stand to each other. */
export interface SetRelation {
  /** Every member of the first is one of the second. */
  readonly within: boolean;
  /** Every member of the second is one of the first. */
  readonly contains: boolean;
  /** They have no member in common. */
  readonly disjoint: boolean;
}

/** Whether `narrow`'s test implies `wide`'s, from how the two sets stand to each other, negations counted. */
export function impliesSet(narrow: Negatable, wide: Negatable, relation: SetRelation): boolean {
  if (narrow.negate) return wide.negate && relation.contains;
  return wide.negate ? relation.disjoint : relation.within;
}

function wordsOf(address: IpAddress): readonly number[] {
  return typeof address === 'number' ? [address] : [address.w0, address.w1, address.w2, address.w3];
}

interface BitTest {
  readonly mask: IpAddress;
  readonly wanted: IpAddress;
}

/** The relation of `{v: (v & a.mask) == a.wanted}` to the same of `b`. Neither may be empty. */
function relateWords(a: BitTest, b: BitTest): SetRelation {
  const relation = { within: true, contains: true, disjoint: false };
  const aMask = wordsOf(a.mask);
  const bMask = wordsOf(b.mask);
  const aWanted = wordsOf(a.wanted);
  const bWanted = wordsOf(b.wanted);
  for (let i = 0; i < aMask.length; i++) {
    const am = aMask[i] ?? 0;
    const bm = bMask[i] ?? 0;
    const differ = ((aWanted[i] ?? 0) ^ (bWanted[i] ?? 0)) & am & bm;
    if (differ !== 0) return { within: false, contains: false, disjoint: true };
    if ((bm & ~am) !== 0) relation.within = false;
    if ((am & ~bm) !== 0) relation.contains = false;
  }
  return relation;
}

/** The relation of two masked tests of 32-bit values. A test that wants bits outside its mask never holds. */
export function relateMasked(
  a: { readonly value: number; readonly mask: number },
  b: { readonly value: number; readonly mask: number },
): SetRelation {
  const aEmpty = (a.value & ~a.mask) !== 0;
  const bEmpty = (b.value & ~b.mask) !== 0;
  if (aEmpty || bEmpty) return { within: aEmpty, contains: bEmpty, disjoint: true };
  return relateWords({ mask: a.mask, wanted: a.value }, { mask: b.mask, wanted: b.value });
}

interface MaskedAddress {
  readonly address: IpAddress;
  readonly mask: IpAddress;
}

/** The relation of two masked addresses of one family. Bits of an address outside its mask are not looked at. */
export function relateAddresses(a: MaskedAddress, b: MaskedAddress): SetRelation {
  return relateWords({ mask: a.mask, wanted: a.address }, { mask: b.mask, wanted: b.address });
}

/** All bits are zero. */
export function isZeroAddress(address: IpAddress): boolean {
  return wordsOf(address).every((word) => word === 0);
}
