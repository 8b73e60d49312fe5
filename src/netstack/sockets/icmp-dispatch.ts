/** ICMP messages for sockets: echo replies, and errors about packets that sockets here have sent. */
import { ICMP, ICMPV6 } from '../../wire/icmp.ts';
import { familyOf } from '../../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../../wire/packet.ts';
import { type EchoOptions, EchoSocket } from './echo-socket.ts';
import { failureOf, SocketError, toldMtu } from './socket-error.ts';
import type { SocketNetwork } from './socket-network.ts';
import type { Sockets } from './sockets.ts';
import type { SocketFailure } from './udp-socket.ts';

export class EchoTable {
  readonly #network: SocketNetwork;
  readonly #sockets = new Map<string, EchoSocket>();

  constructor(network: SocketNetwork) {
    this.#network = network;
  }

  get all(): Iterable<EchoSocket> {
    return this.#sockets.values();
  }

  /** Opens a ping socket. Throws SocketError when its identifier is taken, or none is left. */
  open(options: EchoOptions): EchoSocket {
    const key = (id: number) => `${options.family} ${id}`;
    let id = options.id ?? this.#network.random.below(0x10000);
    for (let tries = 0; options.id === undefined && this.#sockets.has(key(id)) && tries < 0x10000; tries++) {
      id = (id + 1) & 0xffff;
    }
    if (this.#sockets.has(key(id))) throw new SocketError('EADDRINUSE', 'bind');
    const socket = new EchoSocket(this.#network, { ...options, id }, () => {
      this.#sockets.delete(key(id));
    });
    this.#sockets.set(key(id), socket);
    return socket;
  }

  #find(packet: Packet, id: number): EchoSocket | undefined {
    return this.#sockets.size === 0 ? undefined : this.#sockets.get(`${familyOf(packet.src)} ${id}`);
  }

  /** Hands an echo reply to the socket that asked. */
  arrive(packet: Packet, message: IcmpMessage): void {
    const reply = typeof packet.src === 'number' ? ICMP.echoReply : ICMPV6.echoReply;
    if (message.type !== reply) return;
    const { sequence, data } = message;
    this.#find(packet, message.id)?.callbacks.onReply?.({
      from: packet.src,
      sequence,
      data,
      ttl: packet.ttl,
    });
  }

  /** Whether a ping socket here sent `request`, which an ICMP error quotes. */
  sent(quoted: Packet, { id, type }: IcmpMessage): boolean {
    const asked = typeof quoted.src === 'number' ? ICMP.echoRequest : ICMPV6.echoRequest;
    return type === asked && this.#find(quoted, id) !== undefined;
  }

  /** An error about an echo request. Ping sockets hear of all of them (they set IP_RECVERR). */
  failed(quoted: Packet, request: IcmpMessage, failure: SocketFailure): void {
    const asked = typeof quoted.src === 'number' ? ICMP.echoRequest : ICMPV6.echoRequest;
    if (request.type === asked) this.#find(quoted, request.id)?.callbacks.onError?.(failure);
  }
}

/** Tells the socket that sent what `message` quotes. */
export function dispatchFailure(sockets: Sockets, packet: Packet, message: IcmpMessage): void {
  const { quoted } = message;
  if (quoted === undefined) return;
  const family = familyOf(packet.src);
  const meaning = failureOf(message, family);
  if (meaning === undefined) return;
  const { code, fatal } = meaning;
  const mtu = toldMtu(message, family);
  const { transport } = quoted;
  switch (transport.kind) {
    case 'tcp':
      sockets.tcp.failed(quoted, transport, { code, fatal, mtu });
      return;
    case 'udp':
      // Path MTU discovery is on: a datagram that was too long is an error (EMSGSIZE).
      sockets.datagrams.failed(
        quoted,
        transport,
        { code, from: packet.src, message, quoted },
        fatal || mtu !== undefined,
      );
      return;
    case 'icmp':
      sockets.echoes.failed(quoted, transport, { code, from: packet.src, message, quoted });
      return;
    default:
  }
}
