/** The TCP sockets of a namespace: which connection or listener a segment is for (tcp_ipv4.c tcp_v4_rcv). */
import type { IpAddress } from '../../../wire/ip-address.ts';
import type { Packet, TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import { BindTable } from '../bind-table.ts';
import { ConnectionTable, type Ends } from '../connection-table.ts';
import type { EphemeralPorts } from '../ephemeral-port.ts';
import { formatSocketAddress, type SocketAddress } from '../socket-address.ts';
import { SocketError, type SocketErrorCode } from '../socket-error.ts';
import type { Path, SocketNetwork } from '../socket-network.ts';
import { TcpConnection } from './connection.ts';
import type { TcpCallbacks } from './connection-options.ts';
import { ControlBlock } from './control-block.ts';
import type { Remains, TcpHost } from './host.ts';
import { InitialNumbers } from './initial-numbers.ts';
import type { KeepAliveOptions } from './keep-alive.ts';
import { type ListenOptions, TcpListener } from './listener.ts';
import { parseTcpOptions } from './options.ts';
import { TimeWait, TimeWaitQueue } from './time-wait.ts';

export interface ConnectOptions extends TcpCallbacks {
  readonly dst: IpAddress;
  readonly port: number;
  /** The address and port to connect from; by default the route's and a free one. */
  readonly src?: IpAddress | undefined;
  readonly sport?: number | undefined;
  readonly noDelay?: boolean;
  readonly keepAlive?: KeepAliveOptions | undefined;
}

/** What an ICMP error tells a connection. */
interface Failure {
  readonly code: SocketErrorCode;
  readonly fatal: boolean;
  readonly mtu: number | undefined;
}

const HEADERS = { ipv4: 40, ipv6: 60 } as const;

export class TcpSockets implements TcpHost {
  readonly network: SocketNetwork;
  readonly #ports: EphemeralPorts;
  readonly #numbers: InitialNumbers;
  readonly #connections = new ConnectionTable<TcpConnection | TimeWait>();
  readonly #listeners = new BindTable<TcpListener>();
  readonly #timeWaits: TimeWaitQueue;

  constructor(network: SocketNetwork, ports: EphemeralPorts) {
    this.network = network;
    this.#ports = ports;
    this.#numbers = new InitialNumbers(network.random.uint32());
    this.#timeWaits = new TimeWaitQueue(network.scheduler, (over) => this.#connections.delete(over));
  }

  get listeners(): Iterable<TcpListener> {
    return this.#listeners;
  }

  /** Connections, and what is left of them in TIME_WAIT. */
  get connections(): Iterable<TcpConnection | TimeWait> {
    return this.#connections;
  }

  // ——— TcpHost ———

  transmit(packet: Packet): SocketErrorCode | undefined {
    return this.network.send(packet);
  }

  forget(connection: TcpConnection): void {
    this.#connections.delete(connection);
  }

  linger(connection: TcpConnection, remains: Remains): void {
    this.#connections.delete(connection);
    const timeWait = new TimeWait(remains, this.network.scheduler.now());
    this.#connections.add(timeWait);
    this.#timeWaits.add(timeWait);
  }

  // ——— calls ———

  /** Listens. Throws SocketError when the port is taken. */
  listen(options: ListenOptions): TcpListener {
    const most = this.network.sysctls.number('net.core.somaxconn');
    const backlog = Math.min(options.backlog ?? most, most);
    const listener = new TcpListener({ ...options, backlog }, (gone) => this.#listeners.delete(gone));
    const occupied =
      !listener.reuseAddress &&
      typeof listener.port === 'number' &&
      this.#connections.usesPort(listener.port);
    if (occupied || this.#listeners.clashes(listener, false)) throw new SocketError('EADDRINUSE', 'listen');
    this.#listeners.add(listener);
    return listener;
  }

  /** Connects. Throws SocketError for what fails at once. */
  connect(options: ConnectOptions): TcpConnection {
    const remote = { address: options.dst, port: options.port };
    const context = `connect to ${formatSocketAddress(remote)}`;
    const path = this.network.path(options.dst, options.src);
    if (typeof path === 'string') throw new SocketError(path, context);
    const address = options.src ?? path.src;
    const isFree = (port: number) =>
      this.#listeners.at(port).length === 0 &&
      (!this.#connections.usesPort(port) ||
        this.#connections.find(endsOf({ address, port }, remote)) === undefined);
    const port = options.sport ?? this.#ports.forConnection(remote, isFree);
    if (port === undefined) throw new SocketError('EADDRNOTAVAIL', context);
    if (this.#connections.find(endsOf({ address, port }, remote)) !== undefined) {
      throw new SocketError(options.sport === undefined ? 'EADDRNOTAVAIL' : 'EADDRINUSE', context);
    }
    const connection = new TcpConnection({
      host: this,
      block: this.#newBlock(path, endsOf({ address, port }, remote)),
      local: { address, port },
      remote,
      callbacks: options,
      noDelay: options.noDelay ?? false,
      keepAlive: options.keepAlive,
    });
    this.#connections.add(connection);
    const error = connection.open();
    if (error !== undefined) {
      connection.discard();
      throw new SocketError(error, context);
    }
    return connection;
  }

  #newBlock(path: Path, ends: Ends, initialSequence?: number): ControlBlock {
    const v4 = typeof ends.remoteAddress === 'number';
    const headers = v4 ? HEADERS.ipv4 : HEADERS.ipv6;
    return new ControlBlock({
      settings: this.network.sysctls.tcp(!v4),
      initialSequence: initialSequence ?? this.#numbers.sequence(ends, this.network.scheduler.now()),
      announcedMss: Math.min(Math.max(path.deviceMtu, 576) - headers, 0xffff),
      pathMss: Math.max(path.mtu - headers, 8),
      timestampOffset: this.#numbers.timestampOffset(ends),
    });
  }

  // ——— segments ———

  /** Hands a segment to whom it is for; false when there is nobody, and a reset should say so. */
  arrive(packet: Packet, segment: TcpSegment): boolean {
    const found = this.#connections.find({
      localAddress: packet.dst,
      localPort: segment.dport,
      remoteAddress: packet.src,
      remotePort: segment.sport,
    });
    if (found instanceof TcpConnection) {
      found.arrive(segment);
      return true;
    }
    if (found !== undefined) return this.#arriveTimeWait(found, packet, segment);
    return this.#arriveListener(packet, segment, undefined);
  }

  #arriveTimeWait(timeWait: TimeWait, packet: Packet, segment: TcpSegment): boolean {
    const verdict = timeWait.arrive(segment, this.network.scheduler.now());
    switch (verdict.kind) {
      case 'nothing':
        return true;
      case 'answer':
        this.transmit(verdict.packet);
        return true;
      case 'end':
        this.#connections.delete(timeWait);
        return true;
      case 'reopen':
        if (this.#listenerFor(packet, segment) === undefined) {
          this.transmit(timeWait.acknowledgment(this.network.scheduler.now()));
          return true;
        }
        this.#connections.delete(timeWait);
        return this.#arriveListener(packet, segment, verdict.initialSequence);
    }
  }

  #listenerFor(packet: Packet, { dport }: TcpSegment): TcpListener | undefined {
    return this.#listeners.find(packet.dst, dport, () => 0);
  }

  /** A segment that belongs to no connection (tcp_rcv_state_process in LISTEN). */
  #arriveListener(packet: Packet, segment: TcpSegment, initialSequence: number | undefined): boolean {
    const listener = this.#listenerFor(packet, segment);
    if (listener === undefined) return false;
    const { flags } = segment;
    if (flags & TCP_FLAG.RST) return true;
    if (flags & TCP_FLAG.ACK) return false;
    if (!(flags & TCP_FLAG.SYN) || flags & TCP_FLAG.FIN || listener.isFull) return true;
    const local = { address: packet.dst, port: segment.dport };
    const remote = { address: packet.src, port: segment.sport };
    const path = this.network.path(packet.src, packet.dst);
    if (typeof path === 'string') return true;
    const connection = new TcpConnection({
      host: this,
      block: this.#newBlock(path, endsOf(local, remote), initialSequence),
      local,
      remote,
      callbacks: {},
      noDelay: listener.noDelay,
      keepAlive: listener.keepAlive,
      accept: (done) => listener.take(done),
    });
    this.#connections.add(connection);
    connection.answerSyn(segment, parseTcpOptions(segment.options));
    return true;
  }

  /** Whether a connection here sent `segment`, which an ICMP error quotes. */
  sent({ src, dst }: Packet, { sport, dport }: TcpSegment): boolean {
    const ends = { localAddress: src, localPort: sport, remoteAddress: dst, remotePort: dport };
    return this.#connections.find(ends) instanceof TcpConnection;
  }

  /** An ICMP error about `quoted`, a segment that a connection here sent (tcp_v4_err). */
  failed(quoted: Packet, segment: TcpSegment, { code, fatal, mtu }: Failure): void {
    const found = this.#connections.find({
      localAddress: quoted.src,
      localPort: segment.sport,
      remoteAddress: quoted.dst,
      remotePort: segment.dport,
    });
    if (!(found instanceof TcpConnection)) return;
    if (mtu === undefined) {
      found.failed(code, { seq: segment.seq, fatal });
      return;
    }
    const path = this.network.path(quoted.dst, quoted.src);
    // The namespace remembers what it was told; it may know better, and ignore nonsense.
    if (typeof path !== 'string') found.pathShrank(path.mtu, segment.seq);
  }
}

function endsOf(local: SocketAddress, remote: SocketAddress): Ends {
  return {
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
  };
}
