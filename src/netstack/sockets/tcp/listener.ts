/** A listening TCP socket: half-open connections until their handshake is done, then a queue for the program. */
import type { IpAddress } from '../../../wire/ip-address.ts';
import type { Bound } from '../bind-table.ts';
import type { TcpConnection } from './connection.ts';
import type { KeepAliveOptions } from './keep-alive.ts';

export interface ListenOptions {
  /** Undefined: every address of the host, of both families. */
  readonly address?: IpAddress | undefined;
  /** `any`: every port that no other socket listens on. */
  readonly port: number | 'any';
  /** A connection whose handshake is done. Set its `callbacks` here. */
  readonly onConnection: (connection: TcpConnection) => void;
  /** Connections that may wait for the program; at most net.core.somaxconn. */
  readonly backlog?: number;
  /** SO_REUSEADDR, by default on, as servers set it: old connections do not keep the port taken. */
  readonly reuseAddress?: boolean;
  readonly noDelay?: boolean;
  readonly keepAlive?: KeepAliveOptions | undefined;
}

export class TcpListener implements Bound {
  readonly address: IpAddress | undefined;
  readonly port: number | 'any';
  readonly reuseAddress: boolean;
  readonly backlog: number;
  readonly noDelay: boolean;
  readonly keepAlive: KeepAliveOptions | undefined;
  readonly #onConnection: (connection: TcpConnection) => void;
  readonly #forget: (listener: TcpListener) => void;
  readonly #waiting: TcpConnection[] = [];
  #paused = false;
  #closed = false;

  constructor(
    options: ListenOptions & { readonly backlog: number },
    forget: (listener: TcpListener) => void,
  ) {
    this.address = options.address;
    this.port = options.port;
    this.reuseAddress = options.reuseAddress ?? true;
    this.backlog = options.backlog;
    this.noDelay = options.noDelay ?? false;
    this.keepAlive = options.keepAlive;
    this.#onConnection = options.onConnection;
    this.#forget = forget;
  }

  /** Connections that wait for the program. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** SYNs are dropped while the queue is full (sk_acceptq_is_full). */
  get isFull(): boolean {
    return this.#waiting.length > this.backlog;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a connection whose handshake is done; false when there is no room for it. */
  take(connection: TcpConnection): boolean {
    if (this.#closed || this.isFull) return false;
    if (this.#paused) {
      connection.pause();
      this.#waiting.push(connection);
    } else {
      this.#onConnection(connection);
    }
    return true;
  }

  /** The program accepts no connections until `resume`; they queue up. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const connection of this.#waiting.splice(0)) {
      this.#onConnection(connection);
      connection.resume();
    }
  }

  /** Listens no more. Connections nobody has accepted are reset. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget(this);
    for (const connection of this.#waiting.splice(0)) connection.abort();
  }
}
