/**
 * The two checksums of IP transports: the Internet checksum (RFC 1071) of IPv4, TCP, UDP and ICMP, with
 * the pseudo-headers of RFC 9293 §3.1 and RFC 8200 §8.1, and SCTP's CRC32c (RFC 9260 §6.8, appendix A).
 */
import type { IpAddress } from './ip-address.ts';

/**
 * Adds the 16-bit big-endian words of `bytes` (an odd last byte is padded with zero) to `sum`.
 * Returns a sum that is not folded yet; at most 64 KiB of bytes keep it an exact integer.
 */
export function addWords(sum: number, bytes: Uint8Array): number {
  let total = sum;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) total += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  if (even < bytes.length) total += (bytes[even] ?? 0) << 8;
  return total;
}

/** Folds `sum` to 16 bits with end-around carry and complements it: the value of a checksum field. */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** The Internet checksum of `bytes`: zero when they contain their own correct checksum. */
export function internetChecksum(bytes: Uint8Array): number {
  return foldChecksum(addWords(0, bytes));
}

function addressSum(address: IpAddress): number {
  const wordSum = (word: number) => (word >>> 16) + (word & 0xffff);
  if (typeof address === 'number') return wordSum(address);
  return wordSum(address.w0) + wordSum(address.w1) + wordSum(address.w2) + wordSum(address.w3);
}

/** The addresses, protocol number and payload length (bytes) that a transport checksum covers. */
export interface PseudoHeader {
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly protocol: number;
  readonly length: number;
}

/** The sum of the pseudo-header's words, to be continued with `addWords`. */
export function pseudoHeaderSum(header: PseudoHeader): number {
  return addressSum(header.src) + addressSum(header.dst) + header.protocol + header.length;
}

/** The Internet checksum of `bytes` behind a pseudo-header; zero when they contain their own correct one. */
export function transportChecksum(header: PseudoHeader, bytes: Uint8Array): number {
  return foldChecksum(addWords(pseudoHeaderSum(header), bytes));
}

/** The reflected Castagnoli polynomial 0x1EDC6F41. */
const CASTAGNOLI = 0x82f63b78;

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  return crc;
});

/** CRC32c of `bytes`, an unsigned 32-bit number. SCTP sends it least significant byte first. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 255] ?? 0);
  return ~crc >>> 0;
}
