/**
 * Tuple space search over one chain: rules that want exact values under the same masks share a hash table of
 * four words an entry, `[dst, src, protocol | dport << 16, first rule]`; rules of one key are linked in
 * order. An index only finds candidates in ascending order, so it can never change an answer.
 *
 *   index   count, residuals, residual × ordinal, then count × TABLE words, then the tables' entries
 *
 * IPv6 addresses are folded into a word each: what collides is told apart when the rule itself is judged.
 */
import type { LinearImage } from './image.ts';
import { HEAD, RECORD, recordWords } from './layout.ts';
import type { WordList } from './word-list.ts';

/** Words of a table's head: which fields its keys have, where its entries are, how many minus one. */
const TABLE = { fields: 0, entries: 1, mask: 2, lowest: 3, words: 4 } as const;
const FIELD = { destination: 1, source: 2, protocol: 4, dport: 8 } as const;
const ENTRY_WORDS = 4;
const EMPTY = -1;
/** Where the residual rules begin, from the start of an index. */
export const RESIDUALS = 2;
/** Chains and groups of rules smaller than this are quicker to walk. */
const MIN_RULES = 8;

/** A masked address in one word. */
function foldWords(words: { readonly [at: number]: number }, at: number, width: number): number {
  let folded = words[at] ?? 0;
  for (let word = 1; word < width; word++) folded = Math.imul(folded, 0x85ebca6b) ^ (words[at + word] ?? 0);
  return folded | 0;
}

