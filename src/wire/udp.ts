/** UDP datagrams on the wire (RFC 768). */
import { read16, write16 } from './byte-order.ts';
import type { UdpDatagram } from './packet.ts';

export const UDP_HEADER = 8;
export const UDP_CHECKSUM_OFFSET = 6;

export interface ParsedUdp {
  readonly datagram: UdpDatagram;
  /** The length field, header included; what a whole datagram's must not exceed is the bytes there are. */
  readonly length: number;
}

/** Bytes of `datagram` on the wire. */
export function udpLength(datagram: UdpDatagram): number {
  return UDP_HEADER + datagram.data.length;
}

/** The datagram in `bytes`, or undefined when there is no whole header. Padding behind it is cut off. */
export function parseUdp(bytes: Uint8Array): ParsedUdp | undefined {
  if (bytes.length < UDP_HEADER) return undefined;
  const length = read16(bytes, 4);
  const end = length >= UDP_HEADER && length < bytes.length ? length : bytes.length;
  const datagram: UdpDatagram = {
    kind: 'udp',
    sport: read16(bytes, 0),
    dport: read16(bytes, 2),
    data: bytes.slice(UDP_HEADER, end),
  };
  return { datagram, length };
}

/**
 * Writes `datagram` to the start of `out`, with a checksum field of zero. `truncated` is how many bytes of
 * its end are left out (a quoted packet): the length field counts them.
 */
export function emitUdp(datagram: UdpDatagram, out: Uint8Array, truncated = 0): void {
  write16(out, 0, datagram.sport);
  write16(out, 2, datagram.dport);
  write16(out, 4, UDP_HEADER + datagram.data.length + truncated);
  write16(out, UDP_CHECKSUM_OFFSET, 0);
  out.set(datagram.data, UDP_HEADER);
}
