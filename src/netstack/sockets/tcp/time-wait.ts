/** TIME_WAIT (tcp_minisocks.c tcp_timewait_state_process): a closed connection waits for its last segments. */
import type { Scheduler, Timer } from '../../../sim/scheduler.ts';
import { NO_BYTES, type Packet, type TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import type { Remains } from './host.ts';
import { parseTcpOptions, timestampOptions } from './options.ts';
import { advance, after, distance } from './sequence.ts';

/** TCP_TIMEWAIT_LEN, seconds. */
export const TIME_WAIT_LENGTH = 60;
/** Seconds between two answers to the same stray segment. */
const CHALLENGE_INTERVAL = 0.5;
/** How far ahead of the old connection's numbers a new one begins. */
const NEW_CONNECTION_GAP = 65_537;

export class TimeWait {
  readonly local: Remains['local'];
  readonly remote: Remains['remote'];
  readonly #remains: Remains;
  /** Virtual time at which it is over. */
  expires: number;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(remains: Remains, now: number) {
    this.local = remains.local;
    this.remote = remains.remote;
    this.#remains = remains;
    this.expires = now + TIME_WAIT_LENGTH;
  }

  /** What a segment means to it: an answer, the end, a new connection from this sequence number, or nothing. */
  arrive(segment: TcpSegment, now: number): TimeWaitVerdict {
    const { rcvNxt, tsRecent, tsRecentAt, timestamps } = this.#remains;
    const { flags, seq } = segment;
    const { tsValue } = parseTcpOptions(segment.options);
    const old =
      timestamps &&
      tsValue !== undefined &&
      distance(tsValue, tsRecent) > 0 &&
      now - tsRecentAt < 86_400 * 24;
    const length = segment.data.length + (flags & TCP_FLAG.FIN ? 1 : 0) + (flags & TCP_FLAG.SYN ? 1 : 0);
    if (!old && seq === rcvNxt && (length === 0 || flags & TCP_FLAG.RST)) {
      if (flags & TCP_FLAG.RST) return END;
      this.expires = now + TIME_WAIT_LENGTH;
      return NOTHING;
    }
    const plainSyn = (flags & (TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK)) === TCP_FLAG.SYN;
    const newer =
      after(seq, rcvNxt) || (timestamps && tsValue !== undefined && distance(tsRecent, tsValue) > 0);
    if (plainSyn && !old && newer) {
      return { kind: 'reopen', initialSequence: advance(this.#remains.sndNxt, NEW_CONNECTION_GAP) };
    }
    if (flags & TCP_FLAG.RST) return NOTHING;
    if (!old && !(flags & TCP_FLAG.ACK)) return NOTHING;
    this.expires = now + TIME_WAIT_LENGTH;
    if (now - this.#answeredAt < CHALLENGE_INTERVAL) return NOTHING;
    this.#answeredAt = now;
    return { kind: 'answer', packet: this.acknowledgment(now) };
  }

  /** The ACK that says where the connection ended. */
  acknowledgment(now: number): Packet {
    const { local, remote, sndNxt, rcvNxt, window, timestamps, tsRecent, timestampOffset, ttl } =
      this.#remains;
    const clock = (Math.floor(now * 1000 + 1e-6) + timestampOffset) >>> 0;
    return {
      src: local.address,
      dst: remote.address,
      ttl,
      tos: 0,
      id: 0,
      dontFragment: typeof remote.address === 'number',
      transport: {
        kind: 'tcp',
        sport: local.port,
        dport: remote.port,
        seq: sndNxt,
        ack: rcvNxt,
        flags: TCP_FLAG.ACK,
        window,
        options: timestamps ? timestampOptions(clock, tsRecent) : NO_BYTES,
        data: NO_BYTES,
      },
    };
  }
}

export type TimeWaitVerdict =
  | { readonly kind: 'nothing' | 'end' }
  | { readonly kind: 'answer'; readonly packet: Packet }
  | { readonly kind: 'reopen'; readonly initialSequence: number };

const NOTHING: TimeWaitVerdict = { kind: 'nothing' };
const END: TimeWaitVerdict = { kind: 'end' };

/** All of them wait equally long, so one timer and a queue serve them. */
export class TimeWaitQueue {
  readonly #scheduler: Scheduler;
  readonly #over: (timeWait: TimeWait) => void;
  #queue: TimeWait[] = [];
  #timer: Timer | undefined;

  constructor(scheduler: Scheduler, over: (timeWait: TimeWait) => void) {
    this.#scheduler = scheduler;
    this.#over = over;
  }

  add(timeWait: TimeWait): void {
    this.#queue.push(timeWait);
    if (this.#timer === undefined) this.#arm(TIME_WAIT_LENGTH);
  }

  #arm(seconds: number): void {
    this.#timer = this.#scheduler.after(seconds, () => this.#ring(), { background: true });
  }

  #ring(): void {
    this.#timer = undefined;
    const now = this.#scheduler.now();
    const later: TimeWait[] = [];
    for (const each of this.#queue) {
      if (each.expires > now + 1e-9) later.push(each);
      else this.#over(each);
    }
    this.#queue = later;
    const next = later.reduce((least, { expires }) => Math.min(least, expires), Number.POSITIVE_INFINITY);
    // A second's grace lets many go at once.
    if (next < Number.POSITIVE_INFINITY) this.#arm(next - now + 1);
  }
}
