/** Segments that arrive while a connection is being made. */
import type { TcpSegment } from '../../../wire/packet.ts';
import { judgeSynRecv, judgeSynSent } from './arrival.ts';
import { type ConnectionParts, mayChallenge } from './connection-parts.ts';
import { establish, openWindow, takeSyn } from './handshake.ts';
import type { TcpOptions } from './options.ts';

export class HandshakeArrivals {
  readonly #parts: ConnectionParts;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** A segment in SYN_SENT (tcp_rcv_synsent_state_process). */
  synSent(segment: TcpSegment, options: TcpOptions): void {
    const { connection, block, writer } = this.#parts;
    switch (judgeSynSent(block, segment)) {
      case 'discard':
        return;
      case 'send-reset':
        writer.resetFor(segment);
        return;
      case 'refused':
        connection.finish('ECONNREFUSED');
        return;
      case 'crossing':
        this.answerSyn(segment, options);
        return;
      case 'established':
        this.#takeSyn(segment, options);
        this.#connected(segment, options);
        return;
    }
  }

  /** A segment in SYN_RECV (tcp_check_req); true when it completed the handshake and the rest of it counts too. */
  synRecv(segment: TcpSegment, options: TcpOptions): boolean {
    const { connection, block, scheduler, writer, transmitter } = this.#parts;
    const now = scheduler.now();
    switch (judgeSynRecv(block, segment, options, now)) {
      case 'discard':
        return false;
      case 'repeat':
        if (mayChallenge(block, now)) writer.syn(true);
        return false;
      case 'challenge-ack':
        if (mayChallenge(block, now)) transmitter.sendAck();
        return false;
      case 'send-reset':
        writer.resetFor(segment);
        return false;
      case 'reset':
        connection.finish('ECONNRESET');
        return false;
      case 'crossed':
        this.#connected(segment, options);
        return false;
      case 'established':
        // A listener without room lets the peer try again (tcp_abort_on_overflow 0).
        if (!connection.offer()) return false;
        block.sndWnd = segment.window << block.sndScale;
        block.maxWindow = Math.max(block.maxWindow, block.sndWnd);
        block.sndWl1 = segment.seq;
        this.#establish(segment, options);
        connection.callbacks.onConnect?.(connection);
        return true;
    }
  }

  /** Answers the SYN of a new connection, or of one that both sides open at once. */
  answerSyn(syn: TcpSegment, options: TcpOptions): void {
    const { connection, block, scheduler, writer } = this.#parts;
    this.#takeSyn(syn, options);
    block.state = 'SYN_RECV';
    openWindow(block);
    block.lastSentAt = scheduler.now();
    writer.syn(true);
    connection.timers.start('synack');
  }

  #takeSyn(segment: TcpSegment, options: TcpOptions): void {
    const { connection, block, scheduler } = this.#parts;
    const v4 = typeof connection.remote.address === 'number';
    takeSyn(block, segment, { options, v4, now: scheduler.now() });
  }

  /** The peer's SYN-ACK completes the handshake, of a simultaneous open too. */
  #connected(segment: TcpSegment, options: TcpOptions): void {
    const { connection, transmitter } = this.#parts;
    this.#establish(segment, options);
    transmitter.sendAck();
    connection.callbacks.onConnect?.(connection);
    transmitter.output();
  }

  #establish(segment: TcpSegment, options: TcpOptions): void {
    const { connection, block, scheduler } = this.#parts;
    establish(block, segment, { options, now: scheduler.now() });
    connection.timers.stop();
    connection.keepAlive.start();
    if (block.queue.closing) block.state = 'FIN_WAIT1';
  }
}
