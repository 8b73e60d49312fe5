/** Packets as bytes for the flat path, and what became of them. */

/** What became of a packet. */
export const FATE = {
  /** Its bytes are as they leave, by `outDevice` to `nextHop`. */
  forwarded: 1,
  /** A rule with target DROP matched; the bytes are as they came. */
  droppedByRule: 2,
  droppedByPolicy: 3,
  /** The reference engine finished it: `FlatPath.passages` has what it says. The bytes are as they came. */
  passage: 4,
  /** The bytes are no IP packet. */
  unreadable: 5,
} as const;

/** Where packets begin: multiples of this. */
const ALIGNMENT = 4;

/** A buffer of packets, one after the other from the IP header on, filled by `add` and rewritten in place. */
export class PathBatch {
  readonly bytes: Uint8Array;
  /** The same memory. */
  readonly words: Uint32Array;
  /** Columns: where the bytes begin and how many there are, and the number of the device they came in by. */
  readonly offset: Int32Array;
  readonly length: Int32Array;
  readonly inDevice: Int32Array;
  /** FATE, and for forwarded packets the number of the device and the next hop. */
  readonly fate: Uint8Array;
  readonly outDevice: Int32Array;
  readonly nextHop: Uint32Array;
  #count = 0;
  #end = 0;

  /** Room for `capacity` packets of `bytes` bytes altogether, each rounded up to a multiple of four. */
  constructor(capacity: number, bytes: number) {
    this.words = new Uint32Array(Math.ceil(bytes / ALIGNMENT));
    this.bytes = new Uint8Array(this.words.buffer);
    this.offset = new Int32Array(capacity);
    this.length = new Int32Array(capacity);
    this.inDevice = new Int32Array(capacity);
    this.fate = new Uint8Array(capacity);
    this.outDevice = new Int32Array(capacity);
    this.nextHop = new Uint32Array(capacity);
  }

  /** How many packets there are. */
  get count(): number {
    return this.#count;
  }

  /** Takes a packet in. Throws RangeError when there is no room. */
  add(packet: Uint8Array, inDevice: number): void {
    const start = this.#end;
    const end = start + Math.ceil(packet.length / ALIGNMENT) * ALIGNMENT;
    if (end > this.bytes.length || this.#count === this.offset.length) throw new RangeError('no room');
    this.bytes.set(packet, start);
    this.offset[this.#count] = start;
    this.length[this.#count] = packet.length;
    this.inDevice[this.#count] = inDevice;
    this.#count++;
    this.#end = end;
  }

  clear(): void {
    this.#count = 0;
    this.#end = 0;
  }

  /** The bytes of packet `row` up to the length it came with: a view. */
  packet(row: number): Uint8Array {
    const start = this.offset[row] ?? 0;
    return this.bytes.subarray(start, start + (this.length[row] ?? 0));
  }
}
