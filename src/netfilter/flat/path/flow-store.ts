/**
 * Flows in typed arrays, found by either of their tuples (open addressing, `[hash, reference + 1]` a slot, so that
 * looking for what is not there touches one cache line) or by where they come from (lists).
 */
import { FLOW, FLOW_BIT, FLOW_TIME, hashWords, REPLY } from './flow-layout.ts';

const FIRST_CAPACITY = 1 << 10;
/** Slots for each flow: two tuples, and half of the slots empty. */
const SLOTS_PER_FLOW = 4;
const NO_SLOT = -1;

export class FlowStore {
  /** Records, by flow number. */
  words: Int32Array;
  /** The same memory. */
  times: Float64Array;
  octets: Uint8Array;
  #slots: Int32Array;
  /** One more than the latest flow of each list of sources. */
  #sources: Int32Array;
  #mask: number;
  #capacity: number;
  #size = 0;
  /** Numbers below this have been used. */
  #used = 0;
  readonly #free: number[] = [];
  #order = 0;

  /** Room for `expected` flows is made at once; it grows by itself. */
  constructor(expected = 0) {
    this.#capacity = 2 ** Math.ceil(Math.log2(Math.max(FIRST_CAPACITY, expected)));
    this.words = new Int32Array(this.#capacity * FLOW.words);
    this.times = new Float64Array(this.words.buffer);
    this.octets = new Uint8Array(this.words.buffer);
    this.#slots = new Int32Array(2 * SLOTS_PER_FLOW * this.#capacity);
    this.#sources = new Int32Array(this.#capacity);
    this.#mask = SLOTS_PER_FLOW * this.#capacity - 1;
  }

  /** A store without flows and with room for `expected`: this one, all its flows forgotten, or a larger one. */
  emptied(expected: number): FlowStore {
    if (expected > this.#capacity) return new FlowStore(expected);
    this.words.fill(0, 0, this.#used * FLOW.words);
    this.#slots.fill(0);
    this.#sources.fill(0);
    this.#free.length = 0;
    this.#size = 0;
    this.#used = 0;
    this.#order = 0;
    return this;
  }

  get size(): number {
    return this.#size;
  }

  /** Flow numbers are below this. */
  get bound(): number {
    return this.#used;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.words.byteLength + this.#slots.byteLength + this.#sources.byteLength;
  }

  isLive(flow: number): boolean {
    return ((this.words[flow * FLOW.words + FLOW.status] ?? 0) & FLOW_BIT.live) !== 0;
  }

  /** The number that `order` gives to the next flow, also to one that is kept elsewhere. */
  nextOrder(): number {
    return this.#order++;
  }

  /** `flow << 1`, with REPLY when it is the reply tuple that is asked for; -1: no such flow. */
  find(src: number, dst: number, ports: number, protocol: number): number {
    const hash = hashWords(src, dst, ports, protocol);
    const slots = this.#slots;
    const words = this.words;
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const stored = slots[2 * slot + 1] ?? 0;
      if (stored === 0) return -1;
      if (slots[2 * slot] !== hash) continue;
      const record = ((stored - 1) >> 1) * FLOW.words;
      const at = record + ((stored - 1) & REPLY) * FLOW.reply;
      if (words[at] !== src || words[at + FLOW.dst] !== dst || words[at + FLOW.ports] !== ports) continue;
      if (((words[record + FLOW.status] ?? 0) & 0xff) === protocol) return stored - 1;
    }
  }

  /**
   * Reads where looking for tuples with these hashes begins, to have it near; the sum of it is of no use but to keep
   * the reading from being optimised away.
   */
  readSlots(hashes: Int32Array, count: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let seen = 0;
    for (let at = 0; at < count; at++) seen ^= slots[2 * ((hashes[at] ?? 0) & mask)] ?? 0;
    return seen;
  }

  /** The latest flow from this source (`sport << 16`), or -1; the others follow by `nextFrom`. */
  firstFrom(src: number, sport: number, protocol: number): number {
    const head = this.#sources[this.#sourceList(src, sport, protocol)] ?? 0;
    return this.#sameSource(head, src, sport, protocol);
  }

  /** The flow before `flow` from the same source, or -1. */
  nextFrom(flow: number): number {
    const at = flow * FLOW.words;
    const { words } = this;
    const ports = (words[at + FLOW.ports] ?? 0) & -0x10000;
    const protocol = (words[at + FLOW.status] ?? 0) & 0xff;
    return this.#sameSource(words[at + FLOW.nextSource] ?? 0, words[at] ?? 0, ports, protocol);
  }

  /** A number for a new flow; its record is for the caller to fill, and then to `insert`. */
  allocate(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#used === this.#capacity) this.#grow();
    return this.#used++;
  }

  /** Makes a filled record found. Its tuples are nobody else's. */
  insert(flow: number): void {
    const at = flow * FLOW.words;
    const { words } = this;
    words[at + FLOW.status] = (words[at + FLOW.status] ?? 0) | FLOW_BIT.live;
    words[at + FLOW.order] = this.#order++;
    this.#size++;
    this.#enter(flow);
  }

  /** Forgets `flow`. */
  remove(flow: number): void {
    const at = flow * FLOW.words;
    this.#removeSlot(flow << 1);
    this.#removeSlot((flow << 1) | REPLY);
    this.#unlinkSource(flow);
    this.words[at + FLOW.status] = 0;
    this.#free.push(flow);
    this.#size--;
  }

  #hashOf(reference: number): number {
    const { words } = this;
    const record = (reference >> 1) * FLOW.words;
    const at = record + (reference & REPLY) * FLOW.reply;
    const protocol = (words[record + FLOW.status] ?? 0) & 0xff;
    return hashWords(words[at] ?? 0, words[at + FLOW.dst] ?? 0, words[at + FLOW.ports] ?? 0, protocol);
  }

  #enter(flow: number): void {
    // The reply first: where both tuples are one, it is what the kernel finds.
    this.#enterSlot((flow << 1) | REPLY);
    this.#enterSlot(flow << 1);
    const { words } = this;
    const at = flow * FLOW.words;
    const protocol = (words[at + FLOW.status] ?? 0) & 0xff;
    const list = this.#sourceList(words[at] ?? 0, (words[at + FLOW.ports] ?? 0) & -0x10000, protocol);
    words[at + FLOW.nextSource] = this.#sources[list] ?? 0;
    this.#sources[list] = flow + 1;
  }

