/**
 * One direction of a link: frames go in at one device and come out at another, later or never.
 *
 *   send ─▶ cut? too long? lost? ─▶ queue (bandwidth) ─▶ travel (latency, jitter) ─▶ deliver
 */
import type { DropReason } from '../../netfilter/verdict.ts';
import type { Random } from '../../sim/random.ts';
import type { Scheduler } from '../../sim/scheduler.ts';
import { type Frame, frameLength, payloadLength } from '../../wire/frame.ts';
import type { Impairments } from './impairments.ts';
import type { Interface } from './interface.ts';

/** Where frames come out, and who is told of lost ones; `from`: the device the frame left by. */
export interface WireEnds {
  readonly deliver: (frame: Frame, from: Interface) => void;
  readonly lost: (frame: Frame, from: Interface, reason: DropReason) => void;
}

export interface WireOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly ends: WireEnds;
  readonly impairments?: Impairments | undefined;
}

/** What the scheduler's `pick` is shown of a frame under way. */
export interface FrameDelivery {
  readonly frame: Frame;
  readonly from: Interface;
}

const DEFAULT_QUEUE = 1000;
const UNIMPAIRED: Impairments = {};

export class Wire {
  /** May be replaced at any time; frames under way are not affected. */
  impairments: Impairments;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #ends: WireEnds;
  /** When each frame that waits, or is being sent, will have been sent. */
  readonly #departures: number[] = [];
  #busyUntil = 0;
  /** When the last frame arrives: others come no earlier, unless reordering is asked for. */
  #lastArrival = 0;

  constructor({ scheduler, random, ends, impairments }: WireOptions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#ends = ends;
    this.impairments = impairments ?? UNIMPAIRED;
  }

  /** Sends `frame`, which left by the device `from`. */
  send(frame: Frame, from: Interface): void {
    if (this.impairments === UNIMPAIRED) {
      this.#schedule(frame, from, 0);
      return;
    }
    const { up, loss, duplicate, mtu } = this.impairments;
    if (up === false) this.#ends.lost(frame, from, 'link-down');
    else if (mtu !== undefined && payloadLength(frame) > mtu) this.#ends.lost(frame, from, 'frame-too-long');
    else if (this.#chance(loss)) this.#ends.lost(frame, from, 'lost');
    else {
      this.#enqueue(frame, from);
      if (this.#chance(duplicate)) this.#enqueue(frame, from);
    }
  }

  #chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#random.uint32() < probability * 2 ** 32;
  }

  /** Puts the frame behind those that wait for the wire, if there is room, and lets it travel from there. */
  #enqueue(frame: Frame, from: Interface): void {
    const { bandwidth, queue = DEFAULT_QUEUE } = this.impairments;
    if (bandwidth === undefined) {
      this.#travel(frame, from, 0);
      return;
    }
    const now = this.#scheduler.now();
    const departures = this.#departures;
    while (departures[0] !== undefined && departures[0] <= now) departures.shift();
    // The one being sent does not wait any more.
    if (departures.length > queue) {
      this.#ends.lost(frame, from, 'queue-full');
      return;
    }
    this.#busyUntil = Math.max(now, this.#busyUntil) + (frameLength(frame) * 8) / bandwidth;
    departures.push(this.#busyUntil);
    this.#travel(frame, from, this.#busyUntil - now);
  }

  /** Lets the frame, sent `wait` seconds from now, travel as long as it takes. */
  #travel(frame: Frame, from: Interface, wait: number): void {
    const { latency = 0, jitter = 0, reorder } = this.impairments;
    if (this.#chance(reorder)) {
      this.#schedule(frame, from, wait);
      return;
    }
    const varied = jitter > 0 ? (this.#random.uint32() / 2 ** 31 - 1) * jitter : 0;
    const now = this.#scheduler.now();
    const arrival = Math.max(now + wait + Math.max(0, latency + varied), this.#lastArrival);
    this.#lastArrival = arrival;
    this.#schedule(frame, from, Math.max(0, arrival - now));
  }

  #schedule(frame: Frame, from: Interface, delay: number): void {
    const delivery: FrameDelivery = { frame, from };
    this.#scheduler.after(delay, () => this.#ends.deliver(frame, from), { delivery });
  }
}
