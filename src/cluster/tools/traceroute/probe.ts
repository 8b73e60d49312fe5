/** One probe of traceroute, and what the answer to it says. */
import { isIcmpErrorPacket } from '../../../netfilter/conntrack/icmp-error.ts';
import { ICMP, ICMPV6 } from '../../../wire/icmp.ts';
import { type IpAddress, sameAddress } from '../../../wire/ip-address.ts';
import { type IcmpMessage, NO_BYTES, type Packet, type Transport } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import type { ProbeKind } from './options.ts';

export interface ProbePlan {
  readonly kind: ProbeKind;
  readonly src: IpAddress;
  readonly dst: IpAddress;
  /** Source port of TCP and UDP probes, identifier of ICMP ones. */
  readonly id: number;
  readonly port: number;
  readonly tos: number;
  readonly dontFragment: boolean;
  /** Bytes behind the transport header. */
  readonly size: number;
}

/** Payloads are filled with this (traceroute's own). */
const FILL = 0x40;

function transportOf({ kind, src, id, port, size }: ProbePlan, index: number): Transport {
  const data = new Uint8Array(size).map((_, at) => (FILL + (at & 0x3f)) & 0xff);
  switch (kind) {
    case 'udp':
      return { kind: 'udp', sport: id, dport: (port + index) & 0xffff, data };
    case 'icmp': {
      const type = typeof src === 'number' ? ICMP.echoRequest : ICMPV6.echoRequest;
      return { kind: 'icmp', type, code: 0, id, sequence: index + 1, data };
    }
    case 'tcp':
      return {
        kind: 'tcp',
        sport: (id + index) & 0xffff,
        dport: port,
        seq: 0x1000 + index,
        ack: 0,
        flags: TCP_FLAG.SYN,
        window: 5840,
        options: NO_BYTES,
        data: NO_BYTES,
      };
  }
}

/** Probe number `index` (from 0) with this ttl. */
export function probePacket(plan: ProbePlan, index: number, ttl: number): Packet {
  const { src, dst, tos, dontFragment } = plan;
  const id = typeof src === 'number' ? (index + 1) & 0xffff : 0;
  return { src, dst, ttl, tos, id, dontFragment, transport: transportOf(plan, index) };
}

export interface ProbeAnswer {
  /** The probe that it answers. */
  readonly index: number;
  readonly from: IpAddress;
  /** `!H` and its like. */
  readonly mark: string;
  /** Nothing lies beyond the one who answered. */
  readonly final: boolean;
}

/** Which probe a packet of ours was; undefined for packets of others. */
function indexOf(plan: ProbePlan, { transport, dst }: Packet): number | undefined {
  if (!sameAddress(dst, plan.dst)) return undefined;
  switch (transport.kind) {
    case 'udp':
      return plan.kind === 'udp' && transport.sport === plan.id
        ? (transport.dport - plan.port) & 0xffff
        : undefined;
    case 'icmp':
      return plan.kind === 'icmp' && transport.id === plan.id ? transport.sequence - 1 : undefined;
    case 'tcp':
      return plan.kind === 'tcp' && transport.dport === plan.port
        ? (transport.sport - plan.id) & 0xffff
        : undefined;
    default:
      return undefined;
  }
}

const MARKS_V4: Readonly<Record<number, string>> = { 0: '!N', 1: '!H', 2: '!P', 5: '!S', 13: '!X' };
const MARKS_V6: Readonly<Record<number, string>> = { 0: '!N', 1: '!X', 2: '!S', 3: '!H' };

/** What an ICMP error of this kind adds to the line; undefined when it is only a hop on the way. */
function markOf({ type, code, id, sequence }: IcmpMessage, v4: boolean): string | undefined {
  if (v4 && type === ICMP.destinationUnreachable) {
    if (code === 3) return '';
    if (code === 4) return `!F-${sequence}`;
    return MARKS_V4[code] ?? `!<${code}>`;
  }
  if (!v4 && type === ICMPV6.packetTooBig) return `!F-${id * 0x10000 + sequence}`;
  if (!v4 && type === ICMPV6.destinationUnreachable)
    return code === 4 ? '' : (MARKS_V6[code] ?? `!<${code}>`);
  return undefined;
}

/** What `packet`, which has come in, says about a probe of `plan`; undefined when it is about none. */
export function answerIn(plan: ProbePlan, packet: Packet): ProbeAnswer | undefined {
  const { src: from, transport } = packet;
  const v4 = typeof from === 'number';
  if (transport.kind === 'icmp' && isIcmpErrorPacket(packet)) {
    const index = transport.quoted && indexOf(plan, transport.quoted);
    if (index === undefined) return undefined;
    const mark = markOf(transport, v4);
    return { index, from, mark: mark ?? '', final: mark !== undefined };
  }
  if (!sameAddress(from, plan.dst)) return undefined;
  const reached = (index: number) => ({ index, from, mark: '', final: true });
  if (plan.kind === 'icmp' && transport.kind === 'icmp' && transport.id === plan.id) {
    return transport.type === (v4 ? ICMP.echoReply : ICMPV6.echoReply)
      ? reached(transport.sequence - 1)
      : undefined;
  }
  if (plan.kind === 'tcp' && transport.kind === 'tcp' && transport.sport === plan.port) {
    return reached((transport.dport - plan.id) & 0xffff);
  }
  return plan.kind === 'udp' && transport.kind === 'udp' && transport.dport === plan.id
    ? reached((transport.sport - plan.port) & 0xffff)
    : undefined;
}
