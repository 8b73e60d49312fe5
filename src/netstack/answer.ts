/**
 * What a host without a listening socket says to a packet that was delivered to it: echo replies, resets,
 * port and protocol unreachable (icmp.c, tcp_ipv4.c, udp.c, ip_input.c and their IPv6 twins).
 */
import { familyOf } from '../wire/ip-address.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { PROTOCOL } from '../wire/protocol.ts';
import { icmpError, tcpReset } from './refuse.ts';
import { isMulticast } from './route-table.ts';

/** Decides what the host's sockets and the kernel behind them say to `packet`; undefined: nothing. */
export type Answerer = (packet: Packet) => Packet | undefined;

/** Query types and the types of their answers. */
const ICMP_ANSWERS: ReadonlyMap<number, number> = new Map([
  [8, 0],
  [13, 14],
]);
const ICMPV6_ANSWERS: ReadonlyMap<number, number> = new Map([[128, 129]]);

const PORT_UNREACHABLE = { ipv4: { type: 3, code: 3 }, ipv6: { type: 1, code: 4 } } as const;
/** IPv6 says "unrecognized next header" with a parameter problem (RFC 4443 §3.4). */
const PROTOCOL_UNREACHABLE = { ipv4: { type: 3, code: 2 }, ipv6: { type: 4, code: 1 } } as const;

function answerQuery(packet: Packet): Packet | undefined {
  const { transport } = packet;
  if (transport.kind !== 'icmp') return undefined;
  const v4 = typeof packet.src === 'number';
  const type = (v4 ? ICMP_ANSWERS : ICMPV6_ANSWERS).get(transport.type);
  if (type === undefined || isMulticast(packet.dst)) return undefined;
  return {
    src: packet.dst,
    dst: packet.src,
    ttl: 64,
    tos: packet.tos,
    id: 0,
    dontFragment: false,
    transport: { ...transport, type, code: v4 ? 0 : transport.code },
  };
}

/** The answers of a host on which nothing listens. */
export const closedHost: Answerer = (packet) => {
  if (packet.corrupt !== undefined) return undefined;
  const family = familyOf(packet.src);
  const { transport } = packet;
  switch (transport.kind) {
    case 'icmp':
      return answerQuery(packet);
    case 'tcp':
      return tcpReset(packet);
    case 'udp':
      return icmpError(packet, { kind: 'icmp', ...PORT_UNREACHABLE[family] }, packet.dst);
    case 'sctp':
    case 'opaque': {
      const protocol = protocolOf(packet);
      // A truncated header of a known protocol is discarded in silence.
      if (protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp || protocol === PROTOCOL.icmp)
        return undefined;
      return icmpError(packet, { kind: 'icmp', ...PROTOCOL_UNREACHABLE[family] }, packet.dst);
    }
  }
};
