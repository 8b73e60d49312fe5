/** The sending half of a connection: does what output.ts decides, and sends ACKs when they are due. */
import type { Scheduler } from '../../../sim/scheduler.ts';
import { Alarm } from '../alarm.ts';
import type { ConnectionTimers } from './connection-timers.ts';
import { type ControlBlock, MIN_ACK_DELAY } from './control-block.ts';
import { firstLost, nextOutput } from './output.ts';
import { ackDelayOf } from './receive.ts';
import type { SegmentWriter } from './segment-writer.ts';
import type { Flight } from './send-queue.ts';
import { advance, distance } from './sequence.ts';

export interface TransmitterParts {
  readonly block: ControlBlock;
  readonly writer: SegmentWriter;
  readonly timers: ConnectionTimers;
  readonly scheduler: Scheduler;
}

export class Transmitter {
  /** TCP_NODELAY. */
  noDelay: boolean;
  readonly #block: ControlBlock;
  readonly #writer: SegmentWriter;
  readonly #timers: ConnectionTimers;
  readonly #scheduler: Scheduler;
  readonly #delayedAck: Alarm;

  constructor({ block, writer, timers, scheduler }: TransmitterParts, noDelay: boolean) {
    this.#block = block;
    this.#writer = writer;
    this.#timers = timers;
    this.#scheduler = scheduler;
    this.noDelay = noDelay;
    this.#delayedAck = new Alarm(scheduler, () => this.#ackTimeout());
  }

  /** Sends what may be sent now, and sets the alarm for what is in flight. */
  output(): void {
    const block = this.#block;
    for (;;) {
      const next = nextOutput(block, this.noDelay);
      if (next.kind === 'resend') {
        this.#resend(next.flight);
      } else if (next.kind === 'send') {
        this.#sendNew(next.length);
      } else {
        block.windowLimited = next.for === 'congestion';
        if (next.for === 'window' && block.queue.packetsOut === 0) this.#timers.persist();
        return;
      }
    }
  }

  #sendNew(length: number): void {
    const block = this.#block;
    const now = this.#scheduler.now();
    if (block.queue.packetsOut === 0) this.#afterIdle(now);
    const draft = block.queue.take(length);
    const flight = block.queue.sent(block.sndNxt, draft, now);
    if (length > 0 && length < block.mss) block.smallEnd = flight.end;
    block.sndNxt = flight.end;
    block.lastSentAt = now;
    block.congestion.sent();
    if (now - block.lastReceivedAt < block.ackDelay) block.pingPong = true;
    this.#timers.flying();
    this.#writer.data(flight);
  }

  /** RFC 2861: what the network bore a while ago it may not bear now. */
  #afterIdle(now: number): void {
    const { lastSentAt, roundTrip, settings, congestion } = this.#block;
    const idle = now - lastSentAt;
    if (settings.slowStartAfterIdle && idle > roundTrip.rto)
      congestion.restart(Math.floor(idle / roundTrip.rto));
  }

  /** Sends `flight` again, in parts when the path has become too small for it. */
  #resend(flight: Flight): void {
    const block = this.#block;
    const now = this.#scheduler.now();
    const part = flight.data.length > block.mss ? block.queue.split(flight, block.mss) : flight;
    block.retransmittedSince ??= now;
    block.queue.markResent(part, now);
    block.congestion.sent();
    this.#timers.flying();
    this.#writer.data(part);
  }

  /** Sends the first lost segment whatever the congestion window says. */
  resendFirst(): void {
    const flight = firstLost(this.#block);
    if (flight !== undefined) this.#resend(flight);
  }

  /** Sends an ACK that says where we are. */
  sendAck(): void {
    this.#writer.ack(this.#block.sndNxt);
  }

  /** Sends an ACK that asks for one: its sequence number is out of date (tcp_xmit_probe_skb). */
  probe(): void {
    this.#writer.ack(advance(this.#block.sndUna, -1));
  }

  /** The window is too small for what is next: sends as much of it as fits, or a probe (tcp_write_wakeup). */
  probeWindow(): void {
    const block = this.#block;
    const room = distance(block.sndNxt, block.windowEnd);
    if (room > 0 && block.queue.unsent > 0) this.#sendNew(Math.min(room, block.mss, block.queue.unsent));
    else this.probe();
  }

  /** An ACK has left, by itself or with data: none is due any more. */
  acknowledged(): void {
    this.#delayedAck.clear();
  }

  /** An ACK is due within a while, unless data takes it along. */
  delayAck(): void {
    const delay = ackDelayOf(this.#block);
    const { due } = this.#delayedAck;
    if (due === undefined || due > this.#scheduler.now() + delay) this.#delayedAck.set(delay);
  }

  /** The answer that was to take the ACK along did not come in time (tcp_delack_timer_handler). */
  #ackTimeout(): void {
    const block = this.#block;
    if (block.pingPong) {
      block.pingPong = false;
      block.ackDelay = MIN_ACK_DELAY;
    } else {
      block.ackDelay = Math.min(block.ackDelay * 2, block.roundTrip.rto);
    }
    this.sendAck();
  }
}
