/** Sequence arithmetic modulo 2^32 (RFC 9293 §3.4) and the parts of a segment that count in it. */
import type { TcpSegment } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';

/** a < b on the sequence circle. */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** a > b on the sequence circle. */
export function after(a: number, b: number): boolean {
  return before(b, a);
}

/** The sequence number after the segment's last: data, SYN and FIN each count. */
export function segmentEnd(segment: TcpSegment): number {
  const syn = segment.flags & TCP_FLAG.SYN ? 1 : 0;
  const fin = segment.flags & TCP_FLAG.FIN ? 1 : 0;
  return (segment.seq + segment.data.length + syn + fin) >>> 0;
}
