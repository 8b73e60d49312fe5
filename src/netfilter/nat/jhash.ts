/**
 * Bob Jenkins' lookup3 over 32-bit words, as the kernel's jhash2: NAT uses it to spread flows over an
 * address range (nf_nat_core.c find_best_ips_proto), so the same flow gets the same address here.
 */

const INITIAL = 0xdeadbeef;

const rotate = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits)) | 0;

/** Hashes `words` (32-bit) with `initval`; returns an unsigned 32-bit number. */
export function jhash2(words: readonly number[], initval: number): number {
  let a = (INITIAL + (words.length << 2) + initval) | 0;
  let b = a;
  let c = a;
  let at = 0;
  const word = (index: number) => words[index] ?? 0;
  while (words.length - at > 3) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 1)) | 0;
    c = (c + word(at + 2)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 3;
  }
  const left = words.length - at;
  if (left === 0) return c >>> 0;
  if (left === 3) c = (c + word(at + 2)) | 0;
  if (left >= 2) b = (b + word(at + 1)) | 0;
  a = (a + word(at)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}

/** (value * range) >> 32: maps a 32-bit hash onto [0, range) (reciprocal_scale). */
export function reciprocalScale(value: number, range: number): number {
  // In two halves, so that no product leaves the 53 bits in which numbers are exact.
  const high = (value >>> 16) * range;
  const low = Math.floor(((value & 0xffff) * range) / 0x10000);
  return Math.floor((high + low) / 0x10000);
}