function hashKey(dst: number, src: number, ports: number): number {
  let hash = Math.imul(dst, 0x9e3779b1) ^ Math.imul(src, 0xc2b2ae35) ^ Math.imul(ports, 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/** The rules of one chain, as words of the table they are in. */
export interface IndexInput {
  readonly records: Int32Array;
  readonly width: 1 | 4;
  readonly start: number;
  readonly end: number;
}

function isExact(records: Int32Array, mask: number, width: number): boolean {
  for (let word = 0; word < width; word++) if (records[mask + word] !== -1) return false;
  return true;
}

/** FIELD bits of what the record at word `at` wants an exact value of. */
function exactFields(records: Int32Array, at: number, width: number): number {
  const head = records[at + RECORD.head] ?? 0;
  const dports = records[at + RECORD.dports] ?? 0;
  const dst = at + RECORD.addresses;
  let fields = 0;
  if (!(head & HEAD.notDestination) && isExact(records, dst + width, width)) fields |= FIELD.destination;
  if (!(head & HEAD.notSource) && isExact(records, dst + 3 * width, width)) fields |= FIELD.source;
  if (!(head & HEAD.anyProtocol)) fields |= FIELD.protocol;
  if ((dports & 0xffff) === dports >>> 16) fields |= FIELD.dport;
  return fields;
}

/**
 * Indexes the rules from `start` to `end` into `index` and links equal keys in `same`. Returns where the index
 * begins, or -1 when walking the chain is as good.
 */
export function indexChain(input: IndexInput, index: WordList, same: WordList): number {
  const { records, width, start, end } = input;
  if (same.length < end) same.grow(end - same.length);
  if (end - start < MIN_RULES) return -1;
  const stride = recordWords(width);
  const groups = new Map<number, number[]>();
  for (let ordinal = start; ordinal < end; ordinal++) {
    const fields = exactFields(records, ordinal * stride, width);
    const group = groups.get(fields);
    if (group === undefined) groups.set(fields, [ordinal]);
    else group.push(ordinal);
  }
  const residual: number[] = [];
  const tables: [number, readonly number[]][] = [];
  for (const [fields, ordinals] of groups) {
    // A protocol alone tells little apart.
    if ((fields & ~FIELD.protocol) === 0 || ordinals.length < MIN_RULES) residual.push(...ordinals);
    else tables.push([fields, ordinals]);
  }
  if (tables.length === 0) return -1;
  residual.sort((a, b) => a - b);
  const at = index.grow(2 + residual.length + tables.length * TABLE.words);
  index.words[at] = tables.length;
  index.words[at + 1] = residual.length;
  for (const [place, ordinal] of residual.entries()) index.words[at + 2 + place] = ordinal;
  for (const [place, [fields, ordinals]] of tables.entries()) {
    const slots = 2 ** Math.ceil(Math.log2(ordinals.length * 2));
    const entries = index.grow(slots * ENTRY_WORDS);
    const head = at + 2 + residual.length + place * TABLE.words;
    index.words[head + TABLE.fields] = fields;
    index.words[head + TABLE.entries] = entries;
    index.words[head + TABLE.mask] = slots - 1;
    index.words[head + TABLE.lowest] = ordinals[0] ?? 0;
    fillTable(
      input,
      { fields, ordinals, entries, mask: slots - 1 },
      { index: index.words, same: same.words },
    );
  }
  return at;
}

interface TableFill {
  readonly fields: number;
  readonly ordinals: readonly number[];
  readonly entries: number;
  readonly mask: number;
}

function fillTable(
  { records, width }: IndexInput,
  { fields, ordinals, entries, mask }: TableFill,
  { index, same }: { readonly index: Int32Array; readonly same: Int32Array },
): void {
  for (let slot = 0; slot <= mask; slot++) index[entries + slot * ENTRY_WORDS + 3] = EMPTY;
  const stride = recordWords(width);
  // Backwards, so that a key's list begins with its first rule.
  for (let place = ordinals.length - 1; place >= 0; place--) {
    const ordinal = ordinals[place] ?? 0;
    const at = ordinal * stride;
    const dst = fields & FIELD.destination ? foldWords(records, at + RECORD.addresses, width) : 0;
    const src = fields & FIELD.source ? foldWords(records, at + RECORD.addresses + 2 * width, width) : 0;
    const protocol = fields & FIELD.protocol ? (records[at + RECORD.head] ?? 0) & 0xff : 0;
    const dport = fields & FIELD.dport ? (records[at + RECORD.dports] ?? 0) >>> 16 : 0;
    const ports = protocol | (dport << 16);
    let slot = hashKey(dst, src, ports) & mask;
    let entry = entries + slot * ENTRY_WORDS;
    while (index[entry + 3] !== EMPTY) {
      if (index[entry] === dst && index[entry + 1] === src && index[entry + 2] === ports) break;
      slot = (slot + 1) & mask;
      entry = entries + slot * ENTRY_WORDS;
    }
    same[ordinal] = index[entry + 3] ?? EMPTY;
    index[entry] = dst;
    index[entry + 1] = src;
    index[entry + 2] = ports;
    index[entry + 3] = ordinal;
  }
}

/** A packet's addresses folded once, for all tables of all chains. */
export function foldAddress(column: Uint32Array, row: number, width: number): number {
  return foldWords(column, row * width, width);
}

/** The part of a packet's protocol and port that a table with these `fields` has in its keys. */
function portsKey(fields: number, ports: number): number {
  return (fields & FIELD.protocol ? ports & 0xff : 0) | (fields & FIELD.dport ? ports & -0x10000 : 0);
}

/** The word of `index` that looking for a packet in the table whose head is at `head` reads first. */
export function firstSlot(index: Int32Array, head: number, dst: number, src: number, ports: number): number {
  const fields = index[head + TABLE.fields] ?? 0;
  const key0 = fields & FIELD.destination ? dst : 0;
  const key1 = fields & FIELD.source ? src : 0;
  const slot = hashKey(key0, key1, portsKey(fields, ports)) & (index[head + TABLE.mask] ?? 0);
  return (index[head + TABLE.entries] ?? 0) + slot * ENTRY_WORDS;
}

/** The first rule with the packet's key in the table whose head is at `head`, or -1. */
export function ruleOfKey(index: Int32Array, head: number, dst: number, src: number, ports: number): number {
  const fields = index[head + TABLE.fields] ?? 0;
  const entries = index[head + TABLE.entries] ?? 0;
  const mask = index[head + TABLE.mask] ?? 0;
  const key0 = fields & FIELD.destination ? dst : 0;
  const key1 = fields & FIELD.source ? src : 0;
  const key2 = portsKey(fields, ports);
  for (let slot = hashKey(key0, key1, key2) & mask; ; slot = (slot + 1) & mask) {
    const entry = entries + slot * ENTRY_WORDS;
    const ordinal = index[entry + 3] ?? EMPTY;
    if (ordinal === EMPTY) return EMPTY;
    if (index[entry] === key0 && index[entry + 1] === key1 && index[entry + 2] === key2) return ordinal;
  }
}

/** The head of the largest table of the index at `at`. */
export function largestTable(index: Int32Array, at: number): number {
  const first = at + RESIDUALS + (index[at + 1] ?? 0);
  let largest = first;
  for (let table = 1; table < (index[at] ?? 0); table++) {
    const head = first + table * TABLE.words;
    if ((index[head + TABLE.mask] ?? 0) > (index[largest + TABLE.mask] ?? 0)) largest = head;
  }
  return largest;
}

/**
 * The first rule at or after `from` whose exact fields are the packet's, or -1: of the hashed rules of the
 * index at `at`. `dst` and `src` are folded.
 */
export function firstHashed(
  { index, same }: LinearImage,
  at: number,
  from: number,
  dst: number,
  src: number,
  ports: number,
): number {
  let best = -1;
  const tables = index[at] ?? 0;
  let head = at + RESIDUALS + (index[at + 1] ?? 0);
  for (let table = 0; table < tables; table++, head += TABLE.words) {
    if (best >= 0 && (index[head + TABLE.lowest] ?? 0) > best) continue;
    let ordinal = ruleOfKey(index, head, dst, src, ports);
    while (ordinal !== EMPTY && ordinal < from) ordinal = same[ordinal] ?? EMPTY;
    if (ordinal !== EMPTY && (best < 0 || ordinal < best)) best = ordinal;
  }
  return best;
}
