/**
 * Where sequence numbers and time stamps begin: a secret hash of the two ends, moved on by the clock, so that
 * whoever connects again from the same port begins behind where it ended (RFC 6528; secure_seq.c).
 */
import { hashAddress } from '../../../wire/ip-address.ts';
import type { Ends } from '../connection-table.ts';

/** Sequence numbers go on by one every 64 ns. */
const TICKS_PER_SECOND = 1e9 / 64;

function mix(hash: number): number {
  let z = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

export class InitialNumbers {
  readonly #secret: number;

  /** `secret` is any 32 bits. */
  constructor(secret: number) {
    this.#secret = secret;
  }

  #hosts({ localAddress, remoteAddress }: Ends): number {
    return mix(mix(this.#secret ^ hashAddress(localAddress)) ^ hashAddress(remoteAddress));
  }

  /** The initial sequence number of a connection that begins at `now` (seconds). */
  sequence(ends: Ends, now: number): number {
    const ports = (ends.localPort << 16) | ends.remotePort;
    return (mix(this.#hosts(ends) ^ ports) + Math.floor(now * TICKS_PER_SECOND)) >>> 0;
  }

  /** What the time stamps between two hosts are ahead of the clock, milliseconds. */
  timestampOffset(ends: Ends): number {
    return mix(this.#hosts(ends) ^ 0x5bd1e995);
  }
}
