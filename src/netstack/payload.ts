/** Where a packet's IP headers end, for those who cut packets up and put them together. */
import { emitPacket } from '../wire/headers.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { PROTOCOL } from '../wire/protocol.ts';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
export const FRAGMENT_HEADER = 8;

/** Bytes of the IP header, options and extension headers, without a fragment header. */
export function headerLength({ src, ipOptions, extensions }: Packet): number {
  if (typeof src === 'number') return IPV4_HEADER + (ipOptions?.length ?? 0);
  return (extensions ?? []).reduce((sum, { data }) => sum + data.length, IPV6_HEADER);
}

/** What follows the IP headers, as bytes. */
export function payloadOf(packet: Packet): Uint8Array {
  const v6Fragment = typeof packet.src !== 'number' && packet.fragment !== undefined;
  return emitPacket(packet).subarray(headerLength(packet) + (v6Fragment ? FRAGMENT_HEADER : 0));
}

/** Upper-layer headers that a first fragment must hold whole (RFC 7112 §5); others: one byte. */
const UPPER_LAYER_HEADER: ReadonlyMap<number, number> = new Map([
  [PROTOCOL.tcp, 20],
  [PROTOCOL.udp, 8],
  [PROTOCOL.icmpv6, 8],
]);

/** True for an IPv6 first fragment that ends before its upper-layer header does (ipv6frag_thdr_truncated). */
export function lacksFirstHeader(packet: Packet): boolean {
  const { src, fragment } = packet;
  if (typeof src === 'number' || fragment === undefined || fragment.offset > 0) return false;
  return payloadOf(packet).length < (UPPER_LAYER_HEADER.get(protocolOf(packet)) ?? 1);
}
