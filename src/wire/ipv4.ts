/** The IPv4 header on the wire (RFC 791). */
import { read16, read32, write16, write32 } from './byte-order.ts';
import { internetChecksum } from './checksum.ts';
import type { Ipv4Address } from './ip-address.ts';
import type { Fragment, Packet } from './packet.ts';
import { WireError } from './wire-error.ts';

export const IPV4_HEADER = 20;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

export interface Ipv4Header {
  readonly src: Ipv4Address;
  readonly dst: Ipv4Address;
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly fragment?: Fragment;
  readonly ipOptions?: Uint8Array;
  readonly protocol: number;
}

export interface ParsedIpv4 {
  readonly header: Ipv4Header;
  readonly headerLength: number;
  /** Header and payload, as the header claims. */
  readonly totalLength: number;
  readonly checksumMatches: boolean;
}

/** Bytes of the header of `packet`, options included. */
export function ipv4HeaderLength(packet: Pick<Packet, 'ipOptions'>): number {
  return IPV4_HEADER + (packet.ipOptions?.length ?? 0);
}

/**
 * The header at the start of `bytes`, which may be longer than the packet. Throws WireError when no header
 * is there, as ip_rcv drops such frames; a total length beyond the bytes is for the caller to judge.
 */
export function parseIpv4(bytes: Uint8Array): ParsedIpv4 {
  if (bytes.length < IPV4_HEADER) {
    throw new WireError(`IPv4 header cut off: ${bytes.length} of ${IPV4_HEADER} bytes`, bytes.length);
  }
  const headerLength = ((bytes[0] ?? 0) & 15) * 4;
  if (headerLength < IPV4_HEADER) throw new WireError(`IPv4 header length ${headerLength} below 20`, 0);
  if (headerLength > bytes.length) {
    throw new WireError(`IPv4 options cut off: ${bytes.length} of ${headerLength} bytes`, bytes.length);
  }
  const totalLength = read16(bytes, 2);
  if (totalLength < headerLength) {
    throw new WireError(`IPv4 total length ${totalLength} below the header's ${headerLength}`, 2);
  }
  const word = read16(bytes, 6);
  const offset = (word & OFFSET_MASK) * 8;
  const more = (word & MORE_FRAGMENTS) !== 0;
  const header: Ipv4Header = {
    src: read32(bytes, 12),
    dst: read32(bytes, 16),
    ttl: bytes[8] ?? 0,
    tos: bytes[1] ?? 0,
    id: read16(bytes, 4),
    dontFragment: (word & DONT_FRAGMENT) !== 0,
    ...(offset > 0 || more ? { fragment: { offset, more } } : {}),
    ...(headerLength > IPV4_HEADER ? { ipOptions: bytes.slice(IPV4_HEADER, headerLength) } : {}),
    protocol: bytes[9] ?? 0,
  };
  const checksumMatches = internetChecksum(bytes.subarray(0, headerLength)) === 0;
  return { header, headerLength, totalLength, checksumMatches };
}

/** Writes `header` to the start of `out` with its checksum, a wrong one when `corrupt`. */
export function emitIpv4(header: Ipv4Header, totalLength: number, corrupt: boolean, out: Uint8Array): void {
  const headerLength = ipv4HeaderLength(header);
  out[0] = 0x40 | (headerLength / 4);
  out[1] = header.tos;
  write16(out, 2, totalLength);
  write16(out, 4, header.id);
  const { fragment } = header;
  const flags = (header.dontFragment ? DONT_FRAGMENT : 0) | (fragment?.more ? MORE_FRAGMENTS : 0);
  write16(out, 6, flags | ((fragment?.offset ?? 0) >>> 3));
  out[8] = header.ttl;
  out[9] = header.protocol;
  write16(out, 10, 0);
  write32(out, 12, header.src);
  write32(out, 16, header.dst);
  if (header.ipOptions !== undefined) out.set(header.ipOptions, IPV4_HEADER);
  const checksum = internetChecksum(out.subarray(0, headerLength));
  write16(out, 10, corrupt ? checksum ^ 0x5555 : checksum);
}
