/**
 * From an IP payload to a transport value and back: picks the protocol's own file, checks and fills in
 * checksums. A header that is too short, or not what its length fields say, is not an error: such packets
 * travel, and conntrack has an opinion on them.
 */
import { read16, write16 } from './byte-order.ts';
import { transportChecksum } from './checksum.ts';
import { emitIcmp, ICMP_CHECKSUM_OFFSET, ICMP_HEADER, parseIcmp } from './icmp.ts';
import type { IpAddress, IpFamily } from './ip-address.ts';
import type { Packet, Transport } from './packet.ts';
import { PROTOCOL } from './protocol.ts';
import { emitSctp, parseSctp, sctpIsIntact, sctpLength, sealSctp } from './sctp.ts';
import { emitTcp, parseTcp, TCP_CHECKSUM_OFFSET, tcpLength } from './tcp.ts';
import { emitUdp, parseUdp, UDP_CHECKSUM_OFFSET, UDP_HEADER, udpLength } from './udp.ts';

/** What the IP header says about the payload behind it. */
export interface PayloadContext {
  readonly family: IpFamily;
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly protocol: number;
  /** All of the payload is here: not a fragment, not a cut-off quotation. Only then are checksums judged. */
  readonly whole: boolean;
}

export interface ParsedTransport {
  readonly transport: Transport;
  readonly corrupt: boolean;
}

/** How the bytes of a quoted packet are read; undefined when they are no IP packet. */
export type QuotedParser = (
  bytes: Uint8Array,
) => { readonly packet: Packet; readonly length: number } | undefined;

function checksumMatches(context: PayloadContext, bytes: Uint8Array): boolean {
  const { src, dst, protocol } = context;
  return transportChecksum({ src, dst, protocol, length: bytes.length }, bytes) === 0;
}

function icmpChecksumMatches(context: PayloadContext, bytes: Uint8Array): boolean {
  // ICMP of IPv4 has no pseudo-header: the sum over zero addresses and lengths.
  return context.family === 'ipv6'
    ? checksumMatches(context, bytes)
    : transportChecksum({ src: 0, dst: 0, protocol: 0, length: 0 }, bytes) === 0;
}

function parseUdpPayload(bytes: Uint8Array, context: PayloadContext): ParsedTransport | undefined {
  const parsed = parseUdp(bytes);
  if (parsed === undefined) return undefined;
  const { datagram, length } = parsed;
  if (!context.whole) return { transport: datagram, corrupt: false };
  if (length < UDP_HEADER || length > bytes.length) return { transport: datagram, corrupt: true };
  // RFC 768: a checksum of zero means none. RFC 8200 §8.1: IPv6 must have one.
  const unchecked = context.family === 'ipv4' && read16(bytes, UDP_CHECKSUM_OFFSET) === 0;
  const covered = bytes.subarray(0, length);
  return { transport: datagram, corrupt: !unchecked && !checksumMatches(context, covered) };
}

function parseKnown(
  bytes: Uint8Array,
  context: PayloadContext,
  parseQuoted: QuotedParser,
): ParsedTransport | undefined {
  const judged = (transport: Transport | undefined, intact: () => boolean) =>
    transport && { transport, corrupt: context.whole && !intact() };
  switch (context.protocol) {
    case PROTOCOL.tcp:
      return judged(parseTcp(bytes), () => checksumMatches(context, bytes));
    case PROTOCOL.udp:
      return parseUdpPayload(bytes, context);
    case PROTOCOL.sctp:
      return judged(parseSctp(bytes), () => sctpIsIntact(bytes));
    case context.family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6:
      return judged(parseIcmp(bytes, context.family, parseQuoted), () => icmpChecksumMatches(context, bytes));
    default:
      return undefined;
  }
}

/** Reads the payload `bytes` of an IP packet; what no protocol claims becomes `opaque`. */
export function parseTransport(
  bytes: Uint8Array,
  context: PayloadContext,
  parseQuoted: QuotedParser,
): ParsedTransport {
  const { protocol } = context;
  return (
    parseKnown(bytes, context, parseQuoted) ?? {
      transport: { kind: 'opaque', protocol, data: bytes.slice() },
      corrupt: false,
    }
  );
}

/** Bytes of `transport` on the wire; `quotedLength` tells those of a quoted packet. */
export function transportLength(transport: Transport, quotedLength: (packet: Packet) => number): number {
  switch (transport.kind) {
    case 'tcp':
      return tcpLength(transport);
    case 'udp':
      return udpLength(transport);
    case 'sctp':
      return sctpLength(transport);
    case 'icmp': {
      const quoted = transport.quoted === undefined ? 0 : quotedLength(transport.quoted);
      return ICMP_HEADER + quoted + transport.data.length;
    }
    case 'opaque':
      return transport.data.length;
  }
}

/**
 * A value for the checksum field that is certainly wrong: neither the right one nor its other spelling
 * (0 and 0xffff are the same in one's complement), nor UDP's "none".
 */
function wrongChecksum(right: number): number {
  return right === 0x5555 ? 0x1234 : right ^ 0x5555;
}

export interface Seal {
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly protocol: number;
  /** Leave a wrong checksum behind. */
  readonly corrupt: boolean;
}

function sealInternet(out: Uint8Array, offset: number, right: number, corrupt: boolean): void {
  write16(out, offset, corrupt ? wrongChecksum(right) : right);
}

/** Writes `transport` to `out` (exactly its length) and fills in its checksum. `quoted`: bytes of a quoted packet. */
export function emitTransport(packet: Packet, quoted: Uint8Array, seal: Seal, out: Uint8Array): void {
  const { transport } = packet;
  const checksum = () => transportChecksum({ ...seal, length: out.length }, out);
  switch (transport.kind) {
    case 'tcp':
      emitTcp(transport, out);
      sealInternet(out, TCP_CHECKSUM_OFFSET, checksum(), seal.corrupt);
      return;
    case 'udp':
      emitUdp(transport, out, packet.truncatedBytes);
      // A computed zero is sent as 0xffff, because zero means "none" (RFC 768).
      sealInternet(out, UDP_CHECKSUM_OFFSET, checksum() || 0xffff, seal.corrupt);
      return;
    case 'sctp':
      emitSctp(transport, out);
      sealSctp(out, seal.corrupt);
      return;
    case 'icmp': {
      emitIcmp(transport, quoted, out);
      const plain = () => transportChecksum({ src: 0, dst: 0, protocol: 0, length: 0 }, out);
      const right = typeof seal.src === 'number' ? plain() : checksum();
      sealInternet(out, ICMP_CHECKSUM_OFFSET, right, seal.corrupt);
      return;
    }
    case 'opaque':
      out.set(transport.data);
  }
}
