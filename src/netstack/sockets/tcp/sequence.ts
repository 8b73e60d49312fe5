/** Arithmetic on the sequence circle (RFC 9293 §3.4). Sequence numbers are unsigned 32-bit numbers. */
export { after, before } from '../../../netfilter/conntrack/sequence.ts';

/** `seq` moved by `count`, which may be negative. */
export function advance(seq: number, count: number): number {
  return (seq + count) >>> 0;
}

/** How far `to` lies behind `from`, negative when it lies before it. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}
