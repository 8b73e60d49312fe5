/** The IPv6 header and its extension headers on the wire (RFC 8200). Flow labels are not kept. */
import { read16, read32, write16, write32 } from './byte-order.ts';
import { type Ipv6Address, ipv6 } from './ip-address.ts';
import type { ExtensionHeader, Fragment, Packet } from './packet.ts';
import { WireError } from './wire-error.ts';

export const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;

/** Next-header numbers of extension headers (RFC 8200 §4, RFC 4302). */
export const EXTENSION = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  none: 59,
  destinationOptions: 60,
} as const;

/** The chain of extension headers, walked as the kernel's ipv6_find_hdr does. */
export interface Ipv6Chain {
  readonly extensions: readonly ExtensionHeader[];
  readonly fragment?: Fragment;
  /** Of the fragment header; 0 without one. */
  readonly id: number;
  /** The upper-layer protocol, or that of the first header that could not be read. */
  readonly protocol: number;
  /** Where that begins, in bytes from the start of the IPv6 header. */
  readonly offset: number;
}

export interface ParsedIpv6 extends Ipv6Chain {
  readonly src: Ipv6Address;
  readonly dst: Ipv6Address;
  readonly ttl: number;
  readonly tos: number;
  /** Header and payload, as the header claims. */
  readonly totalLength: number;
}

function readAddress(bytes: Uint8Array, offset: number): Ipv6Address {
  return ipv6(
    read32(bytes, offset),
    read32(bytes, offset + 4),
    read32(bytes, offset + 8),
    read32(bytes, offset + 12),
  );
}

function writeAddress(bytes: Uint8Array, offset: number, address: Ipv6Address): void {
  write32(bytes, offset, address.w0);
  write32(bytes, offset + 4, address.w1);
  write32(bytes, offset + 8, address.w2);
  write32(bytes, offset + 12, address.w3);
}

/** The length of the extension header of type `protocol` at `offset`, or undefined for anything else. */
function extensionLength(bytes: Uint8Array, protocol: number, offset: number): number | undefined {
  const units = bytes[offset + 1] ?? 0;
  switch (protocol) {
    case EXTENSION.hopByHop:
    case EXTENSION.routing:
    case EXTENSION.destinationOptions:
      return (units + 1) * 8;
    case EXTENSION.authentication:
      return (units + 2) * 4;
    default:
      return undefined;
  }
}

function walkChain(bytes: Uint8Array, end: number): Ipv6Chain {
  const extensions: ExtensionHeader[] = [];
  let fragment: Fragment | undefined;
  let id = 0;
  let protocol = bytes[6] ?? 0;
  let offset = IPV6_HEADER;
  // Behind a later fragment's header comes the middle of a payload, not another header.
  while (fragment === undefined || fragment.offset === 0) {
    if (protocol === EXTENSION.fragment && fragment === undefined) {
      if (offset + FRAGMENT_HEADER > end) break;
      const word = read16(bytes, offset + 2);
      fragment = { offset: word & 0xfff8, more: (word & 1) !== 0 };
      id = read32(bytes, offset + 4);
      protocol = bytes[offset] ?? 0;
      offset += FRAGMENT_HEADER;
      continue;
    }
    const length = extensionLength(bytes, protocol, offset);
    if (length === undefined || offset + length > end) break;
    extensions.push({ protocol, data: bytes.slice(offset, offset + length) });
    protocol = bytes[offset] ?? 0;
    offset += length;
  }
  return { extensions, ...(fragment === undefined ? {} : { fragment }), id, protocol, offset };
}

/**
 * The headers at the start of `bytes`, which may be longer than the packet. Throws WireError when there is
 * no whole IPv6 header; a payload length beyond the bytes is for the caller to judge.
 */
export function parseIpv6(bytes: Uint8Array): ParsedIpv6 {
  if (bytes.length < IPV6_HEADER) {
    throw new WireError(`IPv6 header cut off: ${bytes.length} of ${IPV6_HEADER} bytes`, bytes.length);
  }
  const totalLength = IPV6_HEADER + read16(bytes, 4);
  return {
    src: readAddress(bytes, 8),
    dst: readAddress(bytes, 24),
    ttl: bytes[7] ?? 0,
    tos: (read16(bytes, 0) >>> 4) & 255,
    totalLength,
    ...walkChain(bytes, Math.min(totalLength, bytes.length)),
  };
}

/** Bytes of all headers of `packet` in front of its transport. */
export function ipv6HeaderLength(packet: Pick<Packet, 'extensions' | 'fragment'>): number {
  const fragment = packet.fragment === undefined ? 0 : FRAGMENT_HEADER;
  return (packet.extensions ?? []).reduce((sum, { data }) => sum + data.length, IPV6_HEADER + fragment);
}

/** How many of `extensions` stand before the fragment header: all up to the last one that routers read. */
function unfragmentableCount(extensions: readonly ExtensionHeader[]): number {
  const last = extensions.findLastIndex(
    ({ protocol }) => protocol === EXTENSION.hopByHop || protocol === EXTENSION.routing,
  );
  return last + 1;
}

export interface Ipv6Header {
  readonly src: Ipv6Address;
  readonly dst: Ipv6Address;
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  readonly fragment?: Fragment;
  readonly extensions?: readonly ExtensionHeader[];
  readonly protocol: number;
}

/** Writes `header` and its extension headers, in RFC 8200 §4.1's order, to the start of `out`. */
export function emitIpv6(header: Ipv6Header, totalLength: number, out: Uint8Array): void {
  const extensions = header.extensions ?? [];
  const chain: { readonly protocol: number; readonly data: Uint8Array }[] = [...extensions];
  if (header.fragment !== undefined) {
    const data = new Uint8Array(FRAGMENT_HEADER);
    write16(data, 2, header.fragment.offset | (header.fragment.more ? 1 : 0));
    write32(data, 4, header.id);
    chain.splice(unfragmentableCount(extensions), 0, { protocol: EXTENSION.fragment, data });
  }
  write32(out, 0, 0x60000000 | (header.tos << 20));
  write16(out, 4, totalLength - IPV6_HEADER);
  out[6] = chain[0]?.protocol ?? header.protocol;
  out[7] = header.ttl;
  writeAddress(out, 8, header.src);
  writeAddress(out, 24, header.dst);
  let offset = IPV6_HEADER;
  for (const [index, { data }] of chain.entries()) {
    out.set(data, offset);
    out[offset] = chain[index + 1]?.protocol ?? header.protocol;
    offset += data.length;
  }
}
