/**
 * Conntrack tuples: one direction of a flow. For ICMP queries `sport` is the identifier and `dport` is
 * type and code, as nf_conntrack_tuple overlays them; protocols without ports have zeros there.
 */
import { read16 } from '../wire/byte-order.ts';
import { hashAddress, type IpAddress, sameAddress } from '../wire/ip-address.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { PROTOCOL } from '../wire/protocol.ts';
import { lacksTransportHeader, portsOf } from './ports.ts';

export interface Tuple {
  readonly protocol: number;
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly sport: number;
  readonly dport: number;
}

export type Direction = 'original' | 'reply';

export function opposite(direction: Direction): Direction {
  return direction === 'original' ? 'reply' : 'original';
}

/** Query type → reply type and back; other types have no counterpart (nf_conntrack_proto_icmp.c invmap). */
const ICMP_COUNTERPART: ReadonlyMap<number, number> = new Map([
  [8, 0],
  [0, 8],
  [13, 14],
  [14, 13],
  [15, 16],
  [16, 15],
  [17, 18],
  [18, 17],
]);

const ICMPV6_COUNTERPART: ReadonlyMap<number, number> = new Map([
  [128, 129],
  [129, 128],
  [139, 140],
  [140, 139],
]);

/** True when conntrack's `sport` and `dport` are ports that NAT can rewrite. */
export function hasPorts(protocol: number): boolean {
  return (
    protocol === PROTOCOL.tcp ||
    protocol === PROTOCOL.udp ||
    protocol === PROTOCOL.sctp ||
    protocol === PROTOCOL.udplite
  );
}

export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6;
}

/** The key of an enhanced GRE header (RFC 2637 §4.1); undefined when it is not one that PPTP sends. */
function greKey(header: Uint8Array): number | undefined {
  const version = (header[1] ?? 0) & 7;
  if (version !== 1 || header.length < 8) return 0;
  return read16(header, 2) === PPP_OVER_GRE ? read16(header, 6) : undefined;
}

const PPP_OVER_GRE = 0x880b;

/**
 * The tuple of `packet`'s own headers (nf_ct_get_tuple); undefined when the transport header is too short to
 * have one, and for second and further fragments. Four bytes of a header with ports are enough.
 */
export function tupleOf(packet: Packet): Tuple | undefined {
  const { transport, src, dst } = packet;
  if (lacksTransportHeader(packet)) return undefined;
  const protocol = protocolOf(packet);
  if (hasPorts(protocol)) {
    const ports = portsOf(transport);
    return ports && { protocol, src, dst, sport: ports.sport, dport: ports.dport };
  }
  if (transport.kind === 'icmp') {
    return { protocol, src, dst, sport: transport.id, dport: (transport.type << 8) | transport.code };
  }
  if (isIcmp(protocol)) return undefined;
  const key = protocol === PROTOCOL.gre && transport.kind === 'opaque' ? greKey(transport.data) : 0;
  return key === undefined ? undefined : { protocol, src, dst, sport: 0, dport: key };
}

/**
 * The tuple of the opposite direction; undefined for ICMP types without a counterpart
 * (nf_ct_invert_tuple).
 */
export function invertTuple(tuple: Tuple): Tuple | undefined {
  const { protocol, src, dst, sport, dport } = tuple;
  if (isIcmp(protocol)) {
    const counterpart = (protocol === PROTOCOL.icmp ? ICMP_COUNTERPART : ICMPV6_COUNTERPART).get(dport >> 8);
    if (counterpart === undefined) return undefined;
    return { protocol, src: dst, dst: src, sport, dport: (counterpart << 8) | (dport & 0xff) };
  }
  return { protocol, src: dst, dst: src, sport: dport, dport: sport };
}

export function sameTuple(a: Tuple, b: Tuple): boolean {
  return (
    a.protocol === b.protocol &&
    a.sport === b.sport &&
    a.dport === b.dport &&
    sameAddress(a.src, b.src) &&
    sameAddress(a.dst, b.dst)
  );
}

/** A signed 32-bit hash that equal tuples share. */
export function hashTuple(tuple: Tuple): number {
  let hash = hashAddress(tuple.src);
  hash = Math.imul(hash ^ (hash >>> 15) ^ hashAddress(tuple.dst), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12) ^ ((tuple.sport << 16) | tuple.dport), 0x297a2d39);
  return hash ^ (hash >>> 15) ^ tuple.protocol;
}
