/** How the shared parts of dispatch tables are laid out (pool.ts holds them, lookup.ts reads them). */

/** Words of a shape: everything about a Service that many Services have in common. */
export const SHAPE = {
  /** How many endpoints. */
  count: 0,
  /** Where their thresholds begin in the list of thresholds. */
  thresholds: 1,
  /** mark = (mark & keep) ^ flip, if … */
  keep: 2,
  flip: 3,
  /** … the source passes this test: 0 as it stands, 1 negated … */
  negate: 4,
  /** … and, if the source is the chosen endpoint. */
  hairpinKeep: 5,
  hairpinFlip: 6,
  /** Source address and mask, four words each at most. */
  source: 8,
  mask: 12,
  words: 16,
} as const;

/** Entries of a page; a power of two. */
export const PAGE_ENTRIES = 64;
/** Filled less than this on average, pages hardly ever overflow. */
export const PAGE_LOAD = 28;

/** `protocol << 16 | dport` of an entry that is not there: no packet has it. */
export const NO_ENTRY = -1;

/** Words of an entry: the address, then ports, endpoints, shape; a power of two. */
export function entryWords(width: 1 | 4): 4 | 8 {
  return width === 1 ? 4 : 8;
}

/** Words of an endpoint: its address and its port; a power of two. */
export function endpointWords(width: 1 | 4): 2 | 8 {
  return width === 1 ? 2 : 8;
}

/** The hash of a key; its high bits number the page, its low bits the first slot to look at. */
export function mixKey(address: number, ports: number): number {
  const hash = Math.imul(address ^ Math.imul(ports, 0x85ebca6b), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

/** An IPv6 address as the one word that is hashed. */
export function foldKey(w0: number, w1: number, w2: number, w3: number): number {
  const high = Math.imul(w0, 0x2c1b3c6d) ^ w1;
  return Math.imul(Math.imul(high, 0x297a2d39) ^ w2, 0x85ebca6b) ^ w3;
}
