/**
 * A TCP connection: the shell around a control block. It asks the decisions in this folder what a segment,
 * a call or a timeout means, and does it: sends segments, sets alarms, tells the program.
 *
 *   segment ─▶ arrival ─▶ acknowledge ─▶ receive ─▶ output ─▶ ACK ─▶ program
 */
import type { TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import type { SocketAddress } from '../socket-address.ts';
import type { SocketErrorCode } from '../socket-error.ts';
import { acknowledge } from './acknowledge.ts';
import { judgeArrival, judgeSynRecv, judgeSynSent } from './arrival.ts';
import type { ConnectionOptions, TcpCallbacks } from './connection-options.ts';
import { ConnectionTimers } from './connection-timers.ts';
import { type ControlBlock, RECEIVING, type TcpState } from './control-block.ts';
import { establish, openWindow, takeSyn } from './handshake.ts';
import { remainsOf, type TcpHost } from './host.ts';
import { Inbox } from './inbox.ts';
import { KeepAlive } from './keep-alive.ts';
import { detectLosses, markTooLong } from './loss.ts';
import { parseTcpOptions, type TcpOptions } from './options.ts';
import { measureReceiver, receive } from './receive.ts';
import { deservesUpdate, tuneSpace } from './receive-window.ts';
import { SegmentWriter } from './segment-writer.ts';
import { advance, after, before, distance } from './sequence.ts';
import { Transmitter } from './transmitter.ts';

const { SYN, FIN } = TCP_FLAG;

/** tcp_invalid_ratelimit: seconds between two answers to what does not belong here. */
const CHALLENGE_INTERVAL = 0.5;

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
    this.#deliver(pieces);
    if (pieces.length > 0 && RECEIVING.has(block.state) && deservesUpdate(block)) this.#transmitter.sendAck();
    if (this.#inbox.ended && !this.#inbox.paused) this.callbacks.onEnd?.(this);
  }

  #deliver(pieces: readonly Uint8Array[]): void {
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
    this.#answerSyn(syn, options);
  }

  #answerSyn(syn: TcpSegment, options: TcpOptions): void {
    const { block } = this;
    const now = this.#now;
    takeSyn(block, syn, { options, v4: typeof this.remote.address === 'number', now });
    block.state = 'SYN_RECV';
    openWindow(block);
    block.lastSentAt = now;
    this.#writer.syn(true);
    this.timers.start('synack');
  }

  /** Sends the SYN or SYN-ACK again. */
  repeatSyn(): void {
    this.block.retransmits++;
    this.#writer.syn(this.block.state === 'SYN_RECV');
  }

  #arriveSynSent(segment: TcpSegment, options: TcpOptions): void {
    switch (judgeSynSent(this.block, segment)) {
      case 'discard':
        return;
      case 'send-reset':
        this.#writer.resetFor(segment);
        return;
      case 'refused':
        this.finish('ECONNREFUSED');
        return;
      case 'crossing':
        this.#answerSyn(segment, options);
        return;
      case 'established':
        takeSyn(this.block, segment, {
          options,
          v4: typeof this.remote.address === 'number',
          now: this.#now,
        });
        this.#connected(segment, options);
        return;
    }
  }

  /** The peer's SYN-ACK completes the handshake, of a simultaneous open too. */
  #connected(segment: TcpSegment, options: TcpOptions): void {
    this.#establish(segment, options);
    this.#transmitter.sendAck();
    this.callbacks.onConnect?.(this);
    this.#transmitter.output();
  }

  #establish(segment: TcpSegment, options: TcpOptions): void {
    const { block } = this;
    establish(block, segment, { options, now: this.#now });
    this.timers.stop();
    this.keepAlive.start();
    if (block.queue.closing) block.state = 'FIN_WAIT1';
  }

  /** Handles a segment in SYN_RECV; true when it completed the handshake and the rest of it counts too. */
  #arriveSynRecv(segment: TcpSegment, options: TcpOptions): boolean {
    const { block } = this;
    switch (judgeSynRecv(block, segment, options, this.#now)) {
      case 'discard':
        return false;
      case 'repeat':
        if (this.#mayChallenge()) this.#writer.syn(true);
        return false;
      case 'challenge-ack':
        if (this.#mayChallenge()) this.#transmitter.sendAck();
        return false;
      case 'send-reset':
        this.#writer.resetFor(segment);
        return false;
      case 'reset':
        this.finish(this.halfOpen ? undefined : 'ECONNRESET');
        return false;
      case 'crossed':
        this.#connected(segment, options);
        return false;
      case 'established': {
        // A listener without room lets the peer try again (tcp_abort_on_overflow 0).
        const accept = this.#accept;
        this.#accept = undefined;
        if (accept?.(this) === false) {
          this.#accept = accept;
          return false;
        }
        block.sndWnd = segment.window << block.sndScale;
        block.maxWindow = Math.max(block.maxWindow, block.sndWnd);
        block.sndWl1 = segment.seq;
        this.#establish(segment, options);
        this.callbacks.onConnect?.(this);
        return true;
      }
    }
  }

  // ——— segments ———

  /** A segment of this connection has arrived. */
  arrive(segment: TcpSegment): void {
    const { block } = this;
    const options = parseTcpOptions(segment.options);
    if (block.state === 'SYN_SENT') {
      this.#arriveSynSent(segment, options);
      return;
    }
    if (block.state === 'SYN_RECV' && !this.#arriveSynRecv(segment, options)) return;
    const now = this.#now;
    switch (judgeArrival(block, segment, options, now)) {
      case 'discard':
        return;
      case 'duplicate-ack':
        this.#answerStray(segment, now);
        return;
      case 'challenge-ack':
        if (this.#mayChallenge()) this.#transmitter.sendAck();
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
    const { block } = this;
    const bare = segment.data.length === 0 && !(segment.flags & (SYN | FIN));
    if (bare) {
      if (now - block.lastDuplicateAckAt < CHALLENGE_INTERVAL) return;
      block.lastDuplicateAckAt = now;
    }
    const end = advance(segment.seq, segment.data.length + (segment.flags & FIN ? 1 : 0));
    if (!bare && !after(end, block.rcvNxt)) block.duplicate = { start: segment.seq, end };
    this.#transmitter.sendAck();
  }

  #mayChallenge(): boolean {
    const { block } = this;
    if (this.#now - block.lastChallengeAt < CHALLENGE_INTERVAL) return false;
    block.lastChallengeAt = this.#now;
    return true;
  }

  #wasReset(): void {
    const { state } = this.block;
    // RFC 9293 §3.10.7.4: who has sent everything and heard the FIN loses nothing.
    const over = state === 'CLOSING' || state === 'LAST_ACK';
    this.finish(over ? undefined : state === 'CLOSE_WAIT' ? 'EPIPE' : 'ECONNRESET');
  }

  #process(segment: TcpSegment, options: TcpOptions, now: number): void {
    const { block } = this;
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
      if ((acked.challenge || block.state !== 'ESTABLISHED') && this.#mayChallenge())
        this.#transmitter.sendAck();
      return;
    }
    this.keepAlive.heard();
    if (acked.repair) this.#transmitter.resendFirst();
    const quiet = block.sndUna === block.sndNxt;
    if (quiet && block.queue.finSent && this.#finAcknowledged()) return;
    const drained = quiet && acked.progress && !block.queue.hasNews;
    measureReceiver(block, segment, options, now);
    this.#takeData(segment, now, acked.progress);
    if (acked.reorderWait !== undefined && block.queue.packetsOut > 0) this.timers.reorder(acked.reorderWait);
    if (drained && !this.#orphaned) this.callbacks.onDrain?.(this);
  }

  /** Our FIN has arrived. True when that was the end. */
  #finAcknowledged(): boolean {
    const { block } = this;
    switch (block.state) {
      case 'FIN_WAIT1':
        block.state = 'FIN_WAIT2';
        this.timers.stop();
        if (this.#orphaned) this.timers.waitForFin();
        return false;
      case 'CLOSING':
        this.#linger();
        return true;
      case 'LAST_ACK':
        this.finish(undefined);
        return true;
      default:
        return false;
    }
  }

  #takeData(segment: TcpSegment, now: number, progress: boolean): void {
    const { block } = this;
    const end = advance(segment.seq, segment.data.length);
    const fresh = segment.data.length > 0 && after(end, block.rcvNxt);
    if (!RECEIVING.has(block.state)) {
      // After the peer's FIN there is nothing more to take (RFC 9293 §3.10.7.4 seventh).
      this.timers.restart(progress);
      this.#transmitter.output();
      if (!fresh && (segment.data.length > 0 || segment.flags & FIN)) this.#answerStray(segment, now);
      return;
    }
    if (this.#orphaned && fresh) {
      // Nobody will ever read this.
      this.#writer.resetFor(segment);
      this.finish(undefined);
      return;
    }
    const { data, fin, ack } = receive(block, segment, now);
    if (this.#inbox.paused) block.unread += totalLength(data);
    if (fin) this.#peerFinished();
    this.timers.restart(progress);
    this.#transmitter.output();
    // What was sent just now may have acknowledged it.
    if (ack === 'now' && (data.length === 0 || block.rcvNxt !== block.rcvWup)) this.#transmitter.sendAck();
    else if (ack === 'delayed' && block.rcvNxt !== block.rcvWup) this.#transmitter.delayAck();
    if (this.#inbox.paused) block.unread -= totalLength(data);
    this.#deliver(data);
    if (!fin || block.state === 'CLOSE') return;
    if (!this.#orphaned && !this.#inbox.paused) this.callbacks.onEnd?.(this);
    if (block.state === 'FIN_WAIT2') this.#linger();
  }

  #peerFinished(): void {
    const { block } = this;
    this.#inbox.ended = true;
    if (block.state === 'ESTABLISHED') block.state = 'CLOSE_WAIT';
    else if (block.state === 'FIN_WAIT1') block.state = 'CLOSING';
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

  #linger(): void {
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

function totalLength(pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (const { length } of pieces) sum += length;
  return sum;
}
