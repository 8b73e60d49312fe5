/** What to send next, as a pure function of the control block (tcp_output.c tcp_write_xmit, RFC 9293 §3.8.6). */
import type { ControlBlock } from './control-block.ts';
import { SENDING } from './control-block.ts';
import type { Flight } from './send-queue.ts';
import { after, distance } from './sequence.ts';

export type Output =
  | { readonly kind: 'resend'; readonly flight: Flight }
  /** A new segment of `length` bytes; with the FIN when that is due. */
  | { readonly kind: 'send'; readonly length: number }
  | { readonly kind: 'wait'; readonly for: 'nothing' | 'congestion' | 'window' | 'nagle' };

const NOTHING: Output = { kind: 'wait', for: 'nothing' };
const CONGESTION: Output = { kind: 'wait', for: 'congestion' };
const WINDOW: Output = { kind: 'wait', for: 'window' };
const NAGLE: Output = { kind: 'wait', for: 'nagle' };

/** The first segment that is lost and not sent again. */
export function firstLost(block: ControlBlock): Flight | undefined {
  const { queue } = block;
  if (queue.lost === 0) return undefined;
  for (let index = 0; index < queue.packetsOut; index++) {
    const flight = queue.at(index);
    if (flight?.lost === true && !flight.underWay) return flight;
  }
  return undefined;
}

/** Decides the next segment. `noDelay`: small segments need not wait for ACKs (TCP_NODELAY). */
export function nextOutput(block: ControlBlock, noDelay: boolean): Output {
  const { queue, congestion } = block;
  const full = block.inNetwork >= congestion.window;
  const missing = firstLost(block);
  if (missing !== undefined) return full ? CONGESTION : { kind: 'resend', flight: missing };
  if (!queue.hasNews || !SENDING.has(block.state)) return NOTHING;
  if (full) return CONGESTION;
  const { mss } = block;
  const length = Math.min(queue.unsent, mss);
  const fin = queue.closing && length === queue.unsent;
  if (length + (fin ? 1 : 0) > distance(block.sndNxt, block.windowEnd)) return WINDOW;
  const small = length < mss && !fin;
  // Minshall: one small segment at a time may be on its way.
  if (small && !noDelay && queue.packetsOut > 0 && after(block.smallEnd, block.sndUna)) return NAGLE;
  return { kind: 'send', length };
}
