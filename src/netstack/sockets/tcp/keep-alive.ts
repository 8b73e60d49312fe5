/** Keep-alive probes (SO_KEEPALIVE; tcp_timer.c tcp_keepalive_timer): is anybody still there? */
import { Alarm } from '../alarm.ts';
import type { SocketNetwork } from '../socket-network.ts';
import type { TcpConnection } from './connection.ts';

/** Seconds and a count; what is left out comes from the sysctls (7200, 75, 9). */
export interface KeepAliveOptions {
  /** TCP_KEEPIDLE. */
  readonly idle?: number;
  /** TCP_KEEPINTVL. */
  readonly interval?: number;
  /** TCP_KEEPCNT. */
  readonly count?: number;
}

export class KeepAlive {
  readonly #connection: TcpConnection;
  readonly #network: SocketNetwork;
  #options: KeepAliveOptions | undefined;
  #alarm: Alarm | undefined;
  #heardAt = 0;
  #probes = 0;

  constructor(connection: TcpConnection, network: SocketNetwork, options: KeepAliveOptions | undefined) {
    this.#connection = connection;
    this.#network = network;
    this.#options = options;
  }

  /** When the next probe is due, and how many went unanswered. */
  get due(): number | undefined {
    return this.#alarm?.due;
  }

  get probes(): number {
    return this.#probes;
  }

  /** Turns keep-alive on, or off with undefined. */
  set(options: KeepAliveOptions | undefined): void {
    this.#options = options;
    this.stop();
    if (this.#connection.state !== 'CLOSE') this.start();
  }

  /** The connection is established. */
  start(): void {
    if (this.#options === undefined) return;
    const { scheduler } = this.#network;
    this.#alarm ??= new Alarm(scheduler, () => this.#check());
    this.#heardAt = scheduler.now();
    this.#alarm.set(this.#idle, true);
  }

  /** Something came from the peer. */
  heard(): void {
    if (this.#alarm === undefined) return;
    this.#heardAt = this.#network.scheduler.now();
    this.#probes = 0;
  }

  stop(): void {
    this.#alarm?.clear();
  }

  get #idle(): number {
    return this.#options?.idle ?? this.#network.sysctls.number('net.ipv4.tcp_keepalive_time');
  }

  #check(): void {
    const connection = this.#connection;
    const { block } = connection;
    const { sysctls } = this.#network;
    const interval = this.#options?.interval ?? sysctls.number('net.ipv4.tcp_keepalive_intvl');
    const count = this.#options?.count ?? sysctls.number('net.ipv4.tcp_keepalive_probes');
    // What is in flight is probe enough.
    if (block.queue.packetsOut > 0 || block.queue.hasNews) {
      this.#alarm?.set(this.#idle, true);
      return;
    }
    const silent = this.#network.scheduler.now() - this.#heardAt;
    if (silent + 1e-9 < this.#idle) {
      this.#alarm?.set(this.#idle - silent, true);
      return;
    }
    if (this.#probes >= count) {
      connection.timeOut(true);
      return;
    }
    this.#probes++;
    connection.probe();
    this.#alarm?.set(interval, true);
  }
}
