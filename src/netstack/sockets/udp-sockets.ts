/** The UDP sockets of a namespace (udp.c __udp4_lib_rcv). */
import { sameAddress } from '../../wire/ip-address.ts';
import type { Packet, UdpDatagram } from '../../wire/packet.ts';
import type { Delivery } from '../answer.ts';
import { BindTable } from './bind-table.ts';
import type { EphemeralPorts } from './ephemeral-port.ts';
import { SocketError } from './socket-error.ts';
import type { SocketNetwork } from './socket-network.ts';
import { type SocketFailure, type UdpMessage, type UdpOptions, UdpSocket } from './udp-socket.ts';

/** How well a socket fits a datagram from `packet.src`; undefined: it is connected to somebody else. */
function scoreOf(socket: UdpSocket, packet: Packet, { sport }: UdpDatagram): number | undefined {
  const { peer } = socket;
  if (peer === undefined) return 0;
  if (peer.port !== sport || !sameAddress(peer.address, packet.src)) return undefined;
  const local = socket.localAddress;
  return local !== undefined && !sameAddress(local, packet.dst) ? undefined : 4;
}

export class UdpSockets {
  readonly #network: SocketNetwork;
  readonly #ports: EphemeralPorts;
  readonly #table = new BindTable<UdpSocket>();

  constructor(network: SocketNetwork, ports: EphemeralPorts) {
    this.#network = network;
    this.#ports = ports;
  }

  /** Every open socket. */
  get all(): Iterable<UdpSocket> {
    return this.#table;
  }

  /** Opens a socket. Throws SocketError when its port is taken, or none is left. */
  open(options: UdpOptions): UdpSocket {
    const { address, reuseAddress = false } = options;
    const bound = (port: number | 'any') => ({ address, port, reuseAddress });
    const port =
      options.port === undefined || options.port === 0
        ? this.#ports.toBind((candidate) => !this.#table.clashes(bound(candidate), false))
        : options.port;
    if (port === undefined || this.#table.clashes(bound(port), true))
      throw new SocketError('EADDRINUSE', 'bind');
    const socket = new UdpSocket(this.#network, { ...options, port }, (gone) => this.#table.delete(gone));
    this.#table.add(socket);
    return socket;
  }

  /** Hands a datagram to the socket it is for, or to all of them when it is for everybody; false: to none. */
  arrive(packet: Packet, datagram: UdpDatagram, delivery: Delivery | undefined): boolean {
    const message: UdpMessage = {
      data: datagram.data,
      from: { address: packet.src, port: datagram.sport },
      to: { address: packet.dst, port: datagram.dport },
      ttl: packet.ttl,
    };
    const forAll = delivery?.audience === 'broadcast' || delivery?.audience === 'multicast';
    if (forAll) {
      const takers = [...this.#table.at(datagram.dport)].filter(
        (socket) => socket.address === undefined && scoreOf(socket, packet, datagram) !== undefined,
      );
      for (const socket of takers) socket.callbacks.onMessage?.(message, socket);
      return takers.length > 0;
    }
    const socket = this.#table.find(packet.dst, datagram.dport, (each) => scoreOf(each, packet, datagram));
    if (socket === undefined) return false;
    socket.callbacks.onMessage?.(message, socket);
    return true;
  }

  #sender({ src, dst }: Packet, { sport, dport }: UdpDatagram): UdpSocket | undefined {
    return this.#table.find(src, sport, ({ peer }) => {
      if (peer === undefined) return 0;
      return peer.port === dport && sameAddress(peer.address, dst) ? 4 : undefined;
    });
  }

  /** Whether a socket here sent `datagram`, which an ICMP error quotes. */
  sent(quoted: Packet, datagram: UdpDatagram): boolean {
    return this.#sender(quoted, datagram) !== undefined;
  }

  /** An ICMP error about `quoted`, a datagram that a socket here sent (__udp4_lib_err). */
  failed(quoted: Packet, datagram: UdpDatagram, failure: SocketFailure, fatal: boolean): void {
    const socket = this.#sender(quoted, datagram);
    if (socket === undefined) return;
    // Without IP_RECVERR only connected sockets hear, and only of what will not pass.
    if (!socket.receiveErrors && (socket.peer === undefined || !fatal)) return;
    socket.callbacks.onError?.(failure, socket);
  }
}
