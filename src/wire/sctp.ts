/** SCTP packets on the wire: the common header of RFC 9260 §3.1, chunks raw. */
import { read16, read32, write16, write32 } from './byte-order.ts';
import { crc32c } from './checksum.ts';
import type { SctpPacket } from './packet.ts';

const HEADER = 12;
const CHECKSUM_OFFSET = 8;

/** Bytes of `packet` on the wire. */
export function sctpLength(packet: SctpPacket): number {
  return HEADER + packet.data.length;
}

/** The packet in `bytes`, or undefined when there is no whole common header. */
export function parseSctp(bytes: Uint8Array): SctpPacket | undefined {
  if (bytes.length < HEADER) return undefined;
  return {
    kind: 'sctp',
    sport: read16(bytes, 0),
    dport: read16(bytes, 2),
    verificationTag: read32(bytes, 4),
    data: bytes.slice(HEADER),
  };
}

/** Writes `packet` to the start of `out`, with a checksum field of zero. */
export function emitSctp(packet: SctpPacket, out: Uint8Array): void {
  write16(out, 0, packet.sport);
  write16(out, 2, packet.dport);
  write32(out, 4, packet.verificationTag);
  write32(out, CHECKSUM_OFFSET, 0);
  out.set(packet.data, HEADER);
}

/** The CRC32c that belongs into `bytes`, an SCTP packet, whatever its checksum field holds. */
function sctpChecksum(bytes: Uint8Array): number {
  const copy = bytes.slice();
  write32(copy, CHECKSUM_OFFSET, 0);
  return crc32c(copy);
}

/** Least significant byte first, unlike every other field (RFC 9260 appendix A). */
function swap32(value: number): number {
  return ((value << 24) | ((value << 8) & 0xff0000) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** Fills in the checksum of the SCTP packet in `bytes`; a wrong one when `corrupt`. */
export function sealSctp(bytes: Uint8Array, corrupt: boolean): void {
  const checksum = swap32(sctpChecksum(bytes));
  write32(bytes, CHECKSUM_OFFSET, corrupt ? ~checksum : checksum);
}

/** True when the SCTP packet in `bytes` carries the right checksum. */
export function sctpIsIntact(bytes: Uint8Array): boolean {
  return read32(bytes, CHECKSUM_OFFSET) === swap32(sctpChecksum(bytes));
}
