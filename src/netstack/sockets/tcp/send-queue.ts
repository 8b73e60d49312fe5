/**
 * What is to be sent and what is in flight. The flight is a list of segments in sequence order with what is
 * known of each: the scoreboard of loss recovery (tcp_input.c's sacked_out, lost_out, retrans_out).
 */
import { NO_BYTES } from '../../../wire/packet.ts';
import { advance, after, before, distance } from './sequence.ts';

/** A segment that was sent and is not yet acknowledged. */
export interface Flight {
  readonly start: number;
  readonly end: number;
  readonly data: Uint8Array;
  readonly fin: boolean;
  readonly push: boolean;
  /** When it was last sent, seconds. */
  sentAt: number;
  /** How often it was sent again. */
  resent: number;
  sacked: boolean;
  lost: boolean;
  /** The last retransmission is taken to be still under way. */
  underWay: boolean;
}

/** What is to go into one new segment. */
export interface Draft {
  readonly data: Uint8Array;
  readonly fin: boolean;
  readonly push: boolean;
}

export class SendQueue {
  #chunks: Uint8Array[] = [];
  #firstChunk = 0;
  #offset = 0;
  #flight: Flight[] = [];
  #firstFlight = 0;
  /** Bytes not sent yet. */
  unsent = 0;
  /** A FIN is to follow the last byte. */
  closing = false;
  finSent = false;
  sacked = 0;
  lost = 0;
  /** Retransmissions under way. */
  resent = 0;

  /** Appends `bytes`, which must not change any more. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.unsent += bytes.length;
  }

  /** True when there is anything that was never sent. */
  get hasNews(): boolean {
    return this.unsent > 0 || (this.closing && !this.finSent);
  }

  /** Segments sent and not acknowledged. */
  get packetsOut(): number {
    return this.#flight.length - this.#firstFlight;
  }

  /** Segments thought to be in the network (tcp_packets_in_flight). */
  get inNetwork(): number {
    return this.packetsOut - this.sacked - this.lost + this.resent;
  }

  get first(): Flight | undefined {
    return this.#flight[this.#firstFlight];
  }

  /** What is in flight, lowest sequence number first. */
  *inFlight(): IterableIterator<Flight> {
    for (let at = this.#firstFlight; at < this.#flight.length; at++) {
      const each = this.#flight[at];
      if (each !== undefined) yield each;
    }
  }

  /** The segment in flight at `index`, counted from the oldest. */
  at(index: number): Flight | undefined {
    return this.#flight[this.#firstFlight + index];
  }

  /** Takes up to `length` bytes, and the FIN when it follows them. */
  take(length: number): Draft {
    const size = Math.min(length, this.unsent);
    const chunk = this.#chunks[this.#firstChunk] ?? NO_BYTES;
    const left = chunk.length - this.#offset;
    let data: Uint8Array;
    if (size < left) {
      data = chunk.subarray(this.#offset, this.#offset + size);
      this.#offset += size;
    } else if (size === left) {
      data = this.#offset === 0 ? chunk : chunk.subarray(this.#offset);
      this.#dropChunk();
    } else {
      data = this.#gather(size);
    }
    this.unsent -= size;
    const fin = this.closing && this.unsent === 0;
    if (fin) this.finSent = true;
    // A write ends where its chunk did (tcp_push).
    return { data, fin, push: size > 0 && this.#offset === 0 };
  }

  #gather(size: number): Uint8Array {
    const data = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const chunk = this.#chunks[this.#firstChunk] ?? NO_BYTES;
      const part = chunk.subarray(this.#offset, this.#offset + size - at);
      data.set(part, at);
      at += part.length;
      this.#offset += part.length;
      if (this.#offset >= chunk.length) this.#dropChunk();
    }
    return data;
  }

  #dropChunk(): void {
    this.#chunks[this.#firstChunk] = NO_BYTES;
    this.#firstChunk++;
    this.#offset = 0;
    if (this.#firstChunk >= this.#chunks.length) {
      this.#chunks = [];
      this.#firstChunk = 0;
    } else if (this.#firstChunk > 256) {
      this.#chunks.splice(0, this.#firstChunk);
      this.#firstChunk = 0;
    }
  }

  /** `draft` was sent from `start` on, at `now`. */
  sent(start: number, { data, fin, push }: Draft, now: number): Flight {
    const flight: Flight = {
      start,
      end: advance(start, data.length + (fin ? 1 : 0)),
      data,
      fin,
      push,
      sentAt: now,
      resent: 0,
      sacked: false,
      lost: false,
      underWay: false,
    };
    this.#flight.push(flight);
    return flight;
  }

  /**
   * Lets go of everything before `una`; of a segment acknowledged in part, the rest stays. `each` sees the
   * segments that left.
   */
  acknowledge(una: number, each: (flight: Flight) => void): number {
    let count = 0;
    for (let first = this.first; first !== undefined && before(first.start, una); first = this.first) {
      if (after(first.end, una)) {
        this.#flight[this.#firstFlight] = {
          ...first,
          start: una,
          data: first.data.subarray(distance(first.start, una)),
        };
        break;
      }
      this.#firstFlight++;
      this.#forget(first);
      count++;
      each(first);
    }
    if (this.#firstFlight >= this.#flight.length) {
      this.#flight.length = 0;
      this.#firstFlight = 0;
    } else if (this.#firstFlight > 256) {
      this.#flight.splice(0, this.#firstFlight);
      this.#firstFlight = 0;
    }
    return count;
  }

  #forget(flight: Flight): void {
    if (flight.sacked) this.sacked--;
    if (flight.lost) this.lost--;
    if (flight.underWay) this.resent--;
  }

  markSacked(flight: Flight): void {
    if (flight.sacked) return;
    this.#forget(flight);
    flight.sacked = true;
    flight.lost = false;
    flight.underWay = false;
    this.sacked++;
  }

  markLost(flight: Flight): void {
    if (flight.sacked) return;
    if (flight.underWay) {
      flight.underWay = false;
      this.resent--;
    }
    if (!flight.lost) {
      flight.lost = true;
      this.lost++;
    }
  }

  markResent(flight: Flight, now: number): void {
    flight.sentAt = now;
    flight.resent++;
    if (flight.underWay) return;
    flight.underWay = true;
    this.resent++;
  }

  /** What was said to have arrived may have been thrown away since (RFC 2018 §8). */
  forgetSacks(): void {
    for (const flight of this.inFlight()) flight.sacked = false;
    this.sacked = 0;
  }

  /** Cuts `flight`, which is in flight, after `length` bytes, so that its parts fit a smaller path; the first part. */
  split(flight: Flight, length: number): Flight {
    const index = this.#flight.indexOf(flight, this.#firstFlight);
    if (index < 0 || length >= flight.data.length) return flight;
    const middle = advance(flight.start, length);
    const head: Flight = {
      ...flight,
      end: middle,
      data: flight.data.subarray(0, length),
      fin: false,
      push: false,
    };
    const tail: Flight = { ...flight, start: middle, data: flight.data.subarray(length) };
    this.#flight.splice(index, 1, head, tail);
    if (flight.sacked) this.sacked++;
    if (flight.lost) this.lost++;
    if (flight.underWay) this.resent++;
    return head;
  }
}
