/**
 * The timers of a connection, of which one runs at a time (tcp_timer.c): the SYN's or SYN-ACK's, the
 * retransmission timeout, RACK's second look, the window probe, and the wait for the peer's FIN.
 */
import type { Scheduler } from '../../../sim/scheduler.ts';
import { Alarm } from '../alarm.ts';
import type { TcpConnection } from './connection.ts';
import { markTimeout } from './loss.ts';
import { backedOff, givenUpAfter, INITIAL_RTO } from './round-trip.ts';

export type RunningTimer = 'syn' | 'synack' | 'retransmission' | 'reorder' | 'persist' | 'fin-wait';

export class ConnectionTimers {
  readonly #connection: TcpConnection;
  readonly #scheduler: Scheduler;
  readonly #alarm: Alarm;
  /** Which one runs. */
  running: RunningTimer | undefined;
  #probesAnswered = false;

  constructor(connection: TcpConnection, scheduler: Scheduler) {
    this.#connection = connection;
    this.#scheduler = scheduler;
    this.#alarm = new Alarm(scheduler, () => this.#ring());
  }

  /** When it goes off, virtual seconds. */
  get due(): number | undefined {
    return this.#alarm.due;
  }

  #set(timer: RunningTimer, seconds: number, background = false): void {
    this.running = timer;
    this.#alarm.set(seconds, background);
  }

  stop(): void {
    this.running = undefined;
    this.#alarm.clear();
  }

  /** The SYN or SYN-ACK has been sent. */
  start(timer: 'syn' | 'synack'): void {
    this.#set(timer, this.#handshakeTimeout(timer));
  }

  /** Seconds until the SYN or SYN-ACK goes again: 1, 2, 4, …; the first few SYNs a second apart if so set. */
  #handshakeTimeout(timer: 'syn' | 'synack'): number {
    const { retransmits, settings } = this.#connection.block;
    const linear = timer === 'syn' ? settings.synLinearTimeouts : 0;
    return backedOff(INITIAL_RTO, Math.max(retransmits - linear, 0));
  }

  /** Something was sent that wants an ACK. */
  flying(): void {
    if (this.running === 'retransmission') return;
    this.#set('retransmission', this.#retransmissionTimeout());
  }

  /** An ACK was dealt with: with `progress`, what is left in flight has its full time again. */
  restart(progress: boolean): void {
    const { queue } = this.#connection.block;
    if (queue.packetsOut === 0) {
      if (this.running === 'retransmission' || this.running === 'reorder' || this.running === 'persist')
        this.stop();
    } else if (progress || this.running !== 'retransmission') {
      this.#set('retransmission', this.#retransmissionTimeout());
    }
  }

  #retransmissionTimeout(): number {
    const { block } = this.#connection;
    return backedOff(block.roundTrip.rto, block.backoff);
  }

  /** Look for losses after `seconds`. */
  reorder(seconds: number): void {
    this.#set('reorder', seconds);
  }

  /** The peer's window has no room for what is next. */
  persist(): void {
    if (this.running === 'persist') return;
    const { block } = this.#connection;
    // Once the peer has said that it has no room, nobody here is waiting but its program.
    const patient = this.#probesAnswered && block.probes === 0;
    this.#set('persist', backedOff(block.roundTrip.rto, block.backoff), patient);
  }

  /** The program is gone and the peer has not closed. */
  waitForFin(): void {
    this.#set('fin-wait', this.#connection.block.settings.finTimeout, true);
  }

  #ring(): void {
    const timer = this.running;
    this.running = undefined;
    switch (timer) {
      case 'syn':
      case 'synack':
        this.#handshake(timer);
        return;
      case 'retransmission':
        this.#retransmit();
        return;
      case 'reorder':
        this.#connection.lookForLosses();
        return;
      case 'persist':
        this.#probe();
        return;
      case 'fin-wait':
        this.#connection.finish(undefined);
        return;
      case undefined:
    }
  }

  #handshake(timer: 'syn' | 'synack'): void {
    const connection = this.#connection;
    const { retransmits, settings } = connection.block;
    const most = timer === 'syn' ? settings.synRetries + settings.synLinearTimeouts : settings.synackRetries;
    if (retransmits >= most) {
      connection.timeOut(false);
      return;
    }
    connection.repeatSyn();
    this.#set(timer, this.#handshakeTimeout(timer));
  }

  #retransmit(): void {
    const connection = this.#connection;
    const { block } = connection;
    const now = this.#scheduler.now();
    const { retries, orphanRetries } = block.settings;
    const since = block.retransmittedSince;
    const patience = givenUpAfter(connection.orphaned ? Math.min(orphanRetries, retries) : retries);
    if (since !== undefined && now - since >= patience) {
      connection.timeOut(false);
      return;
    }
    block.congestion.enterLoss(block.sndNxt, block.sndUna);
    markTimeout(block, now);
    block.backoff++;
    block.retransmits++;
    connection.resendFirst();
    this.#set('retransmission', this.#retransmissionTimeout());
  }

  #probe(): void {
    const connection = this.#connection;
    const { block } = connection;
    this.#probesAnswered = block.probes === 0 && block.backoff > 0;
    const most = connection.orphaned ? block.settings.orphanRetries : block.settings.retries;
    if (block.probes >= most) {
      connection.timeOut(false);
      return;
    }
    block.probes++;
    block.backoff++;
    connection.probeWindow();
    if (block.queue.packetsOut === 0) this.persist();
  }
}
