/** The chunks that open an SCTP association, as short as they may be (RFC 9260 §3.3.2, §3.3.3). */
import { write16, write32 } from './byte-order.ts';

const TYPE = { init: 1, 'init-ack': 2 } as const;
const LENGTH = 20;
/** a_rwnd, and one stream each way. */
const WINDOW = 65_536;
const STREAMS = 1;

/** An INIT, or the INIT ACK that answers it, with the tag its sender wants to see in what comes back. */
export function sctpInitChunk(kind: keyof typeof TYPE, initiateTag: number): Uint8Array {
  const chunk = new Uint8Array(LENGTH);
  chunk[0] = TYPE[kind];
  write16(chunk, 2, LENGTH);
  write32(chunk, 4, initiateTag);
  write32(chunk, 8, WINDOW);
  write16(chunk, 12, STREAMS);
  write16(chunk, 14, STREAMS);
  write32(chunk, 16, 1);
  return chunk;
}
