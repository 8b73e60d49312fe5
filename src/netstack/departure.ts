/**
 * In which pieces a packet leaves (ip_output.c ip_fragment, ip_do_fragment; ip6_output.c ip6_fragment): whole,
 * cut to the device's MTU, or the way it came if it was put together from fragments.
 */
import { emitPacket, ipLength, parsePacket } from '../wire/headers.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { FRAGMENT_HEADER, headerLength, payloadOf } from './payload.ts';
import type { Pieces } from './reassembly.ts';

/** Every IPv6 link takes packets of this length (RFC 8200 §5). */
const MIN_MTU_V6 = 1280;

export interface Departure {
  readonly packet: Packet;
  /** Of the device it leaves by; undefined: no limit. */
  readonly mtu: number | undefined;
  /** How it came, if in fragments. */
  readonly pieces: Pieces | undefined;
  /** Bytes at the payload's start that had to be in one place, because NAT wrote there. */
  readonly written: number;
  /** IPv6: only whoever made the packet may have it cut up. IPv4's packets say so themselves (DF). */
  readonly whole: boolean;
}

/** `packet` cut after each of `lengths` payload bytes. */
function cut(packet: Packet, lengths: readonly number[]): Packet[] {
  const payload = payloadOf(packet);
  const protocol = protocolOf(packet);
  const base = packet.fragment?.offset ?? 0;
  let at = 0;
  return lengths.map((length, index) => {
    const last = index === lengths.length - 1;
    const fragment = { offset: base + at, more: !last || packet.fragment?.more === true };
    const data = payload.slice(at, at + length);
    at += length;
    const piece: Packet = { ...packet, fragment, transport: { kind: 'opaque', protocol, data } };
    // The first piece shows as much of its transport header as it holds.
    return fragment.offset === 0 ? parsePacket(emitPacket(piece)) : piece;
  });
}

/** Equal pieces of at most `limit` bytes each, headers included. */
function equalLengths(packet: Packet, limit: number): number[] {
  const overhead = headerLength(packet) + (typeof packet.src === 'number' ? 0 : FRAGMENT_HEADER);
  const room = Math.max(8, (limit - overhead) & ~7);
  const total = payloadOf(packet).length;
  const lengths: number[] = [];
  for (let left = total; left > 0; left -= room) lengths.push(Math.min(room, left));
  return lengths;
}

/** The original lengths, with enough taken from the front ones to have `written` bytes together. */
function gathered(payloads: readonly number[], written: number): number[] {
  const [first = 0, ...rest] = payloads;
  let missing = Math.max(0, written - first);
  const lengths = [first];
  for (const length of rest) {
    const taken = Math.min(missing, length);
    missing -= taken;
    lengths[0] = (lengths[0] ?? 0) + taken;
    if (length > taken) lengths.push(length - taken);
  }
  return lengths;
}

/** True when pieces of these lengths may follow each other and fit. */
function isProper(lengths: readonly number[], room: number): boolean {
  return lengths.every(
    (length, index) => length <= room && (index === lengths.length - 1 || length % 8 === 0),
  );
}

/** The way the packet came, unless that does not do any more: then pieces no longer than the longest were. */
function asItCame(packet: Packet, pieces: Pieces, { mtu, written }: Departure): Packet[] {
  const v4 = typeof packet.src === 'number';
  const limit = Math.min(mtu ?? Number.POSITIVE_INFINITY, pieces.longest);
  const room = limit - headerLength(packet) - (v4 ? 0 : FRAGMENT_HEADER);
  const lengths = gathered(pieces.payloads, written);
  if (isProper(lengths, room)) return cut(packet, lengths);
  return cut(packet, equalLengths(packet, v4 ? limit : Math.max(limit, MIN_MTU_V6)));
}

/** The pieces in which the packet leaves; `too-big` when it must not be cut but does not fit. */
export function depart(departure: Departure): readonly Packet[] | 'too-big' {
  const { packet, mtu, pieces } = departure;
  const fits = mtu === undefined || ipLength(packet) <= mtu;
  if (pieces === undefined) {
    if (fits) return [packet];
    const whole = typeof packet.src === 'number' ? packet.dontFragment : departure.whole;
    return whole ? 'too-big' : cut(packet, equalLengths(packet, mtu));
  }
  const mayCut = typeof packet.src === 'number' && !packet.dontFragment;
  const tooLong = mtu !== undefined && (pieces.loose === true || pieces.longest > mtu);
  if (tooLong && !fits && !mayCut) return 'too-big';
  // IPv6 sends what fits into one of the original pieces whole; a single piece was none.
  const whole =
    typeof packet.src === 'number'
      ? pieces.loose === true || pieces.payloads.length < 2
      : ipLength(packet) <= pieces.longest;
  return whole && fits ? [packet] : asItCame(packet, pieces, departure);
}
