/** The tracker of UDP-Lite (RFC 3828; nf_conntrack_udplite_packet), whose packets travel as raw bytes. */
import { read16 } from '../../wire/byte-order.ts';
import { transportChecksum } from '../../wire/checksum.ts';
import type { Packet } from '../../wire/packet.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { hasPorts } from '../tuple.ts';
import type { ConntrackEntry } from './entry.ts';
import type { TrackContext, TrackVerdict } from './track-verdict.ts';

const HEADER = 8;
const COVERAGE_OFFSET = 4;
const CHECKSUM_OFFSET = 6;

/**
 * True when the checksum is right as conntrack computes it: over a pseudo-header that names UDP's protocol
 * number instead of UDP-Lite's own (udplite_error passes IPPROTO_UDP), so that a correct one counts as wrong.
 */
function checksumMatches({ src, dst }: Packet, bytes: Uint8Array, coverage: number): boolean {
  const pseudoHeader = { src, dst, protocol: PROTOCOL.udp, length: bytes.length };
  return transportChecksum(pseudoHeader, bytes.subarray(0, coverage)) === 0;
}

/** The header is whole, its coverage lies within the packet, and there is a checksum. */
function isWellFormed(packet: Packet, bytes: Uint8Array, judgesChecksums: boolean): boolean {
  if (bytes.length < HEADER) return false;
  const coverage = read16(bytes, COVERAGE_OFFSET) || bytes.length;
  if (coverage < HEADER || coverage > bytes.length || read16(bytes, CHECKSUM_OFFSET) === 0) return false;
  return !judgesChecksums || checksumMatches(packet, bytes, coverage);
}

/**
 * Tracks a packet whose protocol begins with ports but was not parsed: UDP-Lite, or a header that is cut
 * off, which is INVALID. Undefined for the protocols without ports.
 */
export function trackUdplite(
  entry: ConntrackEntry,
  packet: Packet,
  { now, sysctls, judgesChecksums }: TrackContext,
): TrackVerdict | undefined {
  const { transport } = packet;
  if (transport.kind !== 'opaque' || !hasPorts(transport.protocol)) return undefined;
  if (transport.protocol !== PROTOCOL.udplite) return 'invalid';
  if (!isWellFormed(packet, transport.data, judgesChecksums)) return 'invalid';
  entry.expires = now + (entry.seenReply ? sysctls.udpStream : sysctls.udp);
  if (entry.seenReply) entry.assured = true;
  return 'accept';
}
