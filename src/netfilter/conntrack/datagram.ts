/** The trackers of protocols without a state machine: UDP, ICMP queries, and everything unknown. */
import type { IcmpMessage } from '../../wire/packet.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import type { ConntrackEntry } from './entry.ts';
import type { TrackContext, TrackVerdict } from './track-verdict.ts';

/** A flow younger than this is not called a stream, however many answers it has seen (UDP). */
const STREAM_AGE = 2;

/** nf_conntrack_udp_packet. */
export function trackUdp(entry: ConntrackEntry, { now, sysctls }: TrackContext): TrackVerdict {
  if (!entry.confirmed) entry.streamAfter = now + STREAM_AGE;
  const stream = entry.seenReply && now > entry.streamAfter;
  entry.expires = now + (stream ? sysctls.udpStream : sysctls.udp);
  if (stream) entry.assured = true;
  return 'accept';
}

/** ICMP types that may open a flow (nf_conntrack_icmp_packet valid_new). */
const ICMP_QUERIES: ReadonlySet<number> = new Set([8, 13, 15, 17]);
/** Echo request and node information query (nf_conntrack_icmpv6_packet). */
const ICMPV6_QUERIES: ReadonlySet<number> = new Set([128, 139]);

/** nf_conntrack_icmp_packet and nf_conntrack_icmpv6_packet: queries and their answers. */
export function trackIcmp(entry: ConntrackEntry, message: IcmpMessage, context: TrackContext): TrackVerdict {
  const v4 = entry.original.protocol === PROTOCOL.icmp;
  if (!entry.confirmed && !(v4 ? ICMP_QUERIES : ICMPV6_QUERIES).has(message.type)) return 'invalid';
  entry.expires = context.now + (v4 ? context.sysctls.icmp : context.sysctls.icmpv6);
  return 'accept';
}

/** nf_conntrack_gre_packet and nf_conntrack_generic: nothing but a timeout. */
export function trackGeneric(entry: ConntrackEntry, { now, sysctls }: TrackContext): TrackVerdict {
  if (entry.original.protocol === PROTOCOL.gre) {
    entry.expires = now + (entry.seenReply ? sysctls.greStream : sysctls.gre);
    if (entry.seenReply) entry.assured = true;
  } else {
    entry.expires = now + sysctls.generic;
  }
  return 'accept';
}
