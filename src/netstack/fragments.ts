/**
 * Fragments of IP packets: putting them together (RFC 815; ip_fragment.c, nf_conntrack_reasm.c) and making
 * them (ip_output.c ip_do_fragment). Pieces that overlap spoil their datagram, as in Linux since 4.20.
 */
import { emitPacket, ipLength } from '../wire/headers.ts';
import { formatIpAddress } from '../wire/ip-address.ts';
import { type Packet, protocolOf, type Transport } from '../wire/packet.ts';

/** net.ipv4.ipfrag_time and its IPv6 twin: seconds that pieces wait for the rest. */
const WAIT = 30;

interface Queue {
  readonly pieces: readonly Packet[];
  readonly expires: number;
}

/** A packet put together, and the length of its longest piece: it leaves in pieces no longer than that. */
export interface Reassembled {
  readonly packet: Packet;
  readonly longestPiece: number;
}

function headerLength(packet: Packet): number {
  const bytes = emitPacket(packet);
  return typeof packet.src === 'number' ? ((bytes[0] ?? 0) & 15) * 4 : ipv6HeaderLength(packet);
}

const FRAGMENT_HEADER = 8;

function ipv6HeaderLength({ extensions, fragment }: Packet): number {
  const extended = (extensions ?? []).reduce((sum, { data }) => sum + data.length, 0);
  return 40 + extended + (fragment === undefined ? 0 : FRAGMENT_HEADER);
}

function payloadOf(packet: Packet): Uint8Array {
  return emitPacket(packet).subarray(headerLength(packet));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const offsetOf = ({ fragment }: Packet) => fragment?.offset ?? 0;

/** The pieces in order when they are all there and fit together; `spoiled` when they never will. */
function arrange(pieces: readonly Packet[]): readonly Packet[] | 'incomplete' | 'spoiled' {
  const ordered = [...pieces].sort((a, b) => offsetOf(a) - offsetOf(b));
  let end = 0;
  let gap = false;
  for (const piece of ordered) {
    if (offsetOf(piece) < end) return 'spoiled';
    if (offsetOf(piece) > end) gap = true;
    end = offsetOf(piece) + payloadOf(piece).length;
  }
  return gap || ordered.at(-1)?.fragment?.more !== false ? 'incomplete' : ordered;
}

function join(pieces: readonly Packet[]): Packet | undefined {
  const [first, ...later] = pieces;
  if (first === undefined) return undefined;
  const { fragment: _, corrupt: __, ...header } = first;
  const data = concat([first.transport.data, ...later.map(payloadOf)]);
  return { ...header, transport: { ...first.transport, data } };
}

/** Where pieces wait for the rest of their packet. */
export class ReassemblyQueues {
  readonly #queues = new Map<string, Queue>();

  /** Takes a piece at time `now`: the whole packet when it was the last one missing. */
  add(piece: Packet, now: number): Reassembled | undefined {
    const { src, dst, id } = piece;
    const key = [formatIpAddress(src), formatIpAddress(dst), protocolOf(piece), id].join(' ');
    const waiting = this.#queues.get(key);
    const known = waiting !== undefined && waiting.expires > now ? waiting.pieces : [];
    // A piece that came twice is ignored.
    const repeated = known.some(
      (other) => offsetOf(other) === offsetOf(piece) && ipLength(other) === ipLength(piece),
    );
    if (repeated) return undefined;
    const pieces = [...known, piece];
    const ordered = arrange(pieces);
    if (ordered === 'incomplete') {
      const expires = known.length > 0 ? (waiting?.expires ?? now + WAIT) : now + WAIT;
      this.#queues.set(key, { pieces, expires });
      return undefined;
    }
    this.#queues.delete(key);
    const packet = ordered === 'spoiled' ? undefined : join(ordered);
    return packet && { packet, longestPiece: Math.max(...pieces.map(ipLength)) };
  }

  clone(): ReassemblyQueues {
    const copy = new ReassemblyQueues();
    for (const [key, queue] of this.#queues) copy.#queues.set(key, queue);
    return copy;
  }
}

/** The first `length` bytes of `payload` as a transport value: whole headers stay what they are. */
function firstPiece(transport: Transport, protocol: number, payload: Uint8Array, length: number): Transport {
  const header = payload.length - transport.data.length;
  if (length < header) return { kind: 'opaque', protocol, data: payload.slice(0, length) };
  return { ...transport, data: transport.data.slice(0, length - header) };
}

/** `packet` in pieces of at most `mtu` bytes each; itself alone when it fits. */
export function fragmentPacket(packet: Packet, mtu: number): readonly Packet[] {
  if (ipLength(packet) <= mtu) return [packet];
  const payload = payloadOf(packet);
  const overhead = headerLength(packet) + (typeof packet.src === 'number' ? 0 : FRAGMENT_HEADER);
  const room = (mtu - overhead) & ~7;
  if (room <= 0) return [packet];
  const protocol = protocolOf(packet);
  const start = offsetOf(packet);
  const pieces: Packet[] = [];
  for (let at = 0; at < payload.length; at += room) {
    const data = payload.slice(at, at + room);
    const more = at + room < payload.length || packet.fragment?.more === true;
    const transport: Transport =
      at === 0
        ? firstPiece(packet.transport, protocol, payload, data.length)
        : { kind: 'opaque', protocol, data };
    pieces.push({ ...packet, fragment: { offset: start + at, more }, transport });
  }
  return pieces;
}
