/**
 * Packets to bytes and back. `parsePacket(emitPacket(packet))` equals `packet`.
 *
 * Checksums are computed on the way out and judged on the way in (`corrupt`). Three things have no right
 * checksum to compute and get one over the bytes there are: first fragments, cut-off quotations, and
 * transport headers that lie about their length. Fields that no rule and no tracker reads (flow label,
 * urgent pointer, reserved bits) are not kept.
 */
import { plainBytes } from './byte-order.ts';
import type { Ipv4Address, Ipv6Address } from './ip-address.ts';
import { emitIpv4, ipv4HeaderLength, parseIpv4 } from './ipv4.ts';
import { emitIpv6, ipv6HeaderLength, parseIpv6 } from './ipv6.ts';
import { NO_BYTES, type Packet, protocolOf } from './packet.ts';
import { emitTransport, parseTransport, transportLength } from './transport.ts';
import { WireError } from './wire-error.ts';

function headerLength(packet: Packet): number {
  return typeof packet.src === 'number' ? ipv4HeaderLength(packet) : ipv6HeaderLength(packet);
}

/** Bytes that `emitPacket` makes: the whole packet, or what is left of a quoted one. */
function emittedLength(packet: Packet): number {
  return headerLength(packet) + transportLength(packet.transport, emittedLength);
}

/** The packet's length in bytes, IP header included, as its header states it (what `-m length` compares). */
export function ipLength(packet: Packet): number {
  return emittedLength(packet) + (packet.truncatedBytes ?? 0);
}

/**
 * The bytes of `packet`, from the IP header on. `corrupt` packets get the wrong checksum they stand for.
 * Throws RangeError when source and destination are of different families.
 */
export function emitPacket(packet: Packet): Uint8Array {
  const { src, dst, transport } = packet;
  if (typeof src !== typeof dst) throw new RangeError('address families of source and destination differ');
  const out = new Uint8Array(emittedLength(packet));
  const protocol = protocolOf(packet);
  const totalLength = out.length + (packet.truncatedBytes ?? 0);
  if (typeof src === 'number') {
    const header = { ...packet, src, dst: dst as Ipv4Address, protocol };
    emitIpv4(header, totalLength, packet.corrupt === 'ip-checksum', out);
  } else {
    emitIpv6({ ...packet, src, dst: dst as Ipv6Address, protocol }, totalLength, out);
  }
  const quoted = transport.kind === 'icmp' && transport.quoted ? emitPacket(transport.quoted) : NO_BYTES;
  const corrupt = packet.corrupt === 'transport-checksum';
  emitTransport(packet, quoted, { src, dst, protocol, corrupt }, out.subarray(headerLength(packet)));
  return out;
}

type Quotation = { readonly packet: Packet; readonly length: number };

/** Reads one packet and how many of `bytes` it took. A quoted one may end early and is not judged. */
function read(bytes: Uint8Array, quotation: boolean): Quotation {
  const version = (bytes[0] ?? 0) >>> 4;
  if (bytes.length === 0) throw new WireError('no bytes where an IP packet was expected', 0);
  if (version !== 4 && version !== 6) throw new WireError(`IP version ${version}, expected 4 or 6`, 0);
  return version === 4 ? readIpv4(bytes, quotation) : readIpv6(bytes, quotation);
}

/** Cuts `bytes` to the packet's `totalLength`; says how many bytes are missing from a quotation. */
function cut(bytes: Uint8Array, totalLength: number, quotation: boolean) {
  const missing = Math.max(0, totalLength - bytes.length);
  if (missing > 0 && !quotation) {
    throw new WireError(`IP packet cut off: ${bytes.length} of ${totalLength} bytes`, bytes.length);
  }
  const length = totalLength - missing;
  return { length, truncated: missing > 0 ? { truncatedBytes: missing } : {} };
}

function readIpv4(bytes: Uint8Array, quotation: boolean): Quotation {
  const parsed = parseIpv4(bytes);
  const { length, truncated } = cut(bytes, parsed.totalLength, quotation);
  const { protocol, ...header } = parsed.header;
  const payload = bytes.subarray(parsed.headerLength, length);
  const later = header.fragment !== undefined && header.fragment.offset > 0;
  const { transport, corrupt } = later
    ? { transport: { kind: 'opaque' as const, protocol, data: payload.slice() }, corrupt: false }
    : parseTransport(
        payload,
        { family: 'ipv4', ...header, protocol, whole: !quotation && header.fragment === undefined },
        header.fragment === undefined ? readQuoted : leaveQuoted,
      );
  const fault =
    !parsed.checksumMatches && !quotation ? 'ip-checksum' : corrupt ? 'transport-checksum' : undefined;
  const packet = { ...header, transport, ...(fault === undefined ? {} : { corrupt: fault }), ...truncated };
  return { packet: packet as Packet, length };
}

function readIpv6(bytes: Uint8Array, quotation: boolean): Quotation {
  const parsed = parseIpv6(bytes);
  const { length, truncated } = cut(bytes, parsed.totalLength, quotation);
  const { src, dst, ttl, tos, id, fragment, extensions, protocol, offset } = parsed;
  const payload = bytes.subarray(Math.min(offset, length), length);
  const later = fragment !== undefined && fragment.offset > 0;
  const whole = !quotation && !fragment?.more;
  const { transport, corrupt } = later
    ? { transport: { kind: 'opaque' as const, protocol, data: payload.slice() }, corrupt: false }
    : parseTransport(
        payload,
        { family: 'ipv6', src, dst, protocol, whole },
        fragment?.more ? leaveQuoted : readQuoted,
      );
  const packet: Packet = {
    src,
    dst,
    ttl,
    tos,
    id,
    dontFragment: false,
    ...(fragment === undefined ? {} : { fragment }),
    ...(extensions.length === 0 ? {} : { extensions }),
    transport,
    ...(corrupt ? { corrupt: 'transport-checksum' } : {}),
    ...truncated,
  };
  return { packet, length };
}

/** In a fragment the quotation goes on in the next one: it stays bytes. */
const leaveQuoted = () => undefined;

function readQuoted(bytes: Uint8Array): Quotation | undefined {
  try {
    return read(bytes, true);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/**
 * The packet at the start of `bytes` (the IP header first). Bytes behind its total length are ignored, as
 * Ethernet padding is. Odd packets parse: a transport header too short to be one becomes `opaque`, a wrong
 * checksum sets `corrupt`. Throws WireError, naming the offset, only for what no IP stack would take for a
 * packet: an unknown version, a header or payload that the bytes do not hold.
 */
export function parsePacket(bytes: Uint8Array): Packet {
  return read(plainBytes(bytes), false).packet;
}

/**
 * The packet at the start of `bytes` as an ICMP error quotes it: it may end early (`truncatedBytes`), and
 * its checksums are not judged. Undefined when not even an IP header is there.
 */
export function parseQuotedPacket(bytes: Uint8Array): Packet | undefined {
  return readQuoted(plainBytes(bytes))?.packet;
}
