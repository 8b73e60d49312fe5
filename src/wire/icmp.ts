/** ICMP (RFC 792) and ICMPv6 (RFC 4443) messages on the wire. */
import { read16, write16, write32 } from './byte-order.ts';
import type { IpFamily } from './ip-address.ts';
import type { IcmpMessage, Packet } from './packet.ts';

export const ICMP_HEADER = 8;
export const ICMP_CHECKSUM_OFFSET = 2;

/** ICMP message types (IANA). */
export const ICMP = {
  echoReply: 0,
  destinationUnreachable: 3,
  sourceQuench: 4,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
  timestampRequest: 13,
  timestampReply: 14,
} as const;

/** ICMPv6 message types (IANA). */
export const ICMPV6 = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  routerSolicitation: 133,
  neighbourSolicitation: 135,
  neighbourAdvertisement: 136,
} as const;

/** The types that are about another packet and quote it (RFC 792; RFC 4443: every type below 128). */
const QUOTING_TYPES: Readonly<Record<IpFamily, ReadonlySet<number>>> = {
  ipv4: new Set([
    ICMP.destinationUnreachable,
    ICMP.sourceQuench,
    ICMP.redirect,
    ICMP.timeExceeded,
    ICMP.parameterProblem,
  ]),
  ipv6: new Set([
    ICMPV6.destinationUnreachable,
    ICMPV6.packetTooBig,
    ICMPV6.timeExceeded,
    ICMPV6.parameterProblem,
  ]),
};

/** True for the ICMP types of `family` that quote the packet they are about. */
export function isIcmpError(family: IpFamily, type: number): boolean {
  return QUOTING_TYPES[family].has(type);
}

/**
 * The message in `bytes`, or undefined when there is no whole header. `parseQuoted` reads the packet an
 * error quotes; when it cannot (undefined), the quoted bytes stay `data`.
 */
export function parseIcmp(
  bytes: Uint8Array,
  family: IpFamily,
  parseQuoted: (bytes: Uint8Array) => { readonly packet: Packet; readonly length: number } | undefined,
): IcmpMessage | undefined {
  if (bytes.length < ICMP_HEADER) return undefined;
  const type = bytes[0] ?? 0;
  const body = bytes.slice(ICMP_HEADER);
  const quoted = isIcmpError(family, type) ? parseQuoted(body) : undefined;
  const message = {
    kind: 'icmp' as const,
    type,
    code: bytes[1] ?? 0,
    id: read16(bytes, 4),
    sequence: read16(bytes, 6),
  };
  return quoted === undefined
    ? { ...message, data: body }
    : { ...message, data: body.slice(quoted.length), quoted: quoted.packet };
}

/** Writes `message` to the start of `out`, with a checksum field of zero; `quoted` is its quoted packet's bytes. */
export function emitIcmp(message: IcmpMessage, quoted: Uint8Array, out: Uint8Array): void {
  out[0] = message.type;
  out[1] = message.code;
  write16(out, ICMP_CHECKSUM_OFFSET, 0);
  write32(out, 4, ((message.id << 16) | message.sequence) >>> 0);
  out.set(quoted, ICMP_HEADER);
  out.set(message.data, ICMP_HEADER + quoted.length);
}
