/**
 * The packets with which a host refuses others: TCP resets and ICMP errors (nf_reject_ipv4.c,
 * nf_reject_ipv6.c, icmp.c __icmp_send). Pure: packet in, answer or nothing out.
 */

import { isIcmpErrorPacket } from '../netfilter/conntrack/icmp-error.ts';
import { segmentEnd } from '../netfilter/conntrack/sequence.ts';
import type { RejectType } from '../netfilter/target.ts';
import { familyOf, type IpAddress } from '../wire/ip-address.ts';
import { NO_BYTES, type Packet } from '../wire/packet.ts';
import { TCP_FLAG } from '../wire/protocol.ts';
import type { Refusal } from './fate.ts';

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
/** Highest ICMP type Linux knows: errors about others are not sent. */
const MAX_ICMP_TYPE = 18;

/** The reset that answers `packet`; undefined for what is not TCP, not intact, or a reset itself. */
export function tcpReset(packet: Packet): Packet | undefined {
  const { transport } = packet;
  if (transport.kind !== 'tcp' || packet.corrupt !== undefined) return undefined;
  if (packet.fragment !== undefined && packet.fragment.offset > 0) return undefined;
  if (transport.flags & TCP_FLAG.RST) return undefined;
  const answersAck = (transport.flags & TCP_FLAG.ACK) !== 0;
  return {
    src: packet.dst,
    dst: packet.src,
    ttl: DEFAULT_TTL,
    tos: 0,
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

/** True for packets about which no ICMP error may be sent (RFC 1122 §3.2.2, RFC 4443 §2.4 e). */
function forbidsErrors(packet: Packet): boolean {
  if (packet.fragment !== undefined && packet.fragment.offset > 0) return true;
  if (isIcmpErrorPacket(packet)) return true;
  const { transport } = packet;
  return transport.kind === 'icmp' && typeof packet.src === 'number' && transport.type > MAX_ICMP_TYPE;
}

/**
 * The ICMP error about `packet`, sent from `source`; undefined when none may be sent.
 * `rest` is the second header word's lower half (an MTU).
 */
export function icmpError(
  packet: Packet,
  refusal: Extract<Refusal, { kind: 'icmp' }>,
  source: IpAddress,
): Packet | undefined {
  if (forbidsErrors(packet)) return undefined;
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
      id: 0,
      sequence: 0,
      data: NO_BYTES,
      quoted: packet,
    },
  };
}
