/**
 * The SCTP tracker (nf_conntrack_proto_sctp.c): which state the chunks of a packet move an association to,
 * which packets it calls INVALID, and the verification tags by which it tells (RFC 9260 §8.5).
 */
import type { SctpPacket } from '../../wire/packet.ts';
import { type Direction, opposite } from '../tuple.ts';
import type { ConntrackEntry } from './entry.ts';
import { readChunks, SCTP_CHUNK, type SctpChunk } from './sctp-chunks.ts';
import { nextSctpState } from './sctp-transitions.ts';
import type { SctpState } from './timeouts.ts';
import type { TrackContext, TrackVerdict } from './track-verdict.ts';

/** What conntrack remembers of an association (struct ip_ct_sctp): plain data, so that it can be copied. */
export interface SctpTrack {
  state: SctpState;
  /** The tag that packets of this direction must carry; 0: not known yet. */
  readonly tags: Record<Direction, number>;
  /** An INIT was seen from this side. */
  readonly initSeen: Record<Direction, boolean>;
  /** A HEARTBEAT with another tag went this way: its answer may bring the new one. */
  heartbeatFailed: Direction | undefined;
}

/** Packets with one of these chunks are judged chunk by chunk; all others must carry the right tag. */
const TAG_EXEMPT: ReadonlySet<number> = new Set([
  SCTP_CHUNK.init,
  SCTP_CHUNK.shutdownComplete,
  SCTP_CHUNK.cookieEcho,
  SCTP_CHUNK.abort,
  SCTP_CHUNK.shutdownAck,
  SCTP_CHUNK.heartbeat,
  SCTP_CHUNK.heartbeatAck,
]);

/** Chunks that cannot begin an association (RFC 9260 §8.4: out of the blue). */
const NEVER_FIRST: ReadonlySet<number> = new Set([
  SCTP_CHUNK.abort,
  SCTP_CHUNK.shutdownComplete,
  SCTP_CHUNK.cookieAck,
]);

/** Some chunks must be alone or come first; none may have a length of zero (do_basic_checks). */
function isWellFormed(chunks: readonly SctpChunk[]): boolean {
  let alone = false;
  for (const [index, { type, length }] of chunks.entries()) {
    if (type === SCTP_CHUNK.init || type === SCTP_CHUNK.initAck || type === SCTP_CHUNK.shutdownComplete) {
      alone = true;
    }
    const first = type === SCTP_CHUNK.cookieAck || type === SCTP_CHUNK.cookieEcho;
    if (((first || alone) && index > 0) || length === 0) return false;
  }
  return chunks.length > 0;
}

/** The track of an association that begins with this packet; undefined when none may (sctp_new). */
function begin(packet: SctpPacket, chunks: readonly SctpChunk[]): SctpTrack | undefined {
  const { verificationTag } = packet;
  const track: SctpTrack = {
    state: 'NONE',
    tags: { original: 0, reply: 0 },
    initSeen: { original: false, reply: false },
    heartbeatFailed: undefined,
  };
  for (const { type, initiateTag } of chunks) {
    const next = nextSctpState('original', type, 'NONE');
    if (next === 'NONE' || next === 'invalid') return undefined;
    if (type === SCTP_CHUNK.init) {
      if (verificationTag !== 0 || initiateTag === undefined) return undefined;
      track.tags.reply = initiateTag;
    } else if (type === SCTP_CHUNK.heartbeat || type === SCTP_CHUNK.heartbeatAck) {
      track.tags.original = verificationTag;
    } else {
      track.tags.reply = verificationTag;
    }
  }
  return track;
}

type ChunkVerdict = 'accept' | 'skip' | 'invalid';

interface Scene {
  readonly track: SctpTrack;
  readonly direction: Direction;
  readonly tag: number;
  readonly hasData: boolean;
}

/** ABORT and SHUTDOWN COMPLETE carry the receiver's tag, or with the T bit the sender's own (§8.5.1 B, C). */
function tagMatchesTBit({ track, direction, tag }: Scene, { flags }: SctpChunk): boolean {
  return tag === track.tags[flags & 1 ? opposite(direction) : direction];
}

