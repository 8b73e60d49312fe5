/** Ports for those that do not ask for one (inet_hashtables.c __inet_hash_connect, RFC 6056 algorithm 3). */
import type { Random } from '../../sim/random.ts';
import { hashAddress } from '../../wire/ip-address.ts';
import type { SocketAddress } from './socket-address.ts';
import type { SocketSysctls } from './sysctls.ts';

export class EphemeralPorts {
  readonly #random: Random;
  readonly #sysctls: SocketSysctls;
  readonly #secret: number;
  /** How far each slot of destinations has come (table_perturb). */
  readonly #progress = new Map<number, number>();

  constructor(random: Random, sysctls: SocketSysctls) {
    this.#random = random;
    this.#sysctls = sysctls;
    this.#secret = random.uint32();
  }

  /**
   * A port for a connection to `remote` that `isFree` agrees to; undefined when there is none. Every
   * destination has a sequence of its own, of the even half of the range first.
   */
  forConnection(remote: SocketAddress, isFree: (port: number) => boolean): number | undefined {
    const { first, last } = this.#sysctls.portRange();
    const count = last - first + 1;
    const hash = Math.imul(
      hashAddress(remote.address) ^ this.#secret ^ (remote.port * 0x9e3779b1),
      0x85ebca6b,
    );
    const slot = (hash ^ (hash >>> 15)) & 0xff;
    const start = (((hash >>> 8) + (this.#progress.get(slot) ?? 0)) % count) & ~1;
    for (const parity of [0, 1]) {
      for (let step = 0; step < count; step += 2) {
        const offset = (start + parity + step) % count;
        const port = first + offset;
        if ((offset & 1) !== parity || !isFree(port)) continue;
        // Now and then one is passed over, so that nobody can count connections by their ports.
        const skip = this.#random.below(16) === 0 ? 2 : 0;
        this.#progress.set(slot, (this.#progress.get(slot) ?? 0) + step + 2 + skip);
        return port;
      }
    }
    return undefined;
  }

  /** A port to bind to: from a random one on, the first that `isFree` agrees to; undefined when there is none. */
  toBind(isFree: (port: number) => boolean): number | undefined {
    const { first, last } = this.#sysctls.portRange();
    const count = last - first + 1;
    const start = this.#random.below(count);
    for (let step = 0; step < count; step++) {
      const port = first + ((start + step) % count);
      if (isFree(port)) return port;
    }
    return undefined;
  }
}
