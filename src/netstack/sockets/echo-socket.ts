/** Ping sockets (ping.c): echo requests with an identifier of one's own, their replies and errors about them. */
import { ICMP, ICMPV6 } from '../../wire/icmp.ts';
import type { IpAddress, IpFamily } from '../../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../../wire/packet.ts';
import type { SocketErrorCode } from './socket-error.ts';
import type { SocketNetwork } from './socket-network.ts';
import type { SocketFailure } from './udp-socket.ts';

export interface EchoReply {
  readonly from: IpAddress;
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly ttl: number;
}

export interface EchoCallbacks {
  onReply?(reply: EchoReply): void;
  onError?(failure: SocketFailure): void;
}

export interface EchoOptions extends EchoCallbacks {
  readonly family: IpFamily;
  /** The identifier; absent: some free one. */
  readonly id?: number;
}

export interface EchoRequest {
  readonly dst: IpAddress;
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly src?: IpAddress | undefined;
  readonly ttl?: number;
  readonly tos?: number;
  /** Set DF, as `ping -M do` does; absent: set while the request fits the path. */
  readonly dontFragment?: boolean;
}

export class EchoSocket {
  readonly family: IpFamily;
  readonly id: number;
  callbacks: EchoCallbacks;
  readonly #network: SocketNetwork;
  readonly #forget: (socket: EchoSocket) => void;

  constructor(
    network: SocketNetwork,
    options: EchoOptions & { readonly id: number },
    forget: (socket: EchoSocket) => void,
  ) {
    this.#network = network;
    this.family = options.family;
    this.id = options.id;
    this.callbacks = options;
    this.#forget = forget;
  }

  /** Sends an echo request. Returns the error that is known at once. */
  send(request: EchoRequest): SocketErrorCode | undefined {
    const { dst, sequence, data } = request;
    const v4 = this.family === 'ipv4';
    const path = this.#network.path(dst, request.src);
    if (typeof path === 'string') return path;
    const fits = data.length + (v4 ? 28 : 48) <= path.mtu;
    if (request.dontFragment === true && !fits) return 'EMSGSIZE';
    const message: IcmpMessage = {
      kind: 'icmp',
      type: v4 ? ICMP.echoRequest : ICMPV6.echoRequest,
      code: 0,
      id: this.id,
      sequence: sequence & 0xffff,
      data,
    };
    const packet: Packet = {
      src: request.src ?? path.src,
      dst,
      ttl: request.ttl ?? this.#network.sysctls.ttl(!v4),
      tos: request.tos ?? 0,
      id: v4 ? this.#network.random.uint32() & 0xffff : 0,
      dontFragment: v4 && (request.dontFragment ?? fits),
      transport: message,
    };
    return this.#network.send(packet);
  }

  close(): void {
    this.#forget(this);
  }
}

/** A raw socket: copies of the packets of a protocol that are delivered here; it sends whole packets. */
export interface RawSocket {
  /** IP protocol number. */
  readonly protocol: number;
  send(packet: Packet): SocketErrorCode | undefined;
  close(): void;
}
