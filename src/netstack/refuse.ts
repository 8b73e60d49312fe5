/**
 * The packets with which a host refuses others: TCP resets and ICMP errors (nf_reject_ipv4.c,
 * nf_reject_ipv6.c, icmp.c __icmp_send). Pure: packet in, answer or nothing out.
 */

import { segmentEnd } from '../netfilter/conntrack/sequence.ts';
import { lacksTransportHeader } from '../netfilter/ports.ts';
import type { RejectType } from '../netfilter/target.ts';
import { internetChecksum, transportChecksum } from '../wire/checksum.ts';
import { emitPacket, ipLength, parseQuotedPacket } from '../wire/headers.ts';
import { familyOf, type IpAddress } from '../wire/ip-address.ts';
import { NO_BYTES, type Packet, protocolOf } from '../wire/packet.ts';
import { PROTOCOL, TCP_FLAG } from '../wire/protocol.ts';
import type { Refusal } from './fate.ts';
import { isMulticast, isUnspecified } from './route-table.ts';

/** ICMP (ICMPv6) type and code of each `--reject-with`. */
const REJECT_CODES: Readonly<
  Record<Exclude<RejectType, 'tcp-reset'>, readonly [type: number, code: number]>
> = {
  'icmp-net-unreachable': [3, 0],
  'icmp-host-unreachable': [3, 1],
  'icmp-proto-unreachable': [3, 2],
  'icmp-port-unreachable': [3, 3],
  'icmp-net-prohibited': [3, 9],
  'icmp-host-prohibited': [3, 10],
  'icmp-admin-prohibited': [3, 13],
  'icmp6-no-route': [1, 0],
  'icmp6-adm-prohibited': [1, 1],
  'icmp6-addr-unreachable': [1, 3],
  'icmp6-port-unreachable': [1, 4],
  'icmp6-policy-fail': [1, 5],
  'icmp6-reject-route': [1, 6],
};

/** What `-j REJECT --reject-with` of this type answers. */
export function refusalOf(rejectWith: RejectType): Refusal {
  if (rejectWith === 'tcp-reset') return { kind: 'tcp-reset' };
  const [type, code] = REJECT_CODES[rejectWith];
  return { kind: 'icmp', type, code };
}

const DEFAULT_TTL = 64;
/** IPTOS_PREC_INTERNETCONTROL, and the TOS bits an error keeps of the packet it is about. */
const ERROR_PRECEDENCE = 0xc0;
const TOS_BITS = 0x1e;

/** ICMP types that count as errors, the unassigned ones among them (icmp.c icmp_pointers). */
const ERROR_LIKE: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]);
/** Highest ICMP type Linux knows: errors about others are not sent. */
const MAX_ICMP_TYPE = 18;
/** ICMPv6 types below this are errors (RFC 4443 §2.1). */
const FIRST_INFORMATIONAL = 128;

/** What of the packet an error quotes at most: what fits into 576 bytes, or IPv6's smallest MTU. */
const MAX_QUOTE = { ipv4: 576 - 28, ipv6: 1280 - 48 } as const;

/** The reset that answers `packet`; undefined for what is not TCP, not intact, or a reset itself. */
export function tcpReset(packet: Packet, tos = 0): Packet | undefined {
  const { transport } = packet;
  if (transport.kind !== 'tcp' || packet.corrupt !== undefined) return undefined;
  if (lacksTransportHeader(packet)) return undefined;
  if (transport.flags & TCP_FLAG.RST) return undefined;
  const answersAck = (transport.flags & TCP_FLAG.ACK) !== 0;
  return {
    src: packet.dst,
    dst: packet.src,
    ttl: DEFAULT_TTL,
    tos,
    id: 0,
    dontFragment: familyOf(packet.src) === 'ipv4',
    transport: {
      kind: 'tcp',
      sport: transport.dport,
      dport: transport.sport,
      seq: answersAck ? transport.ack : 0,
      ack: answersAck ? 0 : segmentEnd(transport),
      flags: answersAck ? TCP_FLAG.RST : TCP_FLAG.RST | TCP_FLAG.ACK,
      window: 0,
      options: NO_BYTES,
      data: NO_BYTES,
    },
  };
}

/** The packet's ICMP (ICMPv6) type; undefined when it is none or ends before it. */
function icmpTypeOf({ transport, src }: Packet): number | undefined {
  if (transport.kind === 'icmp') return transport.type;
  const protocol = typeof src === 'number' ? PROTOCOL.icmp : PROTOCOL.icmpv6;
  return transport.kind === 'opaque' && transport.protocol === protocol ? transport.data[0] : undefined;
}