  #enterSlot(reference: number): void {
    const hash = this.#hashOf(reference);
    const slots = this.#slots;
    let slot = hash & this.#mask;
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = reference + 1;
  }

  /** Empties the reference's slot and moves what stands behind it to where it is looked for. */
  #removeSlot(reference: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let gap = this.#hashOf(reference) & mask;
    while (slots[2 * gap + 1] !== reference + 1) {
      if (slots[2 * gap + 1] === 0) return;
      gap = (gap + 1) & mask;
    }
    for (let slot = (gap + 1) & mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & mask) {
      const home = (slots[2 * slot] ?? 0) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[2 * gap] = slots[2 * slot] ?? 0;
      slots[2 * gap + 1] = slots[2 * slot + 1] ?? 0;
      gap = slot;
    }
    slots[2 * gap + 1] = 0;
  }

  #sourceList(src: number, sport: number, protocol: number): number {
    return hashWords(src, 0, sport, protocol) & (this.#capacity - 1);
  }

  /** `link` or the first behind it that comes from there; links are one more than flows. */
  #sameSource(link: number, src: number, sport: number, protocol: number): number {
    const { words } = this;
    for (let next = link; next !== 0; ) {
      const at = (next - 1) * FLOW.words;
      const same = words[at] === src && ((words[at + FLOW.ports] ?? 0) & -0x10000) === sport;
      if (same && ((words[at + FLOW.status] ?? 0) & 0xff) === protocol) return next - 1;
      next = words[at + FLOW.nextSource] ?? 0;
    }
    return NO_SLOT;
  }

  #unlinkSource(flow: number): void {
    const { words } = this;
    const at = flow * FLOW.words;
    const protocol = (words[at + FLOW.status] ?? 0) & 0xff;
    const list = this.#sourceList(words[at] ?? 0, (words[at + FLOW.ports] ?? 0) & -0x10000, protocol);
    const after = words[at + FLOW.nextSource] ?? 0;
    let next = this.#sources[list] ?? 0;
    if (next === flow + 1) {
      this.#sources[list] = after;
      return;
    }
    while (next !== 0) {
      const link = (next - 1) * FLOW.words + FLOW.nextSource;
      next = words[link] ?? 0;
      if (next === flow + 1) words[link] = after;
    }
  }

  /** Room for twice as many; only called when no number is free, so all of them are live. */
  #grow(): void {
    this.#capacity *= 2;
    const words = new Int32Array(this.#capacity * FLOW.words);
    words.set(this.words);
    this.words = words;
    this.times = new Float64Array(words.buffer);
    this.octets = new Uint8Array(words.buffer);
    this.#slots = new Int32Array(2 * SLOTS_PER_FLOW * this.#capacity);
    this.#sources = new Int32Array(this.#capacity);
    this.#mask = SLOTS_PER_FLOW * this.#capacity - 1;
    // In the order in which they were confirmed, so that lists of sources keep theirs.
    const flows = Array.from({ length: this.#used }, (_, flow) => flow);
    const order = (flow: number) => words[flow * FLOW.words + FLOW.order] ?? 0;
    for (const flow of flows.filter((each) => this.isLive(each)).sort((a, b) => order(a) - order(b))) {
      this.#enter(flow);
    }
  }
}

/** When `flow` expires as its record says: true only while it has no entry of its own. */
export function recordedExpiry({ times }: FlowStore, flow: number): number {
  return times[flow * FLOW_TIME.doubles + FLOW_TIME.expires] ?? 0;
}
