/**
 * Rewriting packets: one end of the headers, and for ICMP errors the packet quoted inside
 * (nf_nat_proto.c nf_nat_manip_pkt, nf_nat_icmp_reply_translation).
 */
import { write16 } from '../../wire/byte-order.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { OpaquePayload, Packet, Transport } from '../../wire/packet.ts';
import type { Manip } from '../hooks.ts';
import { hasPorts, type Tuple } from '../tuple.ts';
import { repairUdplite } from './udplite.ts';

/** ICMP and ICMPv6 types whose identifier is part of the tuple. */
const HAS_ID: ReadonlySet<number> = new Set([0, 8, 13, 14, 15, 16, 17, 18, 128, 129]);

/** A header that was not parsed (UDP-Lite, cut-off quotations) with one of its ports changed. */
function rewriteOpaque(transport: OpaquePayload, port: number, manip: Manip): OpaquePayload {
  if (!hasPorts(transport.protocol) || transport.data.length < 4) return transport;
  const data = transport.data.slice();
  write16(data, manip === 'source' ? 0 : 2, port);
  return { ...transport, data };
}

function rewriteTransport(transport: Transport, port: number, manip: Manip): Transport {
  switch (transport.kind) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return manip === 'source' ? { ...transport, sport: port } : { ...transport, dport: port };
    case 'icmp':
      return HAS_ID.has(transport.type) ? { ...transport, id: port } : transport;
    case 'opaque':
      return rewriteOpaque(transport, port, manip);
  }
}

/** `packet` with its source or destination, address and port, made that of `target`. */
export function rewrite(packet: Packet, target: Tuple, manip: Manip): Packet {
  const address: IpAddress = manip === 'source' ? target.src : target.dst;
  const isIcmpMessage = packet.transport.kind === 'icmp';
  const port = manip === 'source' || isIcmpMessage ? target.sport : target.dport;
  const transport = rewriteTransport(packet.transport, port, manip);
  const rewritten =
    manip === 'source' ? { ...packet, src: address, transport } : { ...packet, dst: address, transport };
  return repairUdplite(packet, rewritten);
}

/**
 * An ICMP error with its outer `manip` end made that of `outer`, and the opposite end of the quoted packet,
 * which travelled the other way, made that of `inner`.
 */
export function rewriteError(packet: Packet, targets: { outer: Tuple; inner: Tuple }, manip: Manip): Packet {
  const { transport } = packet;
  if (transport.kind !== 'icmp' || transport.quoted === undefined) return packet;
  const innerManip: Manip = manip === 'source' ? 'destination' : 'source';
  const quoted = rewrite(transport.quoted, targets.inner, innerManip);
  const address = manip === 'source' ? { src: targets.outer.src } : { dst: targets.outer.dst };
  return { ...packet, ...address, transport: { ...transport, quoted } };
}

/** Headers as far as a translation reads and writes them. */
const HEADER_BYTES = { tcp: 20, udp: 8, sctp: 12, icmp: 8, opaque: 0 } as const;

/** How many bytes of the payload must be in one place for a translation: matters to how fragments leave. */
export function writtenBytes({ transport, src }: Packet): number {
  const own = HEADER_BYTES[transport.kind];
  if (transport.kind !== 'icmp' || transport.quoted === undefined) return own;
  const quotedHeader = typeof src === 'number' ? 20 : 40;
  return own + quotedHeader + HEADER_BYTES[transport.quoted.transport.kind];
}
