/**
 * How a flow lies in memory: a record of 32-bit words, the original tuple and then the one of its answers. All
 * flows here are IPv4, TCP or UDP, and of zone 0.
 */

/** Words of a record. Addresses and ports as in headers, `sport << 16 | dport`. */
export const FLOW = {
  src: 0,
  dst: 1,
  ports: 2,
  /** The same three of the reply tuple. */
  reply: 3,
  /** The protocol in the low byte, FLOW_BIT above. */
  status: 6,
  /** One more than the number of the device that a MASQUERADE chose its address from; 0: none. */
  device: 7,
  /** One more than the next flow in its list of sources; 0: none. */
  nextSource: 8,
  /** Which confirmed flow it was, counted from 0. */
  order: 9,
  /** The first packet, as far as its tracker asks: TCP's sequence number … */
  sequence: 10,
  /** … flags in the high half, window in the low one … */
  window: 11,
  /** … payload length in the high half, that of TCP's options in the low one … */
  lengths: 12,
  /** … and the options. */
  options: 20,
  words: 32,
} as const;

/** Doubles of a record, counted from its start: when it expires, and when its first packet came. */
export const FLOW_TIME = { expires: 7, begun: 8, doubles: 16 } as const;

/** Bits of the status word above the protocol. */
export const FLOW_BIT = {
  sourceNat: 0x100,
  destinationNat: 0x200,
  sourceDone: 0x400,
  destinationDone: 0x800,
  randomSource: 0x1000,
  randomDestination: 0x2000,
  /** The record is in use. */
  live: 0x4000,
} as const;

/** Whether a reference's tuple is the reply: the lowest bit; the rest is the flow's number. */
export const REPLY = 1;

/** The hash of a tuple; any 32-bit number. */
export function hashWords(src: number, dst: number, ports: number, protocol: number): number {
  let hash = Math.imul(src, 0x9e3779b1) ^ Math.imul(dst, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ ports, 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12) ^ protocol, 0x297a2d39);
  return hash ^ (hash >>> 15);
}
