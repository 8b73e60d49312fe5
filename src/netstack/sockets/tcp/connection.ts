/**
 * A TCP connection: the shell around a control block. It asks the decisions in this folder what a segment,
 * a call or a timeout means, and does it: sends segments, sets alarms, tells the program.
 *
 *   segment ─▶ arrival ─▶ acknowledge ─▶ receive ─▶ output ─▶ ACK ─▶ program
 */
import type { TcpSegment } from '../../../wire/packet.ts';
import type { SocketAddress } from '../socket-address.ts';
import type { SocketErrorCode } from '../socket-error.ts';
import type { ConnectionOptions, TcpCallbacks } from './connection-options.ts';
import { ConnectionTimers } from './connection-timers.ts';
import { type ControlBlock, RECEIVING, type TcpState } from './control-block.ts';
import { DataArrivals } from './data-arrivals.ts';
import { openWindow } from './handshake.ts';
import { HandshakeArrivals } from './handshake-arrivals.ts';
import { remainsOf, type TcpHost } from './host.ts';
import { Inbox, totalLength } from './inbox.ts';
import { KeepAlive } from './keep-alive.ts';
import { detectLosses, markTooLong } from './loss.ts';
import { parseTcpOptions, type TcpOptions } from './options.ts';
import { deservesUpdate, tuneSpace } from './receive-window.ts';
import { SegmentWriter } from './segment-writer.ts';
import { advance, after, before } from './sequence.ts';
import { Transmitter } from './transmitter.ts';

