/** Byte arrays, and big-endian ("network order") integers in them. Offsets are not checked. */

/** The unsigned 16-bit number at `offset`; bytes beyond the end read as zero. */
export function read16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

/** The unsigned 32-bit number at `offset`; bytes beyond the end read as zero. */
export function read32(bytes: Uint8Array, offset: number): number {
  return ((read16(bytes, offset) << 16) | read16(bytes, offset + 2)) >>> 0;
}

/** Stores the low 16 bits of `value` at `offset`. */
export function write16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Stores the low 32 bits of `value` at `offset`. */
export function write32(bytes: Uint8Array, offset: number, value: number): void {
  write16(bytes, offset, value >>> 16);
  write16(bytes, offset + 2, value);
}

/**
 * The same bytes as a plain Uint8Array. Subclasses may redefine `slice` (Node's Buffer shares memory where a
 * copy is meant).
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
