/** Who takes delivered packets before sockets see them: tunnels, by UDP port and by IP protocol. */
import { type Packet, protocolOf } from '../../wire/packet.ts';
import type { Delivery } from '../answer.ts';

/** Takes a packet; true when it did (encap_rcv). */
export type EncapReceiver = (packet: Packet, delivery: Delivery) => boolean;

export class EncapReceivers {
  readonly #ports = new Map<number, EncapReceiver>();
  readonly #protocols = new Map<number, EncapReceiver>();

  /** Lets `receiver` have UDP datagrams to `port`; undefined: nobody. */
  setPort(port: number, receiver: EncapReceiver | undefined): void {
    if (receiver === undefined) this.#ports.delete(port);
    else this.#ports.set(port, receiver);
  }

  /** Lets `receiver` have packets of an IP protocol; undefined: nobody. */
  setProtocol(protocol: number, receiver: EncapReceiver | undefined): void {
    if (receiver === undefined) this.#protocols.delete(protocol);
    else this.#protocols.set(protocol, receiver);
  }

  /** True when somebody took `packet`. */
  receive(packet: Packet, delivery: Delivery): boolean {
    return this.#receiverOf(packet)?.(packet, delivery) === true;
  }

  /** Whether a tunnel may have sent `packet`: what it sends goes to its like. */
  mayHaveSent(packet: Packet): boolean {
    return this.#receiverOf(packet) !== undefined;
  }

  #receiverOf(packet: Packet): EncapReceiver | undefined {
    const { transport } = packet;
    return transport.kind === 'udp'
      ? this.#ports.get(transport.dport)
      : this.#protocols.get(protocolOf(packet));
  }
}
