/** Sockets by the port and address they are bound to, and which of them a packet is for (compute_score). */
import { type IpAddress, sameAddress } from '../../wire/ip-address.ts';

export interface Bound {
  /** Undefined: every address of the host. */
  readonly address: IpAddress | undefined;
  /** `any`: every port that nobody else is bound to. */
  readonly port: number | 'any';
  readonly reuseAddress: boolean;
}

/** Two sockets on one port clash unless they are bound to different addresses. */
function overlap(a: Bound, b: Bound): boolean {
  return a.address === undefined || b.address === undefined || sameAddress(a.address, b.address);
}

export class BindTable<T extends Bound> {
  readonly #ports = new Map<number | 'any', T[]>();

  /** Those bound to `port`, or to every port. */
  at(port: number | 'any'): readonly T[] {
    return this.#ports.get(port) ?? [];
  }

  /** Whether `wanted` cannot be bound; `shared`: sockets that both allow it may have the same address. */
  clashes(wanted: Bound, shared: boolean): boolean {
    return this.at(wanted.port).some(
      (other) => overlap(other, wanted) && !(shared && other.reuseAddress && wanted.reuseAddress),
    );
  }

  add(socket: T): void {
    const found = this.#ports.get(socket.port);
    if (found === undefined) this.#ports.set(socket.port, [socket]);
    else found.push(socket);
  }

  delete(socket: T): void {
    const left = this.at(socket.port).filter((each) => each !== socket);
    if (left.length === 0) this.#ports.delete(socket.port);
    else this.#ports.set(socket.port, left);
  }

  /** The socket for what arrives at `address` and `port`: the one that asks for it most exactly. */
  find(address: IpAddress, port: number, fits: (socket: T) => number | undefined): T | undefined {
    return (
      this.#best(this.#ports.get(port), address, fits) ?? this.#best(this.#ports.get('any'), address, fits)
    );
  }

  #best(
    sockets: readonly T[] | undefined,
    address: IpAddress,
    fits: (socket: T) => number | undefined,
  ): T | undefined {
    if (sockets === undefined) return undefined;
    let best: T | undefined;
    let most = -1;
    for (const socket of sockets) {
      if (socket.address !== undefined && !sameAddress(socket.address, address)) continue;
      const score = fits(socket);
      if (score === undefined) continue;
      const total = score + (socket.address === undefined ? 0 : 1);
      if (total > most) {
        most = total;
        best = socket;
      }
    }
    return best;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const sockets of this.#ports.values()) yield* sockets;
  }
}
