/**
 * The TCP tracker (nf_conntrack_proto_tcp.c nf_conntrack_tcp_packet): which state a segment moves a flow
 * to, which segments it calls INVALID, and when a flow is given up.
 */
import type { TcpSegment } from '../../wire/packet.ts';
import { TCP_FLAG } from '../../wire/protocol.ts';
import { type Direction, opposite } from '../tuple.ts';
import type { ConntrackEntry } from './entry.ts';
import { before, segmentEnd } from './sequence.ts';
import { handshakeOptions } from './tcp-options.ts';
import { newSide, newTcpTrack, type SegmentKind, type TcpTrack } from './tcp-track.ts';
import { checkWindow, pickUp, startOriginal } from './tcp-window.ts';
import { type ConntrackSysctls, TCP_STATES, type TcpState } from './timeouts.ts';
import type { TrackContext, TrackVerdict } from './track-verdict.ts';

type Transition = TcpState | 'invalid' | 'ignore';

/** Rows of the state table are written in the order of TCP_STATES, by these two-letter names. */
const LEGEND: Readonly<Record<string, Transition>> = {
  SS: 'SYN_SENT',
  SR: 'SYN_RECV',
  ES: 'ESTABLISHED',
  FW: 'FIN_WAIT',
  CW: 'CLOSE_WAIT',
  LA: 'LAST_ACK',
  TW: 'TIME_WAIT',
  CL: 'CLOSE',
  S2: 'SYN_SENT2',
  '--': 'invalid',
  '..': 'ignore',
};

/** Which state follows, by direction, segment kind and (columns) state: NO SS SR ES FW CW LA TW CL S2. */
const TRANSITIONS: Readonly<Record<Direction, Readonly<Record<SegmentKind, string>>>> = {
  original: {
    syn: '   SS SS .. .. .. .. .. SS SS S2',
    synack: '-- -- SR -- -- -- -- -- -- SR',
    fin: '   -- -- FW FW LA LA LA TW CL --',
    ack: '   ES -- ES ES CW CW TW TW CL --',
    rst: '   -- CL CL CL CL CL CL CL CL CL',
    none: '  -- -- -- -- -- -- -- -- -- --',
  },
  reply: {
    syn: '   -- S2 -- -- -- -- -- SS -- S2',
    synack: '-- SR .. .. .. .. .. .. .. SR',
    fin: '   -- -- FW FW LA LA LA TW CL --',
    ack: '   -- .. SR ES CW CW TW TW CL ..',
    rst: '   -- CL CL CL CL CL CL CL CL CL',
    none: '  -- -- -- -- -- -- -- -- -- --',
  },
};

function decodeRow(row: string): readonly Transition[] {
  return row
    .trim()
    .split(/ +/)
    .map((cell) => LEGEND[cell] ?? 'invalid');
}

function decodeRows(rows: Readonly<Record<SegmentKind, string>>) {
  return {
    syn: decodeRow(rows.syn),
    synack: decodeRow(rows.synack),
    fin: decodeRow(rows.fin),
    ack: decodeRow(rows.ack),
    rst: decodeRow(rows.rst),
    none: decodeRow(rows.none),
  };
}

const NEXT = { original: decodeRows(TRANSITIONS.original), reply: decodeRows(TRANSITIONS.reply) };

/** The state that a segment of `kind` in `direction` leads to from `state`. */
export function nextTcpState(direction: Direction, kind: SegmentKind, state: TcpState): Transition {
  return NEXT[direction][kind][TCP_STATES.indexOf(state)] ?? 'invalid';
}

/** Flag combinations that mean something, ECE, CWR and PSH left out (tcp_valid_flags). */
const VALID_FLAGS: ReadonlySet<number> = new Set([
  TCP_FLAG.SYN,
  TCP_FLAG.SYN | TCP_FLAG.URG,
  TCP_FLAG.SYN | TCP_FLAG.ACK,
  TCP_FLAG.RST,
  TCP_FLAG.RST | TCP_FLAG.ACK,
  TCP_FLAG.FIN | TCP_FLAG.ACK,
  TCP_FLAG.FIN | TCP_FLAG.ACK | TCP_FLAG.URG,
  TCP_FLAG.ACK,
  TCP_FLAG.ACK | TCP_FLAG.URG,
]);

function segmentKind(flags: number): SegmentKind {
  if (flags & TCP_FLAG.RST) return 'rst';
  if (flags & TCP_FLAG.SYN) return flags & TCP_FLAG.ACK ? 'synack' : 'syn';
  if (flags & TCP_FLAG.FIN) return 'fin';
  return flags & TCP_FLAG.ACK ? 'ack' : 'none';
}

