/** Segments of a connection that stands: ACKs, data, FINs and what does not belong. */
import type { TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import { acknowledge } from './acknowledge.ts';
import { judgeArrival } from './arrival.ts';
import { type ConnectionParts, mayAnswerStray, mayChallenge } from './connection-parts.ts';
import { RECEIVING } from './control-block.ts';
import { totalLength } from './inbox.ts';
import type { TcpOptions } from './options.ts';
import { measureReceiver, receive } from './receive.ts';
import { advance, after, distance } from './sequence.ts';

const { SYN, FIN } = TCP_FLAG;

export class DataArrivals {
  readonly #parts: ConnectionParts;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** A segment in any state behind the handshake (tcp_rcv_established, tcp_rcv_state_process). */
  arrive(segment: TcpSegment, options: TcpOptions): void {
    const { block, scheduler, transmitter } = this.#parts;
    const now = scheduler.now();
    switch (judgeArrival(block, segment, options, now)) {
      case 'discard':
        return;
      case 'duplicate-ack':
        this.#answerStray(segment, now);
        return;
      case 'challenge-ack':
        if (mayChallenge(block, now)) transmitter.sendAck();
        return;
      case 'reset':
        this.#wasReset();
        return;
      case 'process':
        this.#process(segment, options, now);
    }
  }

  /** A segment from outside the window is answered with where we are; pure ACKs not too often. */
  #answerStray(segment: TcpSegment, now: number): void {
    const { block, transmitter } = this.#parts;
    const bare = segment.data.length === 0 && !(segment.flags & (SYN | FIN));
    if (bare && !mayAnswerStray(block, now)) return;
    const end = advance(segment.seq, segment.data.length + (segment.flags & FIN ? 1 : 0));
    if (!bare && !after(end, block.rcvNxt)) block.duplicate = { start: segment.seq, end };
    transmitter.sendAck();
  }

  #wasReset(): void {
    const { connection, block } = this.#parts;
    const { state } = block;
    // RFC 9293 §3.10.7.4: who has sent everything and heard the FIN loses nothing.
    const over = state === 'CLOSING' || state === 'LAST_ACK';
    connection.finish(over ? undefined : state === 'CLOSE_WAIT' ? 'EPIPE' : 'ECONNRESET');
  }

  #process(segment: TcpSegment, options: TcpOptions, now: number): void {
    const { connection, block, transmitter } = this.#parts;
    const { tsValue } = options;
    // RFC 7323 §4.3.
    if (
      tsValue !== undefined &&
      !after(segment.seq, block.lastAckSent) &&
      distance(block.tsRecent, tsValue) >= 0
    ) {
      block.tsRecent = tsValue;
      block.tsRecentAt = now;
    }
    const acked = acknowledge(block, segment, options, now);
    if (acked.refused) {
      const asks = acked.challenge || block.state !== 'ESTABLISHED';
      if (asks && mayChallenge(block, now)) transmitter.sendAck();
      return;
    }
    connection.keepAlive.heard();
    if (acked.repair) transmitter.resendFirst();
    const quiet = block.sndUna === block.sndNxt;
    if (quiet && block.queue.finSent && this.#finAcknowledged()) return;
    const drained = quiet && acked.progress && !block.queue.hasNews;
    measureReceiver(block, segment, options, now);
    this.#takeData(segment, now, acked.progress);
    if (acked.reorderWait !== undefined && block.queue.packetsOut > 0)
      connection.timers.reorder(acked.reorderWait);
    if (drained && !connection.orphaned) connection.callbacks.onDrain?.(connection);
  }

  /** Our FIN has arrived. True when that was the end. */
  #finAcknowledged(): boolean {
    const { connection, block } = this.#parts;
    switch (block.state) {
      case 'FIN_WAIT1':
        block.state = 'FIN_WAIT2';
        connection.timers.stop();
        if (connection.orphaned) connection.timers.waitForFin();
        return false;
      case 'CLOSING':
        connection.linger();
        return true;
      case 'LAST_ACK':
        connection.finish(undefined);
        return true;
      default:
        return false;
    }
  }

  #takeData(segment: TcpSegment, now: number, progress: boolean): void {
    const { connection, block, writer, transmitter } = this.#parts;
    const end = advance(segment.seq, segment.data.length);
    const fresh = segment.data.length > 0 && after(end, block.rcvNxt);
    if (!RECEIVING.has(block.state)) {
      // After the peer's FIN there is nothing more to take (RFC 9293 §3.10.7.4 seventh).
      connection.timers.restart(progress);
      transmitter.output();
      if (!fresh && (segment.data.length > 0 || segment.flags & FIN)) this.#answerStray(segment, now);
      return;
    }
    if (connection.orphaned && fresh) {
      // Nobody will ever read this.
      writer.resetFor(segment);
      connection.finish(undefined);
      return;
    }
    this.#receive(segment, now, progress);
  }

  #receive(segment: TcpSegment, now: number, progress: boolean): void {
    const { connection, block, transmitter, inbox } = this.#parts;
    const { data, fin, ack } = receive(block, segment, now);
    // What the program does not read yet takes room from the window that the ACK offers.
    const unread = inbox.paused ? totalLength(data) : 0;
    block.unread += unread;
    if (fin) this.#peerFinished();
    connection.timers.restart(progress);
    transmitter.output();
    // What was sent just now may have acknowledged it.
    if (ack === 'now' && (data.length === 0 || block.rcvNxt !== block.rcvWup)) transmitter.sendAck();
    else if (ack === 'delayed' && block.rcvNxt !== block.rcvWup) transmitter.delayAck();
    block.unread -= unread;
    connection.deliver(data);
    if (!fin || block.state === 'CLOSE') return;
    if (!connection.orphaned && !inbox.paused) connection.callbacks.onEnd?.(connection);
    if (block.state === 'FIN_WAIT2') connection.linger();
  }

  #peerFinished(): void {
    const { block, inbox } = this.#parts;
    inbox.ended = true;
    if (block.state === 'ESTABLISHED') block.state = 'CLOSE_WAIT';
    else if (block.state === 'FIN_WAIT1') block.state = 'CLOSING';
  }
}