export class TcpConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly block: ControlBlock;
  readonly timers: ConnectionTimers;
  readonly keepAlive: KeepAlive;
  callbacks: TcpCallbacks;
  /** What ICMP told meanwhile: what a timeout will say. */
  softError: SocketErrorCode | undefined;
  readonly #host: TcpHost;
  readonly #writer: SegmentWriter;
  readonly #transmitter: Transmitter;
  readonly #inbox: Inbox;
  readonly #handshake: HandshakeArrivals;
  readonly #arrivals: DataArrivals;
  /** Asks the listener of a half-open connection to take it. */
  #accept: ConnectionOptions['accept'];
  #orphaned = false;

  constructor(options: ConnectionOptions) {
    const { host, block, local, remote } = options;
    const { scheduler } = host.network;
    this.#host = host;
    this.block = block;
    this.local = local;
    this.remote = remote;
    this.callbacks = options.callbacks;
    this.#accept = options.accept;
    this.#inbox = new Inbox(block);
    this.#writer = new SegmentWriter({
      block,
      local,
      remote,
      host,
      sent: () => this.#transmitter.acknowledged(),
    });
    this.timers = new ConnectionTimers(this, scheduler);
    const parts = { block, writer: this.#writer, timers: this.timers, scheduler };
    this.#transmitter = new Transmitter(parts, options.noDelay);
    const shared = {
      connection: this,
      block,
      scheduler,
      writer: this.#writer,
      transmitter: this.#transmitter,
      inbox: this.#inbox,
    };
    this.#handshake = new HandshakeArrivals(shared);
    this.#arrivals = new DataArrivals(shared);
    this.keepAlive = new KeepAlive(this, host.network, options.keepAlive);
  }

  get state(): TcpState {
    return this.block.state;
  }

  /** The program has let go of it. */
  get orphaned(): boolean {
    return this.#orphaned;
  }

  /** Made by a listener, and not accepted yet. */
  get halfOpen(): boolean {
    return this.#accept !== undefined;
  }

  /** Offers a connection whose handshake is done to its listener; false: it has no room now. */
  offer(): boolean {
    const accept = this.#accept;
    this.#accept = undefined;
    if (accept === undefined || accept(this)) return true;
    this.#accept = accept;
    return false;
  }

  /** TCP_NODELAY: small segments do not wait for ACKs. */
  set noDelay(value: boolean) {
    this.#transmitter.noDelay = value;
    this.#transmitter.output();
  }

  get #now(): number {
    return this.#host.network.scheduler.now();
  }

  // ——— calls of the program ———

  /** Queues `bytes`, which must not change any more. Returns EPIPE when this side has been closed. */
  send(bytes: Uint8Array): SocketErrorCode | undefined {
    const { state, queue } = this.block;
    const open =
      state === 'ESTABLISHED' || state === 'CLOSE_WAIT' || state === 'SYN_SENT' || state === 'SYN_RECV';
    if (!open || queue.closing) return 'EPIPE';
    queue.push(bytes);
    this.#transmitter.output();
    return undefined;
  }

  /** Sends no more (shutdown(SHUT_WR)); what the peer sends is still taken. */
  shutdown(): void {
    const { block } = this;
    if (block.state === 'SYN_SENT') this.finish(undefined);
    if (block.queue.closing || block.state === 'CLOSE') return;
    block.queue.closing = true;
    if (block.state === 'ESTABLISHED') block.state = 'FIN_WAIT1';
    else if (block.state === 'CLOSE_WAIT') block.state = 'LAST_ACK';
    this.#transmitter.output();
  }

  /** Lets go of the connection (close(2)): what is queued is still sent, what comes is refused. */
  close(): void {
    if (this.#orphaned || this.block.state === 'CLOSE') return;
    // Throwing away what the peer sent is a reset (RFC 2525 §2.17).
    if (!this.#inbox.isEmpty) {
      this.abort();
      return;
    }
    this.#orphaned = true;
    this.keepAlive.stop();
    this.shutdown();
    if (this.block.state === 'FIN_WAIT2') this.timers.waitForFin();
  }

  /** Ends the connection with a reset. */
  abort(): void {
    const { state } = this.block;
    if (state === 'CLOSE' || state === 'TIME_WAIT') return;
    if (state !== 'SYN_SENT') this.#writer.reset();
    this.#orphaned = true;
    this.finish(undefined);
  }

  /** Reads no more until `resume`: the window closes as the buffer fills. */
  pause(): void {
    this.#inbox.paused = true;
  }

  /** Reads again, and first what has come meanwhile. */
  resume(): void {
    const { block } = this;
    this.#inbox.paused = false;
    const pieces = this.#inbox.takeAll();
    this.deliver(pieces);
    if (pieces.length > 0 && RECEIVING.has(block.state) && deservesUpdate(block)) this.#transmitter.sendAck();
    if (this.#inbox.ended && !this.#inbox.paused) this.callbacks.onEnd?.(this);
  }

  /** Hands what arrived to the program, or keeps it while that does not read. */
  deliver(pieces: readonly Uint8Array[]): void {
    const { block } = this;
    const inbox = this.#inbox;
    if (!inbox.paused && pieces.length > 0) tuneSpace(block, totalLength(pieces), this.#now);
    for (const data of pieces) {
      if (inbox.paused) inbox.keep(data);
      else if (!this.#orphaned) this.callbacks.onData?.(data, this);
    }
  }

  // ——— the handshake ———

  /** Sends the SYN. Returns the error when it cannot leave. */
  open(): SocketErrorCode | undefined {
    const { block } = this;
    block.state = 'SYN_SENT';
    block.sndNxt = advance(block.initialSequence, 1);
    openWindow(block);
    block.lastSentAt = this.#now;
    const error = this.#writer.syn(false);
    // What the host's own rules drop looks like a loss to TCP.
    if (error !== undefined && error !== 'EPERM') return error;
    this.timers.start('syn');
    return undefined;
  }

  /** Answers the SYN that made this connection. */
  answerSyn(syn: TcpSegment, options: TcpOptions): void {
    this.block.sndNxt = advance(this.block.initialSequence, 1);
    this.#handshake.answerSyn(syn, options);
  }

  /** Sends the SYN or SYN-ACK again. */
  repeatSyn(): void {
    this.block.retransmits++;
    this.#writer.syn(this.block.state === 'SYN_RECV');
  }

  // ——— segments ———

  /** A segment of this connection has arrived. */
  arrive(segment: TcpSegment): void {
    const { block } = this;
    const options = parseTcpOptions(segment.options);
    if (block.state === 'SYN_SENT') {
      this.#handshake.synSent(segment, options);
      return;
    }
    if (block.state === 'SYN_RECV' && !this.#handshake.synRecv(segment, options)) return;
    this.#arrivals.arrive(segment, options);
  }

  // ——— what else happens ———

  /** Sends the first lost segment again, at a timeout. */
  resendFirst(): void {
    this.#transmitter.resendFirst();
  }

  /** Asks the peer for a sign of life. */
  probe(): void {
    this.#transmitter.probe();
  }

  /** Asks the peer whether its window has opened. */
  probeWindow(): void {
    this.#transmitter.probeWindow();
  }

  /** An ICMP error about a segment of ours whose sequence number is `seq`. */
  failed(code: SocketErrorCode, { seq, fatal }: { readonly seq: number; readonly fatal: boolean }): void {
    const { block } = this;
    if (before(seq, block.sndUna) || after(seq, block.sndNxt)) return;
    if (block.state === 'SYN_SENT') this.finish(code);
    // A listener gives up its half-open connection (tcp_v4_err).
    else if (block.state === 'SYN_RECV' && this.halfOpen && fatal) this.finish(undefined);
    else this.softError = code;
  }

  /** The path takes packets of `mtu` bytes only. What is in flight and too long goes again, cut up. */
  pathShrank(mtu: number, seq: number): void {
    const { block } = this;
    if (before(seq, block.sndUna) || after(seq, block.sndNxt)) return;
    const pathMss = Math.max(mtu - (typeof this.remote.address === 'number' ? 40 : 60), 8);
    if (pathMss >= block.pathMss) return;
    block.pathMss = pathMss;
    if (!markTooLong(block)) return;
    block.congestion.repair(block.sndNxt);
    this.#transmitter.output();
  }

  /** Looks again for segments that were overtaken (the RACK timer). */
  lookForLosses(): void {
    const { block } = this;
    const wait = detectLosses(block, this.#now);
    if (block.congestion.state === 'open' && block.queue.lost > 0) {
      block.congestion.enterRecovery(block.sndNxt);
      this.#transmitter.resendFirst();
    }
    this.#transmitter.output();
    if (wait === undefined) this.timers.restart(true);
    else this.timers.reorder(wait);
  }

  /** Both sides have closed: what is left waits for segments that are still about. */
  linger(): void {
    this.#stop();
    this.block.state = 'TIME_WAIT';
    this.#host.linger(this, remainsOf(this));
    this.callbacks.onClose?.(undefined, this);
  }

  /** Nobody has answered for too long; a peer that was probed is told. */
  timeOut(reset: boolean): void {
    if (reset) this.#writer.reset();
    this.finish(this.softError ?? 'ETIMEDOUT');
  }

  /** Ends the connection here; `error` is what the program is told. */
  finish(error: SocketErrorCode | undefined): void {
    if (this.block.state === 'CLOSE') return;
    const untold = this.halfOpen;
    this.discard();
    if (!untold) this.callbacks.onClose?.(error, this);
  }

  /** Ends it without a word to anybody. */
  discard(): void {
    this.#stop();
    this.block.state = 'CLOSE';
    this.#host.forget(this);
  }

  #stop(): void {
    this.timers.stop();
    this.#transmitter.acknowledged();
    this.keepAlive.stop();
  }
}
