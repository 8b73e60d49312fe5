/**
 * What to do with a segment that arrived, as a pure function of the control block: the checks of RFC 9293
 * §3.10.7.4 with those of RFC 5961 (blind resets) and RFC 7323 (old duplicates), in the order of Linux
 * (tcp_input.c tcp_validate_incoming).
 */
import type { TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import type { ControlBlock } from './control-block.ts';
import type { TcpOptions } from './options.ts';
import { offeredWindow } from './receive-window.ts';
import { advance, after, before, distance } from './sequence.ts';

export type Arrival =
  /** In the window: its ACK, data and FIN count. */
  | 'process'
  | 'discard'
  /** Answer with an ACK that says where we are. */
  | 'duplicate-ack'
  /** The same, to find out whether the sender means it. */
  | 'challenge-ack'
  /** The peer ended the connection. */
  | 'reset';

/** TCP_PAWS_24DAYS: older time stamps say nothing. */
const STALE_TIMESTAMP = 24 * 86_400;
/** A replayed ACK may be this many milliseconds per second of timeout older (tcp_disordered_ack). */
const MAX_REPLAY = 1200;

/** Segments from before, told by their time stamps (RFC 7323 §5.3). */
function isOld(block: ControlBlock, segment: TcpSegment, options: TcpOptions, now: number): boolean {
  if (!block.timestamps || options.tsValue === undefined) return false;
  const age = distance(options.tsValue, block.tsRecent);
  if (age <= 0 || now - block.tsRecentAt > STALE_TIMESTAMP) return false;
  // A pure ACK that was overtaken does no harm.
  const harmless =
    segment.data.length === 0 &&
    segment.seq === block.rcvNxt &&
    segment.ack === block.sndUna &&
    age <= block.roundTrip.rto * MAX_REPLAY;
  return !harmless;
}

/** Any of the segment is in the window, or it is where the window ends (tcp_sequence). */
function isInWindow(block: ControlBlock, segment: TcpSegment): boolean {
  const fin = segment.flags & TCP_FLAG.FIN ? 1 : 0;
  const syn = segment.flags & TCP_FLAG.SYN ? 1 : 0;
  const end = advance(segment.seq, segment.data.length + fin + syn);
  return !before(end, block.rcvWup) && !after(segment.seq, advance(block.rcvNxt, offeredWindow(block)));
}

/** Judges a segment that arrived in a synchronised state at `now` (seconds). */
export function judgeArrival(
  block: ControlBlock,
  segment: TcpSegment,
  options: TcpOptions,
  now: number,
): Arrival {
  const { flags } = segment;
  const reset = (flags & TCP_FLAG.RST) !== 0;
  if (!reset && isOld(block, segment, options, now)) return 'duplicate-ack';
  if (!isInWindow(block, segment)) {
    if (reset) return 'discard';
    return flags & TCP_FLAG.SYN ? 'challenge-ack' : 'duplicate-ack';
  }
  if (reset) {
    if (segment.seq === block.rcvNxt) return 'reset';
    // The sender of a reset sees what we have beyond a hole.
    const highest = block.reassembly.blocks.reduce(
      (end, each) => (after(each.end, end) ? each.end : end),
      block.rcvNxt,
    );
    return segment.seq === highest ? 'reset' : 'challenge-ack';
  }
  if (flags & TCP_FLAG.SYN) return 'challenge-ack';
  return flags & TCP_FLAG.ACK ? 'process' : 'discard';
}

export type SynSentArrival =
  | 'discard'
  /** Acknowledges something we never sent. */
  | 'send-reset'
  | 'refused'
  /** SYN-ACK of our SYN. */
  | 'established'
  /** The peer opens at the same time. */
  | 'crossing';

/** Judges a segment that arrived after our SYN (RFC 9293 §3.10.7.3). */
export function judgeSynSent(block: ControlBlock, segment: TcpSegment): SynSentArrival {
  const { flags, ack } = segment;
  if (flags & TCP_FLAG.ACK) {
    if (!after(ack, block.sndUna) || after(ack, block.sndNxt))
      return flags & TCP_FLAG.RST ? 'discard' : 'send-reset';
    if (flags & TCP_FLAG.RST) return 'refused';
    return flags & TCP_FLAG.SYN ? 'established' : 'discard';
  }
  if (flags & TCP_FLAG.RST) return 'discard';
  return flags & TCP_FLAG.SYN ? 'crossing' : 'discard';
}

export type SynRecvArrival =
  | 'discard'
  | 'challenge-ack'
  | 'send-reset'
  | 'reset'
  /** The same SYN again: our SYN-ACK was lost. */
  | 'repeat'
  /** The SYN-ACK of a simultaneous open. */
  | 'crossed'
  /** The ACK of our SYN; whatever else is in it counts too. */
  | 'established';

/** Judges a segment that arrived after our SYN-ACK, at `now` (tcp_check_req). */
export function judgeSynRecv(
  block: ControlBlock,
  segment: TcpSegment,
  options: TcpOptions,
  now: number,
): SynRecvArrival {
  const { flags } = segment;
  if (flags & TCP_FLAG.SYN && !(flags & TCP_FLAG.RST) && segment.seq === advance(block.rcvNxt, -1)) {
    return flags & TCP_FLAG.ACK && segment.ack === block.sndNxt ? 'crossed' : 'repeat';
  }
  const arrival = judgeArrival(block, segment, options, now);
  if (arrival === 'duplicate-ack') return 'challenge-ack';
  if (arrival !== 'process') return arrival;
  return segment.ack === block.sndNxt ? 'established' : 'send-reset';
}

export type AckMeaning = 'new' | 'duplicate' | 'old' | 'ancient' | 'unsent';

/** What the acknowledgment number `ack` says: progress, nothing new, nonsense. */
export function judgeAck(block: ControlBlock, ack: number): AckMeaning {
  if (after(ack, block.sndNxt)) return 'unsent';
  if (before(ack, block.sndUna)) {
    // RFC 5961 §5.2.
    return before(ack, advance(block.sndUna, -block.maxWindow)) ? 'ancient' : 'old';
  }
  return ack === block.sndUna ? 'duplicate' : 'new';
}
