/** The checksum of UDP-Lite, whose header travels as raw bytes, after addresses or ports have changed. */
import { read16, write16 } from '../../wire/byte-order.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import { PROTOCOL } from '../../wire/protocol.ts';

const HEADER = 8;
const CHECKSUM_OFFSET = 6;

function sumOfWords(address: IpAddress): number {
  const words = typeof address === 'number' ? [address] : [address.w0, address.w1, address.w2, address.w3];
  return words.reduce((sum, word) => sum + (word >>> 16) + (word & 0xffff), 0);
}

/** Adds up what the checksum covers of the parts that NAT changes (RFC 3828 §3.1). */
function covered(packet: Packet, header: Uint8Array): number {
  return sumOfWords(packet.src) + sumOfWords(packet.dst) + read16(header, 0) + read16(header, 2);
}

/** `after` with its checksum adjusted to what changed since `before` (RFC 1624); other protocols as they are. */
export function repairUdplite(before: Packet, after: Packet): Packet {
  const { transport } = after;
  if (transport.kind !== 'opaque' || transport.protocol !== PROTOCOL.udplite) return after;
  if (before.transport.kind !== 'opaque' || transport.data.length < HEADER) return after;
  const change = covered(after, transport.data) - covered(before, before.transport.data);
  const old = ~read16(transport.data, CHECKSUM_OFFSET) & 0xffff;
  const sum = (((old + change) % 0xffff) + 0xffff) % 0xffff;
  const data = transport.data.slice();
  // Zero would mean that there is no checksum, and there must be one.
  write16(data, CHECKSUM_OFFSET, ~sum & 0xffff || 0xffff);
  return { ...after, transport: { ...transport, data } };
}
