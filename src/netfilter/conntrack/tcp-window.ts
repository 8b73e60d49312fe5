/**
 * TCP window tracking (nf_conntrack_proto_tcp.c tcp_in_window; Guido van Rooij, "Real Stateful TCP Packet
 * Filtering in IP Filter", 2000): is this segment one that the receiver could accept?
 */
import type { TcpSegment } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { type Direction, opposite } from '../tuple.ts';
import { after, before, segmentEnd } from './sequence.ts';
import { handshakeOptions, sackRightEdges } from './tcp-options.ts';
import type { SegmentKind, TcpSide, TcpTrack } from './tcp-track.ts';

/** `ignore`: the segment passes but teaches nothing. */
export type WindowVerdict = 'accept' | 'ignore' | 'invalid';

/** A peer's ACK may lag this far behind, or by its own window when that is larger (MAXACKWINCONST). */
const MIN_ACK_WINDOW = 66_000;

function applyHandshakeOptions(side: TcpSide, segment: TcpSegment): void {
  const options = handshakeOptions(segment.options);
  if (options === undefined) return;
  // Options of a fresh SYN replace everything known of this side's flags (tcp_options clears them).
  Object.assign(side, options, {
    closeInit: false,
    beLiberal: false,
    dataUnacknowledged: false,
    maxackSet: false,
  });
}

/** Starts tracking `side` from a SYN or SYN/ACK (tcp_init_sender). */
export function startSide(track: TcpTrack, direction: Direction, segment: TcpSegment): void {
  const side = track.seen[direction];
  const peer = track.seen[opposite(direction)];
  const end = segmentEnd(segment);
  side.end = end;
  side.maxend = end;
  side.maxwin = Math.max(segment.window, 1);
  applyHandshakeOptions(side, segment);
  // Scaling counts only when both sides offered it.
  if (direction === 'reply' && !(side.windowScale && peer.windowScale)) {
    side.scale = 0;
    peer.scale = 0;
  }
}

/** The first SYN of a flow: like startSide, but the peer's offer is still to come. */
export function startOriginal(track: TcpTrack, segment: TcpSegment): void {
  startSide(track, 'original', segment);
}

/** Picks up a flow in the middle (nf_conntrack_tcp_loose): its past is unknown, so nothing is out of window. */
export function pickUp(track: TcpTrack, segment: TcpSegment): void {
  const { original, reply } = track.seen;
  original.end = segmentEnd(segment);
  original.maxwin = Math.max(segment.window, 1);
  original.maxend = (original.end + original.maxwin) >>> 0;
  for (const side of [original, reply]) {
    side.sackPermitted = true;
    side.beLiberal = true;
  }
}

interface WindowCheck {
  readonly direction: Direction;
  readonly kind: SegmentKind;
  readonly segment: TcpSegment;
  /** nf_conntrack_tcp_be_liberal. */
  readonly beLiberal: boolean;
}

/** The highest byte the segment acknowledges, SACK blocks included. */
function selectiveAck(segment: TcpSegment): number {
  let sack = segment.ack;
  for (const edge of sackRightEdges(segment.options)) if (after(edge, sack)) sack = edge;
  return sack;
}

/** First sight of this side: learn its window. True when the segment needs no further check. */
function learnSender(track: TcpTrack, check: WindowCheck, sack: number): boolean {
  const { direction, segment } = check;
  const sender = track.seen[direction];
  const receiver = track.seen[opposite(direction)];
  if (segment.flags & TCP_FLAG.SYN) {
    startSide(track, direction, segment);
    return (segment.flags & TCP_FLAG.ACK) === 0;
  }
  sender.end = segmentEnd(segment);
  sender.maxwin = Math.max(segment.window * 2 ** sender.scale, 1);
  sender.maxend = (sender.end + sender.maxwin) >>> 0;
  if (receiver.maxwin === 0) {
    // Nothing is known of the peer: let what this segment acknowledges be what it sent.
    receiver.end = sack;
    receiver.maxend = sack;
  } else if (sack === (receiver.end + 1) >>> 0) {
    // The answer to a keep-alive, which was one byte below.
    receiver.end = sack;
  }
  return false;
}

