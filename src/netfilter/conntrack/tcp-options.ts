/** The TCP options that window tracking needs: window scale (RFC 7323) and SACK (RFC 2018). */

const OPTION = { end: 0, nop: 1, windowScale: 3, sackPermitted: 4, sack: 5 } as const;

/** Larger shifts are taken as this (RFC 7323 §2.3). */
const MAX_SCALE = 14;

interface Option {
  readonly kind: number;
  readonly value: Uint8Array;
}

/** Whole options in order; stops at the end marker or at the first one that does not fit. */
function* optionsOf(bytes: Uint8Array): IterableIterator<Option> {
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at] ?? 0;
    if (kind === OPTION.end) return;
    if (kind === OPTION.nop) {
      at += 1;
      continue;
    }
    const size = bytes[at + 1] ?? 0;
    if (size < 2 || at + size > bytes.length) return;
    yield { kind, value: bytes.subarray(at + 2, at + size) };
    at += size;
  }
}

/** Window scale and SACK-permitted as a SYN announces them; undefined when there are no options at all. */
export function handshakeOptions(
  bytes: Uint8Array,
): { readonly scale: number; readonly windowScale: boolean; readonly sackPermitted: boolean } | undefined {
  if (bytes.length === 0) return undefined;
  let scale = 0;
  let windowScale = false;
  let sackPermitted = false;
  for (const { kind, value } of optionsOf(bytes)) {
    if (kind === OPTION.windowScale && value.length === 1) {
      scale = Math.min(value[0] ?? 0, MAX_SCALE);
      windowScale = true;
    } else if (kind === OPTION.sackPermitted && value.length === 0) {
      sackPermitted = true;
    }
  }
  return { scale, windowScale, sackPermitted };
}

/** The right edges of the SACK blocks, unsigned 32-bit. */
export function sackRightEdges(bytes: Uint8Array): number[] {
  for (const { kind, value } of optionsOf(bytes)) {
    if (kind !== OPTION.sack || value.length === 0 || value.length % 8 !== 0) continue;
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const edges: number[] = [];
    for (let at = 4; at < value.length; at += 8) edges.push(view.getUint32(at));
    return edges;
  }
  return [];
}

/** The kinds of all whole options, end and no-operation left out (`-m tcp --tcp-option`). */
export function tcpOptionKinds(bytes: Uint8Array): number[] {
  return [...optionsOf(bytes)].map((option) => option.kind);
}