/** True for packets about which no ICMP error may be sent (RFC 1122 §3.2.2, RFC 4443 §2.4 e). */
function forbidsErrors(packet: Packet): boolean {
  const v4 = typeof packet.src === 'number';
  if (lacksTransportHeader(packet)) return v4;
  if (protocolOf(packet) !== (v4 ? PROTOCOL.icmp : PROTOCOL.icmpv6)) return false;
  const type = icmpTypeOf(packet);
  if (type === undefined) return true;
  return v4 ? type > MAX_ICMP_TYPE || ERROR_LIKE.has(type) : type < FIRST_INFORMATIONAL;
}

/** True for IPv6 sources that are nobody in particular: they get no errors (RFC 4443 §2.4 e.6). */
function isNobody(src: IpAddress): boolean {
  return typeof src !== 'number' && (isUnspecified(src) || isMulticast(src));
}

/** `packet` as an error quotes it, cut off where the error would grow too long. */
function quote(packet: Packet): Packet {
  const limit = MAX_QUOTE[familyOf(packet.src)];
  if (ipLength(packet) <= limit) return packet;
  return parseQuotedPacket(emitPacket(packet).subarray(0, limit)) ?? packet;
}

/** IP and ICMP headers in front of what an error quotes. */
const IPV4_ERROR_HEADERS = 28;

/** An IPv4 error that quotes no more than fits into `mtu` bytes: it is never sent in pieces (__icmp_send). */
export function fittedError(error: Packet, mtu: number | undefined): Packet {
  const { transport } = error;
  if (mtu === undefined || typeof error.src !== 'number' || ipLength(error) <= mtu) return error;
  if (transport.kind !== 'icmp' || transport.quoted === undefined) return error;
  const quoted = parseQuotedPacket(emitPacket(transport.quoted).subarray(0, mtu - IPV4_ERROR_HEADERS));
  return quoted === undefined ? error : { ...error, transport: { ...transport, quoted } };
}

export interface ErrorContents {
  readonly refusal: Extract<Refusal, { kind: 'icmp' }>;
  /** Whom the error comes from. */
  readonly source: IpAddress;
  /** The word after type, code and checksum: an MTU, a pointer. */
  readonly parameter?: number;
}

/** The ICMP error about `packet`; undefined when none may be sent. */
export function icmpError(
  packet: Packet,
  { refusal, source, parameter = 0 }: ErrorContents,
): Packet | undefined {
  if (forbidsErrors(packet) || isNobody(packet.src)) return undefined;
  const v4 = typeof packet.src === 'number';
  return {
    src: source,
    dst: packet.src,
    ttl: DEFAULT_TTL,
    tos: v4 ? ERROR_PRECEDENCE | (packet.tos & TOS_BITS) : 0,
    id: 0,
    dontFragment: false,
    transport: {
      kind: 'icmp',
      type: refusal.type,
      code: refusal.code,
      id: parameter >>> 16,
      sequence: parameter & 0xffff,
      data: NO_BYTES,
      quoted: quote(packet),
    },
  };
}

/** True for an address of exactly one node: what a reset needs on both ends (nf_send_reset6). */
function isOneNode(address: IpAddress): boolean {
  if (typeof address === 'number') return true;
  const mapped = address.w0 === 0 && address.w1 === 0 && address.w2 === 0xffff;
  return !mapped && !isUnspecified(address) && !isMulticast(address);
}

/** The reset with which REJECT answers `packet`; undefined when it says nothing. */
export function rejectReset(packet: Packet): Packet | undefined {
  return isOneNode(packet.src) && isOneNode(packet.dst) ? tcpReset(packet) : undefined;
}

/** Protocols whose payload is not covered by one 16-bit sum (nf_reject.h nf_reject_verify_csum). */
const UNCHECKED: ReadonlySet<number> = new Set([
  PROTOCOL.gre,
  PROTOCOL.esp,
  PROTOCOL.ah,
  PROTOCOL.sctp,
  PROTOCOL.udplite,
]);

/**
 * True when REJECT answers the packet as far as its bytes go: it takes every protocol for one whose payload
 * is covered by an Internet checksum, over a pseudo-header in IPv6, and stays silent when that is wrong.
 */
export function isIntactForReject(packet: Packet): boolean {
  if (lacksTransportHeader(packet)) return false;
  const { transport, src, dst } = packet;
  if (transport.kind === 'sctp') return true;
  if (packet.corrupt !== undefined) return false;
  if (transport.kind !== 'opaque') return true;
  const { protocol, data } = transport;
  const v4 = typeof src === 'number';
  if (!v4 && data.length === 0) return false;
  if (UNCHECKED.has(protocol)) return true;
  if (v4 && protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) return sumsToZero(internetChecksum(data));
  return sumsToZero(transportChecksum({ src, dst, protocol, length: data.length }, data));
}

/** Behind an IP header, whose own sum is -0, a payload without any bits set counts as right too. */
function sumsToZero(checksum: number): boolean {
  return checksum === 0 || checksum === 0xffff;
}
