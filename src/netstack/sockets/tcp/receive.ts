/** What the data of an acceptable segment does to the control block (tcp_input.c tcp_data_queue). */
import type { TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import { type ControlBlock, MAX_ACK_DELAY, MAX_QUICK_ACKS, MIN_ACK_DELAY } from './control-block.ts';
import type { TcpOptions } from './options.ts';
import { growWindow, offeredWindow, selectWindow } from './receive-window.ts';
import { advance, after, before, distance } from './sequence.ts';

/** How the receiver answers: at once, after a while unless something else goes out, not at all. */
export type AckNeed = 'none' | 'delayed' | 'now';

export interface Received {
  /** In order, ready for the program. */
  readonly data: readonly Uint8Array[];
  /** The peer's FIN is the next thing in order. */
  readonly fin: boolean;
  readonly ack: AckNeed;
}

const NOTHING: Received = { data: [], fin: false, ack: 'none' };
const REPEATED: Received = { data: [], fin: false, ack: 'now' };

/** So many ACKs go out at once (tcp_incr_quickack). */
function addQuickAcks(block: ControlBlock): void {
  const wanted = Math.min(Math.max(block.rcvWnd / (2 * block.rcvMss), 2) | 0, MAX_QUICK_ACKS);
  if (wanted > block.quickAcks) block.quickAcks = wanted;
}

/** Something is amiss: the peer wants to know at once (tcp_enter_quickack_mode). */
function hurry(block: ControlBlock): void {
  addQuickAcks(block);
  block.pingPong = false;
  block.ackDelay = MIN_ACK_DELAY;
}

/** Data of `length` bytes came in order at `now` (tcp_event_data_recv). */
function noteData(block: ControlBlock, length: number, now: number): void {
  const pause = now - block.lastReceivedAt;
  block.lastReceivedAt = now;
  growWindow(block, length);
  if (block.ackDelay === 0) {
    addQuickAcks(block);
    block.ackDelay = MIN_ACK_DELAY;
  } else if (pause <= MIN_ACK_DELAY / 2) {
    block.ackDelay = block.ackDelay / 2 + MIN_ACK_DELAY / 2;
  } else if (pause < block.ackDelay) {
    block.ackDelay = Math.min(block.ackDelay / 2 + pause, block.roundTrip.rto);
  } else if (pause > block.roundTrip.rto) {
    addQuickAcks(block);
  }
}

/** What the kernel's timers count by, seconds (HZ=250). */
const TICK = 0.004;

/** Seconds for which an ACK may wait (tcp_send_delayed_ack). */
export function ackDelayOf(block: ControlBlock): number {
  const { ackDelay, roundTrip } = block;
  // Nothing but a FIN has come so far.
  if (ackDelay === 0) return TICK;
  if (ackDelay <= MIN_ACK_DELAY) return MIN_ACK_DELAY;
  const limit = block.pingPong ? MAX_ACK_DELAY : 0.5;
  const roundTripLimit = Math.max(roundTrip.smoothed ?? limit, MIN_ACK_DELAY);
  return Math.min(ackDelay, limit, roundTripLimit);
}

/** An ACK leaves now, by itself or with data (tcp_event_ack_sent). */
export function noteAckSent(block: ControlBlock): void {
  if (block.quickAcks > 0 && block.rcvNxt !== block.lastAckSent) block.quickAcks--;
  block.lastAckSent = block.rcvNxt;
}

/** The round trip as the receiver of data sees it, by the time stamps that full segments echo. */
export function measureReceiver(
  block: ControlBlock,
  segment: TcpSegment,
  { tsEcho }: TcpOptions,
  now: number,
): void {
  if (!block.timestamps || tsEcho === 0 || segment.data.length < block.rcvMss) return;
  const milliseconds = distance(tsEcho, block.timestampAt(now));
  if (milliseconds >= 0) block.rcvRtt = Math.min(block.rcvRtt ?? 1, Math.max(milliseconds, 1) / 1000);
}

/** Whether the ACK of data that came in order goes out at once (__tcp_ack_snd_check). */
function needOf(block: ControlBlock): AckNeed {
  if (!block.reassembly.isEmpty) return 'now';
  if (block.quickAcks > 0 && !block.pingPong) return 'now';
  const waiting = distance(block.rcvWup, block.rcvNxt);
  return waiting > block.rcvMss && selectWindow(block) >= block.rcvWnd - waiting ? 'now' : 'delayed';
}

/** Takes data and FIN of `segment`, which arrived at `now` (seconds) and whose ACK is dealt with. */
export function receive(block: ControlBlock, segment: TcpSegment, now: number): Received {
  const fin = (segment.flags & TCP_FLAG.FIN) !== 0;
  const { length } = segment.data;
  if (length === 0 && !fin) return NOTHING;
  const end = advance(segment.seq, length + (fin ? 1 : 0));
  if (!after(end, block.rcvNxt)) {
    // A retransmission: our ACK was lost.
    block.duplicate = { start: segment.seq, end };
    hurry(block);
    return REPEATED;
  }
  if (!before(segment.seq, advance(block.rcvNxt, offeredWindow(block))) && length > 0) {
    hurry(block);
    return REPEATED;
  }
  if (fin) block.finAt = advance(segment.seq, length);
  if (after(segment.seq, block.rcvNxt)) {
    hurry(block);
    if (length > 0) block.reassembly.add(segment.seq, segment.data);
    return REPEATED;
  }
  return takeInOrder(block, segment, now);
}

function takeInOrder(block: ControlBlock, segment: TcpSegment, now: number): Received {
  const known = distance(segment.seq, block.rcvNxt);
  if (known > 0) block.duplicate = { start: segment.seq, end: block.rcvNxt };
  const fresh = known === 0 ? segment.data : segment.data.subarray(known);
  const hadHoles = !block.reassembly.isEmpty;
  const data = fresh.length > 0 ? [fresh] : [];
  block.rcvNxt = advance(block.rcvNxt, fresh.length);
  if (fresh.length > 0) noteData(block, fresh.length, now);
  if (hadHoles) {
    for (const piece of block.reassembly.takeFrom(block.rcvNxt)) {
      data.push(piece);
      block.rcvNxt = advance(block.rcvNxt, piece.length);
    }
  }
  const finished = block.finAt === block.rcvNxt;
  if (finished) {
    block.rcvNxt = advance(block.rcvNxt, 1);
    block.finAt = undefined;
    // Nothing comes behind a FIN.
    block.reassembly.takeFrom(advance(block.rcvNxt, 0x3fffffff));
  }
  // Whoever hears a FIN first will mostly answer with its own (tcp_fin).
  if (finished && block.state === 'ESTABLISHED') block.pingPong = true;
  const atOnce = finished && block.state !== 'ESTABLISHED';
  const ack = atOnce || known > 0 || hadHoles ? 'now' : needOf(block);
  return { data, fin: finished, ack };
}
