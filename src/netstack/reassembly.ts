/**
 * Putting fragments together (RFC 815; ip_fragment.c, nf_conntrack_reasm.c). Pieces that overlap spoil their
 * datagram, as in Linux since 4.20.
 */
import { emitPacket, ipLength, parsePacket } from '../wire/headers.ts';
import { formatIpAddress } from '../wire/ip-address.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { payloadOf } from './payload.ts';

/** net.ipv4.ipfrag_time and its IPv6 twin: seconds that pieces wait for the rest. */
const WAIT = 30;

interface Queue {
  readonly pieces: readonly Packet[];
  readonly expires: number;
}

/** How a packet that was put together came: it leaves the same way. */
export interface Pieces {
  /** The packet leaves whole where it fits (see Skb). */
  readonly loose?: boolean;
  /** Payload bytes of each, in order. */
  readonly payloads: readonly number[];
  /** The length of the longest, IP header included. */
  readonly longest: number;
}

export interface Reassembled {
  readonly packet: Packet;
  readonly pieces: Pieces;
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

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The whole packet, read anew from all of its bytes. */
function join(pieces: readonly Packet[], longest: number): Packet | undefined {
  const [first, ...later] = pieces;
  if (first === undefined) return undefined;
  const rest = later.map(payloadOf);
  const missing = rest.reduce((sum, { length }) => sum + length, 0);
  const data = concat([payloadOf({ ...first, truncatedBytes: missing }), ...rest]);
  const { fragment: _, corrupt: __, truncatedBytes: ___, ...header } = first;
  const bytes = emitPacket({
    ...header,
    id: typeof first.src === 'number' ? first.id : 0,
    // Pieces as long as the longest were sent by somebody who did not want them cut further.
    dontFragment: pieces.some((piece) => piece.dontFragment && ipLength(piece) === longest),
    transport: { kind: 'opaque', protocol: protocolOf(first), data },
  });
  const { corrupt, ...whole } = parsePacket(bytes);
  // A first piece whose header was understood has lost the checksum that covered the whole.
  const judged = first.transport.kind === 'opaque' && corrupt !== undefined;
  return judged ? { ...whole, corrupt } : whole;
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
    if (ordered === 'spoiled') return undefined;
    const longest = Math.max(...ordered.map(ipLength));
    const packet = join(ordered, longest);
    const payloads = ordered.map((part) => payloadOf(part).length);
    return packet && { packet, pieces: { payloads, longest } };
  }

  clone(): ReassemblyQueues {
    const copy = new ReassemblyQueues();
    for (const [key, queue] of this.#queues) copy.#queues.set(key, queue);
    return copy;
  }
}
