/**
 * The sockets of one namespace. Packets that are delivered to it go to the socket they are for; what no
 * socket takes is answered as a host without sockets answers it.
 *
 *   delivered ─▶ raw copies ─▶ connected ─▶ listening, bound ─▶ closedHost
 */
import type { IpAddress } from '../../wire/ip-address.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';
import { type Answerer, closedHost } from '../answer.ts';
import type { EchoOptions, EchoSocket, RawSocket } from './echo-socket.ts';
import { EphemeralPorts } from './ephemeral-port.ts';
import { dispatchFailure, EchoTable } from './icmp-dispatch.ts';
import { SocketError } from './socket-error.ts';
import type { SocketNetwork } from './socket-network.ts';
import type { TcpConnection } from './tcp/connection.ts';
import type { ListenOptions, TcpListener } from './tcp/listener.ts';
import { type ConnectOptions, TcpSockets } from './tcp/tcp-sockets.ts';
import type { UdpOptions, UdpSocket } from './udp-socket.ts';
import { UdpSockets } from './udp-sockets.ts';

export class Sockets {
  readonly network: SocketNetwork;
  readonly tcp: TcpSockets;
  readonly datagrams: UdpSockets;
  readonly echoes: EchoTable;
  readonly #raw = new Map<number, Set<(packet: Packet) => void>>();

  constructor(network: SocketNetwork) {
    this.network = network;
    const ports = new EphemeralPorts(network.random, network.sysctls);
    this.tcp = new TcpSockets(network, ports);
    this.datagrams = new UdpSockets(network, ports);
    this.echoes = new EchoTable(network);
  }

  /** Listens for TCP connections. Throws SocketError (EADDRINUSE, EADDRNOTAVAIL). */
  listen(options: ListenOptions): TcpListener {
    this.#checkAddress(options.address, 'listen');
    return this.tcp.listen(options);
  }

  /**
   * Begins a TCP connection. What fails at once (no route, no free port) throws SocketError; everything else
   * is told by the callbacks.
   */
  connect(options: ConnectOptions): TcpConnection {
    this.#checkAddress(options.src, 'connect');
    return this.tcp.connect(options);
  }

  /** Opens a UDP socket. Throws SocketError (EADDRINUSE, EADDRNOTAVAIL). */
  udp(options: UdpOptions = {}): UdpSocket {
    this.#checkAddress(options.address, 'bind');
    return this.datagrams.open(options);
  }

  /** Opens a ping socket. Throws SocketError when the identifier is taken. */
  ping(options: EchoOptions): EchoSocket {
    return this.echoes.open(options);
  }

  /** Opens a raw socket for IP protocol number `protocol`: `onPacket` sees every packet of it delivered here. */
  raw(protocol: number, onPacket: (packet: Packet) => void): RawSocket {
    const listeners = this.#raw.get(protocol) ?? new Set();
    this.#raw.set(protocol, listeners);
    // The same function may listen twice.
    const listener = (packet: Packet) => onPacket(packet);
    listeners.add(listener);
    return {
      protocol,
      send: (packet) => this.network.send(packet, { raw: true }),
      close: () => {
        listeners.delete(listener);
      },
    };
  }

  #checkAddress(address: IpAddress | undefined, call: string): void {
    if (address !== undefined && !this.network.isLocal(address)) throw new SocketError('EADDRNOTAVAIL', call);
  }

  /** What the sockets here, and the kernel behind them, say to a packet that was delivered. */
  readonly answer: Answerer = (packet, delivery) => {
    if (this.#raw.size > 0) this.#copyToRaw(packet);
    const { transport } = packet;
    switch (transport.kind) {
      case 'tcp':
        if (packet.corrupt !== undefined || delivery?.toHost === false) return undefined;
        if (delivery !== undefined && delivery.audience !== 'unicast') return undefined;
        return this.tcp.arrive(packet, transport) ? undefined : closedHost(packet, delivery);
      case 'udp':
        if (packet.corrupt !== undefined) return undefined;
        return this.datagrams.arrive(packet, transport, delivery) ? undefined : closedHost(packet, delivery);
      case 'icmp':
        if (packet.corrupt === undefined) {
          if (transport.quoted !== undefined) dispatchFailure(this, packet, transport);
          else this.echoes.arrive(packet, transport);
        }
        return closedHost(packet, delivery);
      default:
        return this.#raw.get(protocolOf(packet))?.size ? undefined : closedHost(packet, delivery);
    }
  };

  /** Whether a socket here sent what an ICMP error quotes, and hears of the error. */
  sent(quoted: Packet): boolean {
    if (this.#raw.get(protocolOf(quoted))?.size) return true;
    const { transport } = quoted;
    switch (transport.kind) {
      case 'tcp':
        return this.tcp.sent(quoted, transport);
      case 'udp':
        return this.datagrams.sent(quoted, transport);
      case 'icmp':
        return this.echoes.sent(quoted, transport);
      default:
        return false;
    }
  }

  #copyToRaw(packet: Packet): void {
    for (const listener of this.#raw.get(protocolOf(packet)) ?? []) listener(packet);
  }
}
