/** A UDP socket (udp.c). */
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../../wire/packet.ts';
import type { Bound } from './bind-table.ts';
import { formatSocketAddress, type SocketAddress } from './socket-address.ts';
import { SocketError, type SocketErrorCode } from './socket-error.ts';
import type { SocketNetwork } from './socket-network.ts';

/** What fits into an IP packet behind the headers. */
const MAX_PAYLOAD = { ipv4: 65_535 - 28, ipv6: 65_535 - 8 } as const;

export interface UdpMessage {
  readonly data: Uint8Array;
  readonly from: SocketAddress;
  /** Where it was sent to. */
  readonly to: SocketAddress;
  readonly ttl: number;
}

/** An ICMP error about a datagram that was sent. */
export interface SocketFailure {
  readonly code: SocketErrorCode;
  /** Who says so; undefined: this host. */
  readonly from?: IpAddress;
  readonly message?: IcmpMessage;
  /** The datagram as it was quoted. */
  readonly quoted?: Packet;
}

export interface UdpCallbacks {
  onMessage?(message: UdpMessage, socket: UdpSocket): void;
  onError?(failure: SocketFailure, socket: UdpSocket): void;
}

export interface UdpOptions extends UdpCallbacks {
  readonly address?: IpAddress | undefined;
  /** 0 or absent: some free port. `any`: every port that no other socket has. */
  readonly port?: number | 'any';
  readonly reuseAddress?: boolean;
  /** Hear of every ICMP error about what was sent (IP_RECVERR), connected or not. */
  readonly receiveErrors?: boolean;
}

export interface DatagramOptions {
  /** Send from here instead of the address the socket is bound to or the route chooses. */
  readonly from?: SocketAddress;
  readonly ttl?: number;
  readonly tos?: number;
  /** By default datagrams may be cut up when they are too long for the path. */
  readonly dontFragment?: boolean;
}

export class UdpSocket implements Bound {
  readonly address: IpAddress | undefined;
  readonly port: number | 'any';
  readonly reuseAddress: boolean;
  readonly receiveErrors: boolean;
  callbacks: UdpCallbacks;
  /** The only peer of a connected socket. */
  peer: SocketAddress | undefined;
  #connectedFrom: IpAddress | undefined;
  #closed = false;
  readonly #network: SocketNetwork;
  readonly #forget: (socket: UdpSocket) => void;

  constructor(
    network: SocketNetwork,
    options: UdpOptions & { readonly port: number | 'any' },
    forget: (socket: UdpSocket) => void,
  ) {
    this.#network = network;
    this.address = options.address;
    this.port = options.port;
    this.reuseAddress = options.reuseAddress ?? false;
    this.receiveErrors = options.receiveErrors ?? false;
    this.callbacks = options;
    this.#forget = forget;
  }

  /** Where a connected or bound socket sends from. */
  get localAddress(): IpAddress | undefined {
    return this.#connectedFrom ?? this.address;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Speaks only with `peer` from now on, and hears of ICMP errors. Throws SocketError when there is no way to
   * go there.
   */
  connect(peer: SocketAddress): void {
    const path = this.#network.path(peer.address, this.address);
    if (typeof path === 'string') throw new SocketError(path, `connect to ${formatSocketAddress(peer)}`);
    this.peer = peer;
    this.#connectedFrom = this.address ?? path.src;
  }

  /** Sends a datagram to `to`, or to the peer. Returns the error that is known at once. */
  send(
    data: Uint8Array,
    to: SocketAddress | undefined = this.peer,
    options: DatagramOptions = {},
  ): SocketErrorCode | undefined {
    if (to === undefined || this.#closed) return 'ENOTCONN';
    const family = familyOf(to.address);
    if (data.length > MAX_PAYLOAD[family]) return 'EMSGSIZE';
    const wanted = options.from?.address ?? this.localAddress;
    const path = this.#network.path(to.address, wanted);
    if (typeof path === 'string') return path;
    const sport = options.from?.port ?? (this.port === 'any' ? 0 : this.port);
    const v4 = family === 'ipv4';
    const length = data.length + (v4 ? 28 : 48);
    const fits = length <= path.mtu;
    if (options.dontFragment === true && !fits) return 'EMSGSIZE';
    const packet: Packet = {
      src: wanted ?? path.src,
      dst: to.address,
      ttl: options.ttl ?? this.#network.sysctls.ttl(!v4),
      tos: options.tos ?? 0,
      id: v4 ? this.#network.random.uint32() & 0xffff : 0,
      dontFragment: v4 && fits,
      transport: { kind: 'udp', sport, dport: to.port, data },
    };
    return this.#network.send(packet);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget(this);
  }
}
