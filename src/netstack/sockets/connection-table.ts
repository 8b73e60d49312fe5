/** Connections by their two ends (inet_ehashfn). */
import { hashAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { SocketAddress } from './socket-address.ts';

export interface Connected {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** What identifies a connection, as the headers of a segment give it; `local` is this host's end. */
export interface Ends {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
}

function hashEnds(localPort: number, remoteAddress: IpAddress, remotePort: number): number {
  return hashAddress(remoteAddress) ^ ((localPort << 16) | remotePort);
}

function isBetween({ local, remote }: Connected, ends: Ends): boolean {
  return (
    local.port === ends.localPort &&
    remote.port === ends.remotePort &&
    sameAddress(remote.address, ends.remoteAddress) &&
    sameAddress(local.address, ends.localAddress)
  );
}

export class ConnectionTable<T extends Connected> {
  /** Nearly always one a hash. */
  readonly #buckets = new Map<number, T | T[]>();
  /** How many have each local port. */
  readonly #ports = new Map<number, number>();
  size = 0;

  find(ends: Ends): T | undefined {
    const found = this.#buckets.get(hashEnds(ends.localPort, ends.remoteAddress, ends.remotePort));
    if (found === undefined) return undefined;
    if (Array.isArray(found)) return found.find((each) => isBetween(each, ends));
    return isBetween(found, ends) ? found : undefined;
  }

  add(connection: T): void {
    const { local, remote } = connection;
    const key = hashEnds(local.port, remote.address, remote.port);
    const found = this.#buckets.get(key);
    if (found === undefined) this.#buckets.set(key, connection);
    else if (Array.isArray(found)) found.push(connection);
    else this.#buckets.set(key, [found, connection]);
    this.#ports.set(local.port, (this.#ports.get(local.port) ?? 0) + 1);
    this.size++;
  }

  delete(connection: T): void {
    const { local, remote } = connection;
    const key = hashEnds(local.port, remote.address, remote.port);
    const found = this.#buckets.get(key);
    if (found === connection) this.#buckets.delete(key);
    else if (Array.isArray(found) && found.includes(connection)) {
      const left = found.filter((each) => each !== connection);
      const [only] = left;
      if (left.length === 1 && only !== undefined) this.#buckets.set(key, only);
      else this.#buckets.set(key, left);
    } else return;
    const users = (this.#ports.get(local.port) ?? 0) - 1;
    if (users > 0) this.#ports.set(local.port, users);
    else this.#ports.delete(local.port);
    this.size--;
  }

  /** True when a connection has this local port. */
  usesPort(port: number): boolean {
    return this.#ports.has(port);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const found of this.#buckets.values()) {
      if (Array.isArray(found)) yield* found;
      else yield found;
    }
  }
}
