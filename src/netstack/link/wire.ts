/** One direction of a link: frames go in at one device and come out at another, later or never. */

import type { DropReason } from '../../netfilter/verdict.ts';
import type { Random } from '../../sim/random.ts';
import type { Scheduler } from '../../sim/scheduler.ts';
import { type Frame, frameLength, payloadLength } from '../../wire/frame.ts';
import type { Impairments } from './impairments.ts';

export interface WireOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly impairments?: Impairments;
}

/** Where frames come out, and who is told of lost ones. */
export interface WireEnds {
  readonly deliver: (frame: Frame) => void;
  readonly lost: (frame: Frame, reason: DropReason) => void;
}

const DEFAULT_QUEUE = 1000;

export class Wire {
  /** May be replaced at any time; frames under way are not affected. */
  impairments: Impairments;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  /** When the last frame given to the wire will have been sent. */
  #busyUntil = 0;
  #waiting = 0;
  /** When the last frame arrives: others come no earlier, unless reordering is asked for. */
  #lastArrival = 0;

  constructor({ scheduler, random, impairments }: WireOptions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.impairments = impairments ?? {};
  }

  /** Sends `frame`; `ends` may differ from call to call. */
  send(frame: Frame, ends: WireEnds): void {
    const { up, loss, duplicate, mtu } = this.impairments;
    if (up === false) {
      ends.lost(frame, 'link-down');
      return;
    }
    if (mtu !== undefined && payloadLength(frame) > mtu) {
      ends.lost(frame, 'frame-too-long');
      return;
    }
    if (this.#chance(loss)) {
      ends.lost(frame, 'lost');
      return;
    }
    this.#enqueue(frame, ends);
    if (this.#chance(duplicate)) this.#enqueue(frame, ends);
  }

  #chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#random.uint32() < probability * 2 ** 32;
  }

  /** Puts the frame behind those that wait for the wire, if there is room. */
  #enqueue(frame: Frame, ends: WireEnds): void {
    const { bandwidth, queue = DEFAULT_QUEUE } = this.impairments;
    if (bandwidth === undefined) {
      this.#travel(frame, ends, 0);
      return;
    }
    if (this.#waiting > queue) {
      ends.lost(frame, 'queue-full');
      return;
    }
    const now = this.#scheduler.now();
    const sent = Math.max(now, this.#busyUntil) + (frameLength(frame) * 8) / bandwidth;
    this.#busyUntil = sent;
    this.#waiting++;
    this.#scheduler.after(sent - now, () => {
      this.#waiting--;
      this.#travel(frame, ends, 0);
    });
  }

  #travel(frame: Frame, { deliver }: WireEnds, sent: number): void {
    const { latency = 0, jitter = 0, reorder } = this.impairments;
    const now = this.#scheduler.now();
    const overtakes = this.#chance(reorder);
    const varied = jitter > 0 ? (this.#random.uint32() / 2 ** 31 - 1) * jitter : 0;
    const delay = overtakes ? 0 : Math.max(0, latency + varied);
    const arrival = overtakes ? now : Math.max(now + sent + delay, this.#lastArrival);
    if (!overtakes) this.#lastArrival = arrival;
    this.#scheduler.after(Math.max(0, arrival - now), () => deliver(frame), { delivery: frame });
  }
}
