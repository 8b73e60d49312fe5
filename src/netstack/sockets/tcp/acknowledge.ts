/** What an acceptable ACK does to the control block (tcp_input.c tcp_ack, RFC 9293 §3.10.7.4 fifth). */
import type { TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import { judgeAck } from './arrival.ts';
import type { ControlBlock } from './control-block.ts';
import { detectLosses, markNextHole, noteArrival } from './loss.ts';
import type { SackBlock, TcpOptions } from './options.ts';
import type { Flight } from './send-queue.ts';
import { after, before, distance } from './sequence.ts';

export interface Acknowledged {
  /** The ACK makes no sense: nothing of the segment counts. */
  readonly refused: boolean;
  /** It is older than the window ever was (RFC 5961 §5). */
  readonly challenge: boolean;
  /** Something new was acknowledged. */
  readonly progress: boolean;
  /** Losses have just been found: the first of them goes at once. */
  readonly repair: boolean;
  /** Look for losses again after this many seconds. */
  readonly reorderWait: number | undefined;
}

const REFUSED: Acknowledged = {
  refused: true,
  challenge: false,
  progress: false,
  repair: false,
  reorderWait: undefined,
};
const CHALLENGE: Acknowledged = { ...REFUSED, challenge: true };
const STALE: Acknowledged = { ...REFUSED, refused: false };
const PROGRESS: Acknowledged = { ...STALE, progress: true };

/** Takes the peer's window from a segment that is not older than the one it was last taken from. */
function updateWindow(block: ControlBlock, segment: TcpSegment): boolean {
  const window = segment.window << block.sndScale;
  const newer =
    after(segment.ack, block.sndUna) ||
    after(segment.seq, block.sndWl1) ||
    (segment.seq === block.sndWl1 && (window > block.sndWnd || window === 0));
  if (!newer) return false;
  block.sndWl1 = segment.seq;
  const changed = block.sndWnd !== window;
  block.sndWnd = window;
  if (window > block.maxWindow) block.maxWindow = window;
  return changed;
}

/** Marks what the peer reports to have; true when any of it is news. */
function applySack(block: ControlBlock, ack: number, blocks: readonly SackBlock[], now: number): boolean {
  let news = false;
  for (const { start, end } of blocks) {
    // A block that is acknowledged already tells of a duplicate (RFC 2883).
    if (!after(end, ack) || before(start, block.sndUna) || after(end, block.sndNxt) || !before(start, end))
      continue;
    for (let index = 0; index < block.queue.packetsOut; index++) {
      const flight = block.queue.at(index);
      if (flight === undefined || !before(flight.start, end)) break;
      if (flight.sacked || before(flight.start, start) || after(flight.end, end)) continue;
      noteArrival(block, flight, now);
      block.queue.markSacked(flight);
      news = true;
    }
  }
  return news;
}

/** A round-trip sample: from a segment that was sent once, or by the echoed time stamp (Karn's rule). */
function sampleRoundTrip(
  block: ControlBlock,
  latest: Flight | undefined,
  { tsValue, tsEcho }: TcpOptions,
  now: number,
): void {
  if (latest !== undefined && latest.resent === 0) {
    block.roundTrip.sample(now - latest.sentAt, block.sndUna, block.sndNxt);
  } else if (block.timestamps && tsValue !== undefined && tsEcho !== 0) {
    const milliseconds = distance(tsEcho, block.timestampAt(now));
    if (milliseconds >= 0)
      block.roundTrip.sample(Math.max(milliseconds, 1) / 1000, block.sndUna, block.sndNxt);
  }
}

/** Applies the ACK, window and SACK blocks of `segment`, which arrived at `now` (seconds). */
export function acknowledge(
  block: ControlBlock,
  segment: TcpSegment,
  options: TcpOptions,
  now: number,
): Acknowledged {
  const meaning = judgeAck(block, segment.ack);
  if (meaning === 'unsent') return REFUSED;
  if (meaning === 'ancient') return CHALLENGE;
  const { queue, congestion, delivered } = block;
  if (meaning === 'old') {
    if (block.sack && options.sack.length > 0 && applySack(block, segment.ack, options.sack, now)) {
      return settle(block, { progress: false, count: 0, delivered, now });
    }
    return STALE;
  }
  const windowChanged = updateWindow(block, segment);
  block.probes = 0;
  const progress = meaning === 'new';
  if (!progress && queue.packetsOut === 0) {
    if (windowChanged && block.sndWnd > 0) block.backoff = 0;
    return STALE;
  }
  let latest: Flight | undefined;
  let count = 0;
  if (progress) {
    block.sndUna = segment.ack;
    count = queue.acknowledge(segment.ack, (flight) => {
      if (!flight.sacked) noteArrival(block, flight, now);
      // One that was sent twice makes the sample of all doubtful.
      if (latest === undefined || latest.resent === 0) latest = flight;
    });
    sampleRoundTrip(block, latest, options, now);
    block.backoff = 0;
    block.retransmits = 0;
    block.retransmittedSince = undefined;
  }
  const sackNews = block.sack && options.sack.length > 0 && applySack(block, segment.ack, options.sack, now);
  if (!block.sack) countDuplicates(block, { segment, progress, windowChanged, count });
  // The common case: everything in order, nothing missing.
  const calm = congestion.state === 'open' && queue.sacked === 0 && block.duplicateAcks === 0;
  if (calm && !sackNews) {
    if (progress && block.windowLimited) congestion.grow(count);
    return progress ? PROGRESS : STALE;
  }
  return settle(block, { progress, count, delivered, now });
}

interface DuplicateQuestion {
  readonly segment: TcpSegment;
  readonly progress: boolean;
  readonly windowChanged: boolean;
  readonly count: number;
}

/** Without SACK, each duplicate ACK tells that one more segment has arrived (tcp_add_reno_sack). */
function countDuplicates(
  block: ControlBlock,
  { segment, progress, windowChanged, count }: DuplicateQuestion,
): void {
  if (progress) {
    block.duplicateAcks = Math.max(block.duplicateAcks - Math.max(count - 1, 0), 0);
    return;
  }
  const bare = segment.data.length === 0 && (segment.flags & (TCP_FLAG.SYN | TCP_FLAG.FIN)) === 0;
  const room = block.queue.packetsOut - block.queue.lost;
  if (!bare || windowChanged || block.duplicateAcks >= room) return;
  block.duplicateAcks++;
  block.delivered++;
}

interface Settlement {
  readonly progress: boolean;
  /** Segments that left the flight. */
  readonly count: number;
  /** Segments that had arrived before this ACK. */
  readonly delivered: number;
  readonly now: number;
}

/** Losses and the congestion window after an ACK that was not plain sailing (tcp_fastretrans_alert). */
function settle(block: ControlBlock, { progress, count, delivered, now }: Settlement): Acknowledged {
  const { queue, congestion } = block;
  const before = congestion.state;
  if (congestion.leave(block.sndUna)) {
    if (!block.sack) block.duplicateAcks = 0;
  } else if (!block.sack && progress && before === 'recovery') {
    markNextHole(block);
  }
  const reorderWait = detectLosses(block, now);
  if (congestion.state === 'open' && queue.lost > 0) congestion.enterRecovery(block.sndNxt);
  if (congestion.state === 'recovery') congestion.reduce(block.delivered - delivered, block.inNetwork);
  else if (progress && (before === 'loss' || block.windowLimited)) congestion.grow(count);
  const repair = congestion.state === 'recovery' && before !== 'recovery';
  return { refused: false, challenge: false, progress, repair, reorderWait };
}