/** The track of a flow that begins with `segment`; undefined when no flow may begin with it (tcp_new). */
function begin(segment: TcpSegment, kind: SegmentKind, sysctls: ConntrackSysctls): TcpTrack | undefined {
  const next = nextTcpState('original', kind, 'NONE');
  if (next === 'invalid' || next === 'ignore') return undefined;
  const track = newTcpTrack();
  if (next === 'SYN_SENT') {
    startOriginal(track, segment);
  } else {
    if (!sysctls.tcpLoose) return undefined;
    pickUp(track, segment);
  }
  return track;
}

/** A SYN/ACK that acknowledges a SYN we had ignored: both ends agree, so we follow them. */
function resynchronise(track: TcpTrack, direction: Direction): void {
  const sender = track.seen[track.lastDirection];
  sender.end = track.lastEnd;
  sender.maxend = track.lastEnd;
  sender.maxwin = Math.max(track.lastWindow, 1);
  sender.scale = track.lastScale;
  track.expectChallengeAck = false;
  Object.assign(sender, {
    windowScale: track.lastWindowScale,
    sackPermitted: track.lastSackPermitted,
    closeInit: false,
    beLiberal: false,
    dataUnacknowledged: false,
    maxackSet: false,
  });
  track.seen[direction] = newSide();
}

interface Segment {
  readonly direction: Direction;
  readonly kind: SegmentKind;
  readonly tcp: TcpSegment;
}

/** Remembers a segment that passes without being believed. */
function noteIgnored(track: TcpTrack, { direction, kind, tcp }: Segment): void {
  const oldState = track.state;
  track.lastKind = kind;
  track.lastDirection = direction;
  track.lastSeq = tcp.seq;
  track.lastEnd = segmentEnd(tcp);
  track.lastWindow = tcp.window;
  if (kind === 'syn' && direction === 'original') {
    const options = handshakeOptions(tcp.options);
    track.lastWindowScale = options?.windowScale ?? false;
    track.lastScale = options?.scale ?? 0;
    track.lastSackPermitted = options?.sackPermitted ?? false;
    track.simultaneousOpen = false;
    track.expectChallengeAck = oldState === 'LAST_ACK';
  }
  if (oldState === 'SYN_SENT' && kind === 'ack' && direction === 'reply') track.lastAck = tcp.ack;
}

/** States in which a flow may be thrown away early, and in which RSTs are taken at their word. */
const CLOSING: ReadonlySet<TcpState> = new Set(['FIN_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT']);

type ResetVerdict = 'check-window' | 'keep-state' | 'accept' | 'invalid';

/** How far a RST is believed (the TCP_CONNTRACK_CLOSE case; RFC 5961 §3 is why the exact number matters). */
function judgeReset(entry: ConntrackEntry, track: TcpTrack, { direction, tcp }: Segment): ResetVerdict {
  if (CLOSING.has(track.state)) return 'accept';
  const peer = track.seen[opposite(direction)];
  const established = track.state === 'ESTABLISHED' && entry.assured;
  if (peer.maxackSet && track.lastKind !== 'syn') {
    if (tcp.seq === 0 && !established) return 'check-window';
    if (before(tcp.seq, peer.maxack)) return 'invalid';
    if (!established || tcp.seq === peer.maxack) return 'check-window';
    const ofTrain =
      track.lastKind === 'ack' && track.lastDirection === direction && tcp.seq === track.lastEnd;
    if (ofTrain) return 'check-window';
    // Not the exact number: the peer will answer with a challenge ACK, so the flow may live on.
    return 'keep-state';
  }
  const answersIgnored =
    (entry.seenReply && track.lastKind === 'syn') || (!entry.assured && track.lastKind === 'ack');
  // Measured: only a RST of the other side is taken for the answer to what was let through.
  if (answersIgnored && track.lastDirection !== direction && tcp.ack === track.lastEnd) return 'accept';
  const answersChallenge =
    track.state === 'SYN_SENT' &&
    track.lastKind === 'ack' &&
    track.lastDirection === 'reply' &&
    tcp.seq === track.lastAck;
  return answersChallenge ? 'accept' : 'check-window';
}

/** An out-of-window FIN or RST of both sides shortens the life of an assured flow (nf_tcp_handle_invalid). */
function handleInvalid(
  entry: ConntrackEntry,
  track: TcpTrack,
  segment: Segment,
  context: TrackContext,
): void {
  if (!entry.assured || (segment.kind !== 'rst' && segment.kind !== 'fin')) return;
  const { now, sysctls } = context;
  const peerToo =
    track.lastDirection !== segment.direction && (track.lastKind === 'fin' || track.lastKind === 'rst');
  if (!peerToo) {
    track.lastKind = segment.kind;
    track.lastDirection = segment.direction;
    return;
  }
  const left = entry.expires - now;
  if (left >= 120 && left > sysctls.tcpUnacknowledged) entry.expires = now + sysctls.tcpUnacknowledged;
}

