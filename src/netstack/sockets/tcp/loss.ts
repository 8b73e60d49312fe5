/**
 * Which segments in flight are lost: by time, as RACK does it (RFC 8985, tcp_recovery.c), for peers that
 * report with SACK; by three duplicate ACKs and partial ones (RFC 6582) for those that do not.
 */
import type { ControlBlock } from './control-block.ts';
import type { Flight } from './send-queue.ts';
import { after, before } from './sequence.ts';

/** RFC 5681 §3.2. */
const DUPLICATE_THRESHOLD = 3;

/** `flight` has arrived, `now`: it may be the latest sent of all that did. */
export function noteArrival(block: ControlBlock, flight: Flight, now: number): void {
  block.delivered++;
  if (flight.resent === 0 && before(flight.end, block.highestArrived)) block.reordering = true;
  if (after(flight.end, block.highestArrived)) block.highestArrived = flight.end;
  const rtt = now - flight.sentAt;
  // What is answered sooner than anything ever was is an answer to its earlier copy.
  if (flight.resent > 0 && rtt < block.roundTrip.smallest) return;
  if (isLater(flight.sentAt, flight.end, block)) {
    block.rackSentAt = flight.sentAt;
    block.rackEnd = flight.end;
    block.rackRtt = rtt;
  }
}

function isLater(sentAt: number, end: number, block: ControlBlock): boolean {
  return sentAt > block.rackSentAt || (sentAt === block.rackSentAt && after(end, block.rackEnd));
}

/** How much later than a segment sent after it another may come without being lost, seconds. */
function reorderingWindow(block: ControlBlock): number {
  const { roundTrip, congestion, queue } = block;
  if (!block.reordering && (congestion.state !== 'open' || queue.sacked >= DUPLICATE_THRESHOLD)) return 0;
  return Math.min(roundTrip.smallest / 4, roundTrip.smoothed ?? 0);
}

/** Rounding in virtual time must not put off what is due. */
const TOLERANCE = 1e-9;

/**
 * Marks what is lost by now. Returns the seconds after which to look again; undefined when nothing is in
 * doubt.
 */
export function detectLosses(block: ControlBlock, now: number): number | undefined {
  const { queue } = block;
  if (!block.sack) {
    const first = queue.first;
    const hole = block.duplicateAcks >= DUPLICATE_THRESHOLD && block.congestion.state === 'open';
    if (hole && first !== undefined && !first.lost) queue.markLost(first);
    return undefined;
  }
  if (block.rackSentAt === Number.NEGATIVE_INFINITY) return undefined;
  const patience = block.rackRtt + reorderingWindow(block);
  let wait = 0;
  for (let index = 0; index < queue.packetsOut; index++) {
    const flight = queue.at(index);
    if (flight === undefined || flight.sacked || (flight.lost && !flight.underWay)) continue;
    if (!isBeforeRack(flight, block)) continue;
    const left = flight.sentAt + patience - now;
    if (left <= TOLERANCE) queue.markLost(flight);
    else if (left > wait) wait = left;
  }
  return wait > 0 ? wait : undefined;
}

function isBeforeRack({ sentAt, end }: Flight, block: ControlBlock): boolean {
  return sentAt < block.rackSentAt || (sentAt === block.rackSentAt && before(end, block.rackEnd));
}

/** A partial ACK from a peer without SACK: the next hole begins where it ends. */
export function markNextHole(block: ControlBlock): void {
  const { first } = block.queue;
  if (first !== undefined) block.queue.markLost(first);
}

/** The retransmission timer ran out at `now`: all is lost that was not sent just now. */
export function markTimeout(block: ControlBlock, now: number): void {
  const { queue } = block;
  const head = queue.first;
  // The head can only be SACKed if the peer threw it away again.
  if (head?.sacked === true) queue.forgetSacks();
  block.duplicateAcks = 0;
  for (const flight of queue.inFlight()) {
    if (flight.sacked) continue;
    const recent = block.sack && flight !== head && flight.sentAt + block.rackRtt - now > TOLERANCE;
    if (!recent || head === undefined) queue.markLost(flight);
  }
}

/** The path takes less now: every segment that is too long for it has to go again (tcp_simple_retransmit). */
export function markTooLong(block: ControlBlock): boolean {
  const { queue, mss } = block;
  let any = false;
  for (const flight of queue.inFlight()) {
    if (flight.sacked || flight.data.length <= mss) continue;
    queue.markLost(flight);
    any = true;
  }
  return any;
}
