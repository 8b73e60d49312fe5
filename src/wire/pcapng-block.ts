/** The outer form of pcapng: blocks with their length at both ends, sections with a byte order, options. */
import { BYTE_ORDER_MAGIC, PCAPNG_BLOCK, PCAPNG_OPTION } from './pcapng.ts';
import { WireError } from './wire-error.ts';

/** Type and total length in front, total length behind. */
const FRAME = 12;

export interface PcapngBlock {
  readonly type: number;
  /** Of its first byte in the file. */
  readonly offset: number;
  /** Where its body begins and ends in the file. */
  readonly start: number;
  readonly end: number;
  /** Of the whole block. */
  readonly length: number;
  readonly littleEndian: boolean;
}

/** The byte order that the section header at `offset` declares. */
function sectionByteOrder(view: DataView, offset: number): boolean {
  const at = offset + 8;
  if (at + 4 > view.byteLength) {
    throw new WireError('pcapng section header cut off, expected a byte-order magic', view.byteLength);
  }
  if (view.getUint32(at, true) === BYTE_ORDER_MAGIC) return true;
  if (view.getUint32(at, false) === BYTE_ORDER_MAGIC) return false;
  const found = view.getUint32(at).toString(16).padStart(8, '0');
  throw new WireError(`pcapng byte-order magic ${found}, expected 1a2b3c4d or 4d3c2b1a`, at);
}

/**
 * The block at `offset`; `littleEndian` is that of the section it stands in and ignored for section headers,
 * which bring their own. Throws WireError when its lengths do not fit each other or the file.
 */
export function blockAt(view: DataView, offset: number, littleEndian: boolean): PcapngBlock {
  const left = view.byteLength - offset;
  if (left < FRAME) {
    throw new WireError(`pcapng block cut off: ${left} bytes, expected at least ${FRAME}`, offset);
  }
  // The type of a section header reads the same in both byte orders.
  const isSection = view.getUint32(offset, true) === PCAPNG_BLOCK.sectionHeader;
  const order = isSection ? sectionByteOrder(view, offset) : littleEndian;
  const type = view.getUint32(offset, order);
  const length = view.getUint32(offset + 4, order);
  if (length < FRAME || length % 4 !== 0) {
    throw new WireError(`pcapng block length ${length}, expected a multiple of 4 from ${FRAME}`, offset + 4);
  }
  if (length > left) throw new WireError(`pcapng block cut off: ${left} of ${length} bytes`, offset);
  const trailer = view.getUint32(offset + length - 4, order);
  if (trailer !== length) {
    throw new WireError(
      `pcapng block length ${trailer} at its end, expected ${length} as at its beginning`,
      offset + length - 4,
    );
  }
  return { type, offset, start: offset + 8, end: offset + length - 4, length, littleEndian: order };
}

/** Throws WireError when the block's body is shorter than its fixed fields. */
export function expectBody(block: PcapngBlock, what: string, bytes: number): void {
  const { start, end } = block;
  if (end - start < bytes) {
    throw new WireError(`pcapng ${what} with ${end - start} bytes, expected at least ${bytes}`, start);
  }
}

export interface PcapngOption {
  readonly code: number;
  /** Where its value begins in the file. */
  readonly offset: number;
  readonly value: Uint8Array;
}

/**
 * The tagged values between `from` and the end of `block`: options, or name records, which have the same
 * form. They end at code 0 or with the block. Throws WireError for one that is longer than the block.
 */
export function taggedValues(bytes: Uint8Array, block: PcapngBlock, from: number): PcapngOption[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { end, littleEndian } = block;
  const found: PcapngOption[] = [];
  let at = from;
  // All offsets are multiples of four, so what is left is nothing or a whole header.
  while (at < end) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === PCAPNG_OPTION.end) {
      if (length !== 0)
        throw new WireError(`pcapng end of options with length ${length}, expected 0`, at + 2);
      break;
    }
    const start = at + 4;
    if (start + length > end) {
      throw new WireError(
        `pcapng option ${code} of ${length} bytes, expected at most ${end - start} (the rest of its block)`,
        at + 2,
      );
    }
    found.push({ code, offset: start, value: bytes.slice(start, start + length) });
    at = start + ((length + 3) & ~3);
  }
  return found;
}
