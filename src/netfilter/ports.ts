/** Ports as the first four bytes of a transport header have them, also where the rest of it is missing. */
import { read16 } from '../wire/byte-order.ts';
import type { Packet, Transport } from '../wire/packet.ts';
import { PROTOCOL } from '../wire/protocol.ts';

export interface Ports {
  readonly sport: number;
  readonly dport: number;
}

/** DCCP (RFC 4340); conntrack has no tracker for it any more, so it is not in PROTOCOL. */
export const DCCP = 33;

/** Protocols whose header begins with two ports. */
const BEGINS_WITH_PORTS: ReadonlySet<number> = new Set([
  PROTOCOL.tcp,
  PROTOCOL.udp,
  PROTOCOL.sctp,
  PROTOCOL.udplite,
  DCCP,
]);

/** The ports of `transport`; undefined when its protocol has none or they are cut off. */
export function portsOf(transport: Transport): Ports | undefined {
  switch (transport.kind) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return transport;
    case 'icmp':
      return undefined;
    case 'opaque':
      if (!BEGINS_WITH_PORTS.has(transport.protocol) || transport.data.length < 4) return undefined;
      return { sport: read16(transport.data, 0), dport: read16(transport.data, 2) };
  }
}

/** True for second and further fragments, whose first bytes are no transport header. */
export function lacksTransportHeader(packet: Packet): boolean {
  return packet.fragment !== undefined && packet.fragment.offset > 0;
}