/** Seconds that the flow may now stay silent. */
function timeoutOf(track: TcpTrack, kind: SegmentKind, sysctls: ConntrackSysctls): number {
  const normal = sysctls.tcp[track.state];
  const { original, reply } = track.seen;
  if (track.retransmissions >= sysctls.tcpMaxRetrans && normal > sysctls.tcpRetrans)
    return sysctls.tcpRetrans;
  if (kind === 'rst') return sysctls.tcp.CLOSE;
  if ((original.dataUnacknowledged || reply.dataUnacknowledged) && normal > sysctls.tcpUnacknowledged) {
    return sysctls.tcpUnacknowledged;
  }
  if (track.lastWindow === 0 && normal > sysctls.tcpRetrans) return sysctls.tcpRetrans;
  return normal;
}

interface Step {
  readonly from: TcpState;
  readonly to: TcpState;
}

/** Commits an acceptable segment: the new state, the timeout, the ASSURED bit. */
function settle(
  entry: ConntrackEntry,
  track: TcpTrack,
  segment: Segment & Step,
  context: TrackContext,
): TrackVerdict {
  const { direction, kind, from: oldState, to: next } = segment;
  const { now, sysctls } = context;
  track.lastKind = kind;
  track.lastDirection = direction;
  track.state = next;
  if (oldState !== next && next === 'FIN_WAIT') track.seen[direction].closeInit = true;
  let timeout = timeoutOf(track, kind, sysctls);
  if (!entry.seenReply) {
    if (kind === 'rst') return 'delete';
    // A repeated SYN must not keep an unanswered flow alive for ever.
    if (kind === 'syn' && oldState === 'SYN_SENT') return 'accept';
    if (next === 'ESTABLISHED') timeout = Math.min(timeout, sysctls.tcpUnacknowledged);
  } else if (
    !entry.assured &&
    next === 'ESTABLISHED' &&
    (oldState === 'SYN_RECV' || oldState === 'ESTABLISHED')
  ) {
    entry.assured = true;
  }
  entry.expires = now + timeout;
  return 'accept';
}

/**
 * Tracks one segment of `entry`'s flow.
 * Returns `reopen` when the flow was over and this SYN starts a new one (the caller deletes the entry and
 * looks again), `delete` when the packet passes and the entry goes.
 */
export function trackTcp(entry: ConntrackEntry, tcp: TcpSegment, context: TrackContext): TrackVerdict {
  const { direction, sysctls } = context;
  if (!VALID_FLAGS.has(tcp.flags & ~(TCP_FLAG.ECE | TCP_FLAG.CWR | TCP_FLAG.PSH))) return 'invalid';
  const kind = segmentKind(tcp.flags);
  if (!entry.confirmed) entry.tcp = begin(tcp, kind, sysctls);
  const track = entry.tcp;
  if (track === undefined) return 'invalid';
  const segment: Segment = { direction, kind, tcp };

  let from = track.state;
  let next = nextTcpState(direction, kind, from);
  if (next === 'invalid') return 'invalid';
  if (next === 'SYN_SENT' && (from === 'TIME_WAIT' || from === 'CLOSE')) {
    const closedByUs = track.seen.original.closeInit || track.seen.reply.closeInit;
    const resetByUs = track.lastDirection === direction && track.lastKind === 'rst';
    if (closedByUs || resetByUs) return 'reopen';
    next = 'ignore';
  }
  if (next === 'ignore') {
    const answersIgnoredSyn =
      kind === 'synack' &&
      track.lastKind === 'syn' &&
      track.lastDirection !== direction &&
      tcp.ack === track.lastEnd;
    if (!answersIgnoredSyn) {
      noteIgnored(track, segment);
      return 'accept';
    }
    resynchronise(track, direction);
    from = 'SYN_SENT';
    next = 'SYN_RECV';
  }
  if (
    next === 'TIME_WAIT' &&
    from === 'LAST_ACK' &&
    kind === 'ack' &&
    track.lastDirection !== direction &&
    track.lastKind === 'syn' &&
    track.expectChallengeAck
  ) {
    track.expectChallengeAck = false;
    return 'accept';
  }
  if (next === 'SYN_SENT2') track.simultaneousOpen = true;
  if (next === 'SYN_RECV' && direction === 'reply' && kind === 'ack' && track.simultaneousOpen) {
    next = 'ESTABLISHED';
  }
  if (kind === 'rst' && next === 'CLOSE') {
    const verdict = judgeReset(entry, track, segment);
    if (verdict === 'invalid') return 'invalid';
    if (verdict === 'accept') return settle(entry, track, { ...segment, from, to: next }, context);
    if (verdict === 'keep-state') next = from;
  }

  switch (checkWindow(track, { direction, kind, segment: tcp, beLiberal: sysctls.tcpBeLiberal })) {
    case 'ignore':
      return 'accept';
    case 'invalid':
      handleInvalid(entry, track, segment, context);
      return 'invalid';
    case 'accept':
      return settle(entry, track, { ...segment, from, to: next }, context);
  }
}
