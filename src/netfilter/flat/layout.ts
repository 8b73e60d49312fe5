/**
 * The flat form of a table's rules: everything a lookup reads is in typed arrays of 32-bit words, so that it
 * allocates nothing, can be shared between threads, and can be handed to other languages as it is.
 *
 *   records   one rule after the other, RECORD words each, chain by chain
 *   tests     what does not fit into a record: a list of TESTs per rule, in the rule's own order
 *   actions   ACTION words per rule: what a match leads to
 *
 * An address takes `width` words: 1 (IPv4) or 4 (IPv6, most significant first).
 */

/** Where the parts of a record are; addresses begin at `ADDRESSES`: dst, dst mask, src, src mask. */
export const RECORD = { head: 0, dports: 1, sports: 2, tests: 3, addresses: 4 } as const;

/** Words of a record whose addresses take `width` words each. */
export function recordWords(width: number): number {
  return RECORD.addresses + 4 * width;
}

/** The head word: the protocol in the low byte, and these. */
export const HEAD = { anyProtocol: 0x100, notDestination: 0x200, notSource: 0x400 } as const;

/** A range of ports in one word: `from | to << 16`. */
export const ANY_PORT = 0xffff0000 | 0;

/**
 * The tests behind `tests`, each `[code, negate, arguments …]`, ended by `end`. Offset 0 is an empty list.
 * `undecided` is what columns cannot answer: the caller asks the reference engine.
 */
export const TEST = {
  end: 0,
  never: 1,
  undecided: 2,
  /** protocol */
  protocol: 3,
  /** from, to */
  dport: 4,
  /** from, to */
  sport: 5,
  /** sides (SIDE bits), count, then from, to of each */
  multiport: 6,
  /** value, mask */
  mark: 7,
  /** CT_BIT bits */
  state: 8,
  /** side */
  local: 9,
  /** index into the device tests */
  device: 10,
  /** side, address, mask */
  address: 11,
  /** side, from, to */
  range: 12,
  /** probability, in units of 2^-31 */
  random: 13,
} as const;

export const SIDE = { source: 1, destination: 2 } as const;

/** Bits of a packet's conntrack state column: one of the first five, and the flags of its entry. */
export const CT_BIT = {
  INVALID: 1,
  NEW: 2,
  RELATED: 4,
  ESTABLISHED: 8,
  UNTRACKED: 16,
  SNAT: 32,
  DNAT: 64,
} as const;

/** Words per rule in `actions`: a code and three arguments (IPv6 addresses take ACTION_ADDRESS words on). */
export const ACTION_WORDS = 8;

export const ACTION = {
  /** No verdict: the next rule. */
  next: 0,
  /** chain number */
  jump: 1,
  /** chain number */
  goto: 2,
  return: 3,
  accept: 4,
  drop: 5,
  reject: 6,
  /** keep, flip: mark = (mark & keep) ^ flip */
  mark: 7,
  /** port or -1, has address (0, 1), address … */
  dnat: 8,
  /** A binding that depends on devices or on other flows. */
  nat: 9,
  undecided: 10,
} as const;

/** What a lookup says of a packet. */
export const RESULT = {
  /** No rule decided; the policy of the built-in chain is ACCEPT. */
  policyAccept: 0,
  policyDrop: 1,
  accept: 2,
  drop: 3,
  reject: 4,
  /** The new destination is in the columns. */
  dnat: 5,
  /** A NAT rule whose mapping depends on devices or on other flows: `decision` names it. */
  nat: 6,
  /** The columns do not hold what a rule asks for: the reference engine has to say. */
  undecided: 7,
} as const;
export type ResultName = keyof typeof RESULT;

/** `decision` when no rule decided. */
export const NO_DECISION = -0x80000000;
