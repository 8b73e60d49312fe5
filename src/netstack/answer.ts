/**
 * What a host without a listening socket says to a packet that was delivered to it: echo replies, resets,
 * port and protocol unreachable (icmp.c, tcp_ipv4.c, udp.c, ip_input.c and their IPv6 twins).
 */
import { write32 } from '../wire/byte-order.ts';
import { transportChecksum } from '../wire/checksum.ts';
import { ICMP, ICMPV6 } from '../wire/icmp.ts';
import { familyOf } from '../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../wire/packet.ts';
import { PROTOCOL } from '../wire/protocol.ts';
import type { Audience } from './input-route.ts';
import { icmpError, tcpReset } from './refuse.ts';

/** How a packet reached the host, as far as answers depend on it. */
export interface Delivery {
  /** Who was meant. */
  readonly audience: Audience;
  /** The frame was addressed to this host. */
  readonly toHost: boolean;
  /** Virtual time, seconds. */
  readonly now: number;
  /** The device the packet came in on (lo: made here). */
  readonly device?: string;
  readonly mark?: number;
}

/**
 * Decides what the host's sockets and the kernel behind them say to `packet`; undefined: nothing. A source
 * left unspecified is the host's to fill in.
 */
export type Answerer = (packet: Packet, delivery?: Delivery) => Packet | undefined;

const PLAIN: Delivery = { audience: 'unicast', toHost: true, now: 0 };

const PORT_UNREACHABLE = { ipv4: { type: 3, code: 3 }, ipv6: { type: 1, code: 4 } } as const;
/** IPv6 says "unrecognized next header" with a parameter problem (RFC 4443 §3.4). */
const PROTOCOL_UNREACHABLE = { ipv4: { type: 3, code: 2 }, ipv6: { type: 4, code: 1 } } as const;
/** Where the next-header field is: what such a parameter problem points at. */
const NEXT_HEADER_OFFSET = 6;

const PIM = 103;
/** Protocols that the kernel takes without a word: group management, and IPv6's "no next header" (59). */
const TAKEN = { ipv4: [PROTOCOL.igmp, PIM], ipv6: [59, PIM] } as const;
/** Protocols whose packets are discarded when their header is cut off. */
const NEEDS_HEADER: ReadonlySet<number> = new Set([PROTOCOL.tcp, PROTOCOL.udp]);

const UNSPECIFIED = { ipv4: 0, ipv6: { w0: 0, w1: 0, w2: 0, w3: 0 } } as const;

/** The two lowest bits of the TOS octet belong to congestion notification (RFC 3168 §5). */
const ECN = 3;

const DAY = 86_400;

/** The request's own time stamp, and twice the time at which it was received (RFC 792; icmp_timestamp). */
function timestampData({ data }: IcmpMessage, now: number): Uint8Array | undefined {
  if (data.length < 4) return undefined;
  const reply = new Uint8Array(12);
  reply.set(data.subarray(0, 4));
  const milliseconds = Math.floor((now % DAY) * 1000);
  write32(reply, 4, milliseconds);
  write32(reply, 8, milliseconds);
  return reply;
}

function replyTo(packet: Packet, message: IcmpMessage): Packet {
  const { src, dst, tos } = packet;
  return { src: dst, dst: src, ttl: 64, tos, id: 0, dontFragment: false, transport: message };
}

function answerIcmp(packet: Packet, message: IcmpMessage, { audience, now }: Delivery): Packet | undefined {
  // icmp_echo_ignore_broadcasts.
  if (audience !== 'unicast') return undefined;
  switch (message.type) {
    case ICMP.echoRequest:
      return replyTo(packet, { ...message, type: ICMP.echoReply });
    case ICMP.timestampRequest: {
      const data = timestampData(message, now);
      return data && replyTo(packet, { ...message, type: ICMP.timestampReply, code: 0, data });
    }
    default:
      return undefined;
  }
}

function answerIcmpv6(packet: Packet, message: IcmpMessage, { audience }: Delivery): Packet | undefined {
  if (message.type !== ICMPV6.echoRequest) return undefined;
  const reply = replyTo(packet, { ...message, type: ICMPV6.echoReply });
  // Echo requests to a group are answered too, from an address of the host's own.
  return audience === 'unicast' ? reply : { ...reply, src: UNSPECIFIED.ipv6 };
}

/** True when a UDP-Lite header is whole and its checksum right (RFC 3828 §3.1). */
function isIntactUdplite({ src, dst }: Packet, data: Uint8Array): boolean {
  if (data.length < 8) return false;
  const coverage = ((data[4] ?? 0) << 8) | (data[5] ?? 0) || data.length;
  if (coverage < 8 || coverage > data.length || ((data[6] ?? 0) | (data[7] ?? 0)) === 0) return false;
  const pseudoHeader = { src, dst, protocol: PROTOCOL.udplite, length: data.length };
  return transportChecksum(pseudoHeader, data.subarray(0, coverage)) === 0;
}

function unreachable(packet: Packet, what: 'port' | 'protocol', { audience, toHost }: Delivery) {
  if (!toHost || audience === 'broadcast' || audience === 'multicast') return undefined;
  const family = familyOf(packet.src);
  const codes = what === 'port' ? PORT_UNREACHABLE : PROTOCOL_UNREACHABLE;
  const parameter = what === 'protocol' && family === 'ipv6' ? NEXT_HEADER_OFFSET : 0;
  return icmpError(packet, { refusal: { kind: 'icmp', ...codes[family] }, source: packet.dst, parameter });
}

/** The answers of a host on which nothing listens. */
export const closedHost: Answerer = (packet, delivery = PLAIN) => {
  const { transport } = packet;
  // Nobody here knows SCTP well enough to check its sum.
  if (packet.corrupt !== undefined && transport.kind !== 'sctp') return undefined;
  switch (transport.kind) {
    case 'icmp':
      return typeof packet.src === 'number'
        ? answerIcmp(packet, transport, delivery)
        : answerIcmpv6(packet, transport, delivery);
    case 'tcp':
      return delivery.toHost && delivery.audience === 'unicast'
        ? tcpReset(packet, packet.tos & ~ECN)
        : undefined;
    case 'udp':
      return unreachable(packet, 'port', delivery);
    case 'sctp':
      return unreachable(packet, 'protocol', delivery);
    case 'opaque': {
      const { protocol, data } = transport;
      const icmp = typeof packet.src === 'number' ? PROTOCOL.icmp : PROTOCOL.icmpv6;
      const taken: readonly number[] = TAKEN[familyOf(packet.src)];
      if (taken.includes(protocol) || NEEDS_HEADER.has(protocol) || protocol === icmp) return undefined;
      if (protocol !== PROTOCOL.udplite) return unreachable(packet, 'protocol', delivery);
      return isIntactUdplite(packet, data) ? unreachable(packet, 'port', delivery) : undefined;
    }
  }
};