/** Remembers `segment` to notice when it is repeated without an answer. */
function countRetransmission(track: TcpTrack, check: WindowCheck, ack: number): void {
  const { direction, segment } = check;
  const end = segmentEnd(segment);
  if (
    track.lastDirection === direction &&
    track.lastSeq === segment.seq &&
    track.lastAck === ack &&
    track.lastEnd === end &&
    track.lastWindow === segment.window
  ) {
    track.retransmissions++;
    return;
  }
  track.lastDirection = direction;
  track.lastSeq = segment.seq;
  track.lastAck = ack;
  track.lastEnd = end;
  track.lastWindow = segment.window;
  track.retransmissions = 0;
}

/** Judges `check.segment` against both windows and, when it is acceptable, moves them. */
export function checkWindow(track: TcpTrack, check: WindowCheck): WindowVerdict {
  const { direction, segment, kind } = check;
  const sender = track.seen[direction];
  const receiver = track.seen[opposite(direction)];
  const syn = (segment.flags & TCP_FLAG.SYN) !== 0;
  const hasAck = (segment.flags & TCP_FLAG.ACK) !== 0;
  const rst = (segment.flags & TCP_FLAG.RST) !== 0;
  let { seq, ack } = segment;
  let end = segmentEnd(segment);
  let sack = receiver.sackPermitted ? selectiveAck(segment) : ack;

  if (sender.maxwin === 0) {
    if (learnSender(track, check, sack)) return 'accept';
  } else if (syn && after(end, sender.end) && (track.state === 'SYN_SENT' || track.state === 'SYN_RECV')) {
    // The peer started over with a higher sequence number.
    startSide(track, direction, segment);
    if (direction === 'reply' && !hasAck) return 'accept';
  }

  // No ACK, or a RST from a stack that sets ACK with a zero number: pretend it was right.
  if (!hasAck || (rst && ack === 0)) {
    ack = receiver.end;
    sack = receiver.end;
  }
  if (rst && seq === 0 && track.state === 'SYN_SENT') {
    seq = sender.end;
    end = sender.end;
  }

  // be_liberal turns every complaint into acceptance, without learning from the segment.
  const complain = (verdict: WindowVerdict): WindowVerdict =>
    check.beLiberal || sender.beLiberal ? 'accept' : verdict;
  const ackWindow = Math.max(sender.maxwin, MIN_ACK_WINDOW);
  const ackNotTooOld = after(sack, (receiver.end - ackWindow - 1) >>> 0);
  const inReceiveWindow = receiver.maxwin !== 0 && after(end, (sender.end - receiver.maxwin - 1) >>> 0);

  if (!before(seq, (sender.maxend + 1) >>> 0)) {
    const overshot = (end - sender.maxend + 1) >>> 0;
    if (
      inReceiveWindow &&
      ackNotTooOld &&
      overshot <= receiver.maxwin &&
      before(sack, (receiver.end + 1) >>> 0)
    ) {
      // Sent more than the window allowed. It may pass, so its ACK must not be called invalid later.
      sender.end = end;
      sender.dataUnacknowledged = true;
      return complain('ignore');
    }
    return complain('invalid');
  }
  if (!before(sack, (receiver.end + 1) >>> 0)) return complain('invalid');
  if (receiver.maxwin !== 0 && !inReceiveWindow) return complain('ignore');
  if (!ackNotTooOld) return complain('ignore');

  const window = syn ? segment.window : segment.window * 2 ** sender.scale;
  const announced = window + ((sack - ack) >>> 0);
  if (sender.maxwin < announced) sender.maxwin = announced;
  if (after(end, sender.end)) {
    sender.end = end;
    sender.dataUnacknowledged = true;
  }
  if (hasAck && (!sender.maxackSet || after(ack, sender.maxack))) {
    sender.maxack = ack;
    sender.maxackSet = true;
  }
  if (receiver.maxwin !== 0 && after(end, sender.maxend)) {
    receiver.maxwin += (end - sender.maxend) >>> 0;
  }
  const rightEdge = (sack + window) >>> 0;
  if (after(rightEdge, (receiver.maxend - 1) >>> 0)) {
    receiver.maxend = window === 0 ? (rightEdge + 1) >>> 0 : rightEdge;
  }
  if (ack === receiver.end) receiver.dataUnacknowledged = false;
  if (kind === 'ack') countRetransmission(track, { ...check, segment: { ...segment, seq } }, ack);
  return 'accept';
}
