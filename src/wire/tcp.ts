/** TCP segments on the wire (RFC 9293 §3.1). The urgent pointer and reserved bits are not kept. */
import { read16, read32, write16, write32 } from './byte-order.ts';
import type { TcpSegment } from './packet.ts';

const HEADER = 20;
export const TCP_CHECKSUM_OFFSET = 16;

/** Bytes of `segment` on the wire: header, options and data. */
export function tcpLength(segment: TcpSegment): number {
  return HEADER + segment.options.length + segment.data.length;
}

/** The segment in `bytes`, or undefined when its header does not fit (conntrack: "truncated packet"). */
export function parseTcp(bytes: Uint8Array): TcpSegment | undefined {
  const headerLength = ((bytes[12] ?? 0) >>> 4) * 4;
  if (headerLength < HEADER || headerLength > bytes.length) return undefined;
  return {
    kind: 'tcp',
    sport: read16(bytes, 0),
    dport: read16(bytes, 2),
    seq: read32(bytes, 4),
    ack: read32(bytes, 8),
    flags: bytes[13] ?? 0,
    window: read16(bytes, 14),
    options: bytes.slice(HEADER, headerLength),
    data: bytes.slice(headerLength),
  };
}

/** Writes `segment` to the start of `out`, with a checksum field of zero. `options` fill whole words. */
export function emitTcp(segment: TcpSegment, out: Uint8Array): void {
  const headerLength = HEADER + segment.options.length;
  write16(out, 0, segment.sport);
  write16(out, 2, segment.dport);
  write32(out, 4, segment.seq);
  write32(out, 8, segment.ack);
  out[12] = (headerLength / 4) << 4;
  out[13] = segment.flags;
  write16(out, 14, segment.window);
  write32(out, 16, 0);
  out.set(segment.options, HEADER);
  out.set(segment.data, headerLength);
}
