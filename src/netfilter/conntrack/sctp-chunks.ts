/** The chunks of an SCTP packet (RFC 9260 §3.2), as far as connection tracking reads them. */
import { read16, read32 } from '../../wire/byte-order.ts';

/** Chunk types (IANA). */
export const SCTP_CHUNK = {
  data: 0,
  init: 1,
  initAck: 2,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
} as const;

export interface SctpChunk {
  readonly type: number;
  readonly flags: number;
  /** As the header says, header included. */
  readonly length: number;
  /** INIT and INIT ACK: the tag that the sender wants to see; undefined when the chunk is cut off. */
  readonly initiateTag?: number;
}

const CHUNK_HEADER = 4;
/** Initiate tag, window, streams out and in, first sequence number (RFC 9260 §3.3.2). */
const INIT_BODY = 16;

/**
 * The chunks in `bytes` (everything behind the common header). Reading stops at a header that does not fit
 * or has a length of zero, which is listed all the same so that it can be called wrong.
 */
export function readChunks(bytes: Uint8Array): SctpChunk[] {
  const chunks: SctpChunk[] = [];
  let at = 0;
  while (at + CHUNK_HEADER <= bytes.length) {
    const type = bytes[at] ?? 0;
    const length = read16(bytes, at + 2);
    const isInit = type === SCTP_CHUNK.init || type === SCTP_CHUNK.initAck;
    const whole = at + CHUNK_HEADER + INIT_BODY <= bytes.length;
    chunks.push({
      type,
      flags: bytes[at + 1] ?? 0,
      length,
      ...(isInit && whole ? { initiateTag: read32(bytes, at + CHUNK_HEADER) } : {}),
    });
    if (length === 0) break;
    at += (length + 3) & ~3;
  }
  return chunks;
}