/** A HEARTBEAT or its answer: other paths of a multi-homed association have tags of their own. */
function judgeHeartbeat(scene: Scene, type: number, skipped: boolean): ChunkVerdict {
  const { track, direction, tag, hasData } = scene;
  if (track.tags[direction] === 0) {
    track.tags[direction] = tag;
    return 'accept';
  }
  if (tag === track.tags[direction]) {
    track.heartbeatFailed = undefined;
    return 'accept';
  }
  if (hasData || skipped) return 'invalid';
  if (type === SCTP_CHUNK.heartbeat) {
    track.heartbeatFailed = direction;
    return 'skip';
  }
  if (track.heartbeatFailed === undefined || track.heartbeatFailed === direction) return 'invalid';
  track.heartbeatFailed = undefined;
  track.tags[direction] = tag;
  track.tags[opposite(direction)] = 0;
  return 'accept';
}

/** The verification tag rules of RFC 9260 §8.5.1 that depend on the chunk. */
function judgeTag(scene: Scene, chunk: SctpChunk, skipped: boolean): ChunkVerdict {
  const { track, direction, tag } = scene;
  const verdict = (holds: boolean): ChunkVerdict => (holds ? 'accept' : 'invalid');
  switch (chunk.type) {
    case SCTP_CHUNK.init:
      return verdict(tag === 0);
    case SCTP_CHUNK.abort:
    case SCTP_CHUNK.shutdownComplete:
      return verdict(tagMatchesTBit(scene, chunk));
    case SCTP_CHUNK.cookieEcho:
      return verdict(tag === track.tags[direction]);
    case SCTP_CHUNK.cookieAck:
      track.initSeen.original = false;
      track.initSeen.reply = false;
      return 'accept';
    case SCTP_CHUNK.heartbeat:
    case SCTP_CHUNK.heartbeatAck:
      return judgeHeartbeat(scene, chunk.type, skipped);
    default:
      return 'accept';
  }
}

/** Notes the tag that an INIT ACK hands out; false when it contradicts what is known. */
function noteInitAck({ track, direction }: Scene, initiateTag: number): boolean {
  const peer = opposite(direction);
  const known = track.tags[peer];
  if (!track.initSeen[peer] && known !== 0 && known !== initiateTag) return false;
  if (track.initSeen[direction] && track.initSeen[peer] && known !== initiateTag) return false;
  track.tags[peer] = initiateTag;
  return true;
}

/**
 * Tracks one packet of `entry`'s association. Chunks count in order; a bad one makes the packet INVALID,
 * with what the chunks before it have changed.
 */
export function trackSctp(
  entry: ConntrackEntry,
  packet: SctpPacket,
  { direction, now, sysctls }: TrackContext,
): TrackVerdict {
  const chunks = readChunks(packet.data);
  if (!isWellFormed(chunks)) return 'invalid';
  if (!entry.confirmed) {
    if (chunks.some(({ type }) => NEVER_FIRST.has(type))) return 'invalid';
    entry.sctp = begin(packet, chunks);
  }
  const track = entry.sctp;
  if (track === undefined) return 'invalid';
  const tag = packet.verificationTag;
  const exempt = chunks.some(({ type }) => TAG_EXEMPT.has(type));
  if (!exempt && tag !== track.tags[direction]) return 'invalid';

  const hasData = chunks.some(({ type }) => type === SCTP_CHUNK.data);
  const scene: Scene = { track, direction, tag, hasData };
  let next: SctpState = 'NONE';
  let refreshes = true;
  for (const chunk of chunks) {
    const judged = judgeTag(scene, chunk, !refreshes);
    if (judged === 'invalid') return 'invalid';
    if (judged === 'skip') {
      refreshes = false;
      continue;
    }
    const old = track.state;
    const to = nextSctpState(direction, chunk.type, old);
    if (to === 'invalid') return 'invalid';
    next = to;
    if (chunk.type === SCTP_CHUNK.init) {
      if (chunk.initiateTag === undefined) return 'invalid';
      const peer = opposite(direction);
      if (track.initSeen[direction] && track.initSeen[peer]) track.initSeen[peer] = false;
      track.initSeen[direction] = true;
      track.tags[peer] = chunk.initiateTag;
      // A repeated INIT must not keep an unanswered association alive for ever.
      if (next === 'CLOSED' && old === 'CLOSED' && entry.confirmed) refreshes = false;
    } else if (chunk.type === SCTP_CHUNK.initAck) {
      if (chunk.initiateTag === undefined || !noteInitAck(scene, chunk.initiateTag)) return 'invalid';
    }
    track.state = next;
    if (old !== next && next === 'ESTABLISHED') entry.assured = true;
  }
  if (refreshes) entry.expires = now + sysctls.sctp[next];
  return 'accept';
}
