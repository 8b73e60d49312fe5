/**
 * An IP packet as a plain, immutable value. Rewriting (NAT, TTL) makes a new value that shares what did
 * not change. Bytes exist only at the edges: `parsePacket` and `emitPacket` in headers.ts.
 */
import type { IpAddress } from './ip-address.ts';
import { PROTOCOL } from './protocol.ts';

export interface TcpSegment {
  readonly kind: 'tcp';
  readonly sport: number;
  readonly dport: number;
  readonly seq: number;
  readonly ack: number;
  /** TCP_FLAG bits. */
  readonly flags: number;
  /** As on the wire, not scaled. */
  readonly window: number;
  /** Raw option bytes, padded to a multiple of four. */
  readonly options: Uint8Array;
  readonly data: Uint8Array;
}

export interface UdpDatagram {
  readonly kind: 'udp';
  readonly sport: number;
  readonly dport: number;
  readonly data: Uint8Array;
}

export interface SctpPacket {
  readonly kind: 'sctp';
  readonly sport: number;
  readonly dport: number;
  readonly verificationTag: number;
  /** The chunks, raw. */
  readonly data: Uint8Array;
}

export interface IcmpMessage {
  readonly kind: 'icmp';
  readonly type: number;
  readonly code: number;
  /** Upper half of the second header word: the identifier of an echo; 0 in most errors. */
  readonly id: number;
  /** Lower half of the second header word: an echo's sequence number; the MTU of "fragmentation needed". */
  readonly sequence: number;
  /**
   * What follows the header: echo data; in an error, what follows the quoted packet (RFC 4884 extensions),
   * or all of it when `quoted` is absent because the bytes are no IP packet, or go on in another fragment.
   */
  readonly data: Uint8Array;
  /** The packet an error message is about, as far as it was quoted. */
  readonly quoted?: Packet;
}

/** Any other protocol, and transport headers too short to be what their protocol number says. */
export interface OpaquePayload {
  readonly kind: 'opaque';
  readonly protocol: number;
  readonly data: Uint8Array;
}

export type Transport = TcpSegment | UdpDatagram | SctpPacket | IcmpMessage | OpaquePayload;

export interface Fragment {
  /** Bytes from the start of the original payload. */
  readonly offset: number;
  readonly more: boolean;
}

/** An IPv6 extension header other than the fragment header; `data` is the whole header, raw. */
export interface ExtensionHeader {
  readonly protocol: number;
  readonly data: Uint8Array;
}

export interface Packet {
  readonly src: IpAddress;
  readonly dst: IpAddress;
  /** IPv4 TTL or IPv6 hop limit. */
  readonly ttl: number;
  /** IPv4 TOS or IPv6 traffic class octet. */
  readonly tos: number;
  /** IPv4 identification; for IPv6 that of the fragment header (32 bits), 0 without one. */
  readonly id: number;
  /** IPv4's DF bit; false for IPv6, which has none (its routers never fragment). */
  readonly dontFragment: boolean;
  /** IPv6: present with every fragment header, also of an atomic fragment (offset 0, no more). */
  readonly fragment?: Fragment;
  /** IPv4 options, raw, padded to a multiple of four. */
  readonly ipOptions?: Uint8Array;
  /** IPv6 extension headers in order, without the fragment header. */
  readonly extensions?: readonly ExtensionHeader[];
  readonly transport: Transport;
  /** Present when a checksum on the wire was wrong: conntrack calls such packets INVALID. */
  readonly corrupt?: 'ip-checksum' | 'transport-checksum';
  /** Only in a quoted packet: how many bytes of its end whoever quoted it left out. */
  readonly truncatedBytes?: number;
}

export const NO_BYTES = new Uint8Array(0);

/** The IP protocol number of the packet's payload (IPv6: the upper-layer one). */
export function protocolOf(packet: Packet): number {
  const { transport } = packet;
  switch (transport.kind) {
    case 'tcp':
      return PROTOCOL.tcp;
    case 'udp':
      return PROTOCOL.udp;
    case 'sctp':
      return PROTOCOL.sctp;
    case 'icmp':
      return typeof packet.src === 'number' ? PROTOCOL.icmp : PROTOCOL.icmpv6;
    case 'opaque':
      return transport.protocol;
  }
}
